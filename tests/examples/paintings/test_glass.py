"""Panes and leads."""

import numpy as np

from paintings.glass import to_length, voronoi


def panes(u, v, period):
    """Panes at given coordinates, always of the same random points."""
    rng = np.random.Generator(np.random.PCG64(0))
    return voronoi(u.astype(np.float32), v.astype(np.float32), np.full(u.shape, period, np.int32), rng)


def test_panes_close_around_the_sun():
    """Where the angle jumps from the last sector to the first, pane and distance to its border stay the same."""
    u, v = np.meshgrid(np.linspace(3, 6, 50), np.linspace(-4.5, -3.5, 40))
    cell, border = panes(u, v, 9)
    again, border_again = panes(u, v + 9, 9)
    assert np.array_equal(cell, again)
    np.testing.assert_allclose(border, border_again, atol=1e-5)


def test_the_border_field_vanishes_exactly_betweenvoronoi():
    """Neighbors of different panes have a small border field, and it never is negative."""
    u, v = np.meshgrid(np.linspace(0, 5, 400), np.linspace(0, 5, 400))
    cell, border = panes(u, v, 128)
    between = cell[:, 1:] != cell[:, :-1]
    assert len(np.unique(cell)) > 20
    assert border.min() >= 0
    assert np.minimum(border[:, 1:], border[:, :-1])[between].max() < 0.03
    assert border[:, 1:][~between].mean() > 0.2


def test_length_is_a_field_divided_by_its_slope():
    """A plane of any slope becomes the distance to its zero line."""
    y, x = np.mgrid[0:50, 0:80].astype(np.float32) / 50
    field = 3 * (0.6 * x + 0.8 * y)
    np.testing.assert_allclose(to_length(field, 50), 0.6 * x + 0.8 * y, rtol=1e-3)
