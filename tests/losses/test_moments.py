"""Style as mean and standard deviation per channel."""

import pytest
import torch

from impasto.losses.moments import MomentsLoss


def features(seed, scale=1.0):
    """Random features (1, 6, 7, 9) around 2."""
    return 2 + scale * torch.randn(1, 6, 7, 9, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_loss_is_the_papers():
    """(1 / N) sum of squared differences of means and of standard deviations, by torch's own statistics."""
    F, S = features(0), features(1, scale=3.0)
    (variance, mean), (style_variance, style_mean) = (torch.var_mean(x.flatten(2)[0], 1, correction=0) for x in (F, S))
    expected = ((mean - style_mean) ** 2 + (variance.sqrt() - style_variance.sqrt()) ** 2).sum() / 6
    assert MomentsLoss.of(S).value(F).item() == pytest.approx(expected.item(), rel=1e-5)


def test_epsilon_is_all_that_differs():
    """With a millionth of the style's mean square beside every variance, the agreement is exact."""
    F, S = features(0), features(1, scale=3.0)
    epsilon = 1e-6 * S.square().mean() + 1e-12
    (variance, mean), (style_variance, style_mean) = (torch.var_mean(x.flatten(2)[0], 1, correction=0) for x in (F, S))
    deviation, style_deviation = (variance + epsilon).sqrt(), (style_variance + epsilon).sqrt()
    expected = ((mean - style_mean) ** 2 + (deviation - style_deviation) ** 2).sum() / 6
    assert MomentsLoss.of(S).value(F).item() == pytest.approx(expected.item(), rel=1e-11)


def test_correlations_do_not_matter():
    """Filters whose values change places among positions, each by itself, have the moments they had."""
    F, loss = features(0), MomentsLoss.of(features(1))
    shuffled = torch.stack([row[torch.randperm(63)] for row in F.flatten(2)[0]]).view_as(F)
    assert loss.value(shuffled).item() == pytest.approx(loss.value(F).item(), rel=1e-12)


def test_silent_filter_has_a_bounded_slope():
    """Where a filter is the same everywhere the root of its variance has no derivative, and the loss a small one."""
    F, loss = features(0), MomentsLoss.of(features(1))
    F[:, 2] = 0
    out = torch.zeros_like(F)
    loss.add_gradient(out, F, loss.summarize(F), 63, 1.0)
    assert out[:, 2].abs().max() <= 2 / (6 * 63) * 2.5
    assert torch.all(out[:, 2] == out[:, 2, :1, :1])
