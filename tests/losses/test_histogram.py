"""Style as a histogram per channel."""

import numpy as np
import pytest
import torch
from skimage.exposure import match_histograms
from torch.overrides import TorchFunctionMode

from impasto.losses.histogram import HistogramLoss


def features(*shape, seed=0, scale=1.0):
    """Features (1, 3, *shape) after a ReLU."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(1, 3, *shape, generator=generator, dtype=torch.float64) * scale + 0.3).relu()


def slope(loss, F):
    """The closed-form derivative, times the number of values: 2 (F - R(F))."""
    out = torch.zeros_like(F)
    loss.add_gradient(out, F, loss.summarize(F), F[0, 0].numel(), 1.0)
    return out * F[0].numel()


def test_loss_is_the_mean_squared_wasserstein_distance():
    """Of every channel's values, by an exact solver, up to the width of the bins."""
    import ot  # takes seconds

    F, S = features(24, 24), features(24, 24, seed=1, scale=2.5)
    expected = np.mean([ot.wasserstein_1d(F[0, c].flatten().numpy(), S[0, c].flatten().numpy(), p=2) for c in range(3)])
    assert HistogramLoss.of(S).value(F).item() == pytest.approx(expected, rel=0.02)


def test_slope_leads_to_the_matched_histogram():
    """F - slope / 2 is scikit-image's histogram matching, value by value, up to the width of the bins."""
    F, S = features(40, 40), features(40, 40, seed=1, scale=2.5)
    moved = F - slope(HistogramLoss.of(S), F) / 2
    matched = match_histograms(F[0].numpy(), S[0].numpy(), channel_axis=0)
    away = (moved[0] - torch.from_numpy(matched)).abs()
    # Where F has many zeros and S has fewer, its zeros are spread by scikit-image's ties and not here.
    assert away[F[0] > 0.2].mean() < 0.06 * S.std()
    assert HistogramLoss.of(S).value(moved) < 0.02 * HistogramLoss.of(S).value(F)


def test_order_is_kept():
    """The map R increases: of two values of one channel the larger becomes the larger."""
    F, S = features(20, 20), features(20, 20, seed=1, scale=2.5)
    moved = F - slope(HistogramLoss.of(S), F) / 2
    for own, other in zip(F[0].flatten(1), moved[0].flatten(1), strict=True):
        order = own.argsort()
        steps = other[order].diff()
        assert (steps > -0.05 * S.std()).all()


def test_what_gram_matrices_leave_open_is_seen():
    """Values -1 and 1 against four unlike ones with the same mean, square and hence Gram matrix."""
    two = torch.tensor([1.0, -1, 1, -1], dtype=torch.float64).view(1, 1, 4)
    tail = torch.tensor([3**0.5, -(3**-0.5), -(3**-0.5), -(3**-0.5)], dtype=torch.float64).view(1, 1, 4)
    assert two.mean().item() == pytest.approx(tail.mean().item(), abs=1e-12)
    assert two.square().mean().item() == pytest.approx(tail.square().mean().item())
    assert HistogramLoss.of(two).value(tail).item() > 0.2


def test_values_a_thousand_times_the_styles_count_as_the_last_bin():
    """They cost a lot and have a slope, until they are beyond it; nothing is infinite."""
    loss, F = HistogramLoss.of(features(6, 6)), features(6, 6, seed=1)
    F[0, 0, 0, 0], F[0, 1, 0, 0] = 200 * loss.scale[0], 2000 * loss.scale[1]
    found = slope(loss, F)
    assert found[0, 0, 0, 0] > 100 * loss.scale[0]
    assert found[0, 1, 0, 0] == 0
    assert loss.value(F).isfinite()


class Sorts(TorchFunctionMode):
    """Counts the sorts, of which a transport takes one."""

    count = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.count += func is torch.Tensor.sort
        return func(*args, **(kwargs or {}))


def test_value_and_gradient_share_one_match():
    """Value and every tile's gradient ask for the same transport; another picture gets its own."""
    F, loss = features(6, 6), HistogramLoss.of(features(6, 6, seed=1))
    with Sorts() as sorts:
        summary = loss.summarize(F)
        loss.compare(summary, 36)
        loss.add_gradient(torch.zeros_like(F), F, summary, 36, 1.0)
        assert sorts.count == 1
        loss.compare(loss.summarize(features(6, 6, seed=2)), 36)
        assert sorts.count == 2


def test_single_precision_is_as_good_as_its_counts():
    """The transport is found in float64, so that float32 loses no more than its own rounding."""
    S, F = features(40, 40), features(40, 40, seed=1, scale=1.1)
    single, exact = HistogramLoss.of(S.float()), HistogramLoss.of(S)
    assert single.value(F.float()).item() == pytest.approx(exact.value(F).item(), rel=1e-3)
