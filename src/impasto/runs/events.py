"""A descent as every task runs it: told step by step, saved on the way, stopped when a listener says so."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field

from torch import Tensor

from impasto.descent import Descent, Level, Snapshot
from impasto.engines import Evaluation
from impasto.errors import CheckpointError
from impasto.optimizers import LBFGS, Adam, GradientDescent, Optimizer
from impasto.runs.checkpoint import Checkpoint
from impasto.runs.pace import Pace
from impasto.settings import Settings
from impasto.storage import MEMORY, Storage

_WITHOUT = "The run went on without it."


@dataclass(frozen=True, eq=False)
class Event:
    """Where a run is; what callbacks get.

    Args:
        level: index of the current level, from 0.
        levels: all levels.
        evaluation: evaluations made on this level.
        value: the objective there.
        by_kind: its weighted parts: ``content``, ``style``, ``smoothness``.
        losses: each term's plain loss by name.
        seconds: time spent so far in the descent.
        remaining: estimated seconds to go.
        image: the best image so far at the level's size, (1, 3, H, W); of other tasks what they descend on.
        unit: index of the run among several that belong together, such as the cells of a figure, from 0.
        units: how many these are.
        name: of this one.
    """

    level: int
    levels: tuple[Level, ...]
    evaluation: int
    value: float
    by_kind: dict[str, float]
    losses: dict[str, float]
    seconds: float
    remaining: float
    image: Tensor = field(repr=False)
    unit: int = 0
    units: int = 1
    name: str = ""


Listener = Callable[[Event], object]


class Leave(Exception):  # noqa: N818 - not an error
    """Raised by a listener to end a run without a picture; where it is was saved, if it saves itself at all."""


def descend(
    descent: Descent, start: Tensor | Snapshot, on_event: Listener | None = None, saver: Checkpoint | None = None
) -> tuple[Snapshot, bool]:
    """Run a descent to its end, or until a listener returns True.

    Args:
        descent: what is run.
        start: an image, or the snapshot to go on from.
        on_event: called after every optimizer step.
        saver: where snapshots are kept; the last one is kept in any case.

    Returns:
        The last snapshot, and whether a listener stopped the run there.

    Raises:
        CheckpointError: if another run saves itself in the same folder.
    """
    snapshot, pace = start if isinstance(start, Snapshot) else None, Pace(descent.levels)
    with nullcontext() if saver is None else saver.held():
        for snapshot in descent.run(start):
            last = snapshot.done and snapshot.level == len(descent.levels) - 1
            _save(saver, snapshot, force=last)
            try:
                asked = on_event and on_event(event_of(descent, snapshot, pace))
            except Leave:
                _save(saver, snapshot, force=True)
                raise
            if asked and not last:
                _save(saver, snapshot, force=True)
                return snapshot, True
    assert snapshot is not None
    return snapshot, False


def event_of(descent: Descent, snapshot: Snapshot, pace: Pace) -> Event:
    """What listeners are told of a snapshot."""
    point = snapshot.state.point
    assert isinstance(point, Evaluation)
    return Event(
        snapshot.level,
        tuple(descent.levels),
        snapshot.state.evaluations,
        point.value,
        point.by_kind,
        point.losses,
        snapshot.seconds,
        pace.remaining(snapshot.level, snapshot.state.evaluations, snapshot.seconds, done=snapshot.done),
        snapshot.best,
    )


def optimizer_of(
    settings: Settings, spectrum: float = LBFGS.spectrum, storage: Storage = MEMORY, compact: float = LBFGS.compact
) -> Optimizer:
    """The method of descent that settings name.

    Args:
        settings: as said.
        spectrum: L-BFGS's, whose default suits pictures.
        storage: where images live.
        compact: the number of values from which L-BFGS remembers in half precision.
    """
    if settings.optimizer == "adam":
        return Adam(storage=storage, rate=Adam.rate if settings.rate is None else settings.rate)
    if settings.optimizer == "gradient-descent":
        return GradientDescent(storage=storage)
    history = LBFGS.history if settings.history is None else settings.history
    return LBFGS(history=history, spectrum=spectrum, storage=storage, compact=compact)


def _save(saver: Checkpoint | None, snapshot: Snapshot, *, force: bool) -> None:
    """Save if there is where to; a full disk must not cost the run that the checkpoint was to protect."""
    if saver is None:
        return
    try:
        saver.save(snapshot, force=force)
    except CheckpointError as error:
        if not any(sentence.endswith(_WITHOUT) for sentence in saver.troubles):  # the first one says it
            saver.troubles.append(f"{error} {_WITHOUT}")
