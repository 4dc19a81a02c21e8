"""Worker processes: one per device, each with a process under it that computes and may die."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from impasto.errors import JobError
from impasto.jobs.jobs import DATABASE, HOME, Jobs, home_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filelock import FileLock

_REFUSED, _BROKEN = 2, 1  # exit codes of a process that was given something wrong, and of one that cannot begin
_TRIES = 3  # times that a process may fail to begin, one after the other
_LOOK = 0.1  # seconds between two looks at the process
_GRACE = 20.0  # seconds that a process has for the end of its step, when it is told to end
_QUICK, _LONGEST = 5.0, 30.0  # seconds: a process that ends sooner ended at once; the longest pause before the next


class Worker:
    """Keeps a process computing on one device; free of torch itself.

    The process takes one job at a time. If it dies, whatever of, another one is started, which takes the job up from
    its checkpoint. If this process dies, that one ends with it.

    Args:
        jobs: where the jobs are.
        device: ``auto``, ``cpu``, ``cuda:1``, ...
        interval: the least time between two checkpoints, in seconds; impasto's usual one unless given.
        tell: whether standard error says what it waits for, and when jobs begin and end.
    """

    def __init__(self, jobs: Jobs, device: str = "auto", interval: float | None = None, *, tell: bool = False) -> None:
        self.jobs = jobs
        self.device = device
        self.interval = interval
        self.tell = tell

    def run(self, stop: threading.Event) -> None:
        """Compute until ``stop`` is set; the job in work then goes back into the queue with its checkpoint.

        Raises:
            JobError: if the device cannot be used; the process has said why on standard error.
        """
        turn = self._turn(stop)
        if turn is None:
            return
        try:
            self._keep(stop)
        finally:
            turn.release()

    def _turn(self, stop: threading.Event) -> "FileLock | None":
        """Wait until no other worker of this machine asks for the device by this name; None if told to end before.

        Waiting takes no torch. The process that computes waits once more, for the device that the name turns out to be.
        """
        name = f"{socket.gethostname()}-{self.device}-name"
        lock = self.jobs.store.device(name)
        if lock is None and self.tell:
            sys.stderr.write(
                f"impasto worker: Another worker computes on {self.device} here; waits until it is gone.\n"
            )
            sys.stderr.flush()
        while lock is None and not stop.wait(_LOOK):
            lock = self.jobs.store.device(name)
        return lock

    def _keep(self, stop: threading.Event) -> None:
        for process in self._processes(stop):
            while process.poll() is None and not stop.wait(_LOOK):
                pass
            if stop.is_set():
                _end(process)
            if process.returncode == _REFUSED:
                raise JobError("The worker cannot compute here; its message above says why.")

    def _processes(self, stop: threading.Event) -> "Iterator[subprocess.Popen[bytes]]":
        """One process after the other; one that keeps dying at once is started ever less often."""
        pause, failures = 0.0, 0
        while not stop.wait(pause):
            began = time.monotonic()
            process = self._start()
            try:
                yield process
            finally:
                process.kill()
                process.wait()
                if process.stdin:
                    process.stdin.close()
            failures = failures + 1 if process.returncode == _BROKEN else 0
            if failures == _TRIES:
                raise JobError("The process that computes cannot start; its messages above say why.")
            pause = min(_LONGEST, max(0.5, 2 * pause)) if time.monotonic() - began < _QUICK else 0.0

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "impasto.jobs", "--home", str(self.jobs.home), "--device", self.device]
        if self.interval is not None:
            command += ["--interval", str(self.interval)]
        command += ["--tell"] if self.tell else []
        # The URL may hold a password, and arguments can be read by everybody on the machine. A session of its own keeps
        # the terminal's Ctrl-C away: this process says when to end.
        surroundings = {**os.environ, DATABASE: self.jobs.database}  # "" for the file in the home
        return subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=surroundings, start_new_session=True
        )


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask the process to end after its step, and wait for that for a while."""
    assert process.stdin is not None
    try:
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.wait(_GRACE)
    except (BrokenPipeError, subprocess.TimeoutExpired):
        process.kill()
        process.wait()


def run_until_signaled(worker: Worker, parent: int | None = None) -> None:
    """:meth:`Worker.run` until SIGINT or SIGTERM, or until the process ``parent`` is gone; only in the main thread."""
    stop = threading.Event()
    if parent is not None:
        threading.Thread(target=_outlive, args=[parent, stop], daemon=True).start()

    def receive(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        worker.run(stop)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _outlive(parent: int, stop: threading.Event) -> None:
    while os.getppid() == parent and not stop.wait(_LOOK):
        pass
    stop.set()


def spawn_worker(
    home: str | Path, database: str | None = None, device: str = "auto", interval: float | None = None
) -> "subprocess.Popen[bytes]":
    """Start ``impasto worker`` in a process of its own.

    It ends at SIGTERM and when this process is gone, by whatever death; its job then goes back into the queue. A second
    one for the same device of a machine waits until the first is gone.
    """
    command = [sys.executable, "-m", "impasto", "worker", "--device", device, "--follow", str(os.getpid())]
    if interval is not None:
        command += ["--checkpoint-every", str(interval)]
    surroundings = {**os.environ, HOME: str(home_of(home))}
    if database is not None:
        surroundings[DATABASE] = database
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=surroundings)  # noqa: S603
