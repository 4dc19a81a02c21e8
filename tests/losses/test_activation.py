"""What is true of the activation loss alone: which values count."""

import pytest
import torch

from impasto.losses import ActivationLoss


@pytest.fixture
def features():
    """Random features with two spatial axes."""
    return torch.randn(1, 4, 5, 6, dtype=torch.float64)


def test_a_unit_is_one_value(features):
    """The loss of a unit is its negative activation, and only there is a derivative."""
    loss, out = ActivationLoss(2, (3, 1)), torch.zeros_like(features)
    assert loss.value(features).item() == -features[0, 2, 3, 1].item()
    loss.add_gradient(out, features, loss.summarize(features), 30, 0.5)
    assert out[0, 2, 3, 1].item() == -0.5
    assert out.count_nonzero() == 1


def test_a_channel_is_its_mean(features):
    """The loss of a channel is its negative mean, whose derivative is the same everywhere."""
    loss, out = ActivationLoss(1), torch.zeros_like(features)
    assert loss.value(features).item() == pytest.approx(-features[0, 1].mean().item(), rel=1e-14)
    loss.add_gradient(out, features, loss.summarize(features), 30, 3.0)
    assert torch.allclose(out[0, 1], torch.full((5, 6), -0.1, dtype=torch.float64))
    assert out.count_nonzero() == 30


def test_channels_add_over_windows(features):
    """Halves of a layer sum up to the whole, for a channel too."""
    loss = ActivationLoss(1)
    total = loss.summarize(features[..., :2]) + loss.summarize(features[..., 2:])
    assert loss.compare(total, 30).item() == pytest.approx(loss.value(features).item(), rel=1e-14)
