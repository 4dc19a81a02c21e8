"""Style as maximum mean discrepancy with the linear kernel."""

import pytest
import torch

from impasto.losses.mmd_linear import LinearMMDLoss

SHAPES = {"wide": (12, (3, 2), (4, 5)), "long": (3, (9, 9), (7, 8)), "one position": (5, (1, 1), (4, 4))}


@pytest.mark.parametrize(("channels", "shape", "of_style"), SHAPES.values(), ids=SHAPES)
def test_loss_is_the_discrepancy_over_all_pairs(channels, shape, of_style):
    """MMD^2 = mean k(x, x') + mean k(s, s') - 2 mean k(x, s), pair by pair, with k(x, y) = x^T y; L is 1 / N of it."""
    F, S = (torch.randn(1, channels, *extent, dtype=torch.float64) for extent in (shape, of_style))
    x, s = (features.flatten(2)[0].t() for features in (F, S))
    discrepancy = sum(
        sign * torch.stack([a @ b for a in first for b in second]).mean()
        for sign, first, second in ((1, x, x), (1, s, s), (-2, x, s))
    )
    assert LinearMMDLoss.of(S).value(F).item() == pytest.approx(discrepancy.item() / channels, rel=1e-10)


def test_only_means_matter():
    """Features stretched around their mean cost the same."""
    F, loss = torch.randn(1, 4, 5, 6, dtype=torch.float64), LinearMMDLoss.of(torch.randn(1, 4, 5, 6).double())
    mean = F.mean(dim=(2, 3), keepdim=True)
    assert loss.value(mean + 3 * (F - mean)).item() == pytest.approx(loss.value(F).item(), rel=1e-12)
