"""After the run: what was made is saved, and where that fails it is kept under a name and in a format that works."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from impasto.cli.options.outputs import Outputs
from impasto.errors import ImpastoError
from impasto.files import not_written, whole_file

if TYPE_CHECKING:
    from torch import Tensor

KEPT_ELSEWHERE = 1
"""The exit code where something could not be saved as asked."""

_STEM = 60  # letters of a name that stay, so that it is not too long with what comes behind


@dataclass(frozen=True)
class Way:
    """A way to save something.

    Args:
        suffix: of the names that it takes.
        write: writes a file, whole or not at all.
    """

    suffix: str
    write: Callable[[Path], object]


def bare_way(values: "Tensor") -> Way:
    """Values as an array without a word, which nothing but the disk can refuse."""
    import numpy as np

    def write(path: Path) -> None:
        with whole_file(path) as stream:
            np.save(stream, values.numpy())

    return Way(".npy", write)


@dataclass(frozen=True)
class Kept:
    """Where something is.

    Args:
        path: the file, None where it was sent to standard output or is lost.
        trouble: a sentence on why it is not where it was asked for, or None if it is.
    """

    path: Path | None
    trouble: str | None = None


def keep(path: Path, ways: Sequence[Way], outputs: Outputs) -> Kept:
    """Save something.

    Args:
        path: where it was asked for.
        ways: the way that was asked for, and others that ask for less.
        outputs: knows whether the file is still what it was before the run.
    """
    try:
        outputs.claim(path)
        ways[0].write(path)
    except Exception as error:  # noqa: BLE001  # whatever it is, the work is not lost with it
        return elsewhere(path, ways, error)
    outputs.written(path)
    return Kept(path)


def all_kept(kept: Sequence[Kept]) -> Kept:
    """Several things as one: where the first is, and what is to be said of any of them."""
    troubles = [one.trouble for one in kept if one.trouble is not None]
    return Kept(kept[0].path, " ".join(troubles) or None)


def elsewhere(path: Path, ways: Sequence[Way], error: Exception) -> Kept:
    """Save something under another name: in the same folder, else in the current one, else where temporary files go.

    Args:
        path: where it was asked for.
        ways: how it may be saved, the first that works is taken.
        error: why it is not where it was asked for.
    """
    reason = (str(error) if isinstance(error, ImpastoError) else not_written(path, error)).rstrip(".")
    for place, write in _places(path, ways):
        try:
            write(place)
        except Exception:  # noqa: BLE001, S112  # the next place is tried
            continue
        return Kept(place, f"{reason}; what was made is in {place}.")
    return Kept(None, f"{reason}; it could be kept nowhere else either and is lost.")


def _places(path: Path, ways: Sequence[Way]) -> Iterator[tuple[Path, Callable[[Path], object]]]:
    for folder in dict.fromkeys((path.parent, Path(), Path(tempfile.gettempdir()))):
        for way in ways:
            yield _free(folder, path.stem[:_STEM], way.suffix), way.write


def _free(folder: Path, stem: str, suffix: str) -> Path:
    """A name that no file has."""
    path, number = folder / f"{stem}-kept{suffix}", 2
    while os.path.lexists(path):
        path, number = folder / f"{stem}-kept-{number}{suffix}", number + 1
    return path
