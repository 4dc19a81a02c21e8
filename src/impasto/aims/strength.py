"""What a strength means: how far features and colors may be from the photo's."""

import math

import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto.choices import Padding
from impasto.pyramid import fitted, resize_within

# The limit of a photo without flat parts at strength 0.5, and how much smaller it is for one that is all flat. Fitted to
# 52 pictures of 256 pixels, so that LPIPS comes out near the strength.
_AT_HALF = 0.36
_FLATTER = 0.5
_FINER = 0.2  # from a few pairs at 512 pixels, see docs/quality.md
_FLAT = 0.01  # of [0, 1] a pixel
_SIDE, _WINDOW = 256, 33  # pixels


def limit(strength: float, flat: float, size: int = _SIDE) -> float:
    r"""How far from the photo a strength allows, as a mean over the content layers.

    It counts :class:`impasto.losses.AngularLoss` of features, and of colors :class:`impasto.losses.DistanceLoss`.

    .. math:: d = 0.36 \, \frac{2.5 s - s^2}{1 + f / 2} \min(1, \sqrt[5]{256 / n})

    Brush strokes are seen most where the photo has nothing, so a photo with much sky is held nearer. A large picture shows
    finer strokes, which take more of the photo away than a small one at the same distance of its features.

    Args:
        strength: s, between 0 and 1.
        flat: f, the photo's :func:`flatness`.
        size: n, the result's long side in pixels.
    """
    finer = min(1.0, math.pow(_SIDE / size, _FINER))
    return _AT_HALF * (2.5 * strength - strength**2) / (1 + _FLATTER * flat) * finer


def flatness(photo: Tensor, padding: Padding = "reflect") -> float:
    r"""How much of a photo (1, C, *spatial) in [0, 1] is flat: the mean of 1 / (1 + g / 0.01), from 0 to 1.

    g is the root of the mean square of the brightness' gradient in a window of 33 pixels, per pixel, where the photo's
    long side has 256. The window ends at borders, but where a padding goes on at the far side it does too.
    """
    small = resize_within(photo, fitted(tuple(photo.shape[2:]), _SIDE), padding).float().mean(1, keepdim=True)
    axes = range(2, small.dim())
    wraps = {axis: padding == "circular" or (padding == "equirectangular" and axis == axes[-1]) for axis in axes}
    squares = torch.zeros_like(small)
    for axis in axes:
        following = small.narrow(axis, 0 if wraps[axis] else -1, 1)
        squares += small.diff(dim=axis, append=following).square()
    for axis in axes:
        lines = squares.movedim(axis, -1)
        squares = _averaged(lines.flatten(0, -2)[:, None], wraps=wraps[axis]).view_as(lines).movedim(-1, axis)
    return float((1 / (1 + squares.sqrt() / _FLAT)).mean())


def _averaged(lines: Tensor, *, wraps: bool) -> Tensor:
    """The moving average of lines (N, 1, L) over a window, which ends where they do or goes around."""
    reach, length = _WINDOW // 2, lines.shape[-1]
    if not wraps:
        return nnf.avg_pool1d(lines, _WINDOW, 1, reach, count_include_pad=False)
    around = torch.arange(-reach, length + reach, device=lines.device) % length
    return nnf.avg_pool1d(lines[..., around], _WINDOW, 1)
