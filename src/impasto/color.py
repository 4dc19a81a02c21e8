r"""Colors of one picture given to another, and luminance apart from chroma (Gatys et al. 2017, section 5).

Pictures are (1, 3, \*spatial), RGB in [0, 1]. Luminance is that of YIQ, :math:`y = w^T x` with w = (0.299, 0.587, 0.114);
chroma is what is left, :math:`x - y 1`, whose own luminance is 0. I and Q of the paper are linear functions of chroma, so
that who keeps one keeps the other.

Nothing here clips: values that leave [0, 1] are the caller's to bring back.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""The weights of red, green and blue in luminance (ITU-R BT.601)."""

_FLOOR = 1e-5  # variance below which a direction of color is not stretched: a deviation of 0.8 of 255 levels
_GAINS = (0.5, 2.0)  # how far a painting's contrast is bent to the photo's where only luminance is painted
_COLORLESS, _STRAY = 4 / 255, 1e-3  # as JPEG files of gray pictures have it


def luminance(pixels: Tensor) -> Tensor:
    """The luminance y of every position, (1, 1, *spatial)."""
    weights = torch.tensor(LUMA, dtype=pixels.dtype, device=pixels.device)
    return torch.as_tensor(torch.tensordot(pixels, weights, dims=([1], [0]))).unsqueeze(1)


def chroma(pixels: Tensor) -> Tensor:
    """The color of every position without its luminance, x - y, (1, 3, *spatial), of luminance 0."""
    return pixels - luminance(pixels)


def is_gray(pixels: Tensor) -> bool:
    """Whether a picture (1, 3, *spatial) has no colors that one could see.

    That is, none above 4 levels of 255 but at one position in a thousand; of a large picture, at a million positions.
    """
    step = max(1, round((pixels[0, 0].numel() / 1e6) ** (1 / (pixels.dim() - 2))))
    sample = pixels[(slice(None), slice(None), *[slice(None, None, step)] * (pixels.dim() - 2))]
    return bool((chroma(sample).abs().amax(1) > _COLORLESS).float().mean() < _STRAY)


def luminance_room(color: Tensor) -> tuple[Tensor, Tensor]:
    """The least and the largest luminance that a chroma can have inside [0, 1], each (1, 1, *spatial)."""
    return -color.amin(1, keepdim=True), 1 - color.amax(1, keepdim=True)


def with_chroma(pixels: Tensor, color: Tensor) -> Tensor:
    """The luminance of ``pixels`` with the chroma ``color``, inside [0, 1].

    Where the two do not fit together into [0, 1], the color is made paler until they do: luminance, where the strokes
    are, and hue stay.
    """
    level = luminance(pixels).clamp(0, 1)
    up = torch.where(color > 0, (1 - level) / color, torch.inf)
    down = torch.where(color < 0, -level / color, torch.inf)
    share = torch.minimum(up, down).amin(1, keepdim=True).clamp(0, 1)
    return (level + share * color).clamp(0, 1)


@dataclass(frozen=True, eq=False)
class ColorMoments:
    """The mean (3,) and the covariance (3, 3) of a picture's colors, in float64."""

    mean: Tensor
    covariance: Tensor

    @classmethod
    def of(cls, pixels: Tensor, weights: Tensor | None = None) -> "ColorMoments":
        """Those of ``pixels``, every position counted by ``weights`` (1, 1, *spatial), or once."""
        colors = pixels.flatten(2)[0].double()
        parts = torch.ones_like(colors[:1]) if weights is None else weights.flatten(2)[0].double()
        parts = parts / parts.sum()
        mean = (colors * parts).sum(1)
        centered = colors - mean[:, None]
        return cls(mean, (centered * parts) @ centered.t())


@dataclass(frozen=True, eq=False)
class LinearMap:
    """x -> matrix (x - origin) + target for every color x: (3, 3), (3,) and (3,), in float64."""

    matrix: Tensor
    origin: Tensor
    target: Tensor

    def __call__(self, pixels: Tensor) -> Tensor:
        """The picture with every color mapped; not clipped."""
        colors = pixels.flatten(2)[0].double()
        mapped: Tensor = self.matrix @ (colors - self.origin[:, None]) + self.target[:, None]
        return mapped.to(pixels.dtype).view_as(pixels)


