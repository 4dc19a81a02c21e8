"""From whatever the user gives to a :class:`Picture`."""

import hashlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from impasto.errors import ImageError
from impasto.images import exif as exif_tags
from impasto.images import profiles, xmp
from impasto.images.decoding import MAX_PIXELS, Decoded, check_size, decode, decode_pillow, guarded
from impasto.images.picture import PICTURES, Picture, Source, as_batch
from impasto.images.transparency import extend_visible_colors

_ROUNDING = 4  # steps of a floating point type near 1: what a few operations may go beyond [0, 1]


def read(source: Any, *, max_pixels: int = MAX_PIXELS, as_stored: bool = False) -> Picture:
    """The picture in ``source``, upright and in sRGB.

    Files may be JPEG, PNG, WebP, TIFF, AVIF, BMP, or GIF with one frame. EXIF orientation is applied and a color
    profile converted, and so are colors that a file names by numbers (PNG's cICP, gAMA and cHRM, AVIF's nclx, Adobe RGB
    by the rules of cameras); CMYK without a profile is taken for coated-paper CMYK.

    Args:
        source: A path (str or Path), ``"-"`` for standard input, bytes of a file, a PIL image (its current frame), an
            array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, uint16 or float in [0, 1], a tensor (3, H, W)
            or (1, 3, H, W) of float in [0, 1], or a picture that was read, which is given back.
        max_pixels: The most pixels that a file's header may announce.
        as_stored: Whether gray and RGB samples are taken as they are, whatever light they stand for; for masks, whose
            samples are shares.

    Raises:
        ImageError: If there is no such file, or no single picture of at most ``max_pixels`` pixels in it.
    """
    match source:
        case Picture():
            return source
        case Tensor():
            return _read_tensor(source)
        case np.ndarray():
            return _read_array(source)
        case Image.Image():
            return _read_pillow(source, max_pixels, as_stored)
    file: tuple[bytes, Path | str, str] | None = None
    match source:
        case bytes() | bytearray() | memoryview():
            file = bytes(source), "bytes", "The given data"
        case "-":
            file = _standard_input(), "stdin", "Standard input"
        case str() | Path():
            file = PICTURES.contents(source), Path(source), str(source)
    if file is not None:
        return _read_file(*file, max_pixels, as_stored)
    raise ImageError(
        f"An object of type {type(source).__name__} was given as a picture; give a path, bytes, a PIL image, an array "
        "or a tensor."
    )


def hash_file(path: str | Path) -> str:
    """SHA-256 of the bytes of the file ``path``, in hex.

    Raises:
        ImageError: If it does not exist, is a folder or a device, or may not be read.
    """
    return PICTURES.sha256(path)


def _standard_input() -> bytes:
    if sys.stdin is None or not hasattr(sys.stdin, "buffer"):
        raise ImageError("Standard input is closed or holds words alone, so no picture can be read; name a file.")
    return sys.stdin.buffer.read()


def _read_file(data: bytes, origin: Path | str, name: str, max_pixels: int, as_stored: bool) -> Picture:
    """``origin`` is remembered, ``name`` is what sentences call it."""
    decoded = decode(data, name, max_pixels)
    decoded = _plain(decoded) if as_stored else decoded
    path = origin if isinstance(origin, Path) else None
    source = _source(decoded, Path(origin).name, path, hashlib.sha256(data).hexdigest())
    return _picture(decoded, source, name)


def _read_pillow(image: Image.Image, max_pixels: int, as_stored: bool) -> Picture:
    path = Path(file) if (file := getattr(image, "filename", "")) else None
    name = path.name if path else "PIL image"
    check_size(image.size, name, max_pixels)
    with guarded(name):  # an image opened from a file is decoded only now
        decoded = decode_pillow(image, name)
    decoded = _plain(decoded) if as_stored else decoded
    return _picture(decoded, _source(decoded, name, path, _digest(decoded.color, decoded.alpha)), name)


def _plain(decoded: Decoded) -> Decoded:
    """Without a color profile, if its samples can be seen without one."""
    return decoded if decoded.color.shape[2] == 4 else replace(decoded, icc=None)


def _read_array(array: NDArray[Any]) -> Picture:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise ImageError(
            f"An array of shape {array.shape} was given, but (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) is needed; put "
            "its channels last."
        )
    check_size((array.shape[1], array.shape[0]), "The array", sys.maxsize)
    samples = np.atleast_3d(array.astype(array.dtype.newbyteorder("="), copy=False))
    color, alpha = (samples[..., :3], samples[..., 3]) if samples.shape[2] == 4 else (samples, None)
    source = Source(
        "array", None, _digest(array), "array", 16 if samples.dtype == np.uint16 else 8, samples.shape[2] == 1
    )
    rgb = color.repeat(3, axis=2) if source.gray else color
    return _assemble(_unit(rgb), None if alpha is None else _unit(alpha), source, "The array")


