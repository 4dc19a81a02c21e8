"""Sounds in the style of others."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from impasto import sounds
from impasto.encoders import Encoder, bank, random_parameters
from impasto.engines import Engine
from impasto.errors import CheckpointError, SettingsError, SoundError
from impasto.losses import ContentLoss
from impasto.losses.gram import GramLoss
from impasto.objective import Objective, Term
from impasto.runs.sequences.sound import SoundTransfer
from impasto.runs.sequences.sound_filters import SoundFilters, SpectrogramEvaluator
from impasto.sounds import Spectrogram, Tags
from impasto.tiling import tiles

SMALL = SoundFilters(filters=24, width=5, window=256)
RATE = 8000


def pulses(seconds=0.8, seed=0, channels=1):
    """Bursts of noise at irregular moments."""
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE)
    envelope = np.zeros(count)
    for at in np.cumsum(rng.uniform(0.06, 0.2, 12)):
        begin = int(at * RATE)
        envelope[begin:] += np.exp(-np.arange(max(0, count - begin)) / 300)
    return sounds.as_sound(0.1 * envelope * rng.normal(size=(channels, count)), RATE, "pulses")


def chord(seconds=0.7, rate=RATE, channels=1):
    """Steady tones with a beat."""
    time = np.arange(round(seconds * rate)) / rate
    tones = sum(np.sin(2 * np.pi * f * time) for f in (330, 440, 554)) * (1 + 0.5 * np.sin(30 * time))
    return sounds.as_sound(0.2 * np.stack([tones] * channels), rate, "chord")


@pytest.fixture(scope="module")
def engine():
    """One bank with content and style, for 40 spectra of 9 frequencies, in float64."""
    stack = bank(9, 12, 5)
    encoder = Encoder(stack, random_parameters(stack, 1, 0), dtype=torch.float64, padding="reflect")

    def features(seed):
        levels = torch.rand(1, 9, 40, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        return dict(encoder.features(levels, ("conv1",)))["conv1"]

    terms = (
        Term("content", "conv1", ContentLoss(features(1)), 0.5),
        Term("style", "conv1", GramLoss.of(features(2)), 2.0),
    )
    return Engine(encoder, Objective(terms))


def test_bank_whole_and_tiled(engine):
    """Cut in time, a spectrogram has the value and gradient of the whole."""
    levels = torch.rand(1, 9, 40, dtype=torch.float64)
    cut = tiles((40,), 8, engine.objective.halo(engine.encoder.stack), 1)
    assert len(cut) == 5
    whole, tiled = engine.evaluate(levels), Engine(engine.encoder, engine.objective, cut).evaluate(levels)
    assert tiled.value == pytest.approx(whole.value, rel=1e-12)
    assert torch.allclose(tiled.gradient, whole.gradient, rtol=1e-10, atol=1e-14)


def test_bank_gradient_agrees_with_autograd(engine):
    """One convolution, written in torch's words."""
    levels = torch.rand(1, 9, 40, dtype=torch.float64, requires_grad=True)
    weight = engine.encoder.parameters.convolutions["conv1"][0].double()
    features = torch.conv1d(torch.nn.functional.pad(levels, (2, 2), mode="reflect"), weight).relu()
    value = sum(term.weight * term.loss.value(features) for term in engine.objective.terms)
    (expected,) = torch.autograd.grad(value, levels)
    found = engine.evaluate(levels.detach())
    assert found.value == pytest.approx(value.item(), rel=1e-12)
    assert torch.allclose(found.gradient, expected, rtol=1e-10, atol=1e-14)


def test_gradient_over_samples_agrees_with_differences():
    """Through transform, levels, filters and losses, stereo, along random directions."""
    spectrogram, stack = Spectrogram(32, 8), bank(17, 12, 5)
    encoder = Encoder(stack, random_parameters(stack, 1, 0), dtype=torch.float64)
    samples = torch.rand(2, 1, 200, dtype=torch.float64)
    reference = 3.0
    target = dict(
        encoder.features(spectrogram.levels(spectrogram.spectra(torch.rand(2, 180).double()), 3.0), ("conv1",))
    )
    listening = SpectrogramEvaluator(
        Engine(encoder, Objective((Term("style", "conv1", GramLoss.of(target["conv1"]), 1.0),))),
        spectrogram,
        reference,
        2.5,
    )
    gradient = listening.evaluate(samples).gradient
    assert gradient.shape == samples.shape
    for _ in range(3):
        direction = torch.randn_like(samples)
        ahead, behind = (listening.measure(samples + step * direction).value for step in (1e-6, -1e-6))
        assert (gradient * direction).sum().item() == pytest.approx((ahead - behind) / 2e-6, rel=1e-5)


