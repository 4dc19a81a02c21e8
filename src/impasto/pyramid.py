"""Sizes from coarse to fine, and resampling between them."""

import math
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto.choices import Padding


def level_shapes(shape: tuple[int, ...], coarsest: int, ratio: float) -> tuple[tuple[int, ...], ...]:
    """The spatial shapes of a pyramid, coarse to fine, ending at ``shape``.

    Every level is ``ratio`` times smaller than the next; the coarsest is the last whose longest side is still at least
    ``coarsest``. With ``coarsest`` at or above the longest side there is one level.

    >>> level_shapes((384, 512), 128, 2.0)
    ((96, 128), (192, 256), (384, 512))
    """
    longest = max(shape)
    steps = max(0, math.floor(math.log(longest / coarsest) / math.log(ratio) + 1e-9)) if longest > coarsest else 0
    return tuple(scaled(shape, ratio**-step) for step in range(steps, -1, -1))


def scaled(shape: tuple[int, ...], factor: float) -> tuple[int, ...]:
    """The shape, every side times ``factor``, rounded, at least 1."""
    return tuple(max(1, round(length * factor)) for length in shape)


def fitted(shape: tuple[int, ...], longest: int) -> tuple[int, ...]:
    """The shape with the same proportions whose longest side is ``longest``."""
    return scaled(shape, longest / max(shape))


def same_proportions(shape: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether a height and width are, to within two pixels, another pair made larger or smaller."""
    height, width = shape
    expected = other[0] / other[1]
    return abs(height - width * expected) <= 2 or abs(width - height / expected) <= 2


def resize(image: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Resample an image (B, C, *spatial) to a spatial shape: bicubic, with antialiasing, kept in [0, 1].

    One- and three-dimensional images are resampled linearly, after averaging when they shrink.
    """
    if tuple(image.shape[2:]) == shape:
        return image
    if len(shape) == 2:
        return nnf.interpolate(image, shape, mode="bicubic", antialias=True).clamp_(0, 1)
    mode = "linear" if len(shape) == 1 else "trilinear"
    if all(new <= old for new, old in zip(shape, image.shape[2:], strict=True)):
        pooled: Any = nnf.adaptive_avg_pool1d if len(shape) == 1 else nnf.adaptive_avg_pool3d
        return torch.as_tensor(pooled(image, shape))
    return nnf.interpolate(image, shape, mode=mode, align_corners=False)


def resize_within(image: Tensor, shape: tuple[int, ...], padding: Padding) -> Tensor:
    """:func:`resize` for an image (B, C, *spatial) that goes on beyond its borders as a padding says.

    Of ``circular`` images, which tile, the result tiles; of ``equirectangular`` ones, (B, C, H, W), it is a panorama.
    """
    if padding == "circular":
        return resize_periodic(image, shape)
    return _resize_continued(image, shape, sphere=True) if padding == "equirectangular" else resize(image, shape)


def resize_periodic(image: Tensor, shape: tuple[int, ...]) -> Tensor:
    """:func:`resize` for an image (B, C, *spatial) that tiles, so that the result tiles too.

    Before it is resampled, the image is continued beyond its borders by its own far sides: by a margin that is a whole
    number of positions in both sizes, and so can be cut off exactly.
    """
    return _resize_continued(image, shape, sphere=False)


def _resize_continued(image: Tensor, shape: tuple[int, ...], *, sphere: bool) -> Tensor:
    if tuple(image.shape[2:]) == shape:
        return image
    pairs = list(zip(image.shape[2:], shape, strict=True))
    margins = [_margin(old, new) for old, new in pairs]
    if sphere:
        image = _over_the_poles(image, margins[0])
    for axis, (margin, (old, _)) in enumerate(zip(margins, pairs, strict=True), start=2):
        if axis > 2 or not sphere:
            image = image.index_select(axis, torch.arange(-margin, old + margin, device=image.device) % old)
    beyond = [margin * new // old for margin, (old, new) in zip(margins, pairs, strict=True)]
    larger = resize(image, tuple(new + 2 * extra for extra, (_, new) in zip(beyond, pairs, strict=True)))
    for axis, (extra, (_, new)) in enumerate(zip(beyond, pairs, strict=True), start=2):
        larger = larger.narrow(axis, extra, new)
    return larger.contiguous()


def _over_the_poles(image: Tensor, margin: int) -> Tensor:
    """A panorama with more rows: beyond a pole are its own rows again, mirrored and turned by half the width."""
    height, width = image.shape[2:]
    rows = torch.arange(-margin, height + margin, device=image.device) % (2 * height)
    behind = rows >= height
    wide = image.index_select(2, torch.where(behind, 2 * height - 1 - rows, rows))
    return torch.where(behind[:, None], wide.roll(width // 2, 3), wide)


def _margin(old: int, new: int) -> int:
    """The least margin that is whole in both sizes and as wide as bicubic resampling reaches."""
    whole = old // math.gcd(old, new)
    reach = 3 * math.ceil(max(1.0, old / new))
    return whole * math.ceil(reach / whole)
