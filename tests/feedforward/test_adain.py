"""Adaptive instance normalization against its definition."""

import pytest
import torch

from impasto.feedforward.adain import ChannelMoments, adain


@pytest.fixture
def features():
    """A function that makes random features (1, 5, *shape)."""
    return lambda *shape, seed=0: torch.randn(1, 5, *shape, generator=torch.Generator().manual_seed(seed)) * 3 + 1


def test_moments_are_torchs(features):
    """Mean, and the deviation with positions - 1, plus what the decoder was trained with."""
    x = features(7, 9)
    found = ChannelMoments.of(x)
    assert torch.allclose(found.mean[..., 0, 0], x.mean((2, 3)), atol=1e-5)
    assert torch.allclose(found.deviation[..., 0, 0], (x.var((2, 3)) + 1e-5).sqrt(), rtol=1e-5)


def test_the_result_has_the_styles_moments(features):
    """At strength 1 its own, at 0 the photo's features themselves, and in between both in shares."""
    photo, style = features(8, 8, seed=1), ChannelMoments.of(features(5, 6, seed=2) * 2)
    painted = adain(photo, style)
    assert torch.allclose(ChannelMoments.of(painted).mean, style.mean, atol=1e-4)
    assert torch.allclose(ChannelMoments.of(painted).deviation, style.deviation, rtol=1e-4)
    assert torch.allclose(adain(photo, style, 0.0), photo)
    assert torch.allclose(adain(photo, style, 0.3), 0.3 * painted + 0.7 * photo, atol=1e-5)


def test_mixed_moments_mix_features(features):
    """Equation 15: the mean of what each style gives, in shares."""
    photo, one, other = (
        features(8, 8),
        ChannelMoments.of(features(4, 4, seed=3)),
        ChannelMoments.of(features(6, 4, seed=4) + 5),
    )
    mixed = ChannelMoments.mixed([one, other], [0.25, 0.75])
    assert torch.allclose(adain(photo, mixed), 0.25 * adain(photo, one) + 0.75 * adain(photo, other), atol=1e-4)


def test_flat_features_are_no_problem(features):
    """A channel without differences gets the style's mean."""
    flat = torch.full((1, 5, 4, 4), 2.0)
    style = ChannelMoments.of(features(5, 5))
    found = adain(flat, style)
    assert torch.isfinite(found).all()
    assert torch.allclose(found, style.mean.expand_as(found), atol=0.05)
