"""TIFF stacks: of pages, of ImageJ, of OME; out as OME-TIFF."""

import io
import lzma
import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from impasto.errors import MissingExtraError, VolumeError
from impasto.files import wordless
from impasto.libraries import library, reason, unheard
from impasto.volumes import notes
from impasto.volumes.notes import Notes
from impasto.volumes.spacing import ome, spacing_of
from impasto.volumes.volume import CAUTION, Volume, check_size, written

LOGGER = "tifffile"
_PILLOW = "PIL.TiffImagePlugin"

_GRAYS = ("MINISBLACK", "MINISWHITE", "MASK")
_INFLATING = {
    **dict.fromkeys(("ADOBE_DEFLATE", "DEFLATE"), zlib.decompressobj),
    "LZMA": lzma.LZMADecompressor,
}
_BIG = 2**32 - 2**25  # bytes beyond which a file needs wider offsets


@dataclass(frozen=True)
class TiffStack:
    """What a TIFF holds.

    Args:
        samples: (D, H, W) or (D, H, W, 3).
        spacing: millimeters between slices, rows and columns.
        inverted: whether the lowest intensity is white.
        bits: how many of 8 bits are used.
        known: what impasto noted of it.
        remarks: sentences on what was taken for granted.
    """

    samples: NDArray[Any]
    spacing: tuple[float, float, float]
    inverted: bool
    bits: int
    known: Notes | None
    remarks: tuple[str, ...]


def opened(data: bytes) -> io.BytesIO:
    """A file for tifffile, which would follow directories that lead in a circle without end.

    Raises:
        ValueError: if they do.
    """
    order: Literal["little", "big"] = "big" if data[:2] == b"MM" else "little"
    big = data[2:4] in (b"+\0", b"\0+")

    def number(at: int, width: int) -> int:
        return int.from_bytes(data[at : at + width], order)

    place, seen = number(*((8, 8) if big else (4, 4))), set[int]()
    while place and place < len(data):
        if place in seen:
            raise ValueError("its directories lead in a circle")
        seen.add(place)
        behind = place + 8 + 20 * number(place, 8) if big else place + 2 + 12 * number(place, 2)
        place = number(behind, 8 if big else 4)
    return io.BytesIO(data)


def read(data: bytes, path: Path) -> TiffStack:
    """The stack in a file, without copies of its pages that are marked as reduced, and without masks.

    Raises:
        VolumeError: if it holds no single stack of grays or colors.
        MissingExtraError: if no library that is installed can decode it.
        Exception: of tifffile's, if it is damaged.
    """
    tifffile = library("tifffile", f"Reading {path}")
    with unheard(LOGGER) as troubles, tifffile.TiffFile(opened(data)) as file:
        several = full_pages(file)
        if len(several) != 1:
            raise VolumeError(f"{path} holds {len(several)} stacks of different shapes; save one of them.")
        series, pages = several[0]
        check_size(tuple(series.shape), str(path))
        samples, axes, inverted = _decoded(tifffile, data, path, series, pages)
        arranged, dropped = _arranged(samples, axes, path)
        spacing, remarks = spacing_of(tifffile, file, path)
        known = notes.from_text(_description(tifffile, file))
        bits = int(np.max(series.keyframe.bitspersample)) if arranged.dtype == np.uint8 and not dropped else 8
    if troubles:
        raise ValueError(troubles[0])
    said = (f"The channels of {path.name} beyond red, green and blue are left out.",) if dropped else ()
    return TiffStack(arranged, spacing, inverted, min(8, bits), known, (*remarks, *said))


def full_pages(file: Any) -> list[tuple[Any, list[Any]]]:
    """The series of a file, each with its pages that are pictures of their own, not small copies or masks of others.

    Where all pages are marked, marks mean nothing, and all are taken.
    """
    marked = 0b101  # reduced, or a mask; frames within a series bear no marks
    found = [
        (series, [page for page in series.pages if not getattr(page, "subfiletype", 0) & marked])
        for series in file.series
    ]
    kept = [(series, pages) for series, pages in found if pages]
    return kept or [(series, list(series.pages)) for series in file.series]


