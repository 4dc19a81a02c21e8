"""Panoramas near their poles."""

import pytest
import torch

from impasto.aims.panorama import PolesSmoothed, poles_smoothed
from impasto.engines import Engine
from impasto.losses import ContentLoss
from impasto.objective import Objective, Term


def test_rows_are_blurred_as_their_circles_are_short(picture):
    """Not at the equator, and at the poles to one color each; means and ranges stay."""
    image = picture(90, 180)
    found = poles_smoothed(image)
    assert torch.allclose(found[:, :, 44:46], image[:, :, 44:46], atol=1e-3)
    assert found[:, :, 0].std(-1).max() < 0.1 * image[:, :, 0].std(-1).min()
    assert torch.allclose(found.mean(3), image.mean(3))
    assert 0 <= found.min() <= found.max() <= 1


def test_the_map_is_symmetric(picture):
    """<Ax, y> = <x, Ay>, which lets gradients be evened like pictures; and it turns with the panorama."""
    x, y = picture(9, 15, seed=1), picture(9, 15, seed=2)
    assert (poles_smoothed(x) * y).sum().item() == pytest.approx((x * poles_smoothed(y)).sum().item(), rel=1e-12)
    assert torch.allclose(poles_smoothed(x.roll(4, 3)), poles_smoothed(x).roll(4, 3))


def test_the_gradient_is_that_of_the_value(tiny, picture):
    """Against a finite difference along a random direction."""
    encoder = tiny(2, padding="equirectangular")
    target = dict(encoder.features(picture(8, 16, seed=3), ["conv2_1"]))["conv2_1"]
    engine = PolesSmoothed(Engine(encoder, Objective((Term("content", "conv2_1", ContentLoss(target), 2.0),))))
    image, direction = picture(8, 16), torch.randn(1, 3, 8, 16, dtype=torch.float64)
    step = 1e-6
    ahead, behind = (engine.measure(image + sign * step * direction).value for sign in (1, -1))
    slope = (engine.evaluate(image).gradient * direction).sum().item()
    assert slope == pytest.approx((ahead - behind) / (2 * step), rel=1e-5)
