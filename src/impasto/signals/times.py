"""Columns of times: how many samples a second they tell of."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from impasto.errors import SignalError

_WORDS = (
    *("time", "time and date", "t", "elapsed time", "elapsed", "timestamp", "datetime", "date", "zeit"),
    *("temps", "tiempo", "tempo"),
)
_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "µs", "\u03bcs", "usec", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), 1e-9),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
}
_EPOCHS = ((1e9, 1.0), (1e12, 1e-3), (1e15, 1e-6), (1e18, 1e-9))  # since 1970, as computers write it: from 2001 to 2096
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:[.,]\d*)?)")
_DATED = re.compile(r"(\d+:\d+:\d+\.\d+) (\d\d)/(\d\d)/(\d{4})")
_LIKE = re.compile(r"\d+:\d\d|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_JITTER = 0.05  # of a step, that clocks may be off by
_FEW = 5  # steps of double length


def unit_of(name: str, unit: str) -> float | None:
    """Seconds of one unit in a column, or None if its name does not say that it holds times.

    >>> unit_of("time", "ms"), unit_of("Time_ms", ""), unit_of("seconds", ""), unit_of("V1", "ms")
    (0.001, 0.001, 1.0, None)
    """
    name, unit = name.lower(), unit.lower()
    word, _, end = name.rpartition("_")
    if word in _WORDS and end in _UNITS:
        return _UNITS[end]
    if name in _WORDS:
        return _UNITS.get(unit, 1.0)
    return _UNITS.get(name)


def is_like_time(cell: str) -> bool:
    """Whether a cell that is no number begins as times of the clock or the calendar do."""
    return bool(_LIKE.match(cell.strip("'[] ")))


@dataclass
class Times:
    """Reads the cells of a column of times, and remembers how finely they were written.

    Args:
        name: of the file, for sentences.
        unit: seconds of one.
        decimal: the mark before decimals.
    """

    name: str
    unit: float
    decimal: str = "."
    _decimals: int = field(default=0, init=False)
    _digits: int = field(default=0, init=False)
    _fixed: bool = field(default=False, init=False)

    def __call__(self, cell: str) -> float:
        """The time that a cell says: a number, a time of the clock (``0:00.003``), or a date and time as in ISO 8601.

        Raises:
            SignalError: if it is none of these.
        """
        words = cell.strip("'\"[] ")
        number = words.replace(self.decimal, ".")
        try:
            value = float(number)
        except ValueError:
            return self._clock(words)
        mantissa, _, exponent = number.lower().lstrip("+-").partition("e")
        decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
        self._decimals = max(self._decimals, decimals)
        self._digits = max(self._digits, len(mantissa.replace(".", "").lstrip("0")))
        return value

    def _clock(self, words: str) -> float:
        self._fixed = True
        days = 0.0
        if dated := _DATED.fullmatch(words):  # as PhysioNet's programs write it
            clock_of, day, month, year = dated.groups()
            words, days = clock_of, datetime(int(year), int(month), int(day), tzinfo=UTC).timestamp()
        clock = _CLOCK.fullmatch(words)
        self._decimals = max(
            self._decimals, len(re.split("[.,]", words)[-1]) if re.search(r"\d[.,]\d+\S*$", words) else 0
        )
        self.unit = 1.0
        if clock:
            hours, minutes, seconds = clock.groups()
            return days + 3600 * int(hours or 0) + 60 * int(minutes) + float(seconds.replace(",", "."))
        try:
            return datetime.fromisoformat(words).timestamp()
        except ValueError:
            raise SignalError(
                f"{self.name} has {words[:40]!r} in its column of times; give seconds, or dates such as "
                "2026-01-31 12:00:00.004, or leave that column out and give the rate."
            ) from None

    def rate(self, times: Any) -> float | None:
        """Samples per second of evenly spaced times, None of a single one.

        Times are even if they agree with even ones as far as they were written: each lies within one unit of its last
        digit. Where a whole number of samples per second agrees as well, it is meant.

        Raises:
            SignalError: if they are not evenly spaced.
        """
        count = len(times)
        if count < 2:
            return None
        seconds, written = times * self._scale(times), self._resolution(times) * self._scale(times)
        span = float(seconds[-1] - seconds[0])
        if not (np.isfinite(seconds).all() and span > 0 and _are_even(seconds, span / (count - 1), written)):
            raise SignalError(f"{self.name} has times that are not evenly spaced; resample it first, or give its rate.")
        found, off = (count - 1) / span, float(written.max()) / span
        whole = round(found)
        return float(whole) if whole and abs(whole - found) <= off * found else float(f"{found:.9g}")

    def _scale(self, times: Any) -> float:
        """Seconds of one; those of computers' clocks are known by their size."""
        if self.unit == 1.0 and not self._fixed:
            for least, unit in _EPOCHS:
                if least <= float(times[0]) < 4 * least:
                    return unit
        return self.unit

    def _resolution(self, times: Any) -> Any:
        """The worth of the last digit of every time: a number of decimals, or of digits where programs keep that."""
        decimals = 10.0**-self._decimals
        if not self._digits or self._fixed:
            return np.full(len(times), decimals)
        sizes = np.floor(np.log10(np.maximum(abs(times), 1e-300)))
        return np.maximum(decimals, 10.0 ** (sizes - self._digits + 1)) * 1.000001


def _are_even(seconds: Any, step: float, written: Any) -> bool:
    """Whether times agree with steps of one length; ``written`` is the worth of the last digit of each."""
    steps, coarse = np.diff(seconds), float(written.max())
    if (abs(steps - step) > _JITTER * step + written[1:]).any():
        return False
    if coarse <= step / 4:
        return True
    line = seconds[0] + step * np.arange(len(seconds))  # single steps say little, all of them together do
    sizes, counts = np.unique(np.round(steps / coarse), return_counts=True)
    usual = float(sizes[counts.argmax()]) * coarse
    longer = int((steps > 1.75 * usual).sum()) if usual else 0  # a few are gaps, many are how such times are rounded
    return bool((abs(seconds - line) <= coarse).all()) and not 0 < longer < _FEW
