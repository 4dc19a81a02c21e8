"""A descent saved to a folder, so that a run killed at any moment goes on to the same picture."""

import os
import time
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from impasto.descent import Record, Snapshot
from impasto.engines import Evaluation
from impasto.errors import CheckpointError
from impasto.optimizers import State

_FILE = "checkpoint.pt"
_FORMAT = 1
_PATIENCE = 20  # times as long as the last save took, at least, until the next
_MAPPED = 2**30  # bytes from which a file is not read but mapped; one that replaces it does not change it


class Checkpoint:
    """The newest snapshot of one run, in one folder, replaced atomically.

    Args:
        folder: made if it is missing.
        identity: what the run is, as plain data by the name that a user knows it by: settings, inputs, precision. A
            checkpoint of another identity is refused.
        interval: the least time between two saves, in seconds; longer where saving takes long. With 0 all are made.

    Raises:
        CheckpointError: if the folder cannot be made or written.
    """

    INTERVAL = 5.0

    def __init__(self, folder: Path, identity: dict[str, Any], interval: float = INTERVAL) -> None:
        self.path = folder / _FILE
        self.identity = identity
        self.interval = interval
        self.troubles: list[str] = []
        self._saved = time.monotonic()
        self._took = 0.0
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(f"The checkpoint folder {folder} cannot be made: {error.strerror}.") from None
        if not os.access(folder, os.W_OK):
            raise CheckpointError(f"The checkpoint folder {folder} cannot be written to.")

    def load(self, device: torch.device | str = "cpu") -> Snapshot | None:
        """The saved snapshot with its tensors on a device, or None if there is none yet.

        Raises:
            CheckpointError: if the file is damaged, or belongs to a run with other settings or inputs.
        """
        if not self.path.exists():
            return None
        try:
            data = _checked(self.path, device)
            self._refuse_other(data)
            return _restored(data)
        except CheckpointError:
            raise
        except Exception as error:  # damaged files fail in many ways inside the reader
            raise CheckpointError(f"The checkpoint {self.path} is damaged; delete it to start over.") from error

    def _refuse_other(self, data: dict[str, Any]) -> None:
        if data["format"] != _FORMAT:
            raise CheckpointError(f"The checkpoint {self.path} was made by another version; delete it to start over.")
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
        temporary = self.path.with_name(f"{_FILE}.tmp")  # one name, so that what a killed run leaves is replaced
        try:
            with temporary.open("wb") as stream:
                torch.save({"format": _FORMAT, "identity": self.identity, **_plain(snapshot)}, stream)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(self.path)
            self._took = time.monotonic() - began
        except (OSError, RuntimeError) as error:
            temporary.unlink(missing_ok=True)
            reason = (getattr(error, "strerror", None) or str(error)).splitlines()[0].rstrip(".")
            raise CheckpointError(
                f"The checkpoint {self.path} cannot be written ({reason}); free some space or choose another folder."
            ) from None
        return True


def read_checkpoint(path: Path, device: torch.device | str = "cpu") -> tuple[dict[str, Any], Snapshot]:
    """Whose run a checkpoint's file is of, and its snapshot.

    Raises:
        CheckpointError: if the file is damaged, or was made by another version.
    """
    try:
        data = _checked(path, device)
        found = data["format"], data["identity"], _restored(data)
    except Exception as error:  # damaged files fail in many ways inside the reader
        raise CheckpointError(
            f"The checkpoint {path} is damaged or another version's; delete it to start over."
        ) from error
    version, identity, snapshot = found
    if version != _FORMAT:
        raise CheckpointError(f"The checkpoint {path} was made by another version; delete it to start over.")
    return identity, snapshot


def _checked(path: Path, device: torch.device | str) -> dict[str, Any]:
    """The file's data, after its checksums, which torch writes and does not read."""
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged:
        raise ValueError(damaged)
    mapped = path.stat().st_size >= _MAPPED and torch.device(device).type == "cpu"
    data = torch.load(path, map_location=device, weights_only=True, mmap=mapped)
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
        "history": [asdict(record) for record in snapshot.history],
        "seconds": snapshot.seconds,
        "done": snapshot.done,
    }


def _restored(data: dict[str, Any]) -> Snapshot:
    point = Evaluation(**data["point"])
    state = State(data["image"], point, data["memory"], data["evaluations"], data["stalled"])
    best = state.image if data["best"] is None else data["best"]
    history = tuple(Record(**record) for record in data["history"])
    return Snapshot(data["level"], state, best, data["value"], history, data["seconds"], data["done"])
