"""The sheet, its noise and its light."""

import numpy as np
import pytest

from paintings.canvas import Canvas, Noise, blurred, delivered, ramp, relief, rgb, smoothstep


def generator(seed=0):
    """Random numbers of a seed."""
    return np.random.Generator(np.random.PCG64(seed))


@pytest.mark.parametrize("shape", [(16, 16), (31, 700), (333, 257)])
def test_a_canvas_has_unit_area_and_the_proportions_of_its_picture(shape):
    """Lengths are relative to the picture's area, and the working pixels are finer than the picture's."""
    canvas = Canvas.for_picture(shape)
    across, down = canvas.span
    assert across * down == pytest.approx(1)
    assert across / down == pytest.approx(shape[1] / shape[0])
    assert canvas.height >= 1.5 * shape[0]
    assert canvas.unit >= 767


def test_the_grid_holds_the_centers_of_the_pixels():
    """The grid is even, and half a pixel from the borders on all four sides."""
    canvas = Canvas(4, 8, (2**0.5, 0.5**0.5))
    x, y = canvas.grid()
    assert x.shape == y.shape == (4, 8)
    np.testing.assert_allclose(x[0], (np.arange(8) + 0.5) * 2**0.5 / 8, rtol=1e-6)
    np.testing.assert_allclose(y[:, 0], (np.arange(4) + 0.5) * 0.5**0.5 / 4, rtol=1e-6)


def test_scattered_points_fill_the_canvas_evenly_and_not_by_its_pixels():
    """Every quarter gets its share of points, and the points of a larger sheet are the same."""
    small, large = (Canvas(side, 2 * side, (2**0.5, 0.5**0.5)) for side in (10, 100))
    x, y = small.scatter(generator(), 800)
    quarters = np.histogram2d(x, y, bins=2, range=[[0, 2**0.5], [0, 0.5**0.5]])[0]
    assert quarters.sum() == x.size == pytest.approx(800, rel=0.05)
    assert np.ptp(quarters) <= 0.1 * x.size
    assert np.array_equal(x, large.scatter(generator(), 800)[0])


def test_noise_is_smooth_centered_and_bounded():
    """Noise is 0 at whole numbers, hardly changes over small steps, and spreads over about -1 to 1."""
    noise = Noise(generator())
    x, y = np.meshgrid(np.linspace(0, 40, 801, dtype=np.float32), np.linspace(0, 40, 801, dtype=np.float32))
    values = noise(x, y)
    assert values.dtype == np.float32
    assert np.abs(values[::20, ::20]).max() < 1e-4
    assert abs(values.mean()) < 0.02
    assert 0.2 < values.std() < 0.6
    assert 0.7 < np.abs(values).max() < 1.6
    assert np.abs(np.diff(values, axis=1)).max() < 0.25


def test_octaves_add_detail():
    """Further octaves keep the coarse shape and add finer ones."""
    noise, x = Noise(generator()), np.linspace(0, 20, 2001, dtype=np.float32)
    plain, fine = noise(x, x), noise(x, x, 3)
    assert np.corrcoef(plain, fine)[0, 1] > 0.7
    assert np.abs(np.diff(fine)).mean() > 1.3 * np.abs(np.diff(plain)).mean()


def test_colors_and_ramps():
    """Hexadecimal digits give fractions of 255, and a ramp passes through its colors and stays within them."""
    colors = rgb("000000", "ff8000", "ffffff")
    np.testing.assert_allclose(colors[1], [1, 128 / 255, 0], rtol=1e-6)
    positions = np.array([-1, 0, 0.25, 0.5, 1, 2], np.float32)
    np.testing.assert_allclose(ramp(positions, colors)[:, 0], [0, 0, 0.5, 1, 1, 1])
    np.testing.assert_allclose(ramp(np.array([0.2]), colors, (0, 0.2, 1)), colors[1:2])


def test_smoothstep_is_flat_outside_and_steep_inside():
    """3 t^2 - 2 t^3 between the limits, in either order of them."""
    values = np.array([-1, 0, 0.25, 0.5, 1, 2])
    np.testing.assert_allclose(smoothstep(0, 1, values), [0, 0, 0.15625, 0.5, 1, 1])
    np.testing.assert_allclose(smoothstep(1, 0, values), [1, 1, 0.84375, 0.5, 0, 0])


def test_blurring_averages_over_squares():
    """One bright pixel spreads evenly; constant images and radius 0 change nothing."""
    image = np.zeros((9, 11), np.float32)
    image[4, 5] = 9
    expected = np.zeros_like(image)
    expected[3:6, 4:7] = 1
    np.testing.assert_allclose(blurred(image, 1), expected, atol=1e-6)
    assert blurred(image, 0) is image
    np.testing.assert_allclose(blurred(np.full((5, 5), 0.3, np.float32), 2), 0.3, rtol=1e-6)


def test_relief_lights_slopes_that_face_the_upper_left():
    """A flat sheet keeps its colors; of a bump the upper left is lighter than the lower right."""
    colors = np.full((33, 33, 3), 0.5, np.float32)
    np.testing.assert_allclose(relief(colors, np.zeros((33, 33), np.float32), 33), colors, atol=1e-6)
    y, x = np.mgrid[-16:17, -16:17].astype(np.float32)
    bump = np.exp(-(x * x + y * y) / 60) / 33 * 4
    lit = relief(colors, bump, 33)[..., 0]
    assert lit[11, 11] > 0.55
    assert lit[21, 21] < 0.45


def test_light_does_not_depend_on_the_number_of_pixels():
    """The same slope in units is as light on a sheet of twice the pixels, for colors of any brightness."""
    y, x = np.mgrid[0:60, 0:60].astype(np.float32) / 60
    slope = 0.3 * x + 0.2 * y
    coarse, fine = (relief(np.full((60, 60, 3), 0.4, np.float32), slope / k, 60 * k) for k in (1, 2))
    np.testing.assert_allclose(coarse, fine, atol=1e-4)
    assert np.abs(coarse - 0.4).max() > 0.02


def test_delivery_reduces_without_aliasing():
    """Stripes of one pixel become their mean, in the asked-for shape and layout."""
    stripes = np.zeros((64, 64, 3), np.float32)
    stripes[:, ::2] = (1, 0.5, 0)
    picture = delivered(stripes, (16, 8))
    assert tuple(picture.shape) == (1, 3, 16, 8)
    for channel, mean in enumerate((0.5, 0.25, 0)):
        assert (picture[0, channel] - mean).abs().max() < 0.02
