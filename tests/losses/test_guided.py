"""Losses over regions: guided Gram matrices by their definition, and every other loss of style by its mean."""

import dataclasses
import itertools

import pytest
import torch

from impasto.losses import STYLE_LOSSES, GuidedLoss
from impasto.losses.gram import GramLoss
from impasto.losses.guided import aimed, mixed
from impasto.tiling import Window

SHAPE = (6, 7)

every_style_loss = pytest.mark.parametrize("name", [name for name, kind in STYLE_LOSSES.items() if kind.pointwise])


def features(seed, shape=SHAPE):
    """Random features (1, 4, *shape)."""
    return torch.randn(1, 4, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def around(name, guide, seed=1):
    """A loss of style guided by a mask, aimed at the whole of random features."""
    return GuidedLoss.around(STYLE_LOSSES[name].of(features(seed)), guide)


def gradient_of(loss, F, weight=1.0):
    """The closed-form derivative over whole features."""
    out = torch.zeros_like(F)
    loss.add_gradient(out, F, loss.summarize(F), F[0, 0].numel(), weight)
    return out


def halves():
    """A mask of the upper half."""
    guide = torch.zeros(SHAPE, dtype=torch.float64)
    guide[:3] = 1
    return guide


def test_guided_gram_is_the_papers():
    """The Gram matrix of features times T with sum T^2 = 1, for a T whose squares are whole steps."""
    F, S = features(2), features(1)
    steps = torch.arange(SHAPE[0] * SHAPE[1], dtype=torch.float64).view(SHAPE) % 5 * 16
    T = (steps / 64).sqrt()
    T = T / T.square().sum().sqrt()
    guided = (F * T).flatten(2)[0]
    difference = guided @ guided.t() - S.flatten(2)[0] @ S.flatten(2)[0].t() / S[0, 0].numel()
    expected = difference.square().sum() / (4 * 4**2)
    assert GuidedLoss.around(GramLoss.of(S), T).value(F).item() == pytest.approx(expected.item(), rel=1e-12)


@every_style_loss
def test_a_hard_mask_is_the_region_alone(name, rounding):
    """Over a mask of zeros and ones a loss is that of the region cut out, and the rest has no gradient."""
    F, loss = features(2), around(name, halves())
    inner, region = loss.inner, F[:, :, :3].clone()
    off = 1e-12 * rounding(name)
    assert loss.value(F).item() == pytest.approx(inner.value(region).item(), rel=10 * off)
    found, expected = gradient_of(loss, F), gradient_of(inner, region)
    assert (found[:, :, :3] - expected).abs().max() < 10 * off * expected.abs().max()
    assert not found[:, :, 3:].any()


@every_style_loss
def test_a_mask_of_ones_changes_nothing(name, rounding):
    """Guided to everything, a loss is itself."""
    F, loss = features(2), around(name, torch.full(SHAPE, 0.3, dtype=torch.float64))
    off, expected = 1e-11 * rounding(name), gradient_of(loss.inner, F)
    assert loss.value(F).item() == pytest.approx(loss.inner.value(F).item(), rel=off)
    assert (gradient_of(loss, F) - expected).abs().max() < off * expected.abs().max()


@every_style_loss
def test_weights_count_positions(name, rounding):
    """A position of twice the weight counts as two: like features in which it occurs twice."""
    F = features(2, (3,))
    guide = torch.tensor([1.0, 1.0, 0.5**0.5], dtype=torch.float64)
    loss = GuidedLoss.around(STYLE_LOSSES[name].of(features(1)), guide)
    repeated = F[:, :, [0, 0, 1, 1, 2]]
    assert loss.value(F).item() == pytest.approx(loss.inner.value(repeated).item(), rel=1e-11 * rounding(name))


@every_style_loss
def test_closed_form_is_the_derivative(name, make_guide, rounding):
    """The formula of every loss, guided by a soft mask, agrees with autograd."""
    F = features(2).requires_grad_()
    loss = around(name, make_guide(F))
    (automatic,) = torch.autograd.grad(loss.value(F), F)
    closed = gradient_of(loss, F.detach(), 1.0)
    assert (closed - automatic).abs().max() < 1e-12 * rounding(name) * automatic.abs().max()
    assert closed.abs().max() > 1e-4


@every_style_loss
def test_windows_add_up(name, make_guide, rounding):
    """Cut into windows, a guided loss has the value and gradient of the whole, and a window keeps its part of the mask."""
    F = features(2)
    loss, positions = around(name, make_guide(F)), F[0, 0].numel()
    spans = [[(0, 2), (2, length)] for length in SHAPE]
    windows = [Window(tuple(a for a, _ in s), tuple(b for _, b in s)) for s in itertools.product(*spans)]
    total = sum(loss.at(window).summarize(F[window.index]) for window in windows)
    off, expected = 1e-12 * rounding(name), gradient_of(loss, F)
    assert loss.compare(total, positions).item() == pytest.approx(loss.value(F).item(), rel=off)
    out = torch.zeros_like(F)
    for window in windows:
        loss.at(window).add_gradient(out[window.index], F[window.index], total, positions, 1.0)
    assert (out - expected).abs().max() < off * expected.abs().max()


@every_style_loss
def test_a_style_can_be_guided_too(name):
    """Aimed at the region of a style, the loss is 0 at that region and mixes like the loss it is around."""
    S, F = features(1), features(2)
    kind, guide = STYLE_LOSSES[name], halves()
    loss = aimed(kind, S, guide)
    assert GuidedLoss.around(loss, guide).value(S).item() == pytest.approx(0, abs=1e-9)
    alone = kind.of(S[:, :, :3].clone())
    assert torch.allclose(loss.target, alone.target, rtol=1e-9)
    assert torch.allclose(mixed(loss, F, guide, 0.25).target, alone.mixed(F[:, :, :3].clone(), 0.25).target)
    assert torch.allclose(mixed(loss, F, None, 0.25).target, alone.mixed(F, 0.25).target)
    assert torch.allclose(aimed(kind, F, None).target, kind.of(F).target)


def test_many_positions_are_taken_in_parts():
    """However few positions are taken out at once, the loss is the same."""
    F, loss = features(2), around("gram", halves())
    expected = loss.value(F), gradient_of(loss, F)
    loss = dataclasses.replace(loss, rows=4)
    assert torch.allclose(loss.value(F), expected[0], rtol=1e-13)
    assert torch.allclose(gradient_of(loss, F), expected[1], rtol=1e-12)


def test_faint_masks_count_as_much():
    """Only the relation of the weights matters, so a thin region that averaging made faint is still there."""
    F = features(2)
    strong, faint = around("gram", halves()), around("gram", halves() * 0.01)
    assert faint.value(F).item() == pytest.approx(strong.value(F).item(), rel=1e-12)
