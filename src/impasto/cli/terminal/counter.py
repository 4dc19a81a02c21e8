"""How many of how many, on stderr: a bar on a terminal, else a plain line now and then."""

import atexit
import os
import sys
import time
from collections.abc import Callable

from impasto.cli.terminal import streams

_INTERVAL = 2.0  # seconds between two lines


def counter(what: str, *, quiet: bool) -> Callable[[int, int], None] | None:
    """A function to be told how many are done, of how many; None if nothing is to be said."""
    if quiet:
        return None
    if streams.on_terminal(sys.stderr) and os.environ.get("TERM") != "dumb":
        return _bar(what)
    return _lines(what)


def _bar(what: str) -> Callable[[int, int], None]:
    from rich.console import Console
    from rich.progress import Progress

    progress = Progress(console=Console(stderr=True))
    row = progress.add_task(streams.shown(what))
    atexit.register(progress.stop)  # whatever happens, the cursor comes back

    def tell(done: int, total: int) -> None:
        progress.start()
        progress.update(row, completed=done, total=total)
        if done >= total:
            progress.stop()

    return tell


def _lines(what: str) -> Callable[[int, int], None]:
    last = -_INTERVAL

    def tell(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done == total or now - last >= _INTERVAL:
            last = now
            streams.tell(f"{what} {done}/{total}")

    return tell
