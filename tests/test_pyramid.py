"""Sizes from coarse to fine, and resampling."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.pyramid import fitted, level_shapes, resize, resize_periodic, same_proportions, scaled

SHAPES = st.lists(st.integers(1, 3000), min_size=1, max_size=3).map(tuple)


@pytest.mark.parametrize(
    ("shape", "coarsest", "ratio", "expected"),
    [
        ((384, 512), 128, 2.0, [(96, 128), (192, 256), (384, 512)]),
        ((512, 384), 129, 2.0, [(256, 192), (512, 384)]),
        ((384, 512), 512, 2.0, [(384, 512)]),
        ((384, 512), 200_000, 2.0, [(384, 512)]),
        ((31, 700), 128, 2.0, [(8, 175), (16, 350), (31, 700)]),
        ((243,), 3, 3.0, [(3,), (9,), (27,), (81,), (243,)]),
        ((8, 16, 4), 8, 2.0, [(4, 8, 2), (8, 16, 4)]),
    ],
)
def test_levels(shape, coarsest, ratio, expected):
    """Each is ratio times the one before, and the coarsest is at least as long as asked for."""
    assert list(level_shapes(shape, coarsest, ratio)) == expected


@settings(max_examples=200)
@given(shape=SHAPES, coarsest=st.integers(16, 3000), ratio=st.floats(1.06, 16))
def test_levels_end_at_the_shape_and_begin_no_coarser_than_asked(shape, coarsest, ratio):
    """Whatever the numbers: proportions are kept to a pixel, sides grow, and one more level would be too coarse."""
    levels = level_shapes(shape, coarsest, ratio)
    assert levels[-1] == shape
    assert max(levels[0]) >= min(coarsest, max(shape))
    assert max(shape) / ratio ** len(levels) < coarsest
    for small, large in itertools.pairwise(levels):
        assert all(a <= b for a, b in zip(small, large, strict=True))
    for level in levels:
        factor = max(level) / max(shape)
        assert all(abs(a - b * factor) <= 1.5 for a, b in zip(level, shape, strict=True))


@settings(max_examples=100)
@given(shape=SHAPES, longest=st.integers(1, 4000))
def test_fitted_has_the_long_side_asked_for(shape, longest):
    """Exactly; the other sides follow, and none vanishes."""
    found = fitted(shape, longest)
    assert max(found) == longest
    assert min(found) >= 1


def test_sides_never_vanish():
    """A sliver keeps one position."""
    assert scaled((1, 1000), 0.01) == (1, 10)


@pytest.mark.parametrize("shape", [(20,), (12, 20), (5, 7, 6)])
@pytest.mark.parametrize("factor", [0.3, 0.5, 1.7])
def test_flat_images_stay_flat_and_in_range(shape, factor):
    """In any number of dimensions, up or down."""
    new = scaled(shape, factor)
    found = resize(torch.full((1, 3, *shape), 0.7, dtype=torch.float64), new)
    assert found.shape == (1, 3, *new)
    assert torch.allclose(found, torch.full_like(found, 0.7), rtol=1e-12)


@pytest.mark.parametrize("shape", [(40,), (24, 31), (9, 12, 7)])
@pytest.mark.parametrize("factor", [0.4, 2.3])
def test_values_stay_in_range(shape, factor):
    """Bicubic weights overshoot at edges; the result does not."""
    image = (torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    found = resize(image, scaled(shape, factor))
    assert found.min() >= 0
    assert found.max() <= 1


def test_shrinking_does_not_alias():
    """A checkerboard of single pixels becomes grey, not another pattern."""
    y, x = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    board = ((x + y) % 2).float().expand(1, 3, 64, 64)
    assert (resize(board, (21, 21)) - 0.5).abs().max() < 0.05


def test_same_shape_is_the_same_image():
    """Nothing is resampled without need."""
    image = torch.rand(1, 3, 5, 6)
    assert resize(image, (5, 6)) is image


@pytest.mark.parametrize("shape", [(8,), (8, 8), (8, 8, 8)])
def test_image_given_is_left_alone(shape):
    """The result is another tensor."""
    image = torch.rand(1, 3, *shape)
    before = image.clone()
    resize(image, tuple(2 * n for n in shape)).zero_()
    resize(image, tuple(n // 2 for n in shape)).zero_()
    assert torch.equal(image, before)


def test_orientation_is_kept():
    """A bright corner stays in its corner."""
    image = torch.zeros(1, 1, 16, 24)
    image[..., :8, :6] = 1
    small = resize(image, (4, 8))
    assert small[0, 0, 0, 0] > 0.95
    assert small[0, 0, -1].max() < 0.05
    assert small[0, 0, :, -1].max() < 0.05


@pytest.mark.parametrize("shape", [(64, 96), (33, 100), (20, 24), (16, 16), (48, 24), (47, 31)])
def test_resampling_a_tile_gives_a_tile(shape):
    """Resampling nine copies and taking the middle one is the same."""
    tile = torch.rand(1, 3, 32, 48, dtype=torch.float64)
    copies = resize(tile.repeat(1, 1, 3, 3), tuple(3 * side for side in shape))
    middle = copies[:, :, shape[0] : 2 * shape[0], shape[1] : 2 * shape[1]]
    assert torch.allclose(resize_periodic(tile, shape), middle, atol=1e-12)
    assert not torch.allclose(resize(tile, shape), middle, atol=1e-3)


def test_resampling_a_tile_to_its_own_size_changes_nothing():
    """Not a bit."""
    tile = torch.rand(1, 3, 7, 9)
    assert resize_periodic(tile, (7, 9)) is tile


def test_resampling_a_tile_narrower_than_the_kernel():
    """The margin then goes round more than once."""
    tile = torch.rand(1, 1, 2, 64, dtype=torch.float64)
    rolled = resize_periodic(tile.roll(8, dims=3), (1, 16))
    assert torch.allclose(rolled, resize_periodic(tile, (1, 16)).roll(2, dims=3), atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "alike"), [((48, 64), True), ((480, 640), True), ((49, 64), True), ((10, 14), True), ((52, 64), False)]
)
def test_proportions_are_those_of_another_to_within_two_pixels(shape, alike):
    """As rounding to whole pixels makes them."""
    assert same_proportions(shape, (480, 640)) is alike
