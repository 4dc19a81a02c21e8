"""Photorealism: the matting Laplacian."""

import numpy as np
import pytest
import torch

from impasto.losses import PhotorealismLoss


def image(*shape, seed=0, dtype=torch.float64):
    """A random image (1, 3, *shape)."""
    return torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def matting_laplacian(photo, epsilon):
    """Levin et al.'s equation 12, entry by entry: delta_ij - 1/9 (1 + (p_i - m)^T (C + epsilon/9)^-1 (p_j - m))."""
    height, width = photo.shape[2:]
    colors = photo[0].permute(1, 2, 0).reshape(-1, 3).numpy()
    numbers = np.arange(height * width).reshape(height, width)
    found = np.zeros((height * width, height * width))
    for y in range(height - 2):
        for x in range(width - 2):
            block = numbers[y : y + 3, x : x + 3].ravel()
            own = colors[block]
            left = own - own.mean(0)
            inverse = np.linalg.inv(left.T @ left / 9 + epsilon / 9 * np.eye(3))
            found[np.ix_(block, block)] += np.eye(9) - (1 + left @ inverse @ left.T) / 9
    return torch.from_numpy(found)


def test_loss_and_slope_are_those_of_the_matrix():
    """x^T L x per channel, and 2 L x, with the matrix written out."""
    x, p = image(6, 7), image(6, 7, seed=1)
    matrix = matting_laplacian(p, PhotorealismLoss.epsilon)
    rows = x[0].flatten(1)
    loss, slope = PhotorealismLoss(p), torch.zeros_like(x)
    assert loss.value(x).item() == pytest.approx((rows @ matrix @ rows.t()).trace().item() / 42, rel=1e-10)
    loss.add_gradient(slope, x, loss.summarize(x), 42, 1.0)
    assert torch.allclose(slope[0].flatten(1), 2 * rows @ matrix / 42, rtol=1e-9, atol=1e-12)


def test_affine_maps_of_the_photos_colors_are_free():
    """The photo, recolored by any matrix and offset, costs next to nothing; noise of the same size costs a lot."""
    p = image(9, 8)
    matrix = torch.tensor([[0.3, 0.9, -0.2], [0.1, 0.2, 0.5], [-0.4, 0.6, 0.3]], dtype=torch.float64)
    recolored = torch.einsum("oi,bi...->bo...", matrix, p) + 0.1
    loss = PhotorealismLoss(p)
    assert loss.value(p).item() < 1e-4
    assert loss.value(recolored).item() < 1e-4
    assert loss.value(image(9, 8, seed=1)).item() > 1e3 * loss.value(recolored).item()


def test_colors_may_change_from_place_to_place():
    """Slowly: a recoloring that fades in over forty positions costs a hundredth of a brush stroke as strong."""
    p = image(40, 40)
    fade = torch.linspace(0, 1, 40, dtype=torch.float64)
    stroke = (torch.arange(40) % 4 < 2).double()
    loss = PhotorealismLoss(p)
    assert loss.value(p * (1 - 0.5 * fade)) < 0.01 * loss.value(p * 0.5 + 0.5 * stroke)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_flat_photos_give_numbers(dtype):
    """Grey everywhere, or one color: whatever is not flat costs what it varies, and nothing is infinite."""
    flat, x = torch.full((1, 3, 6, 7), 0.5, dtype=dtype), image(6, 7, dtype=dtype)
    loss, slope = PhotorealismLoss(flat), torch.zeros_like(x)
    loss.add_gradient(slope, x, loss.summarize(x), 42, 1.0)
    assert slope.isfinite().all()
    blocks = x.unfold(2, 3, 1).unfold(3, 3, 1).flatten(4)
    expected = (blocks - blocks.mean(-1, keepdim=True)).square().sum() / 42
    assert loss.value(x).item() == pytest.approx(expected.item(), rel=1e-4)
    assert 0 <= loss.value(flat).item() < 1e-8


def test_single_precision_agrees():
    """On colors with the 256 steps of a photo, smooth in places, to a thousandth."""
    p = (image(12, 12) * image(12, 12, seed=2).round() * 255).round() / 255
    x = image(12, 12, seed=1)
    exact = PhotorealismLoss(p).value(x).item()
    assert PhotorealismLoss(p.float()).value(x.float()).item() == pytest.approx(exact, rel=1e-3)


def test_images_of_two_positions_cost_nothing():
    """There is no block."""
    assert PhotorealismLoss(image(2, 9)).value(image(2, 9, seed=1)).item() == 0
