"""What a job is, as plain data. Free of torch and of the database."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"  # ended before its last evaluation, with its picture kept
    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens unless somebody asks for it."""
        return self in ENDED


ENDED = frozenset({Status.STOPPED, Status.DONE, Status.FAILED, Status.CANCELED})
"""The states that a job stays in."""

KEPT = frozenset({Status.STOPPED, Status.DONE})
"""The states in which there is a result."""


@dataclass(frozen=True)
class Progress:
    """How far a running job is.

    Args:
        level: index of the current level, from 0.
        levels: number of levels.
        evaluation: evaluations made on this level.
        evaluations: evaluations planned for it.
        value: the objective now.
        seconds: time spent in the descent, over all its sessions.
        remaining: estimated seconds to go.
        history: pairs of the evaluations made on all levels and the objective there; thinned to a few hundred.
    """

    level: int
    levels: int
    evaluation: int
    evaluations: int
    value: float
    seconds: float
    remaining: float
    history: tuple[tuple[int, float], ...] = ()

    @property
    def share(self) -> float:
        """How much is done, from 0 to 1, by time.

        >>> Progress(0, 1, 5, 20, 0.1, seconds=3.0, remaining=9.0).share
        0.25
        """
        whole = self.seconds + self.remaining
        return self.seconds / whole if whole > 0 else 0.0


@dataclass(frozen=True)
class Job:
    """One run as data, and where it stands.

    Args:
        id: unguessable.
        owner: whose it is; "" where there is one user.
        task: the name of one of :data:`impasto.tasks.TASKS`.
        title: what people call it.
        settings: what differs from the defaults (:meth:`impasto.Settings.given`), and the task's own words, such as
            ``shape`` and ``tileable`` of a texture.
        inputs: SHA-256 of the files by what they are used for: ``content``, ``styles``, ``init``, ``masks`` (of the photo,
            one for each style; with one less, the last style has the rest), ``protect``.
        names: what these files were called, in the same order.
        status: where it stands.
        progress: how far it is, or None before its first evaluation.
        error: one sentence on why it failed, or "".
        created: when it was submitted, in seconds since 1970.
        started: when it was first taken up, or None.
        finished: when it ended, or None.
    """

    id: str
    owner: str
    task: str
    title: str
    settings: dict[str, Any]
    inputs: dict[str, tuple[str, ...]]
    names: dict[str, tuple[str, ...]]
    status: Status
    progress: Progress | None = None
    error: str = ""
    created: float = 0.0
    started: float | None = None
    finished: float | None = None


@dataclass(frozen=True)
class JobEvent:
    """One line of a job's log.

    Args:
        job: its id.
        number: from 1, without gaps.
        at: when, in seconds since 1970.
        kind: ``status``, ``progress`` or ``note``.
        data: of a status ``{"status": ..., "error": ...}``, of a progress its fields without the history, of a note
            ``{"text": ...}``.
    """

    job: str
    number: int
    at: float
    kind: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Usage:
    """What an owner takes up: jobs waiting (or paused), jobs running, and bytes on the disk."""

    queued: int
    running: int
    bytes: int
