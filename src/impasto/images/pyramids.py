"""Pictures too large to be opened whole: tiled BigTIFF with its reductions, and Deep Zoom for web viewers.

Both are written strip by strip by libvips, and appear at once or not at all.
"""

import mmap
import os
import re
import secrets
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from impasto.errors import ImageError
from impasto.files import not_written, whole_file, whole_folder
from impasto.images import profiles
from impasto.images.encoding import Format, described_tiff, vips
from impasto.images.fitting import Blocks
from impasto.images.picture import PICTURES

LARGE = 2**25
"""Pixels from which a TIFF is written as a pyramid."""

DEEP_ZOOM = "DZI"
DEEP_ZOOM_SUFFIX = ".dzi"
DEEP_ZOOM_LIMITS = Format(depths=(8,), alpha=False, side=2**31 - 1)
"""What Deep Zoom holds: tiles are JPEG files."""

_TILE = 256
_TILE_NAME = re.compile(r"\d+_\d+\.jpg")
_RECIPE = "impasto.json"


def write_tiff(path: Path, samples: NDArray[Any], icc: bytes | None, blocks: Blocks) -> None:
    """Write samples (H, W, 3|4) as a BigTIFF in tiles of 256, with a reduction to every half size in it.

    The reductions are subdirectories of the one page, so that every reader sees one picture.

    Raises:
        ImageError: if the file cannot be written.
    """
    beside = path.with_name(f".impasto-{secrets.token_hex(8)}.tmp")  # libvips writes to names, not to streams
    try:
        with whole_file(path, beside):
            vips(samples).tiffsave(
                str(beside),
                tile=True,
                tile_width=_TILE,
                tile_height=_TILE,
                pyramid=True,
                subifd=True,
                bigtiff=True,
                compression="deflate",
                predictor="horizontal",
                keep="none",
            )
            _describe(beside, icc, blocks)
    except Exception as error:
        raise ImageError(not_written(path, error)) from error


def _describe(path: Path, icc: bytes | None, blocks: Blocks) -> None:
    """Give a TIFF its profile and all else that is said of it."""
    with path.open("r+b") as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content, memoryview(content) as view:
            header, filling, directory = described_tiff(view, icc, blocks)
        file.write(header)
        file.seek(0, os.SEEK_END)
        file.write(filling + directory)


def write_deep_zoom(path: Path, samples: NDArray[Any], quality: int, icc: bytes | None, recipe: str | None) -> None:
    """Write samples (H, W, 3) as ``name.dzi`` and the folder ``name_files`` of JPEG tiles, for OpenSeadragon and others.

    The recipe is ``impasto.json`` in the folder, by which the folder is known as impasto's; without one it is ``null``.

    Raises:
        ImageError: if the files cannot be written, or the folder is there and not impasto's.
    """
    check_tiles(path)
    try:
        with whole_folder(tiles_of(path)) as folder:
            description = _cut(folder, samples, quality, icc)
            (folder / _RECIPE).write_text(recipe or "null", encoding="utf-8")
    except Exception as error:
        raise ImageError(not_written(path, error)) from error
    PICTURES.replace(path, description)


def _cut(folder: Path, samples: NDArray[Any], quality: int, icc: bytes | None) -> bytes:
    """Fill a folder with tiles, and return their description."""
    image = profiles.tagged(vips(samples), icc) if icc else vips(samples)
    image.dzsave(str(folder / "it"), suffix=f".jpg[Q={quality}]", tile_size=_TILE - 2, overlap=1)
    tiles = folder / "it_files"
    for level in [item for item in tiles.iterdir() if item.is_dir()]:  # beside them libvips puts a list of its fields
        level.rename(folder / level.name)
    shutil.rmtree(tiles)
    described = folder / "it.dzi"
    description = described.read_bytes()
    described.unlink()
    return description


def try_deep_zoom(path: Path, samples: NDArray[Any], quality: int, icc: bytes | None) -> None:
    """Raise now what :func:`write_deep_zoom` would raise later; the samples are those of a small picture.

    Raises:
        ImageError: as there.
    """
    check_tiles(path)
    PICTURES.replace(path, None)
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
        _cut(Path(folder), samples, quality, icc)


def check_tiles(path: Path) -> None:
    """Refuse a picture whose tiles would take the place of something that impasto has not written.

    Raises:
        ImageError: naming it.
    """
    folder = tiles_of(path)
    try:
        mode = folder.lstat().st_mode
        trouble = _foreign(folder) if stat.S_ISDIR(mode) else "is no folder"
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise ImageError(not_written(folder, error)) from error
    if trouble:
        raise ImageError(
            f"{folder} {trouble}, but the tiles of {path.name} would take its place; choose another name, or move it away."
        )


def _foreign(folder: Path) -> str | None:
    """Why a folder is not one that impasto may replace, or None."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return "is write-protected"
    if not (folder / _RECIPE).is_file():
        return "is there already, and not from impasto"
    for item in folder.iterdir():
        levels = item.is_dir() and not item.is_symlink() and item.name.isdecimal()
        strange = (
            next((tile for tile in item.iterdir() if not _TILE_NAME.fullmatch(tile.name)), None) if levels else item
        )
        if strange is not None and strange != folder / _RECIPE:
            return f"holds {strange.relative_to(folder)}, which is not from impasto"
    return None


def tiles_of(path: Path) -> Path:
    """The folder of a Deep Zoom picture's tiles."""
    return path.with_name(f"{path.stem}_files")


def read_recipe(path: Path) -> str | None:
    """The recipe among the tiles of a Deep Zoom picture, as JSON, or None."""
    recipe = tiles_of(path) / _RECIPE
    text = recipe.read_text(encoding="utf-8") if recipe.is_file() else "null"
    return None if text == "null" else text
