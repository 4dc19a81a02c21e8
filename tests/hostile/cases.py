"""What a case of the campaign is: a file or a command line made from a seed, and what may come of it."""

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from impasto.errors import ImpastoError

REFUSED, READ, WRITTEN = "refused", "read", "written"
"""What may come of a case: a sentence and nothing else; read, but what it becomes is refused before the run; all of it."""

MEGABYTE = 2**20


class FaultError(Exception):
    """A property that does not hold."""


@dataclass
class Odd:
    """An input that something is wrong with.

    Args:
        files: names below a folder and what is in them.
        entry: the name that is read: a file or a folder of files.
        story: what was done to it.
        words: of a command line, if it is one.
    """

    files: dict[str, bytes]
    entry: str
    story: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Medium:
    """One kind of input.

    Args:
        make: from random numbers to an input.
        attempt: reads the input at a path, and writes what it can into a folder; returns one of the words above.
        memory: bytes that the process may grow by.
    """

    make: Callable[[random.Random], Odd]
    attempt: Callable[[Odd, Path, Path, random.Random], str]
    memory: int = 700 * MEGABYTE


def generator(medium: str, seed: int, index: int, purpose: str) -> random.Random:
    """Random numbers of one case, the same on every machine."""
    return random.Random(f"{medium} {seed} {index} {purpose}")


def sentence_of(action: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[Any, str | None]:
    """What an action returns, and the sentence with which it refused instead.

    Raises:
        FaultError: if what it says is no sentence.
    """
    try:
        return action(*arguments, **named), None
    except ImpastoError as error:
        text = str(error)
        if not text.strip() or len(text) > 2000 or "Traceback" in text:
            raise FaultError(f"no sentence: {text[:200]!r}") from error
        return None, text


def digest_of(folder: Path) -> dict[str, str]:
    """What lies in a folder: names, kinds, and contents."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file():
            found[name] = f"{oct(path.stat().st_mode)} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        else:
            found[name] = oct(path.lstat().st_mode)
    return found