def test_style_falls_and_onsets_stay():
    """Pulses in the style of a chord: the delivered samples have its statistics and the pulses' moments."""
    content, style = pulses(), chord()
    result = SoundTransfer.of(content, style, sound_filters=SMALL, evaluations=(30, 40)).run()
    assert result.tensor.shape == content.samples.shape
    assert result.measures["fall"] > 20
    assert result.measures["onsets"] > 0.8
    assert result.measures["peak"] <= 0.98
    assert result.complete
    assert result.losses["delivered"].value == pytest.approx(result.losses["optimized"].value, rel=1e-3)
    assert not torch.allclose(result.tensor, content.samples, atol=0.01)


def test_descent_over_samples_beats_phases():
    """What Griffin and Lim lose of the statistics, the descent over samples regains."""
    falls = {
        phase: SoundTransfer.of(pulses(), chord(), sound_filters=SoundFilters(24, 5, 256, phase), evaluations=30)
        .run()
        .measures["fall"]
        for phase in ("descent", "griffin-lim", "content")
    }
    assert falls["descent"] > 3 * max(falls["griffin-lim"], falls["content"])


def test_texture_of_any_length():
    """From noise, with the exemplar's statistics."""
    run = SoundTransfer.texture(chord(), 0.9, sound_filters=SMALL, evaluations=25)
    result = run.run()
    assert result.tensor.shape == (1, 7200)
    assert result.measures["fall"] > 10
    assert result.measures["onsets"] is None
    assert result.recipe["inputs"]["content"] is None
    assert torch.equal(run.run().tensor, result.tensor)
    assert not torch.equal(
        SoundTransfer.texture(chord(), 0.9, sound_filters=SMALL, evaluations=25, seed=1).run().tensor, result.tensor
    )


@pytest.mark.parametrize("channels", [(1, 2), (2, 1), (2, 2)])
def test_mono_and_stereo_and_other_rates(channels):
    """The content decides on both; the style is fitted to it."""
    content, style = pulses(0.3, channels=channels[0]), chord(0.3, 11025, channels[1])
    run = SoundTransfer.of(content, style, sound_filters=SMALL, evaluations=2)
    assert run.styles[0].samples.shape == (channels[0], 2400)
    result = run.run()
    assert result.tensor.shape == content.samples.shape
    assert result.made.rate == RATE


def test_loud_results_are_scaled_down(monkeypatch):
    """Nothing is clipped, and a note says by how much it was made quieter."""
    loud = sounds.as_sound(pulses().samples / pulses().samples.abs().max() * 3, RATE)
    result = SoundTransfer.of(loud, chord(), sound_filters=SMALL, evaluations=2).run()
    assert result.measures["peak"] == pytest.approx(0.98)
    assert any("dB quieter" in note for note in result.notes)


def test_a_checkpoint_goes_on_to_the_same_sound(tmp_path):
    """Killed on either level, a run ends with the same samples; another run's checkpoint is refused."""
    run = SoundTransfer.of(pulses(0.3), chord(0.3), sound_filters=SMALL, evaluations=6)
    expected = run.run()
    for level in (0, 1):
        folder = tmp_path / str(level)
        stopped = run.run(lambda event, level=level: event.level == level and event.evaluation >= 3, folder)
        assert not stopped.complete
        assert stopped.tensor.shape == expected.tensor.shape
        assert torch.equal(run.run(checkpoint=folder).tensor, expected.tensor)
    other = SoundTransfer.of(pulses(0.3), chord(0.3), sound_filters=SoundFilters(25, 5, 256), evaluations=6)
    with pytest.raises(CheckpointError, match="hearing"):
        other.run(checkpoint=tmp_path / "0")


