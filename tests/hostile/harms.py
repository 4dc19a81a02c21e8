"""A medium whose cases hang and crash, on which the campaign itself is tested."""

import os
import random
import signal
import time
from pathlib import Path

from cases import READ, Medium, Odd

HANGS, CRASHES = 1, 2
"""The numbers of the cases that do."""


def make(_rng: random.Random) -> Odd:
    """A file."""
    return Odd({"nothing": b""}, "nothing")


def attempt(_odd: Odd, _path: Path, out: Path, _rng: random.Random) -> str:
    """Do what the case's number says: the worker calls its folders after them."""
    number = int(out.parent.name.removeprefix("case"))
    if number == HANGS:
        time.sleep(1000)
    if number == CRASHES:
        os.kill(os.getpid(), signal.SIGSEGV)
    return READ


MEDIUM = Medium(make, attempt)
