"""How alike two pictures are, and seams."""

import math

import numpy as np
import pytest
import torch
from skimage import data, metrics

from impasto.quality import psnr, seam, ssim


def photo(rows=slice(100, 160), columns=slice(120, 200)):
    """A piece of a photo, (1, 3, H, W) in float32."""
    return torch.from_numpy(data.astronaut()[rows, columns].copy()).permute(2, 0, 1)[None].float() / 255


def noisy(image, amount):
    """The image with Gaussian noise."""
    return (image + amount * torch.randn_like(image)).clamp(0, 1)


def as_array(image):
    """(H, W, C) in float64, as scikit-image wants it."""
    return image[0].permute(1, 2, 0).double().numpy()


@pytest.mark.parametrize("amount", [0.01, 0.1, 0.5])
def test_psnr_is_that_of_scikit_image(amount):
    """To the last digits."""
    x, y = photo(), noisy(photo(), amount)
    expected = metrics.peak_signal_noise_ratio(as_array(x), as_array(y), data_range=1)
    assert psnr(x, y) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("amount", [0.01, 0.1, 0.5])
def test_ssim_is_that_of_scikit_image(amount):
    """With the paper's Gaussian window and population variances."""
    x, y = photo(), noisy(photo(), amount)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    expected = metrics.structural_similarity(as_array(x), as_array(y), channel_axis=2, **options)
    assert ssim(x, y) == pytest.approx(expected, rel=1e-9)


def test_equal_pictures():
    """Nothing can be closer."""
    assert psnr(photo(), photo()) == math.inf
    assert ssim(photo(), photo()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("shape", [(40,), (12, 14, 13), (5, 40), (1, 3)])
def test_any_number_of_axes(shape):
    """Signals, volumes, and pictures narrower than the window: symmetric, and lower for more noise."""
    x = torch.rand(1, 2, *shape, dtype=torch.float64)
    near, far = noisy(x, 0.05), noisy(x, 0.5)
    assert ssim(x, near) == pytest.approx(ssim(near, x))
    assert ssim(x, far) < ssim(x, near) < 1
    assert psnr(x, far) < psnr(x, near)


def test_a_wave_that_closes_has_no_seam_and_another_has():
    """Whole periods meet; a broken one jumps."""
    place = torch.arange(64) / 64 * 2 * math.pi
    whole, broken = (torch.sin(k * place + 0.8)[:, None] * torch.cos(k * place) * 0.5 + 0.5 for k in (3.0, 3.3))
    assert seam(whole[None, None]) < 1.6
    assert seam(broken[None, None]) > 2


def test_seam_counts_every_axis():
    """A jump along either axis shows, by hand: 9 across against 1 inside, and nothing along the other axis."""
    ramp = torch.arange(10.0).repeat(4, 1)
    assert seam(ramp[None, None]) == seam(ramp.t()[None, None]) == pytest.approx(9)


def test_seam_compares_with_its_own_kind():
    """In a picture whose columns come in pairs the seam is no worse than the other borders of pairs."""
    columns = torch.from_numpy(np.random.default_rng(0).random(200)).repeat_interleave(2)
    image = columns.repeat(4, 1)[None, None]
    inner = (image[..., 2::2] - image[..., 1:-1:2]).abs().mean()
    across = (image[..., 0] - image[..., -1]).abs().mean()
    assert seam(image, period=2) == pytest.approx((across / inner).item())
    assert seam(image) == pytest.approx((across / inner).item() * 399 / 199)


def test_a_flat_picture_has_no_seam():
    """Nor does it divide by zero."""
    assert seam(torch.full((1, 3, 4, 4), 0.5)) == 1
    assert seam(torch.rand(1, 3, 1, 1)) == 1
