"""Videos in and out: the only room that opens them. A file, a folder or a pattern of frames becomes a :class:`Clip`."""

from impasto.videos.clip import MAX_FRAMES, Clip, Keyframes, even
from impasto.videos.reading import Stills, is_video, read
from impasto.videos.writing import CODECS, SUFFIXES, Painted, check_name, check_writable, read_recipe, write

__all__ = [
    "CODECS",
    "MAX_FRAMES",
    "SUFFIXES",
    "Clip",
    "Keyframes",
    "Painted",
    "Stills",
    "check_name",
    "check_writable",
    "even",
    "is_video",
    "read",
    "read_recipe",
    "write",
]
