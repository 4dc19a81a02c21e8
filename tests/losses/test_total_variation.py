"""Smoothness: squared differences of neighbors."""

import pytest
import torch

from impasto.losses import TotalVariationLoss


def test_flat_image_costs_nothing():
    """No differences, no loss."""
    assert TotalVariationLoss().value(torch.full((1, 3, 4, 5), 0.3)) == 0


def test_loss_is_the_mean_of_squared_differences():
    """Written out for a picture of two by two: four differences per channel, over four positions."""
    x = torch.tensor([[1.0, 4.0], [2.0, 9.0]]).view(1, 1, 2, 2)
    assert TotalVariationLoss().value(x) == (3**2 + 7**2 + 1**2 + 5**2) / 4


def test_loss_sums_over_axes():
    """A ramp of slope 1 along one of three axes differs once per position but the last."""
    x = torch.arange(5.0).view(1, 1, 1, 5, 1).expand(1, 2, 4, 5, 3)
    assert TotalVariationLoss().value(x).item() == pytest.approx(2 * 4 / 5)
