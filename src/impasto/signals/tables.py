"""Tables of numbers as people and programs write them: CSV in its many forms.

csv.Sniffer is not asked: it guesses from letters, takes a decimal comma for a separator, and fails on a single column.
Here a form is what makes the most lines rows of numbers.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from impasto.errors import SignalError
from impasto.signals.record import CAUTION, Found
from impasto.signals.times import Times, is_like_time, unit_of

_SAMPLE = 400  # lines by which the form is decided
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity)", re.IGNORECASE)
_MISSING = ("", "na", "nan", "n/a", "#n/a", "null", "none", "-", "--", "?", "*", ".")
_INDEX = (
    *("", "unnamed: 0", "index", "sample #", "sample", "samples", "sample number", "sample_number", "#"),
    *("n", "no", "nr"),
)
_WHOLE_COMMA = re.compile(r"[+-]?\d+(,\d+)?")
_SURELY_DECIMAL = re.compile(r"[+-]?\d+,0\d+|-0,\d+")
_UNIT = re.compile(r"(.*?)\s*[(\[]([^()\[\]]*)[)\]]")
_UNITS = (
    *("uv", "µv", "\u03bcv", "nv", "mv", "v", "a", "ma", "µa", "ua", "nu", "adu", "a.u.", "au", "g"),
    *("m/s2", "m/s^2", "%", "mmhg", "cmh2o", "kpa", "hpa", "pa", "bar", "mbar", "bpm", "1/min", "rpm"),
    *("hz", "db", "pm", "mm", "cm", "m", "n", "l", "ml", "l/min", "l/s", "ml/min", "°c", "degc", "c", "k"),
    *("f", "deg", "rad", "°", "°/s", "deg/s", "ohm", "kohm", "us"),
)
"""Units that leads are known to have; other words in brackets belong to the name."""
_RATE = re.compile(
    r"(?:sampl(?:e|ing)[ _-]*(?:rate|freq\w*)|\bfs)\b[^\d\n{}]{0,20}?(\d+(?:[.,]\d+)?)\s*(k?)", re.IGNORECASE
)
_FACT = re.compile(
    r"\s*\"?(sampl(?:e|ing)[ _-]*(?:rate|freq\w*)|units?|lead|channel)\"?\s*[,;:=\t]\s*\"?([^\"\n]*)", re.IGNORECASE
)
_ALMOST = re.compile(r"[+-]?\d[\d.,'\s]*")  # what people read as a number
_SHOWN = 40  # letters of a cell in a sentence


@dataclass(frozen=True)
class _Form:
    """How numbers are written: the mark between cells (a space for any blanks) and the one before decimals."""

    mark: str
    decimal: str

    def cells(self, line: str) -> list[str]:
        """The cells of a line."""
        found = (
            line.split()
            if self.mark == " "
            else next(csv.reader([line], delimiter=self.mark, skipinitialspace=True), [])
        )
        return [cell.strip().strip("'\"").strip() for cell in found]

    def plain(self, cell: str) -> str:
        """A number as Python writes it."""
        return cell if self.decimal == "." else "?" if "." in cell else cell.replace(",", ".")

    def is_row(self, cells: Sequence[str]) -> bool:
        """Whether these are the cells of a sample: numbers, times, and what is missing."""
        kinds = [self._kind(cell) for cell in cells]
        return None not in kinds and 1 in kinds

    def _kind(self, cell: str) -> int | None:
        if _NUMBER.fullmatch(self.plain(cell)):
            return 1
        return 0 if cell.lower() in _MISSING or is_like_time(cell) else None


_FORMS = tuple(_Form(mark, decimal) for decimal in ".," for mark in ("\t", ";", "|", ",", " ") if mark != decimal)


def read_table(text: str, name: str, *, rate: float | None = None) -> Found:
    """Understand a table: its separators, decimal marks, names, units, and columns that count samples or say times.

    Where the rate is known (samples per second), times are not asked.

    Raises:
        SignalError: with a sentence on what cannot be understood, or has two meanings.
    """
    lines, comments, form = _lines(text.replace("\u2212", "-"))
    if not lines:
        raise SignalError(f"{name} has 0 samples; give a record that lasts.")
    form = form or _form(lines, name)
    start = next((place for place, line in enumerate(lines) if form.is_row(form.cells(line))), None)
    if start is None:
        raise SignalError(_no_rows(lines, name))
    width, lines = _width(lines, start, form)
    head = _heading(lines, start, width, form, comments, name)
    body = lines[head.start :]
    if not body:
        raise SignalError(f"{name} has names of leads and 0 samples; give a record that lasts.")
    times = _time_column(head, name, form)
    values = _Columns(form, width, times, name).values(body)
    notes, kept = [*head.notes, *_left_out(comments, lines[: head.start], head, name)], list(range(width))
    if counts := _counts_samples(values, head.names):
        kept.remove(0)
        notes.append(f"The first column of {name} counts samples and was left out.")
    found = head.rate
    if times is not None:
        kept.remove(times[0])
        found = times[1].rate(values[times[0]]) if rate is None else rate
        if found is not None and found <= 1 and rate is None:
            notes.append(f"{name} has {found:g} samples per second; if its times are not seconds, name their unit.")
    if not kept:
        raise SignalError(
            f"{name} has a column {'that counts samples' if counts else 'of times'} and no lead; add one."
        )
    _refuse_unnamed_times(values, head.names, kept, name)
    leads = tuple(head.names[place] or f"lead {number}" for number, place in enumerate(kept, 1)) if head.names else ()
    units = tuple(head.units[place] for place in kept) if head.units else ()
    return Found(values[kept], found, leads, units, tuple(notes))


def _lines(text: str) -> tuple[list[str], list[str], _Form | None]:
    """Lines that hold something, comments without their marks, and the form that Excel's first line may say."""
    lines = [line for line in text.splitlines() if line.strip()]
    comments = [line.lstrip("#%/ ") for line in lines if line.startswith(("#", "%", "//"))]
    kept = [line for line in lines if not line.startswith(("#", "%", "//"))]
    said = re.fullmatch(r"\"?sep=(.)\"?", kept[0].strip(), re.IGNORECASE) if kept else None
    if said is None:
        return kept, comments, None
    mark = said.group(1)
    forms = [form for form in (_Form(mark, "."), _Form(mark, ",")) if form.mark != form.decimal]
    rows = [sum(form.is_row(form.cells(line)) for line in kept[1:_SAMPLE]) for form in forms]
    return kept[1:], comments, forms[int(np.argmax(rows))]


