"""Content as the directions of features."""

import pytest
import torch

from impasto.losses import AngularLoss


def features(seed):
    """Positive features (1, 5, 6, 4)."""
    return torch.rand(1, 5, 6, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def distance(F, P, weak):
    """The mean of 1 - cos, with one more feature of ``weak`` everywhere."""
    more = torch.full_like(F[:, :1], weak)
    return (1 - torch.cosine_similarity(torch.cat([F, more], 1), torch.cat([P, more], 1), dim=1)).mean().item()


def test_loss_is_the_mean_distance_of_directions():
    """One minus the cosine, with w among the features."""
    F, P = features(1), features(2)
    assert AngularLoss(P, 0.3).value(F).item() == pytest.approx(distance(F, P, 0.3), rel=1e-10)
    assert AngularLoss(P, 0.3).value(P).item() == pytest.approx(0, abs=1e-12)


def test_the_strength_of_features_is_left_open():
    """Where w is small beside them, an image three times as strong costs the same."""
    F, P = features(1), features(2)
    loss = AngularLoss(P, 1e-9)
    assert loss.value(3 * F).item() == pytest.approx(loss.value(F).item(), rel=1e-12)


def test_positions_without_features_agree():
    """Black on black is no distance, and black on something is nearly all."""
    nothing, P = torch.zeros(1, 5, 6, 4, dtype=torch.float64), features(2)
    assert AngularLoss(nothing, 0.1).value(nothing).item() == 0
    summary = AngularLoss(P, 1e-6).summarize(nothing)
    assert summary.item() == pytest.approx(24, rel=1e-4)
