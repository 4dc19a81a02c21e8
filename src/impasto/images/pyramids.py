"""Pictures too large to be opened whole: tiled BigTIFF with its reductions, and Deep Zoom for web viewers.

Both are written strip by strip by libvips, and appear at once or not at all.
"""

import secrets
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import ImageError
from impasto.files import not_written
from impasto.images import xmp
from impasto.images.encoding import Format
from impasto.images.metadata import Stamp

LARGE = 2**25
"""Pixels from which a TIFF is written as a pyramid."""

DEEP_ZOOM = "DZI"
DEEP_ZOOM_SUFFIX = ".dzi"
DEEP_ZOOM_LIMITS = Format(depths=(8,), alpha=False, side=2**31 - 1)
"""What Deep Zoom holds: tiles are JPEG files."""

_TILE = 256


def write_tiff(path: Path, samples: NDArray[Any], icc: bytes | None, stamp: Stamp) -> None:
    """Write samples (H, W, 3|4) as a BigTIFF in tiles of 256, with a reduction to every half size in it.

    The reductions are subdirectories of the one page, so that every reader sees one picture. Recipe and parameters are in
    its XMP; there is no EXIF.

    Raises:
        ImageError: if the file cannot be written.
    """
    image = _image(samples, icc)
    if stamp.dpi:
        image = image.copy(xres=stamp.dpi[0] / 25.4, yres=stamp.dpi[1] / 25.4)
    if packet := xmp.packet(stamp):
        image.set_type(_blob(), "xmp-data", packet)
    beside = path.with_name(f".impasto-{secrets.token_hex(8)}.tif")
    try:
        image.tiffsave(
            str(beside),
            tile=True,
            tile_width=_TILE,
            tile_height=_TILE,
            pyramid=True,
            subifd=True,
            bigtiff=True,
            compression="deflate",
            predictor="horizontal",
        )
        beside.replace(path)
    except Exception as error:
        raise ImageError(not_written(path, error)) from error
    finally:
        beside.unlink(missing_ok=True)


def write_deep_zoom(path: Path, samples: NDArray[Any], quality: int, icc: bytes | None, stamp: Stamp) -> None:
    """Write samples (H, W, 3) as ``name.dzi`` and the folder ``name_files`` of JPEG tiles, for OpenSeadragon and others.

    The recipe is ``impasto.json`` in the folder.

    Raises:
        ImageError: if the files cannot be written.
    """
    folder = tiles_of(path)
    base = path.with_name(f".impasto-{secrets.token_hex(8)}")
    made = base.with_name(f"{base.name}_files")
    try:
        _image(samples, icc).dzsave(str(base), suffix=f".jpg[Q={quality}]", tile_size=_TILE - 2, overlap=1)
        if stamp.recipe:
            (made / "impasto.json").write_text(stamp.recipe, encoding="utf-8")
        if folder.is_dir():
            shutil.rmtree(folder)
        made.rename(folder)
        Path(f"{base}.dzi").replace(path)
    except Exception as error:
        raise ImageError(not_written(path, error)) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
        Path(f"{base}.dzi").unlink(missing_ok=True)


def tiles_of(path: Path) -> Path:
    """The folder of a Deep Zoom picture's tiles."""
    return path.with_name(f"{path.stem}_files")


def read_packet(path: Path) -> bytes | None:
    """The XMP packet of a BigTIFF, of which nothing else is read."""
    import pyvips  # noqa: PLC0415  # plain 8-bit pictures never need it

    try:
        image = pyvips.Image.new_from_file(str(path), access="sequential")
    except pyvips.Error as error:
        raise ImageError(f"{path} is damaged or cut short ({error}); copy it again.") from error
    return bytes(image.get("xmp-data")) if image.get_typeof("xmp-data") else None


def _image(samples: NDArray[Any], icc: bytes | None) -> Any:
    import pyvips  # noqa: PLC0415

    interpretation = "srgb" if samples.dtype == np.uint8 else "rgb16"
    image = pyvips.Image.new_from_array(np.ascontiguousarray(samples), interpretation=interpretation)
    if icc:
        image = image.copy()
        image.set_type(_blob(), "icc-profile-data", icc)
    return image


def _blob() -> Any:
    import pyvips  # noqa: PLC0415

    return pyvips.GValue.blob_type
