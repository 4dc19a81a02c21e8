"""Sums of engines over views of one image."""

import pytest
import torch

from impasto.engines import AxisFirst, Engine, Part, Slices, WeightedSum
from impasto.losses import STYLE_LOSSES
from impasto.objective import Objective, Term

SHAPE = (8, 9, 12)
LAYERS = ("image", "conv1_2", "conv3_1")


@pytest.fixture(scope="session")
def flat(tiny, picture, make_loss):
    """A function that makes an engine for pictures with a loss at several layers."""

    def make(name="gram", **options):
        encoder = tiny(2, **options)
        targets = dict(encoder.features(picture(16, 20, seed=7), LAYERS))
        terms = [
            Term("style", layer, make_loss(name, targets[layer]), 0.5 + index) for index, layer in enumerate(LAYERS)
        ]
        return Engine(encoder, Objective(tuple(terms)))

    return make


@pytest.fixture(scope="session")
def deep(tiny, picture, make_loss):
    """A function that makes an engine for volumes of a shape with content and style."""

    def make(shape, seed=7):
        encoder = tiny(3)
        targets = dict(encoder.features(picture(*shape, seed=seed), LAYERS))
        terms = [
            Term(name, layer, make_loss(name, targets[layer]), 1.5) for name in ("content", "gram") for layer in LAYERS
        ]
        return Engine(encoder, Objective(tuple(terms)))

    return make


def three_axes(engine, step):
    """Every slice across every axis, some at a time, as a mean over axes and slices."""
    return WeightedSum(
        [
            Part(Slices(axis, at, at + step), engine, 1 / (3 * SHAPE[axis]))
            for axis in range(3)
            for at in range(0, SHAPE[axis], step)
        ]
    )


def check_differences(evaluator, image):
    """The gradient along random directions, against central differences of the value."""
    gradient = evaluator.evaluate(image).gradient
    for _ in range(3):
        direction = torch.randn_like(image)
        ahead, behind = (evaluator.measure(image + step * direction).value for step in (1e-7, -1e-7))
        tolerance = 1e-7 * (gradient.norm() * direction.norm()).item()
        assert (gradient * direction).sum().item() == pytest.approx((ahead - behind) / 2e-7, abs=tolerance)


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_slices_in_batches_are_slices_one_by_one(flat, picture, name, rounding):
    """Of every loss of style: value, terms and gradient, which is put together here by plain indexing."""
    engine, volume = flat(name), picture(*SHAPE)
    value, gradient = 0.0, torch.zeros_like(volume)
    for k in range(8):
        found = engine.evaluate(volume[:, :, k])
        value, gradient[:, :, k] = value + found.value / 24, gradient[:, :, k] + found.gradient / 24
    for k in range(9):
        found = engine.evaluate(volume[:, :, :, k])
        value, gradient[:, :, :, k] = value + found.value / 27, gradient[:, :, :, k] + found.gradient / 27
    for k in range(12):
        found = engine.evaluate(volume[..., k])
        value, gradient[..., k] = value + found.value / 36, gradient[..., k] + found.gradient / 36
    off = 1e-12 * rounding(name)
    for step in (1, 5, 12):
        together = three_axes(engine, step).evaluate(volume)
        assert together.value == pytest.approx(value, rel=off)
        assert sum(together.weighted.values()) == pytest.approx(value, rel=off)
        assert set(together.losses) == {f"style/{layer}" for layer in LAYERS}
        assert (together.gradient - gradient).abs().max() < 10 * off * gradient.abs().max()


@pytest.mark.parametrize("padding", ["zero", "reflect", "circular"])
def test_gradient_of_slices_agrees_with_differences(flat, picture, padding):
    """Every slice across every axis at once."""
    check_differences(three_axes(flat(padding=padding), 4), picture(*SHAPE))


@pytest.mark.parametrize("gray", [False, True])
def test_gradient_of_turned_volumes_agrees_with_differences(deep, picture, gray):
    """Each axis in the place of the depth, with targets of its own."""
    parts = [
        Part(AxisFirst(axis), deep(turned), 0.5 + axis) for axis, turned in enumerate([SHAPE, (9, 8, 12), (12, 8, 9)])
    ]
    check_differences(WeightedSum(parts, gray=gray), picture(*SHAPE))


def test_turning_brings_an_axis_to_the_front(picture):
    """A view of the same memory."""
    volume = picture(*SHAPE)
    for axis, shape in enumerate([(8, 9, 12), (9, 8, 12), (12, 8, 9)]):
        view = AxisFirst(axis)(volume)
        assert tuple(view.shape[2:]) == shape
        assert view.data_ptr() == volume.data_ptr()


def test_gray_sees_no_colors(deep, picture):
    """The value is that of the mean over channels, and the gradient is the same in each."""
    engine, volume = WeightedSum([Part(AxisFirst(0), deep(SHAPE), 1.0)], gray=True), picture(*SHAPE)
    gray = volume.mean(1, keepdim=True).expand_as(volume)
    found = engine.evaluate(volume)
    assert found.value == pytest.approx(deep(SHAPE).measure(gray).value, rel=1e-12)
    assert torch.equal(found.gradient[:, 0], found.gradient[:, 2])


def test_measuring_finds_the_same_value(flat, picture):
    """Without a gradient."""
    engine, volume = three_axes(flat(), 4), picture(*SHAPE)
    found, measured = engine.evaluate(volume), engine.measure(volume)
    assert measured.gradient is None
    assert measured.value == pytest.approx(found.value, rel=1e-12)
    assert measured.losses == pytest.approx(found.losses, rel=1e-12)


def test_nothing_given_is_changed(flat, picture):
    """Views share the volume's memory and only read it."""
    volume = picture(*SHAPE)
    before = volume.clone()
    three_axes(flat(), 4).evaluate(volume)
    assert torch.equal(volume, before)
