"""Sharpness: the photo's Laplacian."""

import pytest
import scipy.ndimage
import torch

from impasto.losses import SharpnessLoss


def image(*shape, seed=0):
    """A random image (1, 3, *shape)."""
    return torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("shape", [(9,), (7, 8), (5, 6, 4)], ids=str)
def test_loss_compares_scipys_laplacians(shape):
    """Over the positions that have all their neighbors."""
    x, p = image(*shape), image(*shape, seed=1)
    inside = (slice(1, -1),) * len(shape)
    found = [scipy.ndimage.laplace(channel.numpy())[inside] for channel in (x - p)[0]]
    expected = sum((part**2).sum() for part in found) / x[0, 0].numel()
    assert SharpnessLoss(p).value(x).item() == pytest.approx(expected, rel=1e-12)


def test_slow_changes_of_color_are_free():
    """Another color everywhere, and one that changes evenly across the image, cost nothing."""
    p = image(7, 8)
    ramp = torch.linspace(-0.3, 0.4, 8, dtype=torch.float64)
    assert (
        SharpnessLoss(p).value(p + 0.2 + ramp).item() < 1e-27
    )  # (2^-52 of sums of seven)^2, over 56 positions and three channels


def test_blur_costs_more_than_recoloring():
    """An edge made soft, against an image whose colors are half as strong."""
    p = torch.zeros(1, 3, 8, 8, dtype=torch.float64)
    p[..., 4:] = 1
    soft = p.clone()
    soft[..., 3], soft[..., 4] = 1 / 3, 2 / 3
    assert SharpnessLoss(p).value(soft) > SharpnessLoss(p).value(0.5 * p + 0.2)


def test_images_of_two_positions_cost_nothing():
    """There is no position with all its neighbors."""
    assert SharpnessLoss(image(2, 9)).value(image(2, 9, seed=1)).item() == 0
