"""Style as a normal distribution, compared by the Wasserstein-2 distance."""

import pytest
import scipy.linalg
import torch

from impasto.losses.wasserstein import WassersteinLoss


def features(seed, channels=6, shape=(9, 8)):
    """Features (1, C, *shape) of correlated filters with unlike means."""
    generator = torch.Generator().manual_seed(seed)
    mix = torch.randn(channels, channels, generator=generator, dtype=torch.float64)
    values = torch.randn(*shape, channels, generator=generator, dtype=torch.float64) @ mix + torch.arange(channels)
    return values.movedim(-1, 0)[None]


def moments(F, epsilon=0.0):
    """Mean and covariance by torch's own functions, with epsilon on the diagonal."""
    rows = F.flatten(2)[0]
    return rows.mean(1), torch.cov(rows, correction=0) + epsilon * torch.eye(len(rows), dtype=rows.dtype)


def epsilon(S):
    """What the loss adds to the diagonals."""
    return 1e-4 * S.square().mean().item() + 1e-12


def by_roots(F, S, extra):
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C2^1/2 C1 C2^1/2)^1/2) by scipy's square roots."""
    (m1, C1), (m2, C2) = moments(F, extra), moments(S, extra)
    root = scipy.linalg.sqrtm(C2.numpy())
    middle = scipy.linalg.sqrtm(root @ C1.numpy() @ root)
    return (m1 - m2).square().sum().item() + C1.trace().item() + C2.trace().item() - 2 * middle.trace().real


@pytest.mark.parametrize("channels", [2, 6, 17])
def test_loss_is_the_formula_with_scipys_roots(channels):
    """1 / N of it, with the epsilon that the docstring says."""
    F, S = features(0, channels), features(1, channels)
    found = WassersteinLoss.of(S).value(F).item()
    assert found == pytest.approx(by_roots(F, S, epsilon(S)) / channels, rel=1e-8)  # 1e-12 times a condition of 1e4
    assert found == pytest.approx(by_roots(F, S, 0.0) / channels, rel=1e-2)


def test_diagonal_covariances_have_a_closed_form():
    """For uncorrelated filters it is the squared differences of means and of standard deviations."""
    signs = torch.tensor([[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]], dtype=torch.float64).view(1, 3, 2, 2)
    scales, styles = torch.tensor([1.0, 2.0, 0.0]).double(), torch.tensor([3.0, 0.5, 1.0]).double()
    F, S = scales.view(3, 1, 1) * signs + 1, styles.view(3, 1, 1) * signs
    extra = epsilon(S)
    expected = 3 * 1.0 + ((scales**2 + extra).sqrt() - (styles**2 + extra).sqrt()).square().sum().item()
    assert WassersteinLoss.of(S).value(F).item() == pytest.approx(expected / 3, rel=1e-8)


def test_slope_is_what_transport_leaves_to_do():
    """A step of the length N M / 2 against the gradient moves every position to where optimal transport takes it."""
    F, S = features(0), features(1)
    loss, slope = WassersteinLoss.of(S), torch.zeros_like(F)
    loss.add_gradient(slope, F, loss.summarize(F), 72, 1.0)
    moved = F - slope * (6 * 72 / 2)
    (mean, covariance), (style_mean, style_covariance) = moments(moved), moments(S)
    assert torch.allclose(mean, style_mean, rtol=1e-9)
    assert (covariance - style_covariance).norm() < 0.02 * style_covariance.norm()
    assert loss.value(moved).item() < 1e-3 * loss.value(F).item()


def test_singular_covariances_have_a_bounded_slope():
    """Fewer positions than filters, and a filter that never answers: no entry of the gradient is out of proportion."""
    F, S = features(0, 12, (2, 2)), features(1, 12, (9, 8))
    F[:, 3] = 0
    loss, slope = WassersteinLoss.of(S), torch.zeros_like(F)
    loss.add_gradient(slope, F, loss.summarize(F), 4, 1.0)
    assert slope.isfinite().all()
    assert slope.abs().max() * 12 * 4 / 2 < 10 * S.abs().max()


def test_single_precision_is_as_good_as_its_sums():
    """Square roots are taken in float64, so that float32 features lose no more than their own rounding."""
    S = features(1, 17, (40, 40))
    F = S + 0.01 * features(0, 17, (40, 40))
    single, exact = WassersteinLoss.of(S.float()), WassersteinLoss.of(S)
    assert single.value(F.float()).item() == pytest.approx(exact.value(F).item(), rel=1e-3)


def test_value_and_gradient_share_one_decomposition(monkeypatch):
    """Value and every tile's gradient ask for the same roots; another picture gets its own."""
    F, other, loss = features(0), features(2), WassersteinLoss.of(features(1))
    summary = loss.summarize(F)
    expected = loss.compare(summary, 72)
    calls = []
    plain = torch.linalg.eigh
    monkeypatch.setattr(torch.linalg, "eigh", lambda matrix: calls.append(1) or plain(matrix))
    loss.add_gradient(torch.zeros_like(F), F, summary, 72, 1.0)
    assert torch.equal(loss.compare(summary, 72), expected)
    assert not calls
    assert loss.compare(summary, 36) != expected
    assert loss.compare(loss.summarize(other), 72) != expected
    assert len(calls) == 2


def test_kept_decomposition_does_not_hide_a_derivative():
    """A value that is to be differentiated is computed anew, whatever was asked before."""
    F, loss = features(0).requires_grad_(), WassersteinLoss.of(features(1))
    summary, slope = loss.summarize(F), torch.zeros_like(F)
    with torch.no_grad():
        loss.add_gradient(slope, F, summary, 72, 1.0)
    loss.compare(summary, 72).backward()
    assert (F.grad - slope).abs().max() < 1e-8 * slope.abs().max()


def test_rounding_below_zero_gives_numbers():
    """Sums whose rounding left a variance below zero, of the style or of the picture."""
    sums = torch.eye(3, 4, dtype=torch.float64)[None]
    sums[0, 0, 0] = -0.01
    good = WassersteinLoss.of(features(0, 3))
    for loss, summary in ((WassersteinLoss(sums), sums), (WassersteinLoss(sums), good.target), (good, sums)):
        slope = torch.zeros(1, 3, 2, 2, dtype=torch.float64)
        loss.add_gradient(slope, torch.ones_like(slope), summary, 1, 1.0)
        assert loss.compare(summary, 1).isfinite()
        assert slope.isfinite().all()
