"""Libraries that know formats: those that are not installed unless asked for, and how any of them fails and warns."""

import importlib
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from impasto.errors import ImpastoError, MissingExtraError

KEEP_MEMORY = "IMPASTO_KEEP_MEMORY"
"""The environment variable by which a process may be told to keep freed memory: :func:`impasto.machine.keep_freed_memory`."""

_SPIN, _OTHERWISE, _TURNS = "GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "4000"
_SHOWN = 160  # letters of a library's own words in a sentence
_THREADS = Path("/proc/self/task")


def tell_own_process() -> None:
    """Say in the environment, before torch is imported, what suits a process that is impasto's own, unless somebody said it.

    Freed memory is kept. Threads of OpenMP that wait for others stay awake for some microseconds instead of milliseconds, about
    as long as the pauses within a run last: beside a busy program, whose core a waiting thread then gives back, a run takes
    three quarters of the time, and on an idle machine hardly more (``benchmarks/README.md``).
    """
    os.environ.setdefault(KEEP_MEMORY, "1")
    if _OTHERWISE not in os.environ:
        os.environ.setdefault(_SPIN, _TURNS)


def library(name: str, what: str, extra: str = "volume") -> Any:
    """A module of an optional library.

    Args:
        name: what is imported.
        what: what needs it, for the sentence.
        extra: of impasto, with which it is installed.

    Raises:
        MissingExtraError: if it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtraError(
            f"{what} needs the package {name.partition('.')[0]}, which is not installed; "
            f"install it with `pip install 'impasto[{extra}]'`."
        ) from None


def reason(error: Exception) -> str:
    """What a library says of its failure, as a part of a sentence."""
    lines = [line.strip(" \t-:.") for line in str(error).splitlines()]
    return ": ".join(line for line in lines if line)[:_SHOWN].rstrip(". ") or type(error).__name__


@contextmanager
def understood(error: type[ImpastoError], what: str, advice: str) -> Iterator[None]:
    """Say in a sentence why a library failed in the block: damaged files make readers raise anything.

    Args:
        error: the class of the error.
        what: the sentence before the reason, such as ``x.nii cannot be read``.
        advice: the sentence after it.

    Raises:
        ImpastoError: of that class; those from the block are let through.
    """
    try:
        yield
    except ImpastoError:
        raise
    except Exception as found:
        raise error(f"{what} ({reason(found)}); {advice}.") from found


@contextmanager
def unheard(*loggers: str) -> Iterator[list[str]]:
    """Keep libraries from writing warnings and logs of their own on standard error while the block runs.

    Args:
        loggers: names of the loggers that are kept silent.

    Yields:
        What they logged as errors, such as that pages are missing.
    """
    found: list[str] = []

    def silent(record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR:
            found.append(record.getMessage())
        return False

    several = [logging.getLogger(name) for name in loggers]
    for logger in several:
        logger.addFilter(silent)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield found
    finally:
        for logger in several:
            logger.removeFilter(silent)


@contextmanager
def usual_priority() -> Iterator[None]:
    """Give threads that become real-time in the block the priority that its caller had before, the caller among them.

    SVT-AV1, called by a user who may do that, puts itself and its caller before everything else on the machine. Programs
    that are started later inherit it, and as many busy ones as there are cores let nothing else run.
    """
    if not _THREADS.is_dir():
        yield
        return
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    known = set(_real_time())
    try:
        yield
    finally:
        for thread in set(_real_time()) - known:
            with suppress(OSError):  # it has ended
                os.sched_setscheduler(thread, *before)


def _real_time() -> Iterator[int]:
    """The numbers of this process's threads that go before all others."""
    for path in _THREADS.iterdir():
        with suppress(OSError):
            if os.sched_getscheduler(int(path.name)) in (os.SCHED_FIFO, os.SCHED_RR):
                yield int(path.name)
