"""What a job tells while it runs: how far it is, and what it looks like."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from impasto import images
from impasto.jobs.database import QueueError
from impasto.jobs.job import Progress
from impasto.jobs.queue import Queue, QueueEntry
from impasto.media.medium import Medium
from impasto.runs.events import Event

_POINTS = 240  # of the loss curve, before every second one is left out
_SHARE = 0.05  # of the run's time, at most, goes into previews
_SLOWDOWN = 0.01  # of the run's time between two lines of the log, so that a long job's log stays short


class Teller:
    """Writes progress and previews, each no more often than is of use; the first at once.

    Args:
        queue: where progress goes.
        entry: the job.
        preview: the file of the preview.
        medium: what is made.
        clock: reads seconds.
    """

    def __init__(
        self,
        queue: Queue,
        entry: QueueEntry,
        preview: Path,
        medium: Medium,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.queue = queue
        self.entry = entry
        self.preview = preview
        self.medium = medium
        self.clock = clock
        before = entry.job.progress
        self.history = list(before.history) if before else []
        self._stride, self._steps = 1, 0
        self._log_due = self._preview_due = clock()

    def __call__(self, event: Event) -> None:
        """Tell where the run is, if it is time; a database or disk that is away for a while ends no run."""
        self._remember(event)
        now = self.clock()
        if now >= self._log_due or not event.remaining:
            self._log_due = now + max(0.25, _SLOWDOWN * event.seconds)
            self._report(event)
        if now >= self._preview_due:
            self._show(event)
            done = self.clock()
            self._preview_due = done + max(0.5, (done - now) / _SHARE)

    def _remember(self, event: Event) -> None:
        """Add a point to the loss curve, and forget what was beyond the checkpoint that the run went on from."""
        total = _total(event)
        while self.history and self.history[-1][0] >= total:
            self.history.pop()
        self._steps += 1
        if self._steps % self._stride == 0 or not self.history:
            self.history.append((total, event.value))
        if len(self.history) > _POINTS:
            self.history = self.history[::2]
            self._stride *= 2

    def _report(self, event: Event) -> None:
        latest = (_total(event), event.value)
        history = [*self.history, *([latest] if self.history[-1:] != [latest] else [])]
        progress = Progress(
            event.level,
            len(event.levels),
            event.evaluation,
            event.levels[event.level].evaluations,
            event.value,
            event.seconds,
            event.remaining,
            tuple(history),
        )
        try:
            self.queue.report(self.entry.job.id, self.entry.claim, progress)
        except QueueError:
            return

    def _show(self, event: Event) -> None:
        with suppress(Exception):  # a run does not end because it cannot be looked at
            images.write(self.preview, self.medium.preview(event.image), metadata=False)


def _total(event: Event) -> int:
    """The evaluations on all levels so far."""
    return sum(level.evaluations for level in event.levels[: event.level]) + event.evaluation
