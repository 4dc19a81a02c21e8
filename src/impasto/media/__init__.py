"""What a result can be: one interface to read, try, write and show pictures, sounds, signals and volumes."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from impasto.files import is_folder

if TYPE_CHECKING:
    from impasto.media.medium import Medium

MEDIA = {
    "picture": ("impasto.media.picture", "result.png"),
    "video": ("impasto.media.video", "result.mp4"),
    "sound": ("impasto.media.sound", "result.wav"),
    "signal": ("impasto.media.signal", "result.csv"),
    "volume": ("impasto.media.volume", "result.nii.gz"),
}
"""By name: the module with the medium, as ``MEDIUM``, and what a job calls its result."""

FRAMES = "frames"
"""What the folder of a video's painted frames is called among other things of its run."""


__all__ = ["ENDINGS", "FRAMES", "MEDIA", "media_of", "medium_of", "recipe_of_file"]


def medium_of(name: str) -> "Medium":
    """The medium of a name; it is imported now."""
    return cast("Medium", importlib.import_module(MEDIA[name][0]).MEDIUM)


ENDINGS = {
    **dict.fromkeys((".wav", ".flac", ".ogg", ".mp3"), ("sound",)),
    **dict.fromkeys((".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"), ("video",)),
    **dict.fromkeys((".gif", ".webp", ".png"), ("video", "picture")),
    ".apng": ("video",),
    ".csv": ("signal",),
    ".npy": ("signal", "volume"),
    **dict.fromkeys((".nii", ".gz", ".dcm"), ("volume",)),
    **dict.fromkeys((".tif", ".tiff"), ("picture", "volume")),
}
"""The media that a file whose name ends so may hold, unless it is a picture."""


def media_of(path: Path) -> "Iterator[Medium]":
    """The media that a file of this name may hold; a folder holds the frames of a video, or a volume."""
    names = ("video", "volume") if is_folder(path) else ENDINGS.get(path.suffix.lower(), ("picture",))
    yield from map(medium_of, names)


def recipe_of_file(path: Path) -> dict[str, Any] | None:
    """How a file says that it was made, or None.

    Raises:
        ImpastoError: if it cannot be read.
    """
    found = (medium.read_recipe(path) for medium in media_of(path))
    return next((recipe for recipe in found if recipe is not None), None)
