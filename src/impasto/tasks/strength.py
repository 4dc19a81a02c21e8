"""What a strength means: how far features and colors may be from the photo's."""

import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto.pyramid import fitted, resize

# The limit of a photo without flat parts at strength 0.5, and how much smaller it is for one that is all flat. Fitted to
# 52 pictures of 256 pixels, so that LPIPS comes out near the strength.
_AT_HALF = 0.36
_FLATTER = 0.5
_FLAT = 0.01  # of [0, 1] a pixel
_SIDE, _WINDOW = 256, 33  # pixels


def limit(strength: float, flat: float) -> float:
    r"""How far from the photo a strength allows, as a mean over the content layers.

    It counts :class:`impasto.losses.AngularLoss` of features, and of colors :class:`impasto.losses.DistanceLoss`.

    .. math:: d = 0.36 \, \frac{2.5 s - s^2}{1 + f / 2}

    Brush strokes are seen most where the photo has nothing, so a photo with much sky is held nearer.

    Args:
        strength: s, between 0 and 1.
        flat: f, the photo's :func:`flatness`.
    """
    return _AT_HALF * (2.5 * strength - strength**2) / (1 + _FLATTER * flat)


def flatness(photo: Tensor) -> float:
    r"""How much of a photo (1, C, *spatial) in [0, 1] is flat: the mean of 1 / (1 + g / 0.01), from 0 to 1.

    g is the root of the mean square of the brightness' gradient in a window of 33 pixels, per pixel, where the photo's
    long side has 256.
    """
    small = resize(photo, fitted(tuple(photo.shape[2:]), _SIDE)).float().mean(1, keepdim=True)
    squares = torch.zeros_like(small)
    for axis in range(2, small.dim()):
        squares += small.diff(dim=axis, append=small.narrow(axis, -1, 1)).square()
    for axis in range(2, small.dim()):
        lines = squares.movedim(axis, -1)
        means = nnf.avg_pool1d(lines.flatten(0, -2)[:, None], _WINDOW, 1, _WINDOW // 2, count_include_pad=False)
        squares = means[:, 0].view_as(lines).movedim(-1, axis)
    return float((1 / (1 + squares.sqrt() / _FLAT)).mean())
