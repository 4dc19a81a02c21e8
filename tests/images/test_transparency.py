"""What stands in for the colors of transparent pixels."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.images.transparency import extend_visible_colors


def noise(*shape, seed=0):
    """Uniform noise, the same for the same seed."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_hidden_colors_have_no_influence():
    """Two pictures that differ only under fully transparent pixels give the same pixels."""
    alpha = (noise(1, 1, 17, 23) > 0.5).float()
    visible = noise(1, 3, 17, 23, seed=1)
    garbage = torch.where(alpha > 0, visible, noise(1, 3, 17, 23, seed=2))
    assert torch.equal(extend_visible_colors(visible, alpha), extend_visible_colors(garbage, alpha))


def test_visible_colors_stay_exactly():
    """From a quarter opacity on, a pixel keeps its color bit for bit."""
    alpha, pixels = noise(1, 1, 16, 16), noise(1, 3, 16, 16, seed=1)
    extended = extend_visible_colors(pixels, alpha)
    kept = (alpha >= 0.25).expand_as(pixels)
    assert torch.equal(extended[kept], pixels[kept])


def test_one_color_fills_everything():
    """An object of one color on a transparent ground becomes a plain surface: no outline for the content features."""
    alpha = torch.zeros(1, 1, 33, 21)
    alpha[..., 10:20, 5:9] = 1
    color = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1)
    extended = extend_visible_colors(color * alpha, alpha)
    assert (extended - color).abs().max() < 1e-6


def test_holes_take_the_color_of_their_nearest_edge():
    """Left of a red and blue flag the ground is reddish, right of it bluish."""
    pixels, alpha = torch.zeros(1, 3, 32, 64), torch.zeros(1, 1, 32, 64)
    pixels[:, 0, :, 16:32], pixels[:, 2, :, 32:48], alpha[..., 16:48] = 1, 1, 1
    extended = extend_visible_colors(pixels, alpha)[0]
    assert (extended[0, :, :14] > 0.75).all()
    assert (extended[2, :, 50:] > 0.75).all()


@settings(max_examples=40, deadline=None)
@given(height=st.integers(1, 19), width=st.integers(1, 19), seed=st.integers(0, 99))
def test_every_size_gives_colors_in_range(height, width, seed):
    """A single visible pixel suffices, at any size, for finite colors in [0, 1]."""
    alpha = torch.zeros(1, 1, height, width)
    alpha[..., seed % height, seed % width] = 0.01
    extended = extend_visible_colors(noise(1, 3, height, width, seed=seed), alpha)
    assert extended.isfinite().all()
    assert extended.min() >= 0
    assert extended.max() <= 1
