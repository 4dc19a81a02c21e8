"""From pixels to a file, at once or not at all."""

import math
import os
import shutil
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.errors import ImageError, SettingsError
from impasto.files import not_written
from impasto.images import profiles, pyramids
from impasto.images.encoding import FORMATS, SUFFIXES, encode
from impasto.images.fitting import Blocks, fit
from impasto.images.metadata import Stamp, recipe_to_text
from impasto.images.picture import PICTURES, Picture, as_batch, as_opacity, check_depth, to_samples
from impasto.pyramid import resize

_TRIAL = 8, 8  # pixels of the picture that is encoded to see whether it can be
_RECIPE_SIZE = 30_000  # characters, more than recipes have


def write(
    path: str | Path | BinaryIO,
    pixels: Tensor,
    *,
    like: Picture | None = None,
    alpha: Tensor | None = None,
    depth: int | None = None,
    format: str | None = None,  # noqa: A002  # Pillow's word for it
    quality: int = 95,
    recipe: dict[str, Any] | None = None,
    parameters: str | None = None,
    metadata: bool = True,
    original_exif: bool = True,
) -> tuple[str, ...]:
    """Write ``pixels`` to a file that is either complete or untouched.

    Args:
        path: A file whose extension is one of SUFFIXES or ``.dzi`` (Deep Zoom, with a folder of tiles beside it), or a
            binary stream. A TIFF of 2^25 pixels or more is a BigTIFF pyramid.
        pixels: (1, 3, H, W) or (3, H, W) in [0, 1], sRGB.
        like: The source whose alpha channel (resized to ``pixels``), color profile, depth, resolution, EXIF, XMP, IPTC
            captions and texts the file takes over. The profiles of gray and CMYK sources do not fit RGB pixels: those
            are written as sRGB.
        alpha: (1, 1, H, W) in [0, 1], instead of that of ``like``; a fully opaque one is not written.
        depth: 8 or 16 bits per sample; None for that of ``like`` where the format has it, else 8.
        format: A value of SUFFIXES; None for that of the extension, or PNG for a stream.
        quality: 1 to 100 for JPEG, WebP (lossless at 100) and AVIF; PNG and TIFF are lossless.
        recipe: How the picture was made, stored as JSON.
        parameters: The same in the customary text form.
        metadata: Whether the file says anything beyond pixels and their color profile. If not, neither ``recipe`` and
            ``parameters`` nor what ``like`` says are written.
        original_exif: Whether the EXIF, XMP, captions and texts of ``like`` are written.

    Returns:
        Sentences on what the file has no room for.

    Raises:
        ImageError: If the pixels are not a picture, the file cannot be written or hold them, or nothing of them would be
            seen through the alpha channel of ``like``.
        SettingsError: For a depth, format or quality out of range, or a recipe that is not JSON.
    """
    batch = as_batch(pixels)
    opacity = _opacity(batch, alpha, like)
    kind = _check_fit(path, format, depth, batch.shape[-2:], has_alpha=opacity is not None)
    _check_quality(quality)
    icc = _profile_of(like)
    bits = depth or _natural_depth(like, kind)
    if alpha is None:
        _check_visible(opacity, bits)
    samples = _samples(batch, opacity, bits, icc)
    stamp = _stamp(like, batch.shape[-2:], recipe, parameters, original_exif=original_exif) if metadata else Stamp()
    return _put(path, samples, stamp, kind=kind, quality=quality, icc=icc)


