"""Style as maximum mean discrepancy with a Gaussian kernel, estimated by random Fourier features."""

import math

import pytest
import torch

from impasto.losses.mmd_gaussian import GaussianMMDLoss


def pair():
    """Features (1, 5, 6, 7) of an image and of a style that is wider and elsewhere."""
    generator = torch.Generator().manual_seed(4)
    draw = lambda: torch.randn(1, 5, 6, 7, generator=generator, dtype=torch.float64)  # noqa: E731
    return draw(), 1.5 * draw() + 0.5


def bandwidth(S):
    """The root mean squared distance between positions, over all pairs."""
    rows = S.flatten(2)[0].t()
    return torch.cdist(rows, rows).square().mean().sqrt()


def exact(F, S):
    """MMD^2 by the double sums over positions, with the kernel itself."""
    x, s = (features.flatten(2)[0].t() for features in (F, S))
    kernel = lambda a, b: torch.exp(-torch.cdist(a, b).square() / (2 * bandwidth(S) ** 2)).mean()  # noqa: E731
    return kernel(x, x) + kernel(s, s) - 2 * kernel(x, s)


def test_estimate_approaches_the_double_sum():
    """The error over ten seeds falls with the root of the number of features, to half a percent at the end."""
    F, S = pair()
    expected = exact(F, S).item()
    errors = {}
    for count in (64, 1024, 16384):
        found = [GaussianMMDLoss.of(S, count, seed).value(F).item() / expected - 1 for seed in range(10)]
        errors[count] = math.sqrt(sum(error**2 for error in found) / 10)
    assert errors[16384] < 0.01
    assert 2 < errors[64] / errors[1024] < 8
    assert 2 < errors[1024] / errors[16384] < 8


def test_estimate_has_no_bias():
    """Averaged over many seeds, few features find the value that many find."""
    F, S = pair()
    mean = sum(GaussianMMDLoss.of(S, 32, seed).value(F).item() for seed in range(300)) / 300
    assert mean == pytest.approx(exact(F, S).item(), rel=0.03)


def test_gradient_approaches_that_of_the_double_sum():
    """In direction and size."""
    F, S = pair()
    (expected,) = torch.autograd.grad(exact(F.requires_grad_(), S), F)
    loss, out = GaussianMMDLoss.of(S, 16384), torch.zeros_like(S)
    loss.add_gradient(out, F.detach(), loss.summarize(F.detach()), 42, 1.0)
    assert (out - expected).norm() < 0.05 * expected.norm()


def test_bandwidth_is_the_mean_distance_in_the_style():
    """Frequencies have the standard deviation 1 / s; ten times the features have a tenth of it, and the same losses."""
    F, S = pair()
    loss = GaussianMMDLoss.of(S, 20_000)
    assert loss.frequencies.std().item() == pytest.approx(1 / bandwidth(S).item(), rel=0.01)
    assert GaussianMMDLoss.of(10 * S, 64).value(10 * F).item() == pytest.approx(
        GaussianMMDLoss.of(S, 64).value(F).item(), rel=1e-9
    )


@pytest.mark.parametrize(("level", "expected"), [(3.0, (1e-3 * 5 * 9) ** 0.5), (0.0, 1.0)])
def test_flat_style_has_a_bandwidth(level, expected):
    """A small part of the size of its features, or 1 if they are silent."""
    loss = GaussianMMDLoss.of(torch.full((1, 5, 6, 7), level), 20_000)
    assert loss.frequencies.std().item() == pytest.approx(1 / expected, rel=0.02)


def test_seed_decides():
    """One seed gives one loss, whatever else is drawn; another seed another."""
    F, S = pair()
    values = []
    for seed in (0, 0, 1):
        torch.rand(3)
        values.append(GaussianMMDLoss.of(S, 64, seed).value(F).item())
    assert values[0] == values[1] != values[2]


def test_many_positions_are_taken_in_parts():
    """More positions than are looked at together, in both layouts."""
    F, S = torch.rand(1, 3, 80, 90, dtype=torch.float64), torch.rand(1, 3, 70, 70, dtype=torch.float64) + 0.2
    loss = GaussianMMDLoss.of(S)
    phases = torch.einsum("chw,ck->hwk", F[0], loss.frequencies).flatten(0, 1)
    mean = torch.cat([phases.cos().mean(0), phases.sin().mean(0)])
    expected = (mean - loss.target[0]).square().sum() / loss.frequencies.shape[1]
    for layout in (torch.contiguous_format, torch.channels_last):
        assert loss.value(F.contiguous(memory_format=layout)).item() == pytest.approx(expected.item(), rel=1e-11)
