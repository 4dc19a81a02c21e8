"""The pictures of a folder, by name; none of them is opened here."""

from pathlib import Path

from impasto.errors import ImageError
from impasto.files import is_file, is_folder, is_there
from impasto.images.encoding import SUFFIXES

ENDINGS = frozenset({*SUFFIXES, ".gif", ".bmp"})  # GIF and BMP are read and never written
"""The endings of names by which pictures are known."""


def pictures_in(folder: str | Path) -> tuple[Path, ...]:
    """The files in a folder and the folders below it that are named like pictures, sorted.

    Raises:
        ImageError: if it is not a folder, or there are none.
    """
    place = Path(folder)
    if not is_folder(place):
        kind = "is a file, but a folder of pictures is needed" if is_there(place) else "does not exist"
        raise ImageError(f"The folder {place} {kind}; check the path.")
    found = (path for path in place.rglob("*") if path.suffix.lower() in ENDINGS and not path.name.startswith("."))
    files = tuple(sorted(path for path in found if is_file(path)))
    if not files:
        raise ImageError(f"There are no pictures in {place}; give a folder with {', '.join(sorted(ENDINGS))} files.")
    return files