def check_writable(
    path: str | Path | BinaryIO,
    *,
    like: Picture | None = None,
    depth: int | None = None,
    format: str | None = None,  # noqa: A002  # Pillow's word for it
    shape: tuple[int, ...] | None = None,
    quality: int = 95,
    metadata: bool = True,
    original_exif: bool = True,
) -> tuple[str, ...]:
    """Raise now what :func:`write` would raise after a long run, and return what it would.

    A small picture is encoded with everything that the file will carry, in the place of the recipe a text of its size.
    Creates an empty file beside ``path`` and removes it, for only that shows that the folder can be written to. The
    arguments are those of :func:`write`, and ``shape`` is the height and width of the picture to come, if known.

    Returns:
        Sentences on what the file will have no room for.

    Raises:
        ImageError: If the extension is unknown, the folder does not exist, cannot be written to or is on a disk without
            room for the picture, ``path`` is a folder or write-protected, the format cannot hold the picture, nothing of
            it would be seen, or the tiles of a Deep Zoom picture would take the place of a folder that is not impasto's.
        SettingsError: For a depth, format or quality out of range.
    """
    has_alpha = like is not None and like.alpha is not None
    kind = _check_fit(path, format, depth, shape or (1, 1), has_alpha=has_alpha)
    _check_quality(quality)
    if isinstance(path, str | Path):
        PICTURES.replace(Path(path), None)
        _check_room(Path(path), kind, shape or (1, 1))
    small = torch.full((1, 3, *_TRIAL), 0.5)
    opacity = torch.full((1, 1, *_TRIAL), 0.5) if has_alpha else None
    icc = _profile_of(like)
    bits = depth or _natural_depth(like, kind)
    if like is not None and like.alpha is not None and shape is not None:
        _check_visible(resize(like.alpha, shape), bits)
    samples = _samples(small, opacity, bits, icc)
    stamp = Stamp()
    if metadata:
        text = "x" * _RECIPE_SIZE
        stamp = _stamp(like, shape or _TRIAL, {"recipe": text}, text, original_exif=original_exif)
    if kind == pyramids.DEEP_ZOOM and isinstance(path, str | Path):
        pyramids.try_deep_zoom(_place_of(Path(path)), samples, quality, icc)
        return _notes(fit(stamp, kind), kind)
    return _encoded(kind, samples, quality, icc, stamp)[1]


def _put(
    path: str | Path | BinaryIO, samples: NDArray[Any], stamp: Stamp, *, kind: str, quality: int, icc: bytes | None
) -> tuple[str, ...]:
    """Write samples in the format ``kind``, and return the sentences on what was left out."""
    if isinstance(path, str | Path) and kind == pyramids.DEEP_ZOOM:
        pyramids.write_deep_zoom(_place_of(Path(path)), samples, quality, icc, stamp.recipe)
        return _notes(fit(stamp, kind), kind)
    if isinstance(path, str | Path) and kind == "TIFF" and math.prod(samples.shape[:2]) >= pyramids.LARGE:
        blocks = fit(stamp, kind)
        pyramids.write_tiff(_place_of(Path(path)), samples, icc, blocks)
        return _notes(blocks, kind)
    data, notes = _encoded(kind, samples, quality, icc, stamp)
    if isinstance(path, str | Path):
        PICTURES.replace(Path(path), data)
    else:
        _send(path, data)
    return notes


def _encoded(
    kind: str, samples: NDArray[Any], quality: int, icc: bytes | None, stamp: Stamp
) -> tuple[bytes, tuple[str, ...]]:
    """A file's bytes, and the sentences on what was left out: all that the source says, if nothing else helps.

    The pixels were hours of work, and what a stranger's file says of itself may break any encoder.
    """
    try:
        blocks = fit(stamp, kind)
        return encode(samples, kind, quality, icc, blocks), _notes(blocks, kind)
    except (ImageError, ValueError, struct.error) as error:
        ours = Stamp(recipe=stamp.recipe, parameters=stamp.parameters)
        if stamp == ours:
            raise
        data = encode(samples, kind, quality, icc, fit(ours, kind))
        return data, (f"Left out of the {kind} file is all that the source says of itself ({error}).",)


def _notes(blocks: Blocks, kind: str) -> tuple[str, ...]:
    if not blocks.left:
        return ()
    return (f"Left out, as a {kind} file has no room for it: {', '.join(dict.fromkeys(blocks.left))}.",)


def _place_of(path: Path) -> Path:
    """Where a path leads, if a file can be put there."""
    PICTURES.replace(path, None)
    return Path(os.path.realpath(path))


def _check_fit(
    path: str | Path | BinaryIO,
    format: str | None,  # noqa: A002
    depth: int | None,
    shape: tuple[int, ...],
    *,
    has_alpha: bool,
) -> str:
    """The format to write, if it can hold the picture."""
    kind = _format_of(path, format)
    limits = pyramids.DEEP_ZOOM_LIMITS if kind == pyramids.DEEP_ZOOM else FORMATS[kind]
    if depth is not None:
        check_depth(depth)
    if depth not in (None, *limits.depths):
        raise ImageError(f"{kind} holds 8 bits per sample but {depth} were asked for; write PNG or TIFF instead.")
    if has_alpha and not limits.alpha:
        others = ", ".join(name for name, other in FORMATS.items() if other.alpha)
        raise ImageError(f"{kind} cannot store the picture's transparency; write one of {others} instead.")
    if max(shape) > limits.side:
        raise ImageError(
            f"{kind} holds at most {limits.side} pixels a side but the picture has {shape[1]} x {shape[0]}; write PNG."
        )
    return kind


