"""Style as single features."""

import pytest
import torch

from impasto.losses.nearest import NearestLoss


def features(*shape, seed=0, channels=4):
    """Positive features (1, C, *shape)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, channels, *shape, generator=generator, dtype=torch.float64)


def rows(F):
    """Every position as a row."""
    return F[0].flatten(1).t()


def test_loss_is_the_mean_cosine_distance():
    """Of each position to the nearest of all, from the whole table of correlations."""
    F, S = features(7, 9), features(8, 6, seed=1)
    own, other = rows(F), rows(S)
    correlation = (own @ other.t()) / own.norm(dim=1)[:, None] / other.norm(dim=1)
    expected = (1 - correlation.max(1).values).mean()
    assert NearestLoss.of(S).value(F).item() == pytest.approx(expected.item(), rel=1e-12)


def test_neither_order_nor_strength_counts():
    """The painting's features in any order and three times as strong cost nothing."""
    S = features(8, 12)
    shuffled = 3 * S.flatten(2)[..., torch.randperm(96)].view_as(S)
    assert NearestLoss.of(S).value(shuffled).item() < 1e-14
    assert NearestLoss.of(S).value(features(8, 12, seed=1)).item() > 1e-3


def test_sums_of_features_do_not_count_as_features():
    """Half of one and half of another is far from both, though means over positions may hide it."""
    S = torch.eye(4, dtype=torch.float64).view(1, 4, 2, 2)
    between = torch.full((1, 4, 2, 2), 0.25, dtype=torch.float64)
    assert between.sum() == S.sum()
    assert NearestLoss.of(S).value(between).item() == pytest.approx(0.5)


def test_some_stand_for_all():
    """Of many features a sample is taken, the same every time."""
    S = features(40, 40)
    first, again = NearestLoss.of(S), NearestLoss.of(S)
    assert len(first.target) == 1024
    assert torch.equal(first.target, again.target)
    assert len(NearestLoss.of(S, most=50).target) == 50


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_mixed_styles_have_their_shares(share):
    """Of the sample, so much is the other style's."""
    first, second = features(40, 40), 2 + features(40, 40, seed=1)
    target = NearestLoss.of(first).mixed(second, share).target
    assert (target > 1).all(1).double().mean().item() == pytest.approx(share, abs=1 / len(target))


def test_positions_without_features_have_a_bounded_slope():
    """Weak ones are divided by 3 % of the mean length, not by their own."""
    S, F = features(8, 6), torch.zeros(1, 4, 3, 3, dtype=torch.float64)
    loss, slope = NearestLoss.of(S), torch.zeros(1, 4, 3, 3, dtype=torch.float64)
    loss.add_gradient(slope, F, loss.summarize(F), 9, 1.0)
    assert slope.norm(dim=1).max().item() <= 1 / (9 * 0.03 * rows(S).norm(dim=1).mean().item()) * (1 + 1e-12)
    assert loss.value(F).item() == pytest.approx(1)
