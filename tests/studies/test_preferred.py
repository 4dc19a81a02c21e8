"""Preferred pictures: higher activations, the same on every run, in bounds, whatever the channel scales."""

import pytest
import torch

from impasto.encoders import Encoder
from impasto.encoders.normalization import rescaled
from impasto.errors import LayerError
from impasto.studies.preferred import Preference, colored_noise, preferred, shifts, unrectified

QUICK = Preference(evaluations=12, rounds=3, size=24, smoothness=0.1)
CHANNEL = Preference(whole=True, evaluations=12, rounds=3, size=24, smoothness=0.1)


def activation(encoder, layer, unit, image, *, whole=False):
    """The channel's mean before its ReLU, or its value in the center."""
    (_, values), *_ = unrectified(encoder, layer).features(image, (layer,))
    return values[0, unit].mean().item() if whole else values[0, unit].max().item()


@pytest.mark.parametrize("unit", range(4))
@pytest.mark.parametrize("how", [QUICK, CHANNEL], ids=["unit", "channel"])
def test_the_activation_rises(tiny, how, unit):
    """Far above that of the start, for units that were silent there too."""
    encoder = tiny(pooling="max", dtype=torch.float32)
    found = preferred(encoder, "conv3_1", unit, how)
    start = colored_noise(tuple(found.shape[2:]), 0)
    before, after = (activation(encoder, "conv3_1", unit, x, whole=how.whole) for x in (start, found))
    assert after > before + 0.2 * abs(before)
    assert found.min() >= 0
    assert found.max() <= 1


def test_sizes(tiny):
    """A unit's picture is its receptive field, a channel's has the size that was asked for."""
    encoder = tiny(dtype=torch.float32)
    sees = {"conv1_1": 3, "conv2_1": 10, "conv3_1": 20}
    for layer, side in sees.items():
        assert preferred(encoder, layer, 0, QUICK).shape == (1, 3, side, side)
    assert preferred(encoder, "conv2_1", 0, CHANNEL).shape == (1, 3, 24, 24)


def test_repeats_and_seeds(tiny):
    """The same seed gives the same picture, another one another."""
    encoder = tiny(dtype=torch.float32)
    first, second = (preferred(encoder, "conv2_1", 1, QUICK) for _ in range(2))
    assert torch.equal(first, second)
    other = Preference(evaluations=12, rounds=3, seed=1, smoothness=0.1)
    assert not torch.allclose(first, preferred(encoder, "conv2_1", 1, other), atol=1e-2)


def test_channel_scales_make_no_difference(tiny):
    """A network whose filters fire at other strengths likes the same pictures."""
    encoder = tiny(dtype=torch.float64)
    scales = {x.name: 0.1 + 9 * torch.rand(x.channels_out, dtype=torch.float64) for x in encoder.stack.convolutions}
    other = Encoder(encoder.stack, rescaled(encoder.parameters, scales), dtype=torch.float64)
    one, two = (preferred(x, "conv2_1", 2, QUICK) for x in (encoder, other))
    assert torch.allclose(one, two, atol=1e-4)


def test_smoothness_smooths(tiny):
    """A larger weight gives smaller differences between neighbors."""
    encoder = tiny(dtype=torch.float32)
    rough, smooth = (
        preferred(encoder, "conv3_1", 1, Preference(evaluations=18, rounds=3, smoothness=weight))
        for weight in (0.0, 50.0)
    )
    assert smooth.diff(dim=3).square().mean() < 0.5 * rough.diff(dim=3).square().mean()


@pytest.mark.parametrize("rounds", [1, 2, 7])
def testshifts_lead_back(rounds):
    """Together they are none, and nowhere on the way is the picture further off than allowed."""
    places = torch.tensor(shifts(rounds, 3, 5)).cumsum(0)
    assert places[-1].tolist() == [0, 0]
    assert places.abs().max() <= 3
    assert rounds == 1 or places.any()


def test_progress_and_evaluations(tiny):
    """Every evaluation is told, to the last; fewer evaluations than rounds will do."""
    told = []
    preferred(tiny(dtype=torch.float32), "conv1_1", 0, QUICK, progress=lambda *pair: told.append(pair))
    assert told[-1][0] <= told[-1][1] == 12
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    preferred(tiny(dtype=torch.float32), "conv1_1", 0, Preference(evaluations=2))


@pytest.mark.parametrize("layer", ["pool1", "image"])
def test_layers_without_units_of_their_own(tiny, layer):
    """A pooling or the image is refused by name."""
    with pytest.raises(LayerError, match=f"{layer} is not a convolution"):
        preferred(tiny(), layer, 0)
