"""Style as the covariance of features."""

import pytest
import torch

from impasto.losses.covariance import CovarianceLoss
from impasto.losses.gram import GramLoss


def features(seed):
    """Random features (1, 6, 4, 5) around 2."""
    return 2 + torch.randn(1, 6, 4, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_loss_is_a_distance_of_covariances():
    """1 / (4 N^2) of the squared differences of torch's own covariance matrices."""
    F, S = features(0), features(1)
    C, A = (torch.cov(x.flatten(2)[0], correction=0) for x in (F, S))
    expected = (C - A).square().sum() / (4 * 6**2)
    assert CovarianceLoss.of(S).value(F).item() == pytest.approx(expected.item(), rel=1e-11)


def test_centered_features_have_gram_matrices_for_covariances():
    """Once the mean is gone, this is E_l, and so is its derivative, less its mean."""
    F, S = (x - x.mean(dim=(2, 3), keepdim=True) for x in (features(0), features(1)))
    centered, plain = CovarianceLoss.of(S), GramLoss.of(S)
    assert centered.value(F).item() == pytest.approx(plain.value(F).item(), rel=1e-12)
    slopes = [torch.zeros_like(F), torch.zeros_like(F)]
    for out, loss in zip(slopes, (centered, plain), strict=True):
        loss.add_gradient(out, F, loss.summarize(F), 20, 1.0)
    assert (slopes[0] - slopes[1]).abs().max() < 1e-12 * slopes[1].abs().max()


def test_means_do_not_matter():
    """A filter that answers more strongly everywhere costs nothing."""
    F, loss = features(0), CovarianceLoss.of(features(1))
    louder = F + torch.arange(6).view(1, 6, 1, 1)
    assert loss.value(louder).item() == pytest.approx(loss.value(F).item(), rel=1e-10)


def test_flat_style_has_a_size():
    """Nothing is relative to the rounding of a variance of zero."""
    flat = CovarianceLoss.of(torch.full((1, 6, 4, 5), 3.0))
    assert flat.size() == pytest.approx(1e-6 * (3.0**2 * 6) ** 2 / (4 * 6**2))