def _form(lines: Sequence[str], name: str) -> _Form:
    """The form that makes the most lines rows of one width; of several columns rather than of one."""
    sample = lines[:_SAMPLE]

    def rows(form: _Form) -> tuple[int, bool]:
        found = Counter(len(cells) for cells in map(form.cells, sample) if form.is_row(cells))
        width, count = found.most_common(1)[0] if found else (0, 0)
        return count, width > 1

    best = max(_FORMS, key=rows)  # the first of equals
    if best == _Form(",", ".") and _are_decimal_commas(lines, name):
        return _Form(" ", ",")
    return best


def _are_decimal_commas(lines: Sequence[str], name: str) -> bool:
    """Whether lines such as ``1,5`` are one number each and not two.

    Raises:
        SignalError: if they may be either.
    """
    start = next(
        place for place, line in enumerate(lines) if _WHOLE_COMMA.fullmatch(line.strip()) or place == len(lines) - 1
    )
    body = [line.strip() for line in lines[start:]]
    if not all(_WHOLE_COMMA.fullmatch(line) for line in body):
        return False
    if any(_SURELY_DECIMAL.fullmatch(line) for line in body):
        return True
    if start and not _RATE.search(" ".join(lines[:start])):
        return "," not in lines[start - 1]
    raise SignalError(
        f"{name} has lines such as {body[0]!r}, which may be one number with a decimal comma or two numbers; write decimal "
        "points, or a first line with the names of the leads."
    )


def _no_rows(lines: Sequence[str], name: str) -> str:
    """The sentence on a table in which no line is a row."""
    form = _Form(max(";\t|,", key="".join(lines[:_SAMPLE]).count), ".")
    for number, line in enumerate(lines, 1):
        cells = form.cells(line)
        if any(_ALMOST.fullmatch(cell) for cell in cells):
            bad = next((cell for cell in cells if not form.is_row(["1", cell])), line)
            return f"{name} has {bad[:_SHOWN]!r} in line {number}, which is not a number{_hint(bad)}; repair that line."
    return (
        f"{name} has no line of numbers and 0 samples (it begins with {lines[0][:_SHOWN]!r}); give a record that lasts."
    )


def _hint(cell: str) -> str:
    if re.search(r"\d[\s']\d", cell):
        return " for the mark within it; write 1234.5"
    if "," in cell:
        return "; where decimals have commas, columns are to be separated by semicolons and thousands by nothing"
    return ""


def _width(lines: Sequence[str], start: int, form: _Form) -> tuple[int, list[str]]:
    """The number of columns, and the lines without a separator that ends all of them."""
    width = len(form.cells(lines[start]))
    mark = form.mark
    if mark != " " and width > 1 and all(line.rstrip(" ").endswith(mark) for line in lines[start:]):
        return width - 1, [line.rstrip(" ").removesuffix(mark) for line in lines]
    return width, list(lines)


