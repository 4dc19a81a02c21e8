"""Huge pictures cut into tiles of several sizes, for viewers that show a part at a time."""

import json
import secrets
import shutil
from pathlib import Path

from impasto.errors import ImageError
from impasto.images.decoding import guarded

TILE = 512  # pixels along a tile


def cut_tiles(picture: Path, folder: Path) -> tuple[int, int]:
    """Write JPEG tiles of the picture into ``folder/level/row/column.jpg`` and return its height and width.

    The last level is the picture itself; each one before has half the pixels along a side. A folder that is already
    there is taken as it is. It appears complete or not at all.

    Raises:
        ImageError: if the file is not a picture.
    """
    if not folder.is_dir():
        _cut(picture, folder)
    height, width = json.loads((folder / "shape.json").read_text(encoding="utf-8"))
    return height, width


def _cut(picture: Path, folder: Path) -> None:
    import pyvips  # noqa: PLC0415  # only huge pictures need it

    beside = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}")
    beside.parent.mkdir(parents=True, exist_ok=True)
    try:
        with guarded("The picture"):
            image = pyvips.Image.new_from_file(str(picture), access="sequential", fail_on="error")
            image = (
                image.colourspace("srgb").flatten(background=[236] * 3)
                if image.hasalpha()
                else image.colourspace("srgb")
            )
            image.dzsave(
                str(beside), layout="google", suffix=".jpg[Q=90]", tile_size=TILE, depth="onetile", skip_blanks=-1
            )
        (beside / "shape.json").write_text(json.dumps([image.height, image.width]), encoding="utf-8")
        _put(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        (beside.parent / "vips-properties.xml").unlink(missing_ok=True)  # libvips puts it beside the tiles


def _put(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)
    except OSError as error:  # somebody else was faster, or the disk is full
        if not folder.is_dir():
            raise ImageError(f"The tiles could not be written ({error.strerror}); make room on the disk.") from error
