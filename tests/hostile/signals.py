"""Records of signals: CSV, NPY and DICOM waveforms, and what is done to them."""

import io
import random
from pathlib import Path
from typing import Any

import dicoms
import numpy as np
import torch
from bytewise import changed
from cases import MEGABYTE, READ, REFUSED, WRITTEN, FaultError, Medium, Odd, sentence_of
from containers import odd_text

from impasto import signals

_RECIPE = {"impasto": "0.1.0", "task": "signal stylize", "note": "\u00a9"}
_CELLS = (
    "",
    " ",
    "nan",
    "NaN",
    "inf",
    "-inf",
    "1e400",
    "1e30",
    "-0",
    "0x10",
    "1_000",
    "\u0663",
    "1,5",
    "abc",
    '"1"',
    '"',
    "1e-320",
    "1 2",
    "\u22121",
)
_NAMES = (
    "time",
    "Time (s)",
    "t",
    "'sample #'",
    "",
    "I",
    "II",
    "1",
    "lead",
    "\u00b5V",
    '"I"',
    "Unnamed: 0",
    "a" * 300,
    "I",
    "\x1b[2J",
    "=cmd()",
)


def _csv(rng: random.Random, story: list[str]) -> bytes:
    mark, leads = rng.choice((*",,,,;;\t\t", " ", "|")), rng.randint(1, 3)
    decimal = rng.choice((".", ".", ".", ",")) if mark != "," or rng.random() < 0.1 else "."
    timed, named = rng.random() < 0.5, rng.random() < 0.6
    rate = rng.choice((360, 250, 1, 0.001, 1e9))
    values = np.sin(np.arange(120)[:, None] / 7 + np.arange(leads)) * rng.choice((1, 1000, 1e-3, 1e17))
    rows = [[f"{value:.5g}" for value in row] for row in values]
    if timed:
        digits = rng.choice((3, 6, 9))
        rows = [[f"{number / rate:.{digits}f}", *row] for number, row in enumerate(rows)]
    head = [rng.choice(_NAMES) if rng.random() < 0.4 else f"lead {number}" for number in range(leads)]
    lines = [[*(["time"] if timed else []), *head], *rows] if named else rows
    if timed and named and rng.random() < 0.5:
        lines[0][0] = rng.choice(_NAMES)
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        row, cell = rng.randrange(len(lines)), rng.choice(_CELLS)
        lines[row][rng.randrange(len(lines[row]))] = cell
        story.append(f"{cell!r} in row {row}")
    if rng.random() < 0.2:
        row = rng.randrange(len(lines))
        lines[row] = rng.choice(([], lines[row] + ["7"], lines[row][:-1], lines[row] * 3))
        story.append(f"row {row} of another length")
    text = rng.choice((*("\n",) * 12, "\r\n", "\r\n", "\r", "\x0b")).join(
        mark.join(row).replace(".", decimal) for row in lines
    )
    if rng.random() < 0.2:
        text = rng.choice(("# {", '# {"impasto": NaN}', "# [" * 2000, "#", '"', "# rate: nan", "\u2028")) + "\n" + text
    story.insert(0, f"CSV with {mark!r} and {decimal!r}, {leads} leads")
    data = text.encode(rng.choice((*("utf-8",) * 12, "utf-8-sig", "utf-16", "latin-1", "utf-7")), "replace")
    return data + rng.choice((*(b"",) * 9, b"\n", b"\0", b"\x1a", b"\n\n\n", b"\xff"))


def _npy(rng: random.Random, story: list[str]) -> bytes:
    kind = rng.choice(("i2", "f4", "f8", "f2", "i8", "u8", "?", "c8", "U3", ">f4", "f4", "f8", "O", "M8[s]"))
    shape = rng.choice(
        ((300,), (2, 300), (300, 2), (1, 300), (0,), (0, 5), (3, 0), (), (2, 3, 50), (7, 7), (1, 1), (1,))
    )
    values: Any = (np.sin(np.arange(int(np.prod(shape)))).reshape(shape) * 100).astype("i4")
    values = np.asarray(values.astype(kind))  # of no axes it is a number
    if values.dtype.kind == "f" and values.size and rng.random() < 0.3:
        values.reshape(-1)[0] = rng.choice((np.nan, np.inf, 6e4))
    stream = io.BytesIO()
    np.save(stream, values)
    story.append(f"NPY of {kind} {shape}")
    return stream.getvalue()


def make(rng: random.Random) -> Odd:
    """A record with something odd about it."""
    story: list[str] = []
    kind = rng.choice(("csv", "csv", "npy", "dcm"))
    if kind == "dcm":
        item = dicoms.waveform()[0]
        odds = dicoms.odd_elements(rng, item, story, dicoms.WAVES)
        data = dicoms.stored(rng, item, odds, story)
    else:
        data = (_csv if kind == "csv" else _npy)(rng, story)
    if rng.random() < 0.25:
        data = changed(rng, data, story)
    name = f"record.{kind if rng.random() < 0.9 else rng.choice(('csv', 'npy', 'dcm', 'txt', 'wav'))}"
    files = {name: data}
    if kind == "npy" and rng.random() < 0.3:
        files[f"{name}.json"] = odd_text(rng)
    return Odd(files, name, story)


def attempt(odd: Odd, path: Path, out: Path, rng: random.Random) -> str:
    """Read it, and write what a run would make of it."""
    sentence_of(signals.read_recipe, path)
    record, _ = sentence_of(signals.read, path, rng.choice((*(None,) * 9, 250.0, 0.0, float("nan"), -1.0, 1e-300)))
    if record is None:
        return REFUSED
    if not bool(torch.isfinite(record.values).all()) or len(record.leads) != len(record.values):
        raise FaultError("values that cannot be")
    sentence_of(record.chosen, [rng.choice(("1", "I", "", "9", "lead 1"))])
    target = out / f"result{rng.choice(sorted(signals.SUFFIXES))}"
    _, refusal = sentence_of(signals.check_writable, target, record)
    if refusal is not None:
        return READ
    signals.write(target, record, recipe=_RECIPE)
    back = signals.read(target)
    if back.values.shape != record.values.shape:
        raise FaultError(f"{target.name} has the shape {tuple(back.values.shape)} and not {tuple(record.values.shape)}")
    if signals.read_recipe(target) is None:
        raise FaultError(f"{target.name} does not say how it was made")
    return WRITTEN


MEDIUM = Medium(make, attempt, 300 * MEGABYTE)
