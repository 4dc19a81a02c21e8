"""What computes: takes one job after another until it is told to end. In a process of ``impasto.jobs.__main__``.

It may be killed at any moment. What it has on the disk is always whole, its lock dies with it, and whoever takes the
job next goes on from the checkpoint to the same bytes.
"""

import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock

from impasto import machine
from impasto.errors import ImpastoError
from impasto.jobs.database import QueueError
from impasto.jobs.delivery import delivered
from impasto.jobs.job import Status
from impasto.jobs.jobs import Jobs, clear
from impasto.jobs.queue import QueueEntry
from impasto.jobs.reporting import Teller
from impasto.jobs.store import CHECKPOINT, PREVIEW, result_name
from impasto.jobs.work import carry_over, prepared_job, recipe_note
from impasto.runs.checkpoint import Checkpoint
from impasto.runs.events import Event, Leave

REFUSED, RESTART, ENDED = 2, 75, 0
"""Exit codes: something given was wrong; start another process; told to end."""

_IDLE = 0.25  # seconds between two looks for work
_WATCH = 0.1  # seconds between two looks at what is wanted of a job
_GRACE = 0.2  # seconds that a canceled job has for coming to the end of its step before the process ends itself
_TRIES = 20  # times that a job may end its process without getting further


class _Canceled(Exception):  # noqa: N818 - not an error
    """The job was canceled or deleted."""


class Attempt:
    """One job in work, watched by a thread of its own.

    Args:
        jobs: where it comes from.
        entry: the job as it was claimed.
        ending: set when this process is to end.
    """

    def __init__(self, jobs: Jobs, entry: QueueEntry, ending: threading.Event) -> None:
        self.jobs = jobs
        self.entry = entry
        self.ending = ending
        self.over = threading.Event()
        self.canceled = threading.Event()
        self.taken = threading.Event()
        self.stop = entry.wish == "stop"
        self.watcher = threading.Thread(target=self._watch, daemon=True)
        self.watcher.start()

    def _watch(self) -> None:
        while not self.over.wait(_WATCH):
            try:
                pulse = self.jobs.queue.pulse(self.entry.job.id)
            except QueueError:
                continue  # the job goes on while the database rests
            if pulse is None or pulse.status is Status.CANCELED:
                self.canceled.set()
                self._insist()
                return
            if (pulse.status, pulse.generation) != (Status.RUNNING, self.entry.generation):
                self.taken.set()
            self.stop = pulse.wish == "stop"

    def _insist(self) -> None:
        """End the process if the job does not end by itself: a step at a large size may take minutes."""
        if not self.over.wait(_GRACE):
            with suppress(QueueError):
                clear(self.jobs, self.entry.job.id)
            os._exit(RESTART)

    def heed(self) -> bool:
        """Called after every step: leave if the job is wanted no longer; True if its picture is wanted now."""
        if self.canceled.is_set():
            raise _Canceled
        if self.taken.is_set() or self.ending.is_set():
            raise Leave
        return self.stop


