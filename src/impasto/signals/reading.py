"""From a file to a record: CSV, NPY, and DICOM waveforms."""

import csv
import hashlib
import io
import json
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from impasto.errors import MissingExtraError, SignalError
from impasto.signals.record import SIGNALS, Record, checked

_TIMES = ("time", "t", "seconds", "s", "time (s)", "time [s]", "time_s")
_SCALES = {"uv": "µV", "mv": "mV"}


def read(path: str | Path, rate: float | None = None) -> Record:
    """Read a record.

    CSV: a column per lead, a line per sample, separated by commas, semicolons or tabs; lines that begin with # are left
    out; a first line of names and a first column called time, in seconds, are understood. NPY: (n,) or two axes, the
    longer of which is time. DICOM: the first group of its waveforms.

    Args:
        path: the file; its kind is recognized by its content.
        rate: samples per second, instead of what the file says.

    Raises:
        SignalError: if it does not exist, is no record, is damaged or empty, or has missing values.
        MissingExtraError: for DICOM without the extra ``signal``.
    """
    data, name = SIGNALS.contents(path), str(path)
    reader = _npy if data[:6] == b"\x93NUMPY" else _dicom if data[128:132] == b"DICM" else _csv
    values, found, leads, unit = reader(data, name)
    digest = hashlib.sha256(data).hexdigest()
    return checked(values, rate if rate is not None else found, leads, unit, name, Path(path).name, digest)


def read_recipe(path: str | Path) -> dict[str, Any] | None:
    """What impasto wrote about how a record was made, into a CSV or beside an NPY, or None.

    Raises:
        SignalError: if the file cannot be read.
    """
    data = SIGNALS.contents(path)
    beside = Path(f"{path}.json")
    if data[:6] == b"\x93NUMPY":
        text = beside.read_text(encoding="utf-8") if beside.is_file() else ""
    else:
        lines = (line for line in data.decode(errors="replace").splitlines() if line.startswith("# {"))
        text = next(lines, "# ")[2:]
    try:
        recipe = json.loads(text) if text else None
    except ValueError:
        return None
    return recipe if isinstance(recipe, dict) and "impasto" in recipe else None


Found = tuple[Any, float | None, tuple[str, ...], str]
"""Values (leads, n), rate, names of leads, unit."""


def _npy(data: bytes, name: str) -> Found:
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise SignalError(
            f"{name} cannot be read as NPY ({reason}): it is cut off or damaged; copy it again."
        ) from None
    if array.ndim == 2 and array.shape[0] > array.shape[1]:
        array = array.T
    return np.atleast_2d(array), None, (), ""


def _dicom(data: bytes, name: str) -> Found:
    library = _pydicom()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about deviations from the standard that do not touch the samples
            dataset = library.dcmread(io.BytesIO(data))
            groups = dataset.get("WaveformSequence")
            values = dataset.waveform_array(0) if groups else None
    except Exception as error:  # damaged files fail in many ways inside the reader
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise SignalError(
            f"{name} cannot be read as DICOM ({reason}): it is cut off or damaged; copy it again."
        ) from error
    if groups is None or values is None:
        raise SignalError(f"{name} is DICOM without a waveform; give one that holds a signal, such as an ECG.")
    channels = groups[0].ChannelDefinitionSequence
    leads = tuple(_lead(channel, place) for place, channel in enumerate(channels))
    units = channels[0].get("ChannelSensitivityUnitsSequence") or [{}]
    unit = str(units[0].get("CodeValue", ""))
    return values.T, float(groups[0].SamplingFrequency), leads, _SCALES.get(unit.lower(), unit)


def _lead(channel: Any, place: int) -> str:
    sources = channel.get("ChannelSourceSequence") or [{}]
    meaning = str(sources[0].get("CodeMeaning", "")) or str(channel.get("ChannelLabel", ""))
    return meaning.removeprefix("Lead ").partition(" (")[0] or f"lead {place + 1}"


def _csv(data: bytes, name: str) -> Found:
    text = data.decode("utf-8-sig", errors="replace")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if "\0" in text:
        raise SignalError(f"{name} is neither CSV, NPY nor DICOM; give a record in one of these.")
    if not lines:
        raise SignalError(f"{name} has 0 samples; give a record that lasts.")
    mark = max(",;\t", key=lines[0].count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=mark)]
    names = () if all(_is_number(cell) for cell in rows[0]) else tuple(rows.pop(0))
    if not rows:
        raise SignalError(f"{name} has names of leads and 0 samples; give a record that lasts.")
    width = len(names) or len(rows[0])
    values = np.array([_numbers(row, width, number, name) for number, row in enumerate(rows, 1)]).T
    if not names or names[0].lower() not in _TIMES:
        return values, None, names, ""
    if width == 1:
        raise SignalError(f"{name} has a column of times and no lead; add one.")
    return values[1:], _rate(values[0], name), names[1:], ""


def _numbers(row: list[str], width: int, number: int, name: str) -> list[float]:
    if len(row) != width:
        raise SignalError(f"{name} has {len(row)} values in sample {number}, but {width} before it; repair that line.")
    for cell in row:
        if cell and not _is_number(cell):
            raise SignalError(f"{name} has {cell[:40]!r} in sample {number}, which is not a number; repair that line.")
    return [float(cell) if cell else float("nan") for cell in row]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _rate(times: Any, name: str) -> float | None:
    if len(times) < 2:
        return None
    steps = np.diff(times)
    typical = float(np.median(steps))
    if not (np.isfinite(steps).all() and typical > 0 and abs(steps - typical).max() <= 0.05 * typical):
        raise SignalError(f"{name} has times that are not evenly spaced; resample it first.")
    return round((len(times) - 1) / float(times[-1] - times[0]), 6)


def _pydicom() -> ModuleType:
    try:
        import pydicom  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("DICOM needs pydicom; install it with: pip install 'impasto[signal]'") from None
    found: ModuleType = pydicom
    return found
