"""How alike two pictures are, and whether one tiles without a seam. Any number of spatial axes; values in [0, 1]."""

import math

import torch
from torch import Tensor

_WINDOW, _SIGMA = 11, 1.5  # positions along a side of the structural similarity's window, and its spread
_C1, _C2 = 0.01**2, 0.03**2


def psnr(image: Tensor, reference: Tensor) -> float:
    r"""Peak signal-to-noise ratio in decibels, :math:`-10 \log_{10}` of the mean squared difference; higher is closer.

    Args:
        image: (B, C, *spatial) in [0, 1].
        reference: of the same shape.

    Returns:
        Decibels; infinite for equal images.
    """
    error = (image.double() - reference.double()).square().mean().item()
    return math.inf if error == 0 else -10 * math.log10(error)


def ssim(image: Tensor, reference: Tensor) -> float:
    r"""Structural similarity (Wang, Bovik, Sheikh and Simoncelli 2004), the mean over positions and channels.

    .. math:: \frac{(2 \mu_x \mu_y + C_1)(2 \sigma_{xy} + C_2)}
       {(\mu_x^2 + \mu_y^2 + C_1)(\sigma_x^2 + \sigma_y^2 + C_2)}

    Means, variances and the covariance are weighted by a Gaussian window of 11 positions along every axis with a
    standard deviation of 1.5, taken where the window lies wholly inside; C_1 = 0.01^2 and C_2 = 0.03^2.

    Differs from the paper: along an axis with fewer than 11 positions the window is as long as the axis.

    Args:
        image: (B, C, *spatial) in [0, 1].
        reference: of the same shape.

    Returns:
        At most 1, for equal images.
    """
    x, y = image.double(), reference.double()
    mean_x, mean_y = _weighted(x), _weighted(y)
    spread_x = _weighted(x * x) - mean_x**2
    spread_y = _weighted(y * y) - mean_y**2
    joint = _weighted(x * y) - mean_x * mean_y
    above = (2 * mean_x * mean_y + _C1) * (2 * joint + _C2)
    below = (mean_x**2 + mean_y**2 + _C1) * (spread_x + spread_y + _C2)
    return (above / below).mean().item()


def seam(image: Tensor, period: int = 1) -> float:
    """How visible the seams are where copies of a picture meet: about 1 if it tiles, larger if it does not.

    The mean absolute difference of neighbors across the borders, over that of neighbors inside; each axis counts alike.
    An image without differences inside has no seam to compare with: 1.

    Args:
        image: (B, C, *spatial).
        period: compare only with neighbors inside that lie on either side of a multiple of so many positions. In a
            picture that was enlarged twofold, every second pair differs less than the others, all over the picture.
    """
    across = inside = 0.0
    for axis in range(2, image.dim()):
        last = image.shape[axis] - 1
        across += (image.select(axis, 0) - image.select(axis, last)).abs().mean().item()
        inner = image.diff(dim=axis).abs()
        places = torch.arange(period - 1, last, period, device=image.device)
        inside += inner.index_select(axis, places).mean().item() if len(places) else 0.0
    return across / inside if inside else 1.0


def _weighted(x: Tensor) -> Tensor:
    """The Gaussian mean around every position whose window lies inside."""
    for axis in range(2, x.dim()):
        length = min(_WINDOW, x.shape[axis])
        places = torch.arange(length, dtype=x.dtype, device=x.device) - (length - 1) / 2
        window = torch.exp(-places.square() / (2 * _SIGMA**2))
        x = x.unfold(axis, length, 1) @ (window / window.sum())
    return x
