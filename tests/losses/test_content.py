"""Content: half the mean squared error of features."""

import pytest
import torch

from impasto.losses import ContentLoss
from impasto.tiling import Window


def features(seed):
    """Random features (1, 6, 4, 5)."""
    return torch.randn(1, 6, 4, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_photo_against_itself_costs_nothing():
    """The loss is exactly 0 where features are the target."""
    assert ContentLoss(features(0)).value(features(0)) == 0


def test_loss_is_the_papers_sum_per_value():
    """Equation 1 of Gatys et al. (2016), half the sum of squares, divided by N M."""
    F, P = features(0), features(1)
    paper = 0.5 * ((F - P) ** 2).sum()
    assert ContentLoss(P).value(F).item() == pytest.approx((paper / (6 * 20)).item(), rel=1e-14)


def test_gradient_is_the_papers_per_value():
    """Equation 2, F - P, divided by N M."""
    F, P = features(0), features(1)
    out = torch.zeros_like(F)
    ContentLoss(P).add_gradient(out, F, torch.empty(0), 20, 1.0)
    assert torch.allclose(out, (F - P) / 120, rtol=1e-13)


def test_window_sees_its_part_of_the_target():
    """Restricted to a window, the target is a view of the same place."""
    P = features(1)
    part = ContentLoss(P).at(Window((1, 2), (3, 5)))
    assert torch.equal(part.target, P[:, :, 1:3, 2:5])
    assert part.target.untyped_storage().data_ptr() == P.untyped_storage().data_ptr()