def _read_tensor(pixels: Tensor) -> Picture:
    batch = as_batch(pixels).clone()
    _check_range(float(batch.min()), float(batch.max()), torch.finfo(pixels.dtype).eps)
    stored = pixels.detach().cpu().contiguous().view(torch.uint8).numpy()  # NumPy has no bfloat16
    return Picture(batch.clamp_(0, 1), None, Source("tensor", None, _digest(stored), "tensor"))


def _check_range(low: float, high: float, step: float) -> None:
    """Refuse values outside [0, 1], but for what rounding adds; ``step`` is that of their type above 1."""
    beyond = _ROUNDING * max(step, torch.finfo(torch.float32).eps)
    if not (low >= -beyond and high <= 1 + beyond):  # NaN fails both
        raise ImageError(
            f"The pixels lie between {low:.9g} and {high:.9g}, but [0, 1] is needed for floating point; clip or scale them."
        )


def _digest(*arrays: NDArray[Any] | None) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        if array is not None:
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _source(decoded: Decoded, name: str, path: Path | None, sha256: str) -> Source:
    packet, ours, notes = None, None, decoded.notes
    try:
        packet, ours = xmp.descriptive(decoded.packets), xmp.parameters_in(decoded.packets)
    except ValueError:
        notes += (f"The XMP of {path or name} is damaged and was left out.",)
    turned = decoded.orientation in (5, 6, 7, 8)
    return Source(
        name=name,
        path=path,
        sha256=sha256,
        format=decoded.format,
        depth=16 if decoded.color.dtype == np.uint16 else 8,
        gray=decoded.color.shape[2] == 1,
        icc=decoded.icc,
        exif=exif_tags.upright(exif_tags.descriptive(decoded.exif, ours)),
        dpi=decoded.dpi[::-1] if decoded.dpi and turned else decoded.dpi,
        xmp=packet,
        iptc=decoded.iptc,
        texts=decoded.texts,
        notes=notes,
    )


def _picture(decoded: Decoded, source: Source, name: str) -> Picture:
    with guarded(name):  # a profile may open and still be unusable
        color = upright(srgb(decoded.color, decoded.icc, name), decoded.orientation)
    alpha = None if decoded.alpha is None else upright(decoded.alpha, decoded.orientation)
    return _assemble(_unit(color), None if alpha is None else _unit(alpha), source, name)


def srgb(color: NDArray[Any], icc: bytes | None, name: str) -> NDArray[Any]:
    """(H, W, 1|3|4) samples of any profile as (H, W, 3) sRGB samples, of 16 bits if they had to be converted."""
    channels = color.shape[2]
    if icc and (reason := profiles.mismatch(icc, channels)):
        raise ImageError(f"{name} carries a color profile that cannot be used ({reason}); save it without, as sRGB.")
    if channels != 4 and (icc is None or profiles.is_srgb(icc)):
        return color.repeat(3, axis=2) if channels == 1 else color
    wide = color if color.dtype == np.uint16 else color.astype(np.uint16) * 257
    return profiles.to_srgb(wide, icc)


def upright(samples: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Rows and columns as they are seen, from EXIF's eight ways of storing them."""
    if orientation in (5, 6, 7, 8):
        samples = samples.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    return samples


def _unit(samples: NDArray[Any]) -> Tensor:
    """(H, W, C) or (H, W) samples as (1, C, H, W) float32 in [0, 1]."""
    planes = np.atleast_3d(samples).transpose(2, 0, 1)[None]
    if samples.dtype in (np.uint8, np.uint16):
        unit = torch.empty(planes.shape, dtype=torch.float32)
        np.divide(planes, np.float32(np.iinfo(samples.dtype).max), out=unit.numpy())
        return unit
    if np.issubdtype(samples.dtype, np.floating):
        _check_range(float(samples.min()), float(samples.max()), float(np.finfo(samples.dtype).eps))
    else:
        raise ImageError(
            f"An array of {samples.dtype} was given, but uint8, uint16 or floating point in [0, 1] is needed; convert it."
        )
    return torch.from_numpy(np.array(planes, dtype=np.float32, order="C")).clamp_(0, 1)


def _assemble(pixels: Tensor, alpha: Tensor | None, source: Source, name: str) -> Picture:
    if alpha is None or bool((alpha == 1).all()):
        return Picture(pixels, None, source)
    if not alpha.any():
        raise ImageError(f"{name} is transparent everywhere; give a picture with something to see.")
    return Picture(extend_visible_colors(pixels, alpha), alpha, source)
