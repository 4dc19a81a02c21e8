"""A descent saved to a folder, so that a run killed at any moment goes on to the same picture."""

import time
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import torch

from impasto import machine
from impasto.descent import Record, Snapshot
from impasto.engines import Evaluation
from impasto.errors import CheckpointError
from impasto.files import held, try_place, whole_file
from impasto.optimizers import State

_FILE = "checkpoint.pt"
_TEMPORARY = ".impasto-checkpoint.tmp"  # one name, so that what a killed run leaves is replaced
_FORMAT = 2
_ELSEWHERE = "start over in another folder"
_PATIENCE = 20  # times as long as the last save took, at least, until the next
MAPPED = 2**30
"""Bytes from which a file is not read but mapped; one that replaces it does not change it."""


class Checkpoint:
    """The newest snapshot of one run, in one folder, replaced atomically.

    Args:
        folder: made if it is missing.
        identity: what the run is, as plain data by the name that a user knows it by: settings, inputs, precision. A
            checkpoint of another identity is refused. The device is no part of it: who goes on elsewhere is told so.
        interval: the least time between two saves, in seconds; longer where saving takes long. With 0 all are made.
        mapped: bytes from which a file is not read but mapped.

    Raises:
        CheckpointError: if the folder cannot be made or written.
    """

    INTERVAL = 5.0

    def __init__(
        self, folder: Path, identity: dict[str, Any], interval: float = INTERVAL, mapped: int = MAPPED
    ) -> None:
        self.path = folder / _FILE
        self.identity = identity
        self.interval = interval
        self.mapped = mapped
        self.troubles: list[str] = []
        self._saved = time.monotonic()
        self._took = 0.0
        check_folder(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(f"The checkpoint folder {folder} cannot be made: {error.strerror}.") from None

    def load(self, device: torch.device | str = "cpu") -> Snapshot | None:
        """The saved snapshot with its tensors on a device, or None if there is none yet.

        Raises:
            CheckpointError: if the file is damaged, belongs to a run with other settings or inputs, or is in use.
        """
        with self.held():
            if not self.path.exists():
                return None
            data, snapshot = _read(self.path, device, self.mapped, self._refuse_other)
            then, now = data["device"], torch.device(device).type
            if then != now:
                self.troubles.append(
                    f"The checkpoint is from {then}, and {now}, which went on from it, rounds otherwise."
                )
            before, count = data.get("threads"), machine.threads(torch.device(device))
            if then == now and before not in (None, count):
                self.troubles.append(
                    f"The checkpoint was computed by {before} thread{'s' * (before != 1)}, and what followed by {count}, which "
                    f"rounds sums otherwise; with OMP_NUM_THREADS={before} the run would have gone on as it began."
                )
            return snapshot

    @contextmanager
    def held(self) -> Iterator[None]:
        """While the block runs, no other run takes the folder for its own.

        Raises:
            CheckpointError: if one has it already.
        """
        with held(self.path.parent) as free:
            if not free:
                raise CheckpointError(
                    f"The checkpoint folder {self.path.parent} is in use by another run; wait for its end, or give "
                    "another folder."
                )
            yield

    def _refuse_other(self, data: dict[str, Any]) -> None:
        identity = data["identity"]
        other = [key for key in {**identity, **self.identity} if identity.get(key) != self.identity.get(key)]
        if other:
            raise CheckpointError(
                f"The checkpoint {self.path} belongs to a run that differs in: {', '.join(sorted(other))}; "
                "give that run's inputs and settings, or another folder."
            )

    def save(self, snapshot: Snapshot, *, force: bool = False) -> bool:
        """Save, if the last save is at least the interval ago or ``force``; whether it did.

        Raises:
            CheckpointError: if the file cannot be written; the one before it stays.
        """
        began = time.monotonic()
        distance = self.interval and max(self.interval, _PATIENCE * self._took)
        if not force and began - self._saved < distance:
            return False
        self._saved = began  # a failure too: the next try has the same distance
        try:
            with whole_file(self.path, self.path.with_name(_TEMPORARY)) as stream:
                torch.save({"format": _FORMAT, "identity": self.identity, **_plain(snapshot)}, stream)
            self._took = time.monotonic() - began
        except (OSError, RuntimeError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).splitlines()[0].rstrip(".")
            raise CheckpointError(
                f"The checkpoint {self.path} cannot be written ({reason}); free some space or choose another folder."
            ) from None
        return True


def check_folder(folder: Path) -> None:
    """Refuse a folder that cannot be made or written to, without making it.

    Raises:
        CheckpointError: if that is so.
    """
    try:
        there = _nearest(folder)
        if not there.is_dir():
            raise CheckpointError(
                f"The checkpoint folder {folder} cannot be made because {there} is not a folder; choose another."
            )
        try_place(there / _FILE)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise CheckpointError(
            f"The checkpoint folder {str(folder)[:200]} cannot be written to ({reason}); choose another."
        ) from None


def _nearest(folder: Path) -> Path:
    """The folder, or the first above it that is there."""
    try:
        folder.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return _nearest(folder.parent)
    return folder


def read_checkpoint(path: Path, device: torch.device | str = "cpu") -> tuple[dict[str, Any], Snapshot]:
    """Whose run a checkpoint's file is of, and its snapshot.

    Raises:
        CheckpointError: if the file is damaged, no checkpoint, or was made by another version.
    """
    data, snapshot = _read(path, device, MAPPED)
    return data["identity"], snapshot


def _read(
    path: Path, device: torch.device | str, mapped: int, refuse: Callable[[dict[str, Any]], None] | None = None
) -> tuple[dict[str, Any], Snapshot]:
    """A file's data and the snapshot in it; ``refuse`` raises for another run's.

    Raises:
        CheckpointError: if it is not a checkpoint that this version reads. The file may be a person's own: nobody is
            told to delete it.
    """
    try:
        data = _checked(path, device, mapped)
        foreign = not {"format", "identity"} <= data.keys()
        if not foreign and data["format"] == _FORMAT:
            if refuse is not None:
                refuse(data)
            return data, _restored(data)
    except CheckpointError:
        raise
    except Exception as error:  # damaged files fail in many ways inside the reader
        raise CheckpointError(f"{path} is damaged or no checkpoint of impasto's; {_ELSEWHERE}.") from error
    trouble = "is no checkpoint of impasto's" if foreign else "was made by another version"
    raise CheckpointError(f"{path} {trouble}; {_ELSEWHERE}.")


def _checked(path: Path, device: torch.device | str, mapped: int) -> dict[str, Any]:
    """The file's data, after its checksums, which torch writes and does not read."""
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged:
        raise ValueError(damaged)
    mmap = path.stat().st_size >= mapped and torch.device(device).type == "cpu"
    with warnings.catch_warnings(action="ignore"):  # a damaged file fails, or its words are not needed
        data = torch.load(path, map_location=device, weights_only=True, mmap=mmap)
    assert isinstance(data, dict)
    return data


def _plain(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as tensors, numbers, lists and dictionaries, which are safe to load."""
    point = snapshot.state.point
    assert isinstance(point, Evaluation)
    state = snapshot.state
    same = snapshot.best is state.image
    return {
        "level": snapshot.level,
        "image": state.image,
        "best": None if same else snapshot.best,
        "value": snapshot.value,
        "point": {"value": point.value, "losses": point.losses, "weighted": point.weighted, "gradient": point.gradient},
        "memory": state.memory,
        "evaluations": state.evaluations,
        "stalled": state.stalled,
        "history": _tabulated(snapshot.history),
        "seconds": snapshot.seconds,
        "done": snapshot.done,
        "device": state.image.device.type,
        "threads": machine.threads(state.image.device),
    }


def _tabulated(history: Sequence[Record]) -> list[dict[str, Any]]:
    """Records as tables of numbers, one for every run of records with losses of the same names.

    As dictionaries they take ten times the time and the space, and every save writes all of them.
    """
    tables = []
    for names, records in groupby(history, lambda record: tuple(record.losses)):
        rows = [(one.level, one.evaluation, one.value, one.moved, *one.losses.values()) for one in records]
        tables.append({"losses": list(names), "numbers": [*chain.from_iterable(rows)]})
    return tables


def _records(tables: Sequence[Mapping[str, Any]]) -> Iterator[Record]:
    for table in tables:
        cells = iter(table["numbers"])
        rows = zip(*[cells] * (4 + len(table["losses"])), strict=True)
        for level, evaluation, value, moved, *losses in rows:
            yield Record(level, evaluation, value, dict(zip(table["losses"], losses, strict=True)), moved)


def _restored(data: dict[str, Any]) -> Snapshot:
    point = Evaluation(**data["point"])
    state = State(data["image"], point, data["memory"], data["evaluations"], data["stalled"])
    best = state.image if data["best"] is None else data["best"]
    history = tuple(_records(data["history"]))
    return Snapshot(data["level"], state, best, data["value"], history, data["seconds"], data["done"])
