"""From values to a file, at once or not at all."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from impasto.errors import SignalError
from impasto.signals.record import CAUTION, SIGNALS, Signal, beside_name

SUFFIXES = (".csv", ".npy")


def write(path: str | Path, record: Signal, *, recipe: dict[str, Any] | None = None) -> None:
    """Write a record to a file that is either complete or untouched; whatever the options, it says what it is not for.

    CSV: comment lines with the caution and the recipe, then names with units, and a column of times where the rate is
    known. NPY: (n,) or (leads, n) float32, and beside it a JSON file called after it, with names, units, rate, the caution
    and the recipe.

    Raises:
        SignalError: if it cannot be written, or the extension is none of SUFFIXES.
    """
    path = Path(path)
    encoded = _encoded(path, record, recipe)
    for place in reversed(encoded):
        SIGNALS.replace(place, None)
    for place, data in encoded.items():
        SIGNALS.replace(place, data)


def check_writable(path: str | Path, record: Signal | None = None) -> None:
    """Raise now what :func:`write` would raise of a record with the names, units and rate of this one, if it is known.

    Raises:
        SignalError: if the extension is unknown, names cannot be written, or the folder cannot be written to.
    """
    path = Path(path)
    _check_suffix(path)
    if record is not None:
        _encoded(path, replace(record, values=record.values[:, :2]), {})  # its first samples
    for place in (path, *([beside_name(path)] if path.suffix.lower() == ".npy" else [])):
        SIGNALS.replace(place, None)


def _encoded(path: Path, record: Signal, recipe: dict[str, Any] | None) -> dict[Path, bytes]:
    """The files that a record becomes, by their places."""
    _check_suffix(path)
    if path.suffix.lower() == ".csv":
        return {path: _csv(record, recipe).encode(errors="replace")}
    stream = io.BytesIO()
    values = record.values.numpy()
    np.save(stream, values[0] if len(values) == 1 else values)
    words = {"leads": list(record.leads), "units": list(record.units), "rate": record.rate, **(recipe or {})}
    words["caution"] = CAUTION
    return {path: stream.getvalue(), beside_name(path): json.dumps(words, indent=2).encode()}


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise SignalError(
            f"{path} has no extension that says a format of records; end it in one of {', '.join(SUFFIXES)}."
        )


def _csv(record: Signal, recipe: dict[str, Any] | None) -> str:
    stream = io.StringIO()
    stream.write(f"# {CAUTION}\n")
    if recipe is not None:
        stream.write(f"# {json.dumps(recipe)}\n")
    writer = csv.writer(stream, lineterminator="\n")
    lines = [" ".join(lead.split()) for lead in record.leads]
    names = [f"{name} ({unit})" if unit else name for name, unit in zip(lines, record.units, strict=True)]
    columns: list[Any] = [*record.values.numpy()]
    count = record.values.shape[1]
    if record.rate is not None:
        names.insert(0, "time")
        columns.insert(0, [f"{place / record.rate:.12g}" for place in range(count)])
    elif not all(name[:1].isalpha() and name.lower() != "sample" for name in names):  # which could be taken for samples
        names.insert(0, "sample")
        columns.insert(0, range(count))
    writer.writerow(names)
    writer.writerows(zip(*columns, strict=True))  # the fewest digits that give these 32 bits again
    return stream.getvalue()
