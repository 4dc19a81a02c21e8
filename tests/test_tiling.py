"""Windows, tiles, and that cores partition every layer."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.tiling import Tile, Window, tiles, whole

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
        windows = [tile.core_at(stride, extent, shape) for tile in cut]
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
    assert Tile(Window((40,), (48,)), Window((32,), (56,))).origin_at(stride) == (32 // stride,)
