"""From values to a file, at once or not at all."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from impasto.errors import SignalError
from impasto.signals.record import CAUTION, SIGNALS, Record

SUFFIXES = (".csv", ".npy")


def write(path: str | Path, record: Record, *, recipe: dict[str, Any] | None = None) -> None:
    """Write a record to a file that is either complete or untouched; whatever the options, it says what it is not for.

    CSV: comment lines with the caution and the recipe, then names with units, and a column of times where the rate is
    known. NPY:
    (n,) or (leads, n) float32, and beside it a JSON file called after it, with the caution and the recipe.

    Args:
        path: a file whose extension is one of SUFFIXES.
        record: what is written.
        recipe: how it was made: plain data.

    Raises:
        SignalError: if it cannot be written.
    """
    path = Path(path)
    _check_suffix(path)
    if path.suffix.lower() == ".csv":
        SIGNALS.replace(path, _csv(record, recipe).encode())
        return
    stream = io.BytesIO()
    values = record.values.numpy()
    np.save(stream, values[0] if len(values) == 1 else values)
    SIGNALS.replace(path, stream.getvalue())
    words = {"leads": list(record.leads), "units": list(record.units), "rate": record.rate, **(recipe or {})}
    words["caution"] = CAUTION
    SIGNALS.replace(beside_name(path), json.dumps(words, indent=2).encode())


def beside_name(path: Path) -> Path:
    """Where the words on an NPY file are."""
    return Path(f"{path}.json")


def check_writable(path: str | Path) -> None:
    """Raise now what :func:`write` would raise after a long run.

    Raises:
        SignalError: if the extension is unknown or the folder cannot be written to.
    """
    path = Path(path)
    _check_suffix(path)
    SIGNALS.replace(path, None)


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise SignalError(
            f"{path} has no extension that says a format of records; end it in one of {', '.join(SUFFIXES)}."
        )


def _csv(record: Record, recipe: dict[str, Any] | None) -> str:
    stream = io.StringIO()
    stream.write(f"# {CAUTION}\n")
    if recipe is not None:
        stream.write(f"# {json.dumps(recipe)}\n")
    writer = csv.writer(stream, lineterminator="\n")
    titled = zip(record.leads, record.units, strict=True)
    names = [f"{lead} ({unit})" if unit else lead for lead, unit in titled]
    columns = list(record.values.numpy())
    if record.rate is not None:
        names.insert(0, "time")
        columns.insert(0, np.arange(record.values.shape[1]) / record.rate)
    writer.writerow(names)
    times = record.rate is not None
    for row in zip(*columns, strict=True):
        writer.writerow([f"{value:.10g}" if times and not place else f"{value:.7g}" for place, value in enumerate(row)])
    return stream.getvalue()
