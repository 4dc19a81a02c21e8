"""Style: the squared difference of Gram matrices."""

import pytest
import torch

from impasto.losses.gram import GramLoss


def features(*shape, seed=0):
    """Random features (1, 6, *shape)."""
    return torch.randn(1, 6, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_painting_against_itself_costs_nothing():
    """The loss is exactly 0 at the features the target was made of."""
    assert GramLoss.of(features(4, 5)).value(features(4, 5)) == 0


def test_equal_sizes_give_the_papers_formula():
    """E_l = 1 / (4 N^2 M^2) sum (G - A)^2, equation 4 of Gatys et al. (2016)."""
    F, S = features(4, 5), features(4, 5, seed=1)
    G, A = (x.flatten(2)[0] @ x.flatten(2)[0].t() for x in (F, S))
    paper = ((G - A) ** 2).sum() / (4 * 6**2 * 20**2)
    assert GramLoss.of(S).value(F).item() == pytest.approx(paper.item(), rel=1e-13)


def test_gradient_is_the_papers():
    """dE_l/dF = 1 / (N^2 M^2) (F^T (G - A))^T, equation 6, in the paper's own arrangement of filters by positions."""
    F, S = features(4, 5), features(4, 5, seed=1)
    rows = F.flatten(2)[0]
    G, A = (x.flatten(2)[0] @ x.flatten(2)[0].t() for x in (F, S))
    paper = (rows.t() @ (G - A)).t() / (6**2 * 20**2)
    out, loss = torch.zeros_like(F), GramLoss.of(S)
    loss.add_gradient(out, F, loss.summarize(F), 20, 1.0)
    assert torch.allclose(out.flatten(2)[0], paper, rtol=1e-12)


def test_permuted_positions_cost_the_same():
    """Style does not say where."""
    F, loss = features(4, 5), GramLoss.of(features(4, 5, seed=1))
    shuffled = F.flatten(2)[..., torch.randperm(20)].view_as(F)
    assert loss.value(shuffled).item() == pytest.approx(loss.value(F).item(), rel=1e-13)


def test_sizes_compare():
    """A painting tiled four times has the style of one."""
    F, S = features(4, 5), features(4, 5, seed=1)
    once, often = GramLoss.of(S), GramLoss.of(S.repeat(1, 1, 2, 2))
    assert once.value(F).item() == pytest.approx(often.value(F).item(), rel=1e-13)
    assert once.value(F.repeat(1, 1, 3, 1)).item() == pytest.approx(once.value(F).item(), rel=1e-13)