def _format_of(path: str | Path | BinaryIO, format: str | None) -> str:  # noqa: A002
    if format is not None:
        if format.upper() not in FORMATS:
            raise SettingsError(f"The format {format!r} is unknown; choose one of {', '.join(FORMATS)}.")
        return format.upper()
    if not isinstance(path, str | Path):
        return "PNG"
    suffix = Path(path).suffix.lower()
    if suffix == pyramids.DEEP_ZOOM_SUFFIX:
        return pyramids.DEEP_ZOOM
    if suffix not in SUFFIXES:
        problem = f"has the unknown extension {suffix}" if suffix else "has no extension"
        raise ImageError(f"{path} {problem}; end it with one of {', '.join(SUFFIXES)}.")
    return SUFFIXES[suffix]


def _check_quality(quality: int) -> None:
    if not 1 <= quality <= 100:
        raise SettingsError(f"A quality of {quality} was given, but it goes from 1 to 100; 95 is a good choice.")


def _check_room(path: Path, kind: str, shape: tuple[int, ...]) -> None:
    """Refuse a disk that is too full for even a tenth of the picture's samples, below which hardly one compresses."""
    try:
        free = shutil.disk_usage(_place_of(path).parent).free
    except OSError:  # not every file system says
        return
    needed = _RECIPE_SIZE + math.prod(shape) * len("RGB") // 10
    if free < needed:
        raise ImageError(
            f"{path} cannot be written: its disk has {free / 1e6:.3g} MB left, and a {kind} of {shape[1]} x {shape[0]} "
            f"pixels needs {needed / 1e6:.3g} MB or more; free some space or choose another place."
        )


def _profile_of(like: Picture | None) -> bytes | None:
    """The profile that the file is written in, None for sRGB without one."""
    return like.source.icc if like and like.source.icc and profiles.is_restorable(like.source.icc) else None


def _natural_depth(like: Picture | None, kind: str) -> int:
    deep = kind in FORMATS and 16 in FORMATS[kind].depths
    return 16 if like and like.source.depth == 16 and deep else 8


def _opacity(batch: Tensor, alpha: Tensor | None, like: Picture | None) -> Tensor | None:
    if alpha is not None:
        opacity = as_opacity(alpha, batch)
    elif like is not None and like.alpha is not None:
        opacity = resize(like.alpha, tuple(batch.shape[-2:]))
    else:
        return None
    return None if bool((opacity >= 1).all()) else opacity


def _check_visible(opacity: Tensor | None, depth: int) -> None:
    """Refuse a copy of which nothing would be seen, though something is seen of the picture: it is small, or faint."""
    if opacity is None or to_samples(opacity.amax((2, 3), keepdim=True), depth).any():
        return
    height, width = opacity.shape[-2:]
    raise ImageError(
        f"The picture would be transparent everywhere at {width} x {height} pixels of {depth} bits; choose a larger size, "
        "or a photo with more to see."
    )


def _samples(batch: Tensor, opacity: Tensor | None, depth: int, icc: bytes | None) -> NDArray[Any]:
    """(H, W, 3) or, with opacity, (H, W, 4) samples in the color space of ``icc``."""
    color: NDArray[Any]
    if icc is None or profiles.is_srgb(icc):
        color = to_samples(batch, depth)
    else:
        color = profiles.from_srgb(to_samples(batch, 16).astype(np.uint16, copy=False), icc)
        color = color if depth == 16 else ((color.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return color if opacity is None else np.concatenate([color, to_samples(opacity, depth)], axis=2)


def _stamp(
    like: Picture | None,
    shape: tuple[int, ...],
    recipe: dict[str, Any] | None,
    parameters: str | None,
    *,
    original_exif: bool,
) -> Stamp:
    stamp = Stamp(recipe=recipe_to_text(recipe), parameters=parameters, dpi=like.source.dpi if like else None)
    if like is None or not original_exif:
        return stamp
    said = like.source
    scale = shape[1] / like.shape[1], shape[0] / like.shape[0]
    return replace(stamp, exif=said.exif, xmp=said.xmp, iptc=said.iptc, texts=said.texts, scale=scale)


def _send(stream: BinaryIO, data: bytes) -> None:
    try:
        stream.write(data)
        stream.flush()
    except OSError as error:
        raise ImageError(not_written("The output stream", error)) from error
