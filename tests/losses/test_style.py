"""What holds for every class in STYLE_LOSSES, unwritten for each."""

import pytest
import torch

from impasto.losses import STYLE_LOSSES

every_style_loss = pytest.mark.parametrize("name", STYLE_LOSSES)
ROUNDING = 1e-12  # of sums of at most a few thousand products in float64, 2^-53 each
every_pointwise = pytest.mark.parametrize("name", [name for name, kind in STYLE_LOSSES.items() if kind.pointwise])
"""The losses that look at positions one by one, and so do not know what stands beside what."""


def features(*shape, seed=0, dtype=torch.float64):
    """Features (1, 5, *shape) after a ReLU, of correlated filters with different means."""
    generator = torch.Generator().manual_seed(seed)
    mix = torch.randn(5, 5, generator=generator, dtype=torch.float64)
    values = torch.randn(*shape, 5, generator=generator, dtype=torch.float64) @ mix + torch.arange(5) / 5
    return values.relu().movedim(-1, 0)[None].to(dtype)


def gradient(loss, F):
    """The closed-form derivative over whole features."""
    out = torch.zeros_like(F)
    loss.add_gradient(out, F, loss.summarize(F), F[0, 0].numel(), 1.0)
    return out


@every_style_loss
def test_painting_against_itself_costs_nothing(name, rounding):
    """Neither value nor slope is left at the features that the target was made of, to rounding."""
    S, off = features(4, 5), ROUNDING * rounding(name)
    loss = STYLE_LOSSES[name].of(S)
    assert 0 <= loss.value(S).item() < off * loss.size()
    # Some slopes are those of roots, of whose argument the rounding is that of the value.
    assert gradient(loss, S).abs().max() < off**0.5 * gradient(loss, features(4, 5, seed=1)).abs().max()


@every_style_loss
def test_other_picture_costs_something(name):
    """About as much as one without features, which is what the loss is relative to."""
    loss = STYLE_LOSSES[name].of(features(6, 7))
    assert 0.02 < loss.value(features(6, 7, seed=1)).item() / loss.size() < 10


@every_pointwise
def test_permuted_positions_cost_the_same(name, rounding):
    """Style does not say where."""
    F, loss = features(4, 5), STYLE_LOSSES[name].of(features(4, 5, seed=1))
    shuffled = F.flatten(2)[..., torch.randperm(20)].view_as(F)
    assert loss.value(shuffled).item() == pytest.approx(loss.value(F).item(), rel=10 * ROUNDING * rounding(name))


@every_pointwise
def test_sizes_compare(name, rounding):
    """A picture or a painting tiled has the style of one tile."""
    F, S = features(4, 5), features(4, 5, seed=1)
    once, often = STYLE_LOSSES[name].of(S), STYLE_LOSSES[name].of(S.repeat(1, 1, 2, 2))
    off = 10 * ROUNDING * rounding(name)
    assert once.value(F).item() == pytest.approx(often.value(F).item(), rel=off)
    assert once.value(F.repeat(1, 1, 3, 1)).item() == pytest.approx(once.value(F).item(), rel=off)


@pytest.mark.parametrize("name", [name for name, kind in STYLE_LOSSES.items() if kind.additive])
def test_styles_mix_like_positions_of_one_style(name, rounding):
    """With shares of 3/4 and 1/4, the loss is zero where three quarters of the positions show the one."""
    A, B = features(6, 4), features(2, 4, seed=1)
    both = torch.cat([A, B], dim=2)
    mixed = STYLE_LOSSES[name].of(A).mixed(B, 0.25)
    assert 0 <= mixed.value(both).item() < ROUNDING * rounding(name) * mixed.size()
    assert mixed.value(A).item() > 1e-4 * mixed.size()


@every_style_loss
def test_style_without_a_share_has_no_say(name, rounding):
    """And with the whole share it is the only one, but for what was fixed by the first."""
    A, B, F = features(6, 4), features(2, 4, seed=1), features(5, 5, seed=2)
    loss = STYLE_LOSSES[name].of(A)
    off = ROUNDING * rounding(name)
    assert loss.mixed(B, 0.0).value(F).item() == pytest.approx(loss.value(F).item(), rel=off)
    assert loss.mixed(B, 1.0).value(B).item() < off * loss.size()
    if loss.additive:
        assert loss.mixed(B, 0.999).value(B).item() > 10 * off * loss.size()


@every_pointwise
def test_size_is_the_loss_of_no_features(name, rounding):
    """What is left when every filter is silent everywhere."""
    loss = STYLE_LOSSES[name].of(features(6, 4))
    silent = loss.value(torch.zeros(1, 5, 3, 3, dtype=torch.float64))
    assert loss.size() == pytest.approx(silent.item(), rel=ROUNDING * rounding(name))


@every_style_loss
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("level", [0.0, 1.0, 100.0])
def test_flat_pictures_and_paintings_give_numbers(name, dtype, level):
    """Black or grey, against themselves, each other and a textured one: finite, whatever has no variance."""
    flat, grey, textured = torch.full((1, 5, 4, 5), level).to(dtype), torch.ones(1, 5, 4, 5).to(dtype), features(4, 5)
    for style, picture in ((flat, flat), (flat, grey), (flat, textured.to(dtype)), (textured.to(dtype), flat)):
        loss = STYLE_LOSSES[name].of(style)
        assert loss.value(picture).isfinite()
        assert gradient(loss, picture).isfinite().all()
        assert 0 <= loss.size() < float("inf")


@every_style_loss
def test_fewer_positions_than_filters_are_enough(name):
    """A singular covariance, of the picture or of the painting, has a slope that is the derivative."""
    for shapes in (((2, 1), (4, 5)), ((4, 5), (2, 1))):
        F, loss = features(*shapes[0]), STYLE_LOSSES[name].of(features(*shapes[1], seed=1))
        assert torch.autograd.gradcheck(loss.value, F.requires_grad_(), eps=1e-7, atol=1e-5, rtol=1e-4)
        (automatic,) = torch.autograd.grad(loss.value(F), F)
        assert torch.allclose(gradient(loss, F.detach()), automatic, rtol=1e-6, atol=1e-8 * automatic.abs().max())


@every_style_loss
def test_half_precision_results_agree_to_their_rounding(name):
    """bfloat16 features of a real size: the value to 1 %, with its sums in float32."""
    S, F = (features(48, 64, seed=seed, dtype=torch.bfloat16) for seed in (1, 2))
    half, exact = STYLE_LOSSES[name].of(S), STYLE_LOSSES[name].of(S.double())
    assert half.summarize(F).dtype == torch.float32
    assert half.value(F).item() == pytest.approx(exact.value(F.double()).item(), rel=0.01)


@every_style_loss
def test_slope_leads_down(name):
    """A small step against the gradient lowers the loss by the step times the squared slope."""
    F, loss = features(4, 5), STYLE_LOSSES[name].of(features(4, 5, seed=1))
    slope = gradient(loss, F)
    step = 1e-5 * (loss.value(F) / slope.square().sum()).item()
    fall = (loss.value(F) - loss.value(F - step * slope)).item()
    assert fall == pytest.approx(step * slope.square().sum().item(), rel=1e-3)
