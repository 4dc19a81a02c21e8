"""A picture in memory: pixels to work on, and what to remember of the file they came from."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from impasto.errors import ImageError, SettingsError
from impasto.files import Files

PICTURES = Files("a picture", ImageError)

_ROWS = 512  # of a picture that are rounded at once

LEVELS = {8: 255, 16: 65535}
"""The largest sample value of each bit depth that a file can hold."""


@dataclass(frozen=True)
class Source:
    r"""Where a picture came from, and what its copy in another style should take over.

    Args:
        name: File name without folders, or a word such as "array" for pixels that never were in a file.
        path: The file, or None.
        sha256: Hex digest of the file's bytes; of the pixels' bytes for arrays, tensors and PIL images.
        format: Pillow's name of the format ("JPEG", "PNG", ...), or "array", "tensor" and "PIL image".
        depth: Bits per sample, 8 or 16.
        gray: Whether the source had one color channel only.
        icc: The embedded color profile, or None.
        exif: Descriptive EXIF (with the prefix ``Exif\0\0``) whose orientation is 1, or None.
        dpi: Pixels per inch, horizontally and vertically, of the upright picture, or None.
        xmp: The descriptive part of its XMP, or None.
        iptc: Its IPTC captions and credits, or None.
        texts: What else it says, as keys and texts: those of PNG, or a comment.
        notes: Sentences on what was found and not used.
    """

    name: str
    path: Path | None
    sha256: str
    format: str
    depth: int = 8
    gray: bool = False
    icc: bytes | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def undescribed(self, name: str) -> "Source":
        """The same way of storing under another name, without anything that is said of the scene."""
        return replace(self, name=name, exif=None, xmp=None, iptc=None, texts=(), notes=())


@dataclass(frozen=True, eq=False)
class Picture:
    """An upright picture in sRGB.

    Args:
        pixels: (1, 3, H, W) float32, RGB in [0, 1]. Where ``alpha`` is below a quarter, these are the visible colors
            extended into the transparent parts, for the colors that editors leave there are garbage.
        alpha: (1, 1, H, W) float32 in [0, 1], or None for an opaque picture (a fully opaque alpha channel is dropped).
        source: Where it came from.
    """

    pixels: Tensor
    alpha: Tensor | None
    source: Source

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.pixels.shape[-2:]
        return height, width


def as_batch(pixels: Tensor, channels: int = 3) -> Tensor:
    """``pixels`` as (1, channels, H, W) on the CPU.

    Raises:
        ImageError: For another shape, an integer tensor, or values that are not finite.
    """
    batch = pixels.detach().cpu()
    batch = batch[None] if batch.dim() == 3 else batch
    if batch.dim() != 4 or batch.shape[:2] != (1, channels) or not batch.numel():
        raise ImageError(
            f"A tensor of shape {tuple(pixels.shape)} was given, but ({channels}, H, W) or (1, {channels}, H, W) is "
            "needed; permute its dimensions or convert its channels."
        )
    if not batch.is_floating_point():
        raise ImageError(
            f"A tensor of {pixels.dtype} was given, but floating-point values in [0, 1] are needed; divide it by the "
            "largest value of its type."
        )
    if not batch.isfinite().all():
        raise ImageError("The pixels hold NaN or infinite values, which no picture can; look for a step that diverged.")
    return batch.float()


def as_opacity(alpha: Tensor, pixels: Tensor) -> Tensor:
    """An alpha channel as (1, 1, H, W) on the CPU, for pixels (1, 3, H, W).

    Raises:
        ImageError: as :func:`as_batch`, and for another height or width than theirs.
    """
    opacity = as_batch(alpha, channels=1)
    if opacity.shape[-2:] != pixels.shape[-2:]:
        raise ImageError(
            f"An alpha channel of {tuple(opacity.shape[-2:])} was given for pixels of {tuple(pixels.shape[-2:])}; "
            "resize one to the other."
        )
    return opacity


def check_depth(depth: int) -> None:
    """Refuse a depth that no file has.

    Raises:
        SettingsError: if it is neither 8 nor 16.
    """
    if depth not in LEVELS:
        raise SettingsError(f"A depth of {depth} bits was asked for, but pictures have 8 or 16; choose one of these.")


def quantize(pixels: Tensor, depth: int = 8) -> Tensor:
    """The values a file of ``depth`` bits holds: round(x L) / L with L = 2^depth - 1, x clamped to [0, 1].

    Exactly what :func:`impasto.images.read` returns for a lossless sRGB file written from ``pixels``.

    Raises:
        SettingsError: For a depth that is neither 8 nor 16.
    """
    check_depth(depth)
    levels = LEVELS[depth]
    return pixels.clamp(0, 1).mul_(levels).round_().div_(levels)


def to_samples(pixels: Tensor, depth: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """(1, C, H, W) in [0, 1] as (H, W, C) integers of ``depth`` bits."""
    channels, height, width = pixels.shape[1:]
    samples = np.empty((height, width, channels), np.uint8 if depth == 8 else np.uint16)
    for start in range(0, height, _ROWS):
        rows = pixels[0, :, start : start + _ROWS]
        samples[start : start + _ROWS] = rows.clamp(0, 1).mul_(LEVELS[depth]).round_().permute(1, 2, 0).numpy()
    return samples


def to_array(pixels: Tensor) -> NDArray[np.uint8]:
    """``pixels`` (1, 3, H, W) or (3, H, W) in [0, 1] as (H, W, 3) uint8.

    Raises:
        ImageError: For another shape, an integer tensor, or values that are not finite.
    """
    return to_samples(as_batch(pixels), 8).astype(np.uint8, copy=False)


def to_pil(pixels: Tensor, alpha: Tensor | None = None) -> Image.Image:
    """``pixels`` (1, 3, H, W) in [0, 1] as an RGB image, or RGBA with ``alpha`` (1, 1, H, W) of the same size.

    Raises:
        ImageError: For another shape, an integer tensor, or values that are not finite.
    """
    batch = as_batch(pixels)
    if alpha is None:
        return Image.fromarray(to_array(batch))
    return Image.fromarray(to_samples(torch.cat([batch, as_opacity(alpha, batch)], dim=1), 8))