@dataclass(frozen=True)
class _Heading:
    """What stands above samples: ``names`` and ``units`` of columns or (), and the first line that is a sample."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    start: int
    rate: float | None = None
    notes: tuple[str, ...] = ()


def _heading(  # noqa: PLR0917 - what a table is made of
    lines: Sequence[str], start: int, width: int, form: _Form, comments: Sequence[str], name: str
) -> _Heading:
    """What the lines above the samples say, or comments, or a first line of whole numbers."""
    head = [_titles(line, width, form) for line in lines[:start]]
    rate = _said_rate([*lines[:start], *comments])
    if len(head) > 1 and _FACT.match(lines[start - 1]):
        said = [found for line in lines[:start] if (found := _FACT.match(line))]
        facts = {found[1].lower(): found[2].strip() for found in said}
        lead, unit = facts.get("lead", facts.get("channel", "")), facts.get("unit", facts.get("units", ""))
        return (
            _Heading((lead.removeprefix("Lead "),), (unit,), start, rate)
            if width == 1
            else _Heading((), (), start, rate)
        )
    if not head:
        return replace(_numbered(lines, form, comments, name), rate=rate)
    last = head[-1]
    almost = [cell for cell in last if not _NUMBER.fullmatch(cell)]
    if almost and all(_ALMOST.fullmatch(cell) for cell in last):
        raise SignalError(_not_a_number(almost[0], 1, name))
    if len(head) > 1 and len(last) == len(head[-2]) == width and _are_units(last):
        return _Heading(_named(head[-2])[0], tuple(cell.strip("()[]") for cell in last), start, rate)
    if len(last) == width - 1 and width > 1:
        last = ["", *last]  # as R writes names of columns, with none above the names of rows
    if len(last) == width:
        return _Heading(*_named(last), start, rate)
    if len(head) > 1 or rate is not None:
        return _Heading((), (), start, rate)
    raise SignalError(
        f"{name} has {len(last)} names and {width} values in a sample; give one name for each, and if decimals have commas, "
        "separate columns by semicolons."
    )


def _left_out(comments: Sequence[str], above: Sequence[str], head: _Heading, name: str) -> list[str]:
    """Words beyond names, units and rate, which do not come through; those of impasto are about another record."""
    rest = [
        words for words in comments if words and not words.startswith(("{", CAUTION[:20])) and not _RATE.search(words)
    ]
    names = 1 if head.names and not above else 0
    count = len(rest) - names + max(0, len(above) - 2)  # beyond a line of names and one of units
    return [f"What else stands in comments and above the samples of {name} does not come through."] if count > 0 else []


def _titles(line: str, width: int, form: _Form) -> list[str]:
    """The cells of a line of names; blanks within one do not part it."""
    if form.mark != " ":
        return form.cells(line)
    return [line.strip().strip("'\"")] if width == 1 else form.cells(re.sub(r"\s+(?=[(\[])", "", line))


def _numbered(lines: Sequence[str], form: _Form, comments: Sequence[str], name: str) -> _Heading:
    """The heading of a table that begins with numbers: a comment, as numpy writes names, or the numbers themselves."""
    first = form.cells(lines[0])
    rest = [form.cells(line) for line in lines[1:_SAMPLE]]
    if _is_numbering(first, rest):
        note = f"The first line of {name}, {','.join(first)[:_SHOWN]}, was taken for names of its columns."
        return _Heading(*_named(first), 1, notes=(note,))
    named = _titles(comments[-1], len(first), form) if comments else []
    if len(named) == len(first) > 1 and not form.is_row(named):
        return _Heading(*_named(named), 0)
    alone = (
        len(first) == 1
        and first[0].isdigit()
        and rest
        and all(re.search("[.,]", cell) for cells in rest for cell in cells)
    )
    note = f"The first line of {name}, {first[0]}, was taken for a sample; if it is a name, remove it."
    return _Heading((), (), 0, notes=(note,) if alone else ())


def _named(cells: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and units, of ``ECG (mV)`` or ``ECG [mV]``."""
    parts = [
        found.groups() if (found := _UNIT.fullmatch(cell)) and _is_unit(found[2]) else (cell, "") for cell in cells
    ]
    return tuple(name for name, _ in parts), tuple(unit for _, unit in parts)


def _is_unit(word: str) -> bool:
    return word.lower() in _UNITS or unit_of(word, "") is not None


def _are_units(cells: Sequence[str]) -> bool:
    words = [cell.strip("()[]").lower() for cell in cells if cell]
    return bool(words) and all(_is_unit(word) or word.startswith(("hh:", "mm:", "sample")) for word in words)


