"""Huge pictures cut into tiles of several sizes, for viewers that show a part at a time."""

import json
from pathlib import Path

from impasto.errors import ImageError
from impasto.files import whole_folder
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

    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with whole_folder(folder, replacing=False) as made:
            with guarded("The picture"):
                image = pyvips.Image.new_from_file(str(picture), access="sequential", fail_on="error")
                image = image.colourspace("srgb")
                image = image.flatten(background=[236] * 3) if image.hasalpha() else image
                options = {"suffix": ".jpg[Q=90]", "tile_size": TILE, "depth": "onetile", "skip_blanks": -1}
                image.dzsave(str(made / "it"), layout="google", **options)
            for level in (made / "it").iterdir():
                level.rename(made / level.name)
            (made / "it").rmdir()
            (made / "vips-properties.xml").unlink(missing_ok=True)  # libvips puts it beside the tiles
            (made / "shape.json").write_text(json.dumps([image.height, image.width]), encoding="utf-8")
    except OSError as error:
        raise ImageError(f"The tiles could not be written ({error.strerror}); make room on the disk.") from error
