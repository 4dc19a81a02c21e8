"""How a picture was made, read back from its file."""

import mmap
import os
import sys
from pathlib import Path
from typing import Any

from impasto.errors import ImageError
from impasto.files import is_folder
from impasto.images import headers, pyramids, xmp
from impasto.images.decoding import guarded, is_tiff, open_header
from impasto.images.directories import TiffLayout
from impasto.images.metadata import recipe_from_text
from impasto.images.picture import PICTURES

_XMP_TAG = 700
_HEAD = 4  # bytes by which a TIFF is known


def read_recipe(path: str | Path) -> dict[str, Any] | None:
    """The recipe that :func:`impasto.images.write` stored in the file ``path``, or None.

    Raises:
        ImageError: If the file is missing, not a picture, or its recipe damaged.
    """
    return recipe_from_text(_stored(path)[0], str(path))


def read_parameters(path: str | Path) -> str | None:
    """The text form of how the picture in the file ``path`` was made, or None.

    Raises:
        ImageError: If the file is missing, not a picture, or its text damaged.
    """
    return _stored(path)[1]


def _stored(path: str | Path) -> tuple[str | None, str | None]:
    if Path(path).suffix.lower() == pyramids.DEEP_ZOOM_SUFFIX and is_folder(pyramids.tiles_of(_real(path))):
        return pyramids.read_recipe(_real(path)), None
    name = str(path)
    with PICTURES.opened(path) as file:
        data = file.read(_HEAD)
        if is_tiff(data):
            with guarded(name), mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:  # which may be huge
                packet = _tiff_packet(whole)
            return _from_xmp(packet, name)
        data += file.read()
    header = open_header(data, name, sys.maxsize)  # no pixel is decoded here
    if header.format == "PNG":
        texts = header.info["texts"]
        return texts.get("impasto"), texts.get("parameters")
    return _from_xmp(next(reversed(headers.packets(header)), None), name)  # of two the extended one, which has all


def _real(path: str | Path) -> Path:
    """Where a link leads."""
    return Path(os.path.realpath(path))


def _tiff_packet(data: mmap.mmap) -> bytes | None:
    layout = TiffLayout.of(data)
    entry = layout.read(data, layout.first(data))[0].get(_XMP_TAG)
    return bytes(entry.data) if entry else None


def _from_xmp(packet: bytes | None, name: str) -> tuple[str | None, str | None]:
    if not packet:
        return None, None
    try:
        return xmp.parse(packet)
    except (ValueError, RecursionError) as error:
        raise ImageError(f"{name} holds damaged metadata ({error}); use an unedited copy of the picture.") from error
