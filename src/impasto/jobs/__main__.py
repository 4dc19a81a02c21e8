"""The process that computes, ``python -m impasto.jobs``, which ``impasto.jobs.worker`` starts.

A line on standard input asks it to end after its step; the end of standard input, which means that the worker is gone,
ends it where it is. Both are heeded while torch is imported, too.
"""

import argparse
import os
import sys
import threading

from impasto.libraries import tell_own_process


def _follow(ending: threading.Event, busy: threading.Event) -> None:
    if os.read(0, 1):
        ending.set()
        if busy.is_set():
            os.read(0, 1)
    os._exit(0 if ending.is_set() and not busy.is_set() else 75)


def main() -> int:
    """Compute until told to end; the arguments are those of :func:`impasto.jobs.compute.compute`."""
    tell_own_process()
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--interval", type=float)
    parser.add_argument("--tell", action="store_true")
    given = parser.parse_args()
    ending, busy = threading.Event(), threading.Event()
    threading.Thread(target=_follow, args=[ending, busy], daemon=True).start()

    from impasto.jobs.compute import compute  # noqa: PLC0415 - takes seconds

    busy.set()
    return compute(given.home, given.device, given.interval, ending, tell=given.tell)


if __name__ == "__main__":
    sys.exit(main())