def _decoded(
    tifffile: Any, data: bytes, path: Path, series: Any, pages: Sequence[Any]
) -> tuple[NDArray[Any], str, bool]:
    """Samples with their axes, and whether the lowest are white; colors of palettes are looked up."""
    first = series.keyframe
    if sum(sum(page.databytecounts) for page in pages if page is not None) > len(data):
        raise VolumeError(f"{path} announces more than there is in it; it is damaged or cut short.")
    kind = first.photometric.name
    compressed_colors = kind == "YCBCR" and first.compression.name != "NONE"  # which decoders turn into RGB
    if kind not in (*_GRAYS, "RGB", "PALETTE") and not compressed_colors:
        raise VolumeError(f"{path} has colors stored as {kind}, which is not understood; convert it to RGB.")
    try:
        stored, axes = _decoded_here(tifffile, data, series, pages)
    except ImportError:
        stored, axes = _decoded_elsewhere(data, path, series, pages)
    else:
        if kind == "PALETTE":
            stored, axes = _looked_up(stored, pages), f"{axes}S"
    return stored, axes, kind == "MINISWHITE"


def _decoded_here(tifffile: Any, data: bytes, series: Any, pages: Sequence[Any]) -> tuple[NDArray[Any], str]:
    """Pages that tifffile decodes, with their axes; ImportError if it needs another package for that."""
    first = series.keyframe
    if first.compression not in tifffile.TIFF.DECOMPRESSORS:
        raise ImportError(first.compression.name)
    _check_inflated(data, first, pages)
    if len(pages) == len(series.pages):
        return series.asarray(), series.axes
    return np.stack([page.asarray() for page in pages]), f"I{first.axes}"


def _looked_up(stored: NDArray[Any], pages: Sequence[Any]) -> NDArray[np.uint8]:
    """The colors of indices, in 8 bits; each page may have a palette of its own."""
    palettes = [page.aspage().colormap for page in pages if page is not None]
    if len(palettes) != len(stored):
        palettes = palettes[:1] * len(stored)
    # of 16 bits the high ones, which are the 8 that were there, multiplied by 256 or 257; some leave them where they were
    plain = [(palette >> 8 if palette.max() > 255 else palette).astype(np.uint8) for palette in palettes]
    return np.stack([np.moveaxis(palette[:, page], 0, -1) for page, palette in zip(stored, plain, strict=True)])


def _check_inflated(data: bytes, first: Any, pages: Sequence[Any]) -> None:
    """Refuse a compressed part that holds more than a part of the picture: it may be more than any memory."""
    opened: Any = _INFLATING.get(first.compression.name)
    most = math.prod(first.chunks) * first.dtype.itemsize + 1024
    for page in pages if opened else ():
        if page is None:
            continue
        for start, length in zip(page.dataoffsets, page.databytecounts, strict=True):
            if length and len(opened().decompress(data[start : start + length], most + 1)) > most:
                raise ValueError(f"a part of it holds more than the {most - 1024} bytes that it announces")


def _decoded_elsewhere(data: bytes, path: Path, series: Any, pages: Sequence[Any]) -> tuple[NDArray[Any], str]:
    """Pages that tifffile cannot decode by itself, by libvips or Pillow, with their axes.

    Both turn white into black if they are told that zero is white, but each for some types only; so they are not told.
    """
    plain, own = bytearray(data), [page.aspage() for page in pages]
    for page in own:
        tag = page.tags.get("PhotometricInterpretation")
        if tag is not None and tag.value == 0:
            plain[tag.valueoffset : tag.valueoffset + 2] = struct.pack(f"{page.parent.byteorder}H", 1)
    whole, troubles = bytes(plain), []
    for decode in (_by_vips, _by_pillow):
        try:
            stored = np.stack([decode(whole, page.index) for page in own])
        except Exception as error:  # noqa: BLE001 - each fails in its own way, on damage and on what it does not know
            troubles.append(reason(error))
            continue
        if len(pages) == len(series.pages) and stored.shape[1:] == tuple(series.keyframe.shape):
            return stored.reshape(series.shape), series.axes
        return stored, "IYXS"[: stored.ndim]
    raise MissingExtraError(
        f"{path} is compressed with {series.keyframe.compression.name}, which cannot be decoded ({troubles[0]}); it is "
        "damaged, or needs the package imagecodecs: install that with `pip install imagecodecs`, or save it uncompressed."
    )


