"""Style as maximum mean discrepancy with a polynomial kernel of second order, and Gram matching as a case of it."""

import pytest
import torch

from impasto.losses.gram import GramLoss
from impasto.losses.mmd_polynomial import PolynomialMMDLoss

SHAPES = {
    "more filters than positions": (24, (3, 2), (4, 2)),
    "more positions than filters": (3, (9, 9), (7, 8)),
    "one position": (5, (1, 1), (4, 4)),
    "one axis": (6, (17,), (11,)),
    "three axes": (4, (2, 3, 4), (5, 2, 2)),
}
several_shapes = pytest.mark.parametrize(("channels", "shape", "of_style"), SHAPES.values(), ids=SHAPES)


def pair(channels, shape, of_style):
    """Features of an image and of a style, with unlike means and numbers of positions."""
    generator = torch.Generator().manual_seed(channels)
    draw = lambda extent: torch.randn(1, channels, *extent, generator=generator, dtype=torch.float64)  # noqa: E731
    return draw(shape).relu(), draw(of_style) + 0.3


def discrepancy(F, S, kernel):
    """MMD^2 of all positions, as means of a kernel over every pair of them, one pair after the other."""
    x, s = (features.flatten(2)[0].t() for features in (F, S))
    means = [
        torch.stack([kernel(a, b) for a in first for b in second]).mean() for first, second in ((x, x), (s, s), (x, s))
    ]
    return (means[0] + means[1] - 2 * means[2]).item()


@several_shapes
def test_gram_matching_is_a_maximum_mean_discrepancy(channels, shape, of_style):
    """E_l through Gram matrices is MMD^2 / (4 N^2) through the double sum over positions with k(x, y) = (x^T y)^2."""
    F, S = pair(channels, shape, of_style)
    expected = discrepancy(F, S, lambda x, y: (x @ y) ** 2) / (4 * channels**2)
    assert GramLoss.of(S).value(F).item() == pytest.approx(expected, rel=1e-10)
    assert PolynomialMMDLoss.of(S, offset=0.0).value(F).item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("offset", [0.7, 30.0])
@several_shapes
def test_loss_is_the_discrepancy_over_all_pairs(channels, shape, of_style, offset):
    """With a constant in the kernel, (x^T y + c)^2, mean features count too."""
    F, S = pair(channels, shape, of_style)
    expected = discrepancy(F, S, lambda x, y: (x @ y + offset) ** 2) / (4 * channels**2)
    assert PolynomialMMDLoss.of(S, offset).value(F).item() == pytest.approx(expected, rel=1e-10)


def test_without_a_constant_the_gradient_is_that_of_gram_matrices():
    """Closed form against closed form."""
    F, S = pair(6, (4, 5), (5, 5))
    slopes = [torch.zeros_like(F), torch.zeros_like(F)]
    for out, loss in zip(slopes, (GramLoss.of(S), PolynomialMMDLoss.of(S, 0.0)), strict=True):
        loss.add_gradient(out, F, loss.summarize(F), 20, 1.0)
    assert torch.allclose(*slopes, rtol=1e-12)


def test_constant_has_the_scale_of_the_style():
    """A network whose features are ten times larger has the same relative loss."""
    F, S = pair(6, (4, 5), (5, 5))
    small, large = PolynomialMMDLoss.of(S), PolynomialMMDLoss.of(10 * S)
    assert small.offset == pytest.approx(S.square().sum(1).mean().item(), rel=1e-12)
    relative = [loss.value(x).item() / loss.size() for loss, x in ((small, F), (large, 10 * F))]
    assert relative[0] == pytest.approx(relative[1], rel=1e-12)
