"""Signals in the style of others."""

import numpy as np
import pytest
import torch

from impasto import signals
from impasto.encoders import Encoder, octave_parameters, octaves
from impasto.engines import Engine
from impasto.errors import CheckpointError, SettingsError, SignalError
from impasto.losses import LOSSES
from impasto.objective import Objective, Term
from impasto.runs.sequences.signal import SignalTransfer
from impasto.runs.sequences.signal_scales import SignalScales
from impasto.tiling import tiles

SMALL = SignalScales(scales=4, filters=12, width=7)


def beats(count=600, period=70, width=3.0, leads=1, *, rate=100.0, scale=1.0):
    """Peaks at regular moments, as an ECG has them, on every lead another height."""
    time = np.arange(count)
    near = (time + 20) % period - 20
    wave = np.exp(-((near / width) ** 2)) + 0.2 * np.exp(-(((near - 18) / 6) ** 2)) + 0.01 * np.sin(time)
    values = scale * np.stack([wave * (1 + lead) for lead in range(leads)])
    return signals.as_record(values, rate, name="beats")


@pytest.mark.parametrize("name", LOSSES)
def test_octaves_whole_and_tiled(make_loss, rounding, name):
    """Every loss at every scale: cut in time, a signal has the value and gradient of the whole."""
    stack = octaves(2, 3, 4, 5)
    parameters = octave_parameters(stack, 0, torch.tensor([2.0, 2.0]), torch.tensor([-1.0, -1.0]))
    encoder = Encoder(stack, parameters, dtype=torch.float64, padding="reflect")
    layers = [layer.name for layer in stack.convolutions]
    image, other = torch.rand(2, 1, 2, 96, dtype=torch.float64)
    terms = tuple(Term(name, layer, make_loss(name, found), 1.0) for layer, found in encoder.features(other, layers))
    objective = Objective(terms)
    cut = tiles((96,), 30, objective.halo(stack), 4)
    assert len(cut) > 2
    whole, tiled = Engine(encoder, objective).evaluate(image), Engine(encoder, objective, cut).evaluate(image)
    assert tiled.value == pytest.approx(whole.value, rel=1e-12 * rounding(name))
    largest = whole.gradient.abs().max().item() or 1.0
    assert (tiled.gradient - whole.gradient).abs().max().item() < 1e-10 * rounding(name) * largest
    direction = torch.randn_like(image)
    ahead, behind = (Engine(encoder, objective).measure(image + step * direction).value for step in (1e-6, -1e-6))
    tolerance = 1e-6 * (whole.gradient.norm() * direction.norm()).item() + 1e-12
    assert (whole.gradient * direction).sum().item() == pytest.approx((ahead - behind) / 2e-6, abs=tolerance)


def test_style_falls_and_content_stays():
    """Narrow beats take the width of others, and stay where they were, in their own unit."""
    content, style = beats(scale=500.0), beats(width=9.0, period=80)
    result = SignalTransfer.of(content, style, scales=SMALL, evaluations=(60, 40, 40)).run()
    assert result.made.values.shape == content.values.shape
    assert result.measures["fall"] > 5
    assert result.measures["correlation"] > 0.6
    assert 300 < float(result.made.values.max()) < 900
    peaks = range(70, 560, 70)
    assert all(result.made.values[0, place - 12 : place + 13].max() > 150 for place in peaks)


def test_texture_of_any_length():
    """From noise, with the exemplar's statistics at all scales; one seed gives one record."""
    run = SignalTransfer.texture(beats(leads=2), 500, scales=SMALL, evaluations=40)
    result = run.run()
    assert result.made.values.shape == (2, 500)
    assert result.measures["fall"] > 20
    assert result.measures["correlation"] is None
    assert torch.equal(run.run().made.values, result.made.values)


def test_leads_of_unlike_size_keep_theirs():
    """A small lead beside a large one comes out in its own size, and one that does not vary does not."""
    small, large = beats(scale=0.07).values[0], beats(period=50, scale=17.7).values[0]
    content = signals.as_record(np.stack([small, large, np.full(600, 0.1)]), 100.0)
    result = SignalTransfer.of(content, beats(width=9.0, period=80), scales=SMALL, evaluations=30).run()
    sizes = result.made.values.std(1) / content.values.std(1)
    assert 0.5 < float(sizes[0]) < 2
    assert 0.5 < float(sizes[1]) < 2
    assert torch.equal(result.made.values[2], content.values[2])
    assert float(torch.corrcoef(torch.stack([result.made.values[0], content.values[0]]))[0, 1]) > 0.6