def _by_vips(data: bytes, index: int) -> NDArray[Any]:
    pyvips = library("pyvips", "Reading a compressed TIFF")
    image = pyvips.Image.new_from_buffer(data, "", page=index, fail_on="warning")
    if image.interpretation == "cmyk":
        raise ValueError("it is in CMYK")
    found = np.asarray(image.numpy())
    return found[..., 0] if found.ndim == 3 and found.shape[2] == 1 else found


def _by_pillow(data: bytes, index: int) -> NDArray[Any]:
    pillow = library("PIL.Image", "Reading a compressed TIFF")
    with unheard(_PILLOW), wordless(), pillow.open(io.BytesIO(data)) as image:  # libtiff, in it, has its own words
        image.seek(index)
        if image.mode == "P":
            return np.asarray(image.convert("RGB"))
        if image.mode not in ("1", "L", "I;16", "I;16B", "I", "F", "RGB", "RGBA"):
            raise ValueError(f"its mode is {image.mode}")
        return np.asarray(image)


def _arranged(stored: NDArray[Any], axes: str, path: Path) -> tuple[NDArray[Any], bool]:
    """The samples of a TIFF as (D, H, W) or (D, H, W, 3), and whether channels were left out."""
    keep = [place for place, length in enumerate(stored.shape) if length > 1]
    named = "".join(axes[place] for place in keep)
    stored = stored.reshape([stored.shape[place] for place in keep])
    dropped = False
    if len(named) == 4 and ("S" in named or ("C" in named and stored.shape[named.index("C")] == 3)):
        color = named.index("S" if "S" in named else "C")
        dropped = stored.shape[color] > 3
        stored, named = np.moveaxis(stored, color, -1)[..., :3], named.replace(named[color], "")
    if len(named) != 3:
        raise VolumeError(
            f"{path} has {len(named)} axes ({named or 'none'}, {written(stored.shape)}), but slices, rows and columns are "
            "needed; save a stack that has these."
        )
    return stored, dropped


def _description(tifffile: Any, file: Any) -> str | None:
    """What the file says of itself: the description of an OME-TIFF's picture, or of the first page."""
    return ome(tifffile, file).get("Description") if file.ome_metadata else str(file.pages[0].description)


def read_notes(data: bytes, path: Path) -> Notes | None:
    """What a file that impasto wrote says of itself, or None."""
    tifffile = library("tifffile", f"Reading {path}")
    with unheard(LOGGER), tifffile.TiffFile(opened(data)) as file:
        return notes.from_text(_description(tifffile, file)) if file.ome_metadata else None


def encode(path: Path, volume: Volume, known: Notes, kind: np.dtype[Any]) -> bytes:
    """The content of an OME-TIFF, with intensities of the type ``kind``; sentences call it ``path``."""
    tifffile = library("tifffile", f"Writing {path}")
    facts: dict[str, Any] = {
        "axes": "ZYX" if volume.gray else "ZYXS",
        "Description": notes.to_text(known),
        "Name": CAUTION,
    }
    for axis, size in zip("ZYX", volume.spacing, strict=True):
        facts |= {f"PhysicalSize{axis}": size, f"PhysicalSize{axis}Unit": "mm"}
    stream = io.BytesIO()
    samples = volume.samples(kind)
    gray = "miniswhite" if volume.origin.inverted else "minisblack"
    with unheard(LOGGER):
        tifffile.imwrite(
            stream,
            samples,
            ome=True,
            photometric=gray if volume.gray else "rgb",
            metadata=facts,
            compression="zlib",
            predictor=samples.dtype.kind != "f",  # differences of neighbors are smaller numbers
            bigtiff=samples.nbytes > _BIG,
        )
    return stream.getvalue()
