"""Strokes: where they lie, and which is on top."""

import numpy as np
import pytest

from paintings.brush import Paint, Strokes
from paintings.canvas import Canvas

CANVAS = Canvas(200, 200, (1.0, 1.0))
RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


def laid(points, flow, colors, length=0.4, width=0.08):
    """Paint on a black square after strokes of one size were laid."""
    paint = Paint(np.zeros((200, 200, 3), np.float32), np.zeros((200, 200), np.float32))
    x, y = np.array(points, np.float32).T
    colors = np.array(colors, np.float32)
    ones = np.ones_like(x)
    strokes = Strokes(x, y, ones * length, ones * width, colors, colors)
    paint.lay(CANVAS, strokes, flow, np.random.Generator(np.random.PCG64(0)))
    return paint


def east(x, y):
    """A flow to the right, of any length."""
    return np.ones_like(x) * 5, np.zeros_like(y)


def south(x, y):
    """A flow downwards."""
    return np.zeros_like(x), np.ones_like(y)


def circle(x, y):
    """A flow around the middle of the sheet."""
    return 0.5 - y, x - 0.5


@pytest.mark.parametrize(("flow", "axis"), [(east, 1), (south, 0)])
def test_a_stroke_runs_along_the_flow_and_has_its_length_and_width(flow, axis):
    """A stroke in a straight flow covers about length x width around its center."""
    covered = laid([(0.5, 0.5)], flow, [RED]).colors[..., 0] > 0
    where = np.argwhere(covered)
    extent = np.ptp(where, axis=0) + 1
    assert 60 <= extent[axis] <= 81
    assert 11 <= extent[1 - axis] <= 18
    assert 0.5 < covered.sum() / (80 * 16) <= 1
    assert np.abs(where.mean(0) - 100).max() < 10


def test_a_stroke_bends_with_the_flow():
    """In a circular flow every covered pixel stays near the circle through the stroke's center."""
    covered = np.argwhere(laid([(0.5, 0.2)], circle, [RED], width=0.04).colors[..., 0] > 0) / 200
    assert np.ptp(covered[:, 1]) > 0.2
    assert np.abs(np.hypot(*(covered - 0.5).T) - 0.3).max() < 0.035


def test_a_stroke_has_no_holes_in_its_middle():
    """Samples are dense enough to reach every pixel, on the outer side of a bend as well."""
    covered = laid([(0.5, 0.3)], circle, [RED]).colors[..., 0] > 0
    y, x = np.mgrid[0:200, 0:200] / 200 + 0.0025
    middle = (np.abs(np.hypot(x - 0.5, y - 0.5) - 0.2) < 0.02) & (np.abs(x - 0.5) < 0.08) & (y < 0.5)
    assert middle.sum() > 50
    assert covered[middle].all()


def test_the_last_stroke_is_on_top():
    """Where strokes cross the later color shows, at any number of strokes."""
    points, colors = [(0.5, 0.5)] * 50, [RED] * 49 + [BLUE]
    assert tuple(laid(points, east, colors).colors[100, 100]) == BLUE
    assert tuple(laid(points, east, colors[::-1]).colors[100, 100]) == RED


def test_strokes_over_the_border_are_cut_off():
    """A stroke that leaves the sheet does not come back on the other side."""
    paint = laid([(0.0, 0.5), (1.0, 0.1), (0.5, 1.3)], east, [RED] * 3)
    covered = paint.colors[..., 0] > 0
    assert covered[100, 5]
    assert not covered[:, 50:150].any()
    assert not covered[150:].any()
    assert not covered[90:110, 150:].any()


def test_paint_is_thick_where_strokes_are():
    """Strokes raise the surface by a part of their width, and leave the rest of the sheet flat."""
    paint = laid([(0.5, 0.5)], east, [RED])
    covered = paint.colors[..., 0] > 0
    assert (paint.height[~covered] == 0).all()
    assert 0.001 < paint.height[covered].mean() < 0.02
