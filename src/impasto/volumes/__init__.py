"""Volumes in and out: the only room that opens volume files.

A NIfTI file, a DICOM series, a TIFF stack or an array becomes a :class:`Volume` of values in [0, 1] that remembers its
intensity window and where it is in space, and is written back as what it was.
"""

from impasto.volumes.notes import Notes
from impasto.volumes.reading import SUFFIXES, read
from impasto.volumes.volume import CAUTION, MAX_VOXELS, Origin, Volume
from impasto.volumes.writing import check_writable, conversion, read_notes, write

__all__ = [
    "CAUTION",
    "MAX_VOXELS",
    "SUFFIXES",
    "Notes",
    "Origin",
    "Volume",
    "check_writable",
    "conversion",
    "read",
    "read_notes",
    "write",
]
