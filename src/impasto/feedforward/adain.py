"""Adaptive instance normalization (Huang and Belongie 2017, eq. 8, 14 and 15): style as mean and deviation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from impasto.statistics import position_count, square_sum, value_sum

_LEAST = 1e-5  # added to variances, as the decoder was trained with


@dataclass(frozen=True, eq=False)
class ChannelMoments:
    """Mean and standard deviation of every channel over positions, (B, C, 1, 1) each, in float32."""

    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, features: Tensor) -> Self:
        """The moments of features (B, C, H, W); the variance is divided by positions - 1."""
        count = position_count(features)
        mean = value_sum(features).float() / count
        variance = (square_sum(features).float() / count - mean.square()).clamp_(min=0) * (count / max(count - 1, 1))
        return cls(mean[..., None, None], (variance + _LEAST).sqrt()[..., None, None])

    @classmethod
    def mixed(cls, several: "Sequence[ChannelMoments]", shares: Sequence[float]) -> Self:
        """Moments in shares: then the features made with them are mixed in those shares (eq. 15)."""
        parts = list(zip(several, shares, strict=True))
        mean = torch.stack([share * moments.mean for moments, share in parts]).sum(0)
        return cls(mean, torch.stack([share * moments.deviation for moments, share in parts]).sum(0))


def adain(features: Tensor, style: ChannelMoments, strength: float = 1.0) -> Tensor:
    r"""The features with the moments of a style, in a share.

    .. math:: t = \alpha \Big(\sigma_s \frac{F - \mu_F}{\sigma_F} + \mu_s\Big) + (1 - \alpha) F

    Args:
        features: F, (B, C, H, W), of the photo.
        style: :math:`\mu_s` and :math:`\sigma_s`.
        strength: :math:`\alpha`, 0 for the photo's own features, 1 for all of the style.

    Returns:
        As ``features``; one affine map per channel.
    """
    own = ChannelMoments.of(features)
    factor = 1 - strength + strength * style.deviation / own.deviation
    offset = strength * (style.mean - own.mean * style.deviation / own.deviation)
    return features * factor.to(features.dtype) + offset.to(features.dtype)
