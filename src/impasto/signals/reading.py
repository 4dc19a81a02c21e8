"""From a file to a record: CSV, NPY, and DICOM waveforms."""

import codecs
import gzip
import hashlib
import io
import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from impasto.errors import SignalError
from impasto.libraries import understood
from impasto.signals.dicom import is_dicom, read_dicom
from impasto.signals.record import CAUTION, SIGNALS, Found, Signal, beside_name, checked_signal
from impasto.signals.tables import read_table

_LARGEST = 2**31  # bytes that a gzipped file may unpack to
_FOREIGN = (
    (b"PK\x03\x04", "a workbook or another ZIP"),
    (b"\xd0\xcf\x11\xe0", "an old workbook of Excel"),
    (b"MATLAB 5.0", "MATLAB"),
    (b"\x89HDF", "HDF5"),
    (b"0       ", "EDF"),
    (b"\xffBIOSEMI", "BDF"),
    (b"<?xml", "XML"),
    (b"RIFF", "a sound"),
    (b"BZh", "packed by bzip2"),
    (b"\xfd7zXZ", "packed by xz"),
)
"""First bytes of kinds of files that people have, and what these are."""


def read(path: str | Path, rate: float | None = None) -> Signal:
    """Read a record.

    CSV, gzipped or not: a column per lead, a line per sample, in the many forms that :func:`read_table` understands. NPY:
    (n,) or two axes, the longer of which is time; what impasto wrote beside one says its leads, rate and units. DICOM: the
    first group of its waveforms.

    Its kind is recognized by its content; ``rate`` is samples per second, instead of what the file says.

    Raises:
        SignalError: if it does not exist, is no record, is damaged or empty, or has missing values.
        MissingExtraError: for DICOM without the extra ``signal``.
    """
    packed, name = SIGNALS.contents(path), str(path)
    data = _unpacked(packed, name)
    if data[:6] == b"\x93NUMPY":
        found = _described(_npy(data, name), Path(path))
    elif is_dicom(data):
        found = read_dicom(data, name)
    else:
        for start, kind in _FOREIGN:
            if data.startswith(start):
                raise SignalError(f"{name} is {kind}, which is not read; save it as CSV or NPY first.")
        found = read_table(_decoded(data, name), name, rate=rate)
    given = found if rate is None else replace(found, rate=rate)
    return checked_signal(given, name, Path(path).name, hashlib.sha256(packed).hexdigest())


def read_recipe(path: str | Path) -> dict[str, Any] | None:
    """What impasto wrote about how a record was made, into a CSV or beside an NPY, or None.

    Raises:
        SignalError: if the file cannot be read.
    """
    data = SIGNALS.contents(path)
    if data[:6] == b"\x93NUMPY":
        recipe = _beside(Path(path))
    else:
        lines = (line for line in _unpacked(data, str(path)).decode(errors="replace").splitlines() if line[:3] == "# {")
        try:
            recipe = json.loads(next(lines, "# {}")[2:])
        except (ValueError, RecursionError):
            return None
    return recipe if isinstance(recipe, dict) and "impasto" in recipe else None


def _npy(data: bytes, name: str) -> Found:
    with understood(SignalError, f"{name} cannot be read as NPY", "it is cut off or damaged, so copy it again"):
        array = np.load(io.BytesIO(data), allow_pickle=False)  # a header is Python, which damage turns into anything
    if array.ndim == 2 and array.shape[0] > array.shape[1]:
        array = array.T
    return Found(np.atleast_2d(array))


def _described(found: Found, path: Path) -> Found:
    """What impasto wrote beside an NPY, if it is about as many leads."""
    words = _beside(path)
    leads, units, rate = words.get("leads"), words.get("units"), words.get("rate")
    if words.get("caution") != CAUTION or not isinstance(leads, list) or len(leads) != len(found.values):
        return found
    units = units if isinstance(units, list) and len(units) == len(leads) else [""] * len(leads)
    rate = float(rate) if isinstance(rate, (int, float)) and rate > 0 else None
    return replace(found, rate=rate, leads=tuple(map(str, leads)), units=tuple(map(str, units)))


def _beside(path: Path) -> dict[str, Any]:
    """The JSON beside an NPY, or nothing."""
    try:
        words = json.loads(beside_name(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return words if isinstance(words, dict) else {}


def _decoded(data: bytes, name: str) -> str:
    """The text of a table: UTF-8, UTF-16 with its mark as Excel writes it, or what Windows wrote before."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
    if "\0" in text:
        raise SignalError(f"{name} is neither CSV, NPY nor DICOM; give a record in one of these.")
    return text


def _unpacked(data: bytes, name: str) -> bytes:
    """The content of a gzipped file that would not fill the memory, or the file itself."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            found = stream.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SignalError(f"{name} cannot be unpacked ({error}): it is cut off or damaged; copy it again.") from None
    if len(found) > _LARGEST:
        raise SignalError(f"{name} holds more than {_LARGEST} bytes; unpack it, and cut out what is needed.")
    return found
