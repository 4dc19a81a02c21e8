"""Pictures in and out: the only room that opens image files.

A file becomes a :class:`Picture`, upright and in sRGB, and pixels become a file that takes over the source's color
profile, depth, alpha channel and EXIF.
"""

from impasto.images.decoding import MAX_PIXELS
from impasto.images.encoding import SUFFIXES
from impasto.images.marks import is_marked, mark
from impasto.images.picture import Picture, Source, quantize, to_array, to_pil
from impasto.images.reading import hash_file, read
from impasto.images.recipes import read_parameters, read_recipe
from impasto.images.writing import check_writable, write

__all__ = [
    "MAX_PIXELS",
    "SUFFIXES",
    "Picture",
    "Source",
    "check_writable",
    "hash_file",
    "is_marked",
    "mark",
    "quantize",
    "read",
    "read_parameters",
    "read_recipe",
    "to_array",
    "to_pil",
    "write",
]
