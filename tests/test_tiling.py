"""Windows, tiles, and that cores partition every layer."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.errors import SettingsError
from impasto.tiling import Tile, Window, check, tiles, whole

SHAPES = st.lists(st.integers(1, 70), min_size=1, max_size=3).map(tuple)


def positions(window):
    """All positions of a window."""
    return set(itertools.product(*map(range, window.start, window.stop)))


def test_window_indexes_features():
    """Batch and channels are taken whole."""
    assert Window((1, 2), (3, 5)).index == (slice(None), slice(None), slice(1, 3), slice(2, 5))


def test_window_moves_to_another_origin():
    """Counted from a box that begins at the origin."""
    assert Window((5, 6), (7, 9)).moved((4, 6)) == Window((1, 0), (3, 3))


def test_window_reaches_no_further_than_the_layer():
    """The margin ends at the border."""
    assert Window((0, 4), (3, 6)).reaching(1, (8, 6)) == Window((0, 4), (4, 6))


def test_whole_is_one_tile():
    """Core and box are the image."""
    (tile,) = whole((3, 4))
    assert tile.core == tile.box == Window((0, 0), (3, 4))


def test_example():
    """A signal of 37 in tiles of about 16 with stride 4: cores of 16, halos of 5 rounded up to 8."""
    assert tiles((37,), core=16, halo=5, stride=4) == (
        Tile(Window((0,), (16,)), Window((0,), (24,))),
        Tile(Window((16,), (32,)), Window((8,), (37,))),
        Tile(Window((32,), (37,)), Window((24,), (37,))),
    )


@settings(max_examples=60)
@given(shape=SHAPES, core=st.integers(1, 80), halo=st.integers(0, 20), power=st.integers(0, 3))
def test_cores_partition_the_image_and_every_layer(shape, core, halo, power):
    """Every position of every stride up to the deepest belongs to exactly one core, and boxes show the halo."""
    deepest = 2**power
    cut = tiles(shape, core, halo, deepest)
    for stride in (2**p for p in range(power + 1)):
        extent = tuple(length // stride for length in shape)
        windows = [tile.core_at(stride, shape) for tile in cut]
        covered = list(itertools.chain.from_iterable(map(positions, windows)))
        assert len(covered) == len(set(covered))
        assert set(covered) == positions(Window((0,) * len(shape), extent))
    for tile in cut:
        assert all(o % deepest == 0 for o in tile.box.start)
        assert all(b <= max(0, a - halo) for a, b in zip(tile.core.start, tile.box.start, strict=True))
        assert all(b >= min(n, a + halo) for a, b, n in zip(tile.core.stop, tile.box.stop, shape, strict=True))


@settings(max_examples=60)
@given(length=st.integers(1, 3000), core=st.integers(1, 600), power=st.integers(0, 4))
def test_cores_have_about_the_side_asked_for(length, core, power):
    """Never larger than what was asked for, rounded up to the stride; and no more of them than needed."""
    stride = 2**power
    cut = tiles((length,), core, 0, stride)
    side = max(tile.core.stop[0] - tile.core.start[0] for tile in cut)
    assert side <= -(-core // stride) * stride
    assert len(cut) <= -(-length // core)


@pytest.mark.parametrize("stride", [1, 2, 16])
def test_origin_is_counted_in_the_layers_positions(stride):
    """A box that begins at 32 begins at 32 / stride."""
    assert Tile(Window((40,), (48,)), Window((32,), (56,))).origin_at(stride, (64,)) == (32 // stride,)


@settings(max_examples=60)
@given(
    shape=st.lists(st.integers(8, 40), min_size=1, max_size=2).map(tuple),
    core=st.integers(1, 50),
    halo=st.integers(0, 30),
    power=st.integers(0, 3),
)
def test_boxes_that_wrap_show_the_far_side(shape, core, halo, power):
    """Unrolled, a box is copies of the image side by side, whole blocks of which reach as far as the halo."""
    deepest = 2**power
    for tile in tiles(shape, core, halo, deepest, wraps=True):
        cut = [tile.core.shape[axis] < length for axis, length in enumerate(shape)]
        seen = set()
        for place, here in tile.pieces(shape):
            assert place.shape == here.shape
            assert all(0 <= a < b <= n for a, b, n in zip(place.start, place.stop, shape, strict=True))
            seen |= positions(here)
            for axis, n in enumerate(shape):
                assert (tile.box.start[axis] + here.start[axis]) % n == place.start[axis]
        assert seen == positions(Window((0,) * len(shape), tile.box.shape))
        for stride in (2**p for p in range(power + 1)):
            inner, origin = tile.core_at(stride, shape), tile.origin_at(stride, shape)
            for axis, wraps in enumerate(cut):
                if wraps and inner.start[axis] < inner.stop[axis]:
                    assert (inner.start[axis] - origin[axis]) * stride >= halo


def test_an_axis_that_is_not_cut_does_not_wrap():
    """The network's own border does it there."""
    assert [tile.box for tile in tiles((8, 32), (8, 16), 4, 4, wraps=True)] == [
        Window((0, -4), (8, 20)),
        Window((0, 12), (8, 36)),
    ]


def test_seams_are_where_copies_meet():
    """In a box from 4 before the image to 4 behind it."""
    assert Tile(Window((0,), (16,)), Window((-4,), (20,))).seams((16,)) == ((4, 20),)
    assert Tile(Window((0,), (16,)), Window((0,), (16,))).seams((16,)) == ((),)


@pytest.mark.parametrize("wraps", [False, True])
@settings(max_examples=30)
@given(shape=SHAPES, core=st.integers(1, 80), halo=st.integers(1, 20), power=st.integers(0, 3))
def test_tiles_pass_their_own_check(wraps, shape, core, halo, power):
    """And with one stride less of a halo, or one tile less, they do not."""
    stride = 2**power
    if wraps and min(shape) < stride:
        return
    cut = tiles(shape, core, halo, stride, wraps=wraps)
    check(cut, shape, halo, stride, wraps=wraps)
    if len(cut) == 1:
        return
    with pytest.raises(SettingsError, match="do not cover"):
        check(cut[1:], shape, halo, stride, wraps=wraps)
    smaller = tiles(shape, core, 0, stride, wraps=wraps)
    with pytest.raises(SettingsError, match=r"needs .* a halo of"):
        check(smaller, shape, halo, stride, wraps=wraps)
