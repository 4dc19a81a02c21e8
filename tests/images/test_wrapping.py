"""Photos made to tile."""

import torch

from impasto import images, samples
from impasto.images.wrapping import periodic_component, tileable
from impasto.pyramid import resize
from impasto.quality import seam


def test_the_rest_is_smooth(picture):
    """What was taken away has no Laplacian inside, and jumps across the borders exactly as the picture did."""
    u = picture(12, 15)
    s = u - periodic_component(u)
    laplacian = (
        s[:, :, :-2, 1:-1] + s[:, :, 2:, 1:-1] + s[:, :, 1:-1, :-2] + s[:, :, 1:-1, 2:] - 4 * s[:, :, 1:-1, 1:-1]
    )
    assert laplacian.abs().max() < 1e-12
    around = s.roll(1, 2) + s.roll(-1, 2) + s.roll(1, 3) + s.roll(-1, 3) - 4 * s
    top, corner = u[:, :, -1] - u[:, :, 0], u[:, :, 0, -1] - u[:, :, 0, 0]
    assert torch.allclose(around[:, :, 0, 1:-1], top[:, :, 1:-1], atol=1e-12)
    assert torch.allclose(around[:, :, 0, 0], top[:, :, 0] + corner, atol=1e-12)


def test_mean_and_tiling_pictures_stay(picture):
    """The mean of every channel, and, but for rounding, pictures that tile already."""
    u = picture(10, 8)
    assert torch.allclose(periodic_component(u).mean((2, 3)), u.mean((2, 3)))
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(48.0), indexing="ij")
    wave = (0.5 + 0.2 * torch.cos(2 * torch.pi * y / 32) * torch.cos(4 * torch.pi * x / 48)).expand(1, 3, -1, -1)
    assert (periodic_component(wave) - wave).abs().max() < 0.02


def test_a_photo_tiles_afterwards():
    """Its seam is no more visible than its details."""
    photo = images.read(samples.photo("coffee"))
    small = resize(photo.pixels, (80, 120))
    found = tileable(images.read(small)).pixels
    assert seam(small) > 5
    assert seam(found) < 1.2
    assert 0 <= found.min() <= found.max() <= 1
