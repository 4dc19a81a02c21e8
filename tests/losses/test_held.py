"""Content held within a distance."""

import pytest
import torch

from impasto.losses import HeldContentLoss


def features(seed):
    """Positive features (1, 5, 6, 4)."""
    return torch.rand(1, 5, 6, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def distance(F, P, weak):
    """The mean of 1 - cos, with one more feature of ``weak`` everywhere."""
    more = torch.full_like(F[:, :1], weak)
    return (1 - torch.cosine_similarity(torch.cat([F, more], 1), torch.cat([P, more], 1), dim=1)).mean().item()


@pytest.mark.parametrize("part", [0.25, 0.9])
def test_beyond_the_limit_it_is_a_parabola(part):
    """Half the square of what the distance is more than the limit, relative to it."""
    F, P = features(1), features(2)
    limit = part * distance(F, P, 0.3)
    expected = (1 / part - 1) ** 2 / 2
    assert HeldContentLoss(P, limit, 0.3).value(F).item() == pytest.approx(expected, rel=1e-10)


def test_within_the_limit_it_has_no_say():
    """Neither value nor gradient."""
    F, P = features(1), features(2)
    loss, slope = HeldContentLoss(P, 1.01 * distance(F, P, 0.3), 0.3), torch.zeros_like(F)
    summary = loss.summarize(F)
    loss.add_gradient(slope, F, summary, 24, 1.0)
    assert loss.compare(summary, 24).item() == 0
    assert not slope.any()


def test_the_strength_of_features_is_left_open():
    """Where w is small beside them, an image three times as strong costs the same."""
    F, P = features(1), features(2)
    loss = HeldContentLoss(P, 0.01, 1e-9)
    assert loss.value(3 * F).item() == pytest.approx(loss.value(F).item(), rel=1e-12)


def test_positions_without_features_agree():
    """Black on black is no distance, and black on something is nearly all."""
    nothing, P = torch.zeros(1, 5, 6, 4, dtype=torch.float64), features(2)
    assert HeldContentLoss(nothing, 0.1, 0.1).value(nothing).item() == 0
    summary = HeldContentLoss(P, 0.1, 1e-6).summarize(nothing)
    assert summary.item() == pytest.approx(24, rel=1e-4)
