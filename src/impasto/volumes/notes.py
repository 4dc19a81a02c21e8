"""What a volume that impasto wrote says about itself, as text that its file carries.

====== ====================================================================================
NIfTI  a header extension of the kind "comment", and the caution in ``descrip``
TIFF   the description of the OME picture
NPY    a file beside it, ``block.json`` for ``block.npy``
DICOM  ``DerivationDescription`` has the caution, ``ImageComments`` the text
====== ====================================================================================
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from impasto.errors import VolumeError
from impasto.volumes.volume import CAUTION, Volume

_KEY = "impasto"


@dataclass(frozen=True)
class Notes:
    """What is noted of a volume.

    Args:
        recipe: how it was made, as plain data, or None.
        window: the intensities that were 0 and 1 while it was worked on.
        affine: where it is in space, 4 x 4.
        caution: what it is not to be used for.
    """

    recipe: dict[str, Any] | None = None
    window: tuple[float, float] | None = None
    affine: list[list[float]] | None = None
    caution: str = CAUTION


def of(volume: Volume, recipe: dict[str, Any] | None) -> Notes:
    """The notes on a volume."""
    return Notes(recipe, volume.window, volume.affine.tolist())


def to_text(notes: Notes) -> str:
    """The notes as ASCII JSON."""
    return json.dumps({_KEY: asdict(notes)})


def from_text(text: str | None) -> Notes | None:
    """The notes in a text, or None if there are none: the text may come from anywhere."""
    try:
        found = json.loads(text or "")[_KEY]
        window = None if found["window"] is None else (float(found["window"][0]), float(found["window"][1]))
        affine = [[float(value) for value in row] for row in found["affine"]] if found["affine"] else None
        if affine is not None and [len(row) for row in affine] != [4] * 4:
            return None
        return Notes(found["recipe"], window, affine, str(found["caution"]))
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return None


def beside_name(path: Path) -> Path:
    """Where the notes on an NPY file are."""
    return path.with_suffix(".json")


def beside(path: Path) -> Notes | None:
    """The notes on an NPY file.

    Raises:
        VolumeError: if they cannot be read.
    """
    place = beside_name(path)
    try:
        return from_text(place.read_text(encoding="utf-8")) if place.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise VolumeError(f"{place}, which belongs to {path.name}, cannot be read; repair or remove it.") from error