def monge_kantorovich(source: ColorMoments, target: ColorMoments) -> LinearMap:
    r"""The linear map that brings mean and covariance of ``source`` to those of ``target`` and moves colors least.

    .. math:: A = S^{-1/2} \big(S^{1/2} C S^{1/2}\big)^{1/2} S^{-1/2}, \qquad A S A^T = C

    for covariances S and C: the optimal transport between normal distributions (Olkin and Pukelsheim 1982), used for
    colors by Pitie and Kokaram (2007). A is symmetric, so hues are not turned.

    Where the source hardly varies, in all directions if it has one color and in two if it is gray, there is nothing that
    could be stretched to the target's variance. Variances of S below 1e-5 count as 1e-5, which bounds the stretching.
    """
    root, inverse = _roots(source.covariance)
    middle, _ = _roots(root @ target.covariance @ root, floor=0.0)
    return LinearMap(inverse @ middle @ inverse, source.mean, target.mean)


def cholesky(source: ColorMoments, target: ColorMoments) -> LinearMap:
    r"""The linear map :math:`A = L_C L_S^{-1}` from Cholesky factors: :math:`A S A^T = C` (Gatys et al. 2017, 5.2).

    Triangular: red depends on red alone, blue on all three. It reaches the same mean and covariance as
    :func:`monge_kantorovich`, with larger changes. Small variances are treated as there.
    """
    lower = torch.linalg.cholesky(_floored(source.covariance, _FLOOR))
    wanted = torch.linalg.cholesky(_floored(target.covariance, 1e-12))
    matrix = torch.linalg.solve_triangular(lower, wanted, upper=False, left=False)
    return LinearMap(matrix, source.mean, target.mean)


def match_histogram(
    source: Tensor, target: Tensor, weights: Tensor | None = None, target_weights: Tensor | None = None
) -> Tensor:
    """``source`` with the values of every channel replaced so that they are distributed as in ``target``.

    A value goes to the target's value of the same quantile. Equal values, of which 8-bit pictures have many, stand at
    the middle of the quantiles they cover, so that a picture of one color goes to the target's median.

    Args:
        source: (1, 3, *spatial).
        target: likewise, of any size.
        weights: how much each position of the source counts, (1, 1, *spatial), or None for all alike.
        target_weights: likewise for the target.
    """
    planes = []
    for plane, wanted in zip(source[0], target[0], strict=True):
        of_source, of_target = _Quantiles.of(plane, weights), _Quantiles.of(wanted, target_weights)
        there = of_target.parts > 0  # values that no position counts for are not in between either
        matched = np.interp(of_source.middles, of_target.middles[there], of_target.values[there])
        planes.append(torch.from_numpy(matched[of_source.places]).view_as(plane))
    return torch.stack(planes)[None].to(source)


def match_luminance(source: Tensor, photo: ColorMoments, weights: Tensor | None = None) -> Tensor:
    r"""The luminance of ``source`` with the photo's mean and contrast, (1, 1, \*spatial).

    .. math:: L' = \frac{\sigma_C}{\sigma_S} (L_S - \mu_S) + \mu_C

    (Gatys et al. 2017, eq. 9). The factor is kept between 0.5 and 2: a photo of one gray would leave no strokes, and a
    painting of nearly one gray would have its grain blown up.
    """
    w = torch.tensor(LUMA, dtype=torch.float64)
    own = ColorMoments.of(source, weights)
    wanted, given = (float((w @ m.covariance @ w).clamp(min=0).sqrt()) for m in (photo, own))
    gain = min(max(wanted / max(given, 1e-6), _GAINS[0]), _GAINS[1])
    return (luminance(source) - float(w @ own.mean)) * gain + float(w @ photo.mean)


def _floored(covariance: Tensor, floor: float) -> Tensor:
    """The covariance with no variance below ``floor`` in any direction."""
    values, vectors = torch.linalg.eigh(covariance)
    if values[0] >= floor:
        return covariance
    raised: Tensor = vectors * values.clamp(min=floor) @ vectors.t()
    return raised


def _roots(matrix: Tensor, floor: float = _FLOOR) -> tuple[Tensor, Tensor]:
    """The symmetric square root, and where there is a floor to the eigenvalues its inverse."""
    values, vectors = torch.linalg.eigh(matrix)
    roots = values.clamp(min=floor).sqrt()
    inverse = vectors / roots @ vectors.t() if floor else torch.zeros_like(matrix)
    return vectors * roots @ vectors.t(), inverse


class _Quantiles(NamedTuple):
    values: NDArray[Any]  # all different ones, in order
    parts: NDArray[Any]  # how much of the picture has each
    middles: NDArray[Any]  # the quantile at which each stands
    places: NDArray[Any]  # which one each position has

    @classmethod
    def of(cls, plane: Tensor, weights: Tensor | None) -> "_Quantiles":
        values, places, counts = np.unique(plane.numpy().ravel(), return_inverse=True, return_counts=True)
        parts: NDArray[Any] = counts.astype(np.float64)
        if weights is not None:
            parts = np.bincount(places, weights.flatten().double().numpy(), len(values))
        return cls(values, parts, (np.cumsum(parts) - parts / 2) / parts.sum(), places)
