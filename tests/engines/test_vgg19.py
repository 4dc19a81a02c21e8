"""The paper's network in tiles: deep layers see far, so halos are what matters."""

import pytest
import torch

from impasto.encoders import VGG19, Encoder, load
from impasto.engines import Engine
from impasto.losses import ContentLoss, TotalVariationLoss
from impasto.losses.covariance import CovarianceLoss
from impasto.losses.gram import GramLoss
from impasto.objective import Objective, Term
from impasto.settings import STYLE_LAYERS
from impasto.tiling import tiles

SHAPE = (35, 250)  # narrow, and longer than a box: a core of 80 with two halos of 80


def picture(seed):
    """Soft blots, for noise leaves deep filters silent."""
    blots = torch.rand(1, 3, 7, 40, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.nn.functional.interpolate(blots, SHAPE, mode="bilinear")


@pytest.fixture(scope="module")
def whole():
    """The notebook's objective and more, with random pictures, in float64."""
    stack, parameters = load("vgg19-original")
    encoder = Encoder(stack, parameters, padding="reflect", dtype=torch.float64)
    photo, painting = (picture(seed) for seed in (1, 2))
    [(_, content)] = encoder.features(photo, ["conv4_2"])
    terms = [
        Term("content", "conv4_2", ContentLoss(content), 1.0),
        Term("smoothness", "image", TotalVariationLoss(), 1.0),
    ]
    for layer, features in encoder.features(painting, STYLE_LAYERS):
        for kind in (GramLoss, CovarianceLoss):
            loss = kind.of(features)
            terms.append(Term("style", layer, loss, 1 / loss.size(), kind.__name__))
    return Engine(encoder, Objective(tuple(terms)))


def test_the_radius_is_the_networks():
    """70 positions beyond its own block of 16 at conv5_1: at most 85 from any pixel of it."""
    assert VGG19.radius("conv5_1") == 70


def test_tiles_of_the_real_network_are_exact(whole):
    """Every loss to 1e-11 and the gradient to 1e-10, sums of thousands of products; with less halo neither."""
    image = picture(3)
    stride, halo = 16, whole.objective.halo(VGG19)
    expected = whole.evaluate(image)

    def off(by):
        cut = tiles(SHAPE, 80, by, stride)
        assert len(cut) == 4
        engine = Engine(whole.encoder, whole.objective)
        object.__setattr__(engine, "tiles", cut)  # past the check that would refuse it
        found = engine.evaluate(image)
        worst = max(abs(found.losses[name] / value - 1) for name, value in expected.losses.items())
        difference = (found.gradient - expected.gradient).abs().max() / expected.gradient.abs().max()
        return worst, difference.item()

    value, gradient = off(halo)
    assert value < 1e-11
    assert gradient < 1e-10
    value, gradient = off(halo - 16)
    assert value > 1e-9
    assert gradient > 1e-9