def test_result_is_saved_with_recipe_and_picture(tmp_path):
    """The sound says how it was made, and so does the picture of its spectrograms."""
    from impasto import images

    result = SoundTransfer.of(pulses(0.3), chord(0.3), sound_filters=SMALL, evaluations=1).run()
    result.save(tmp_path / "out.ogg")
    result.save_picture(tmp_path / "out.png")
    assert sounds.read_recipe(tmp_path / "out.ogg") == result.recipe == images.read_recipe(tmp_path / "out.png")
    assert result.picture.shape[2] > 3 * 220
    result.save(tmp_path / "bare.wav", metadata=False)
    assert sounds.read_recipe(tmp_path / "bare.wav") is None


def test_what_a_recording_says_comes_through(tmp_path):
    """Its tags, and a note on what has no place; a texture is not that recording."""
    said = Tags({"title": "Kirchenglocken", "artist": "Äbtissin"}, ("a cover picture",))
    content = replace(pulses(0.3), tags=said)
    result = SoundTransfer.of(content, chord(0.3), sound_filters=SMALL, evaluations=1).run()
    result.save(tmp_path / "out.mp3", metadata=False)
    assert sounds.read(tmp_path / "out.mp3").tags == Tags(said.words)
    assert "Of pulses, these do not come through: a cover picture." in result.notes
    texture = SoundTransfer.texture(content, 0.3, sound_filters=SMALL, evaluations=1).run()
    texture.save(tmp_path / "out.wav", metadata=False)
    assert sounds.read(tmp_path / "out.wav").tags == Tags()
    assert not texture.notes


@pytest.mark.parametrize(("name", "rate"), [("x.ogg", 384_000), ("x.mp3", 96_000), ("no/x.wav", 8000), ("x.aac", 8000)])
def test_what_cannot_be_saved_is_found_before(tmp_path, name, rate):
    """By the run, with all that its file would carry."""
    run = SoundTransfer.of(replace(pulses(0.3), rate=rate), replace(chord(0.3), rate=rate), sound_filters=SMALL)
    with pytest.raises(SoundError):
        run.medium.check(tmp_path / name, run.like, run.shapes[-1])
    assert run.medium.check(tmp_path / "x.wav", run.like, run.shapes[-1]) == ()


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (
            lambda: SoundTransfer.of(sounds.as_sound(np.ones(200), RATE), chord(), sound_filters=SMALL),
            SoundError,
            "more than 256, one window",
        ),
        (lambda: SoundTransfer.of(pulses(), []), SettingsError, "no (sound|record) to take a style from"),
        (
            lambda: SoundTransfer.of(pulses(), sounds.as_sound(np.ones(900), 2**31 - 1), sound_filters=SMALL),
            SoundError,
            "2.14748e.09 samples per second and cannot be brought to 8000",
        ),
        (lambda: SoundTransfer.of(pulses(), chord(), size=64), SettingsError, "size cannot take effect in a stylized"),
        (lambda: SoundTransfer.of(pulses(), chord(), init="x.png"), SettingsError, "starts from content, noise"),
        (lambda: SoundTransfer.of(pulses(), chord(), evaluations=(1, 2, 3)), SettingsError, "3 numbers, .* 2 levels"),
        (lambda: SoundTransfer.of(pulses(), chord(), blend=(1, 2)), SettingsError, "2 shares for 1 styles"),
        (lambda: SoundTransfer.texture(chord(), strength=0.3), SettingsError, "strength cannot take effect"),
        (lambda: SoundTransfer.texture(chord(), noise=0.3), SettingsError, "noise cannot take effect"),
        (lambda: SoundTransfer.texture(chord(), -1), SettingsError, "more than 0"),
        (
            lambda: SoundTransfer.texture(chord(), sound_filters=SoundFilters(phase="content")),
            SettingsError,
            "no content whose phase",
        ),
        (lambda: SoundFilters(filters=0), SettingsError, "filters is 0, but it goes from 1"),
        (lambda: SoundFilters(window=130), SettingsError, "multiple of 4"),
        (lambda: SoundFilters(phase="loud"), SettingsError, "choose one of descent"),
    ],
)
def test_refusals(make, error, words):
    """Each in one sentence, before anything is computed."""
    with pytest.raises(error, match=words):
        make()