def test_what_does_not_vary_is_refused():
    """Also where rounding makes its deviation more than 0."""
    flat = signals.as_record(np.full((2, 600), 0.1), 100.0, name="flat")
    with pytest.raises(SignalError, match="flat is flat"):
        SignalTransfer.of(flat, beats(), scales=SMALL)


@pytest.mark.parametrize("rate", [1e-9, 1e-4, 2**31 - 1.0, 1e12])
def test_rates_that_have_nothing_in_common_are_refused(rate):
    """Before the memory is full."""
    with pytest.raises(SignalError, match="cannot be brought to 100; check the rates"):
        SignalTransfer.of(beats(), beats(rate=rate), scales=SMALL)


def test_rates_and_leads_are_fitted():
    """A style at twice the rate is halved; one lead serves for all."""
    run = SignalTransfer.of(beats(leads=3), beats(400, rate=200.0), scales=SMALL)
    assert run.styles[0].values.shape == (3, 200)
    assert run.shapes[-1] == (600,)
    assert len(run.settings.evaluations) == len(run.shapes) == 3
    assert [int(b[0] / a[0]) for a, b in zip(run.shapes, run.shapes[1:], strict=False)] == [2, 2]


def test_a_checkpoint_goes_on_to_the_same_record(tmp_path):
    """Killed on any level; another run's is refused."""
    run = SignalTransfer.of(beats(), beats(width=9.0), scales=SMALL, evaluations=4)
    expected = run.run()
    stopped = run.run(lambda event: event.level == 1, tmp_path)
    assert not stopped.complete
    assert stopped.made.values.shape == (1, 600)
    assert torch.equal(run.run(checkpoint=tmp_path).made.values, expected.made.values)
    with pytest.raises(CheckpointError, match="records"):
        SignalTransfer.of(beats(period=60), beats(width=9.0), scales=SMALL, evaluations=4).run(checkpoint=tmp_path)


@pytest.mark.parametrize("suffix", signals.SUFFIXES)
def test_result_says_what_it_is_not_for(tmp_path, suffix):
    """Whatever the format, and with the recipe or without."""
    result = SignalTransfer.of(beats(), beats(width=9.0), scales=SMALL, evaluations=1).run()
    for metadata in (True, False):
        path = tmp_path / f"out{metadata}{suffix}"
        result.save(path, metadata=metadata)
        words = path if suffix == ".csv" else path.with_name(f"{path.name}.json")
        assert "Not for diagnosis." in words.read_text()
        found = signals.read_recipe(path)
        assert (found or {}).get("measures") == (result.recipe["measures"] if metadata else None)
        assert torch.allclose(signals.read(path).values, result.made.values, rtol=1e-6, atol=1e-6)
    assert result.picture.shape == (1, 3, *result.picture.shape[2:])
    assert result.picture.shape[2] > 270


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: SignalTransfer.of(beats(leads=3), beats(leads=2)), SignalError, "2 leads and beats 3"),
        (lambda: SignalTransfer.of(beats(), beats(rate=None)), SignalError, "does not say how many"),
        (lambda: SignalTransfer.of(beats(10), beats()), SignalError, "has 10 samples, but 16 are needed"),
        (lambda: SignalTransfer.of(beats(100), beats(), scales=SignalScales(9)), SignalError, "100 samples, but 4096"),
        (lambda: SignalTransfer.of(beats(scale=0.0), beats()), SignalError, "is flat"),
        (lambda: SignalTransfer.of(beats(), [beats()], size=64), SettingsError, "size cannot take effect"),
        (lambda: SignalTransfer.of(beats(), beats(), evaluations=(1,) * 5), SettingsError, "5 numbers, .* 3 levels"),
        (lambda: SignalTransfer.texture([]), SettingsError, "no (sound|record) to take a style from"),
        (lambda: SignalTransfer.texture(beats(), 0), SettingsError, "0 samples was asked for"),
        (lambda: SignalScales(0), SettingsError, "scales is 0|goes from 1"),
        (lambda: SignalScales(filters=0), SettingsError, "filters is 0"),
    ],
)
def test_refusals(make, error, words):
    """Each in one sentence, before anything is computed."""
    with pytest.raises(error, match=words):
        make()