def _is_numbering(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Whether a first line of whole numbers names columns: pandas numbers those without names, from 0."""
    if len(first) < 2 or not rest or len(set(first)) < len(first) or not all(cell.isdigit() for cell in first):
        return bool(first and first[0] == "" and all(cell.isdigit() for cell in first[1:]) and rest and rest[0][0])
    count = [str(number) for number in range(len(first) + 1)]
    counts = list(first) in (count[:-1], count[1:])
    fractions = all("." in cell or "," in cell for cells in rest for cell in cells)
    return fractions or (counts and len(first) > 2)


def _said_rate(lines: Iterable[str]) -> float | None:
    """The rate that words above the samples say."""
    for line in lines:
        found = None if line.startswith("{") else _RATE.search(line)
        if found:
            return float(found.group(1).replace(",", ".")) * (1000 if found.group(2) else 1)
    return None


def _time_column(head: _Heading, name: str, form: _Form) -> tuple[int, Times] | None:
    """The first column whose name says that it holds times, and what reads it."""
    for place, (word, unit) in enumerate(zip(head.names, head.units, strict=True)):
        seconds = unit_of(word, unit)
        if seconds is not None:
            return place, Times(name, seconds, form.decimal)
    return None


@dataclass(frozen=True)
class _Columns:
    """Reads samples: ``width`` numbers in every line, one of them perhaps a time."""

    form: _Form
    width: int
    times: tuple[int, Times] | None
    name: str

    def values(self, body: Sequence[str]) -> Any:
        """All columns (width, n)."""
        plain = (line if self.form.decimal == "." else line.replace(",", ".") for line in body)
        mark = None if self.form.mark == " " else self.form.mark
        readers: Any = None if self.times is None else {self.times[0]: self.times[1]}
        try:
            found = np.loadtxt(plain, delimiter=mark, comments=None, quotechar='"', converters=readers, ndmin=2)
        except (ValueError, SignalError):  # of values that are missing, quoted, or none: read again, slowly
            found = np.array([self._numbers(line, number) for number, line in enumerate(body, 1)])
        if found.shape[1] != self.width:
            raise SignalError(_ragged(found.shape[1], self.width, 1, self.name))
        return found.T

    def _numbers(self, line: str, number: int) -> list[float]:
        cells = self.form.cells(line)
        if len(cells) != self.width:
            raise SignalError(_ragged(len(cells), self.width, number, self.name))
        return [self._number(cell, place, number) for place, cell in enumerate(cells)]

    def _number(self, cell: str, place: int, number: int) -> float:
        plain = self.form.plain(cell)
        if cell.lower() in _MISSING:
            return float("nan")
        if self.times is not None and place == self.times[0]:
            return self.times[1](cell)
        if not _NUMBER.fullmatch(plain):
            raise SignalError(_not_a_number(cell, number, self.name))
        return float(plain)


def _not_a_number(cell: str, number: int, name: str) -> str:
    if is_like_time(cell):
        return (
            f"{name} has {cell[:_SHOWN]!r} in sample {number}, which looks like a time; call that column time, or leave it "
            "out and give the rate."
        )
    return f"{name} has {cell[:_SHOWN]!r} in sample {number}, which is not a number{_hint(cell)}; repair that line."


def _ragged(found: int, width: int, number: int, name: str) -> str:
    more = " (decimal commas need columns separated by semicolons)" if found > width else ""
    return f"{name} has {found} values in sample {number}, but {width} before it{more}; repair that line."


def _counts_samples(values: Any, names: Sequence[str]) -> bool:
    """Whether the first column counts samples and is called so, or has no name and counts from 0 or 1."""
    counts = values[0]
    if len(values) < 2 or len(counts) < 2 or counts[0] != np.floor(counts[0]) or not bool((np.diff(counts) == 1).all()):
        return False
    return names[0].lower() in _INDEX if names else len(counts) > 3 and counts[0] in (0, 1)


def _refuse_unnamed_times(values: Any, names: Sequence[str], kept: Sequence[int], name: str) -> None:
    """Refuse a first column without a name that rises evenly: of it, a lead and times look alike."""
    if kept[0] != 0 or len(kept) < 2 or values.shape[1] < 8 or (names and names[0].lower() not in _INDEX):
        return
    steps = np.diff(values[0])
    if float(steps.min()) > 0 and float(np.ptp(steps)) <= 0.05 * float(steps.mean()):
        raise SignalError(
            f"{name} has a first column without a name that rises evenly; if it holds seconds, call it time in a first line "
            "of names, else give it another name."
        )
