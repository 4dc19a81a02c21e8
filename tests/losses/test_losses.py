"""What holds for every class in LOSSES, unwritten for each: its gradient, its windows, its dimensions."""

import importlib
import inspect
import itertools
import pkgutil

import pytest
import torch
from torch import Tensor

from impasto import losses
from impasto.losses import IMAGE_LOSSES, LOSSES, STYLE_LOSSES, Loss, image_loss
from impasto.losses.normalized_gradient import NormalizedGradient
from impasto.tiling import Window

SHAPES = {1: (9,), 2: (5, 6), 3: (3, 4, 5)}
LAST = {1: torch.contiguous_format, 2: torch.channels_last, 3: torch.channels_last_3d}

every_loss = pytest.mark.parametrize("name", LOSSES)
every_dimension = pytest.mark.parametrize("dims", SHAPES)


def features(dims, seed, dtype=torch.float64):
    """Random features (1, 4, *spatial), positive and negative, for losses know nothing of ReLUs."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, 4, *SHAPES[dims], generator=generator, dtype=torch.float64).to(dtype)


def gradient_of(loss, F, weight=1.0, out=None):
    """The closed-form derivative over whole features."""
    out = torch.zeros_like(F) if out is None else out
    loss.add_gradient(out, F, loss.summarize(F), F[0, 0].numel(), weight)
    return out


def cuts(shape):
    """Disjoint windows that cover a shape: every axis cut in two, with empty parts between and behind."""
    spans = [[(0, 2), (2, 2), (2, length), (length, length)] for length in shape]
    for parts in itertools.product(*spans):
        yield Window(tuple(a for a, _ in parts), tuple(b for _, b in parts))


def test_every_loss_class_is_registered():
    """Every loss that a file of the room defines is in LOSSES, so that these tests run over it; but one is no function."""
    modules = [
        importlib.import_module(f"impasto.losses.{found.name}") for found in pkgutil.iter_modules(losses.__path__)
    ]
    classes = {value for module in modules for value in vars(module).values() if inspect.isclass(value)}
    defined = {value for value in classes if issubclass(value, Loss) and not inspect.isabstract(value)}
    assert defined == {*LOSSES.values(), NormalizedGradient}


def test_losses_on_pictures_ask_for_the_photo_if_they_need_it():
    """Those in IMAGE_LOSSES, which has all that are neither of content nor of style, but three that other tasks use."""
    photo, asked = features(2, seed=1)[:, :3], []

    def shown():
        asked.append(True)
        return photo

    made = {name: image_loss(name, shown) for name in IMAGE_LOSSES}
    other = {"content", "angular", "distance", *STYLE_LOSSES, "absolute-variation", "activation", "guided", "temporal"}
    assert {type(loss) for loss in made.values()} == {kind for name, kind in LOSSES.items() if name not in other}
    assert len(asked) == sum(getattr(loss, "target", None) is photo for loss in made.values()) == len(made) - 1


@every_dimension
@every_loss
def test_closed_form_is_the_derivative(name, dims, make_loss, rounding):
    """The formula agrees with autograd to rounding, and autograd with central differences."""
    loss = make_loss(name, features(dims, seed=1))
    F = features(dims, seed=2).requires_grad_()
    (automatic,) = torch.autograd.grad(loss.value(F), F)
    closed = gradient_of(loss, F.detach())
    assert (closed - automatic).abs().max() < 1e-12 * rounding(name) * automatic.abs().max()
    assert torch.autograd.gradcheck(loss.value, F, eps=1e-6, atol=1e-7, rtol=1e-5)
    assert closed.abs().max() > 1e-4


@every_dimension
@every_loss
def test_gradient_is_added_with_its_weight(name, dims, make_loss, rounding):
    """What is in the buffer stays, and the weight multiplies what comes."""
    loss, F = make_loss(name, features(dims, seed=1)), features(dims, seed=2)
    before = features(dims, seed=3)
    after = gradient_of(loss, F, weight=-2.5, out=before.clone())
    assert torch.allclose(after, before - 2.5 * gradient_of(loss, F), rtol=1e-12 * rounding(name))


@every_dimension
@every_loss
def test_nothing_given_is_changed(name, dims, make_loss):
    """Features, targets and summaries are read, never written."""
    target, F = features(dims, seed=1), features(dims, seed=2)
    loss = make_loss(name, target)
    summary = loss.summarize(F)
    given = [F, summary, target, *(part for part in vars(loss).values() if isinstance(part, Tensor))]
    copies = [tensor.clone() for tensor in given]
    loss.compare(summary, F[0, 0].numel())
    loss.add_gradient(torch.zeros_like(F), F, summary, F[0, 0].numel(), 1.0)
    assert all(torch.equal(tensor, copy) for tensor, copy in zip(given, copies, strict=True))


@every_dimension
@every_loss
def test_memory_layout_changes_nothing(name, dims, make_loss, rounding):
    """Channels-last features and buffers give the value and gradient of channels-first ones."""
    loss, F = make_loss(name, features(dims, seed=1)), features(dims, seed=2)
    last = F.contiguous(memory_format=LAST[dims])
    off, expected = 1e-12 * rounding(name), gradient_of(loss, F)
    assert loss.value(last).item() == pytest.approx(loss.value(F).item(), rel=off)
    assert (gradient_of(loss, last) - expected).abs().max() < off * expected.abs().max()


@pytest.mark.parametrize("layout", ["first", "last"])
@every_dimension
@every_loss
def test_summaries_and_gradients_add_over_windows(name, dims, layout, make_loss, rounding):
    """Cut into windows, empty ones among them, a loss has the same value and gradient as whole."""
    order = LAST[dims] if layout == "last" else torch.contiguous_format
    loss = make_loss(name, features(dims, seed=1).contiguous(memory_format=order))
    F = features(dims, seed=2).contiguous(memory_format=order)
    extent, positions = SHAPES[dims], F[0, 0].numel()
    windows = list(cuts(extent))
    views = [window.reaching(loss.margin, extent).index for window in windows]
    parts = [loss.at(window).summarize(F[view]) for window, view in zip(windows, views, strict=True)]
    total = sum(parts[1:], parts[0])
    off, expected = 1e-12 * rounding(name), gradient_of(loss, F)
    assert loss.compare(total, positions).item() == pytest.approx(loss.value(F).item(), rel=off)
    out = torch.zeros_like(F)
    for window, view in zip(windows, views, strict=True):
        loss.at(window).add_gradient(out[view], F[view], total, positions, 1.0)
    assert (out - expected).abs().max() < off * expected.abs().max()


@every_dimension
@every_loss
def test_single_position_has_a_finite_gradient(name, dims, make_loss):
    """One position along every axis is features enough."""
    F = torch.randn(1, 4, *(1,) * dims, dtype=torch.float64)
    loss = make_loss(name, F + 1)
    assert loss.value(F).isfinite()
    assert gradient_of(loss, F).isfinite().all()


@every_loss
def test_half_precision_agrees_to_its_rounding(name, make_loss):
    """bfloat16 features give a value to 1 % and a gradient in the same direction, with the value in float32."""
    target = features(2, seed=1, dtype=torch.bfloat16)
    F = features(2, seed=2, dtype=torch.bfloat16)
    half, exact = make_loss(name, target), make_loss(name, target.double())
    assert half.value(F).dtype == torch.float32
    assert half.value(F).item() == pytest.approx(exact.value(F.double()).item(), rel=0.01)
    found, expected = gradient_of(half, F).double(), gradient_of(exact, F.double())
    assert torch.cosine_similarity(found.flatten(), expected.flatten(), dim=0) > 0.9999
