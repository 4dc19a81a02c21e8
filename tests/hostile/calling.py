"""Command lines called in this process, with what they say held against what a person may expect to read."""

import contextlib
import io
import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType

from cases import FaultError

from impasto.cli import main

_WARNING = re.compile(r"\b[A-Z][A-Za-z]*Warning\b|^\s+warnings\.warn", re.MULTILINE)
_CODES = (0, 1, 2, 130)


@dataclass(frozen=True)
class Called:
    """What a command did.

    Args:
        code: its exit code.
        out: what it wrote on standard output.
        err: what it wrote on standard error.
        interrupted: whether it was sent Ctrl-C.
    """

    code: int
    out: str
    err: str
    interrupted: bool


@contextlib.contextmanager
def _interrupted_after(seconds: float, *, sleeps: bool) -> Iterator[list[int]]:
    """Send Ctrl-C after so long, of the processor unless the command only waits, and again every two seconds."""
    clock, number = (signal.ITIMER_REAL, signal.SIGALRM) if sleeps else (signal.ITIMER_PROF, signal.SIGPROF)
    sent: list[int] = []

    def send(_number: int, _frame: FrameType | None) -> None:
        sent.append(1)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(number, send)
    signal.setitimer(clock, seconds, 2)
    try:
        yield sent
    finally:
        signal.setitimer(clock, 0)
        signal.signal(number, before)


def called(words: Sequence[str], seconds: float = 6.0, *, sleeps: bool = False) -> Called:
    """Call a command, which is stopped by Ctrl-C after so long.

    Raises:
        FaultError: if it says anything but sentences, or ends with another exit code than its documents say.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace", write_through=True) for _ in range(2))
    before = sys.stdout, sys.stderr
    try:
        sys.stdout, sys.stderr = out, err
        with _interrupted_after(seconds, sleeps=sleeps) as sent:
            code = main(words)
    finally:
        sys.stdout, sys.stderr = before
    found = Called(code, *(stream.buffer.getvalue().decode("utf-8", "replace") for stream in (out, err)), bool(sent))  # type: ignore[attr-defined]
    _check(found)
    return found


def _check(found: Called) -> None:
    said = found.err + found.out[:2000]
    if "Traceback (most recent call last)" in said:
        raise FaultError(f"a traceback: {said[-2000:]}")
    if _WARNING.search(found.err):
        raise FaultError(f"a warning: {found.err[:1000]}")
    if found.code not in _CODES:
        raise FaultError(f"the exit code {found.code}: {found.err[-1000:]}")
    if found.code == 2 and not found.err.strip():
        raise FaultError("exit code 2 without a sentence")
    if found.code == 130 and not found.interrupted:
        raise FaultError(f"stopped by nobody: {found.err[-1000:]}")
    if "\x1b" in found.err or "\0" in found.err:
        raise FaultError(f"control characters on the terminal: {found.err[-500:]!r}")
