"""Where a run is, on stderr: a live display on a terminal, else a plain line now and then."""

import atexit
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from impasto.cli.terminal.streams import on_terminal, printable

if TYPE_CHECKING:
    from rich.progress import TaskID

    from impasto.memory.tile_progress import TileProgress
    from impasto.runs.events import Event

_PATIENCE = 10.0  # seconds without a line before one says how an evaluation goes on
_TELLING = 3  # evaluations from which the time that is left can be told


class Reporter:
    """Tells the user where a run is; this one says nothing."""

    _unit = -1

    def _begin(self, event: "Event") -> bool:
        """Say which of several runs begins, if one does."""
        if event.units == 1 or event.unit == self._unit:
            return False
        self._unit = event.unit
        self.say(f"{event.unit + 1}/{event.units}  {event.name}")
        return True

    def __call__(self, event: "Event") -> None:
        """Show an event."""

    def work(self, work: "TileProgress") -> None:
        """Show how far an evaluation of a large picture is."""

    def count(self, what: str, done: int, total: int) -> None:
        """Show how many of how many are done, where there are no levels."""

    def say(self, sentence: str) -> None:
        """Show a sentence."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was found."""


def reporter(*, quiet: bool) -> Reporter:
    """The reporter that fits stderr."""
    if quiet:
        return Reporter()
    if on_terminal(sys.stderr) and os.environ.get("TERM") != "dumb":
        return Display()
    return Lines(sys.stderr)


def counter(what: str, *, quiet: bool) -> Callable[[int, int], None] | None:
    """A function to be told how many are done, of how many; None if nothing is to be said."""
    if quiet:
        return None
    told = reporter(quiet=False)
    atexit.register(told.__exit__, None, None, None)  # whatever happens, the cursor comes back
    return partial(told.count, what)


class Lines(Reporter):
    """One line per event: the first of every level, and others at most every two seconds.

    Args:
        stream: where to.
        interval: the least time between two lines of a level, in seconds.
        clock: reads seconds.
    """

    def __init__(self, stream: TextIO, interval: float = 2.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream = stream
        self.interval = interval
        self.clock = clock
        self._level = -1
        self._at = -interval
        self._worked = clock()

    def __call__(self, event: "Event") -> None:
        """A line, if it is time for one."""
        now = self.clock()
        self._begin(event)
        if event.level == self._level and now - self._at < self.interval:
            return
        self._level, self._at = event.level, now
        level = event.levels[event.level]
        self.say(
            f"level {event.level + 1}/{len(event.levels)} {size(level.shape)}  "
            f"evaluation {event.evaluation}/{level.evaluations}  {losses(event)}  {left(event)}".rstrip()
        )

    def work(self, work: "TileProgress") -> None:
        """A line, if there was none for a while."""
        now = self.clock()
        if now - self._worked >= _PATIENCE and now - self._at >= _PATIENCE:
            self._worked = now
            self.say(working(work))

    def count(self, what: str, done: int, total: int) -> None:
        """A line, if it is time for one."""
        now = self.clock()
        if done == total or now - self._at >= self.interval:
            self._at = now
            self.say(f"{what} {done}/{total}")

    def say(self, sentence: str) -> None:
        """A line. That nobody can read it is no reason to end a run."""
        with suppress(OSError, ValueError):
            self.stream.write(f"{printable(sentence)}\n")
            self.stream.flush()


class Display(Reporter):
    """A bar per level, redrawn in place."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[losses]}", markup=False),
            TextColumn("{task.fields[left]}", markup=False),
            console=Console(stderr=True),
            expand=True,
        )
        self._rows: dict[int, TaskID] = {}
        self._waiting: TaskID | None = self.progress.add_task("preparing", total=None, losses="", left="")

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def __call__(self, event: "Event") -> None:
        """Redraw the level's row."""
        if self._waiting is not None:
            self.progress.remove_task(self._waiting)
            self._waiting = None
        if self._begin(event):
            for row in self._rows.values():
                self.progress.remove_task(row)
            self._rows = {}
        if event.level not in self._rows:
            self._rows[event.level] = self._new_row(event)
        said = left(event) if event.remaining else "measuring"
        self.progress.update(self._rows[event.level], completed=event.evaluation, losses=losses(event), left=said)

    def work(self, work: "TileProgress") -> None:
        """Redraw what is left."""
        row = self._rows.get(work.level, self._waiting)
        if row is not None:
            self.progress.update(row, left=f"{work.share:.0%} of one, {duration(work.remaining)} left")

    def count(self, what: str, done: int, total: int) -> None:
        """Redraw the only row, until all are done."""
        assert self._waiting is not None
        self.progress.start()
        self.progress.update(self._waiting, description=printable(what), completed=done, total=total)
        if done >= total:
            self.progress.stop()

    def _new_row(self, event: "Event") -> "TaskID":
        for row in self._rows.values():
            self.progress.update(row, left="")
        level = event.levels[event.level]
        name = f"{event.level + 1}/{len(event.levels)} {size(level.shape)}"
        return self.progress.add_task(name, total=level.evaluations, losses="", left="")

    def say(self, sentence: str) -> None:
        """A line above the bars."""
        with suppress(OSError):
            self.progress.console.print(printable(sentence), markup=False, highlight=False, soft_wrap=True)


def working(work: "TileProgress") -> str:
    """How far an evaluation of a large picture is, in words."""
    return (
        f"level {work.level + 1}/{len(work.levels)} {size(work.levels[work.level].shape)}  {work.share:.0%} of an evaluation "
        f"of {duration(work.seconds)}  {duration(work.remaining)} left"
    )


def size(shape: tuple[int, ...]) -> str:
    """Width by height of a spatial shape."""
    return "x".join(str(length) for length in reversed(shape))


def left(event: "Event") -> str:
    """How long it still takes; nothing at the first two steps, which tell little."""
    early = not (event.unit or event.level) and event.evaluation < _TELLING
    return "" if early else f"{duration(event.remaining)} left"


def losses(event: "Event") -> str:
    """The objective and its weighted parts."""
    return "  ".join(f"{name} {value:.4g}" for name, value in {"total": event.value, **event.by_kind}.items())


def duration(seconds: float) -> str:
    """Seconds as people say them: ``42 s``, ``3 min 7 s``, ``1 h 2 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