class Computer:
    """Takes jobs and computes them.

    Args:
        jobs: where they are.
        device: where it computes.
        interval: the least time between two checkpoints, in seconds.
        ending: set when it is to end.
        tell: told in a line when it begins to wait, and of every job when it begins and ends.
    """

    def __init__(
        self,
        jobs: Jobs,
        device: torch.device,
        interval: float,
        ending: threading.Event,
        tell: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.jobs = jobs
        self.device = device
        self.interval = interval
        self.ending = ending
        self.tell = tell
        self._waiting = False

    def run(self) -> None:
        """Work until told to end."""
        self._persist(self.tidy)
        while not self.ending.is_set():
            try:
                worked = self._one()
            except QueueError as error:
                _say(error)
                worked = False
                self.ending.wait(2)
            if not worked:
                if not self._waiting:
                    self.tell(f"Waits for jobs, to compute them on {self.device}.")
                self._waiting = True
                self.ending.wait(_IDLE)

    def tidy(self) -> None:
        """Remove what is left of jobs that had just ended when the process before this one was killed."""
        for identifier in self.jobs.store.unfinished():
            lock = self.jobs.store.lock(identifier)
            if lock is not None:
                clear(self.jobs, identifier)
                lock.release()

    def _one(self) -> bool:
        """Take one job and compute it; False if there is none to take."""
        for identifier in self.jobs.queue.candidates():
            lock = self.jobs.store.lock(identifier)
            if lock is None:
                continue
            try:
                entry = self.jobs.queue.claim(identifier)
                if entry is not None:
                    self._waiting = False
                    self._told(entry)
                    return True
            finally:
                lock.release()
        return False

    def _told(self, entry: QueueEntry) -> None:
        """Compute a job, and tell of it."""
        name = f"{entry.job.title or entry.job.task} ({entry.job.id[:8]})"
        self.tell(f"{name}: begun.")
        began = time.monotonic()
        try:
            self._work(entry)
        finally:
            pulse = self._persist(lambda: self.jobs.queue.pulse(entry.job.id))
            became = "deleted" if pulse is None else pulse.status.value
            self.tell(f"{name}: {became} after {time.monotonic() - began:.0f} s.")

    def _work(self, entry: QueueEntry) -> None:
        attempt = Attempt(self.jobs, entry, self.ending)
        identifier = entry.job.id
        try:
            if entry.tries > _TRIES:
                self._persist(lambda: self.jobs.queue.finish(entry, Status.FAILED, _HOPELESS))
            else:
                self._compute(entry, attempt)
        except _Canceled:
            pass
        except Leave:
            self._persist(lambda: self.jobs.queue.release(identifier, entry.claim))
        except ImpastoError as error:
            if isinstance(error, QueueError):
                raise
            sentence = str(error)
            self._persist(lambda: self.jobs.queue.finish(entry, Status.FAILED, sentence))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other jobs go on, in a fresh process
            traceback.print_exc()
            sentence = _unforeseen(error)
            self._persist(lambda: self.jobs.queue.finish(entry, Status.FAILED, sentence))
            self.ending.set()
            raise SystemExit(RESTART) from None
        finally:
            attempt.over.set()
            attempt.watcher.join()
            self._persist(lambda: clear(self.jobs, identifier))

    def _compute(self, entry: QueueEntry, attempt: Attempt) -> None:
        folder = self.jobs.store.folder(entry.job.id)
        self.jobs.store.tidy(entry.job.id)
        run = prepared_job(entry, self.jobs.store, self.device)
        done = carry_over(run, folder)
        if done is not None:
            self._persist(lambda: self.jobs.queue.note(entry.job.id, done))
            if not (folder / CHECKPOINT).exists():
                self._persist(lambda: self.jobs.queue.begin_again(entry.job.id, entry.claim))
        teller = Teller(self.jobs.queue, entry, folder / PREVIEW, run.medium)

        def listen(event: Event) -> bool:
            teller(event)
            return attempt.heed()

        result = run.run(listen, run.keeps_in(folder), checkpoint_interval=self.interval)
        for note in result.notes:
            self._persist(lambda note=note: self.jobs.queue.note(entry.job.id, note))  # type: ignore[misc]
        self._deliver(entry, replace(result, recipe={**result.recipe, **recipe_note(entry)}), folder)

    def _deliver(self, entry: QueueEntry, result: Any, folder: Path) -> None:
        """The file first, and the word of it after: whoever is killed between the two writes the same file again."""
        note = delivered(result, folder)
        if note is not None:
            self._persist(lambda: self.jobs.queue.note(entry.job.id, note))
        status = Status.DONE if result.complete else Status.STOPPED
        if not self._persist(lambda: self.jobs.queue.finish(entry, status)):
            (folder / result_name(entry.job.task)).unlink(missing_ok=True)

    def _persist(self, what: Callable[[], Any]) -> Any:
        """Say it to the queue, however long the database is away."""
        while True:
            try:
                return what()
            except QueueError as error:
                _say(error)
                time.sleep(1)


_HOPELESS = (
    f"It ended its process {_TRIES} times without getting further, perhaps because it needs more memory than there is; "
    "choose a smaller size, or retry it."
)


def _unforeseen(error: Exception) -> str:
    """A sentence on an error that nobody foresaw."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return "It needs more memory than there is; choose a smaller size, or submit it with precision bf16."
    reason = " ".join(str(error).split())[:300]
    return f"It failed for a reason that impasto does not know ({type(error).__name__}: {reason}); retry, or report it."


def _say(words: object) -> None:
    sys.stderr.write(f"impasto worker: {words}\n")
    sys.stderr.flush()


def _device_lock(jobs: Jobs, device: torch.device, ending: threading.Event) -> FileLock | None:
    """The right to this machine's device, when whoever has it is gone; None if told to end before."""
    name = f"{socket.gethostname()}-{device.type}{device.index or 0}"
    lock = jobs.store.device(name)
    if lock is None:
        _say(f"Another worker computes on {device}; this one takes over when that one is gone.")
    while lock is None:
        if ending.wait(_IDLE):
            return None
        lock = jobs.store.device(name)
    return lock


def compute(home: str, device_name: str, interval: float | None, ending: threading.Event, *, tell: bool = False) -> int:
    """Compute on a device until told to end, and return the exit code; on standard error what is done, if asked to tell."""
    try:
        device = machine.device(device_name)
        jobs = Jobs.open(home)
        lock = _device_lock(jobs, device, ending)
        if lock is not None:
            told: Callable[[str], object] = _say if tell else lambda _: None
            Computer(jobs, device, Checkpoint.INTERVAL if interval is None else interval, ending, told).run()
            lock.release()
    except ImpastoError as error:
        _say(error)
        return REFUSED
    return ENDED
