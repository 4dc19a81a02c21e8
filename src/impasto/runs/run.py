"""A run of any task: a descent from coarse to fine, saved on the way, and what is made of its end."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

import impasto
from impasto import machine
from impasto.descent import Descent, Level, Record
from impasto.engines import Evaluator
from impasto.engines.group import ALONE
from impasto.errors import SettingsError
from impasto.media import medium_of
from impasto.media.medium import Medium
from impasto.memory.budget import Budget
from impasto.memory.tile_progress import OnTile
from impasto.optimizers import Bounds, Optimizer
from impasto.runs import remarks
from impasto.runs.checkpoint import Checkpoint
from impasto.runs.events import Listener, descend, optimizer_of
from impasto.runs.plan import Plan
from impasto.runs.result import Result, Scores
from impasto.settings import Settings
from impasto.storage import MEMORY, Storage
from impasto.tasks import Task


class Run(ABC):
    """A task, prepared: inputs read, settings checked. A kind of run says what its descent is over and aims at."""

    task: ClassVar[Task]
    spectrum: ClassVar[float]
    """Of the optimizer: how much faster coarse structures may move than fine ones."""

    settings: Settings
    budget: Budget

    @property
    def medium(self) -> Medium:
        """What the result is."""
        return medium_of(self.task.medium)

    @property
    @abstractmethod
    def like(self) -> Any:
        """The input whose file the result's file is like; of a volume, one of the kind that comes out."""

    @property
    @abstractmethod
    def levels(self) -> tuple[Level, ...]:
        """The sizes from coarse to fine, with their evaluations."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the run computes."""

    @property
    def storage(self) -> Storage:
        """Where images live."""
        return MEMORY

    @abstractmethod
    def start(self) -> Tensor:
        """What the descent begins with, at the coarsest size."""

    @abstractmethod
    def engine_at(self, shape: tuple[int, ...]) -> Evaluator:
        """What evaluates the objective at a size."""

    @abstractmethod
    def lift(self, image: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Where a level ended, at the next one's shape."""

    @abstractmethod
    def bounds_at(self, shape: tuple[int, ...]) -> Bounds:
        """What the values of an image of a shape may be."""

    @abstractmethod
    def completed(self, best: Tensor) -> Tensor:
        """The best image, at the finest size even where the run was stopped before, in main memory."""

    @abstractmethod
    def finished(self, image: Tensor) -> Tensor:
        """What is made of the completed image: the result's values, before they are made fit for a file."""

    @abstractmethod
    def delivered(self, finished: Tensor) -> tuple[Tensor, Any]:
        """The result's values, and what a file of it holds."""

    @abstractmethod
    def scores(self, image: Tensor, finished: Tensor) -> dict[str, Scores]:
        """The losses of the completed image and of what was made of it, by moment."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What must agree for a checkpoint to be this run's."""

    @abstractmethod
    def recipe(
        self,
        history: tuple[Record, ...],
        losses: Mapping[str, Scores],
        measures: Mapping[str, float | None],
        *,
        stopped: bool,
    ) -> dict[str, Any]:
        """How the result was made, as plain data."""

    def measures(self, result: Result) -> Mapping[str, float | None]:  # noqa: ARG002
        """What else the task finds out about a result, by name."""
        return {}

    def notes(self, finished: Tensor) -> Iterator[str]:  # noqa: ARG002
        """What the user may want to know of the inputs, and of what was made of them."""
        yield from ()

    def picture_of(self, result: Result) -> Tensor:
        """A picture of a result that is none itself."""
        return result.tensor

    def optimizer(self) -> Optimizer:
        """The method of descent."""
        return optimizer_of(self.settings, self.spectrum, self.storage)

    def within(self, budget: Budget, on_tile: OnTile | None = None) -> "Run":  # noqa: ARG002
        """The same run within another budget, with someone told how its work goes on.

        Raises:
            SettingsError: if it does not fit, or is of a task that cannot be cut.
        """
        if budget.memory is not None or budget.group != ALONE:
            raise SettingsError("This task computes whole, in one process; leave --memory and torchrun out.")
        return self

    def assist(self) -> None:
        """Do what rank 0 of the group asks for until it is done, instead of :meth:`run`, in every other process.

        Raises:
            SettingsError: of a task that cannot be cut.
        """
        raise SettingsError("This task computes in one process; leave torchrun out.")

    def plan(self, *, measure: bool = True) -> Plan | None:  # noqa: ARG002
        """What :meth:`run` will do, if that can be told."""
        return None

    def keeps_in(self, folder: Path) -> Path:
        """The folder for :meth:`run` to save itself in, in one that has other things, too."""
        return folder

    def saver(self, folder: str | Path, interval: float = Checkpoint.INTERVAL) -> Checkpoint:
        """Where the run saves itself in a folder, at most once in so many seconds."""
        return Checkpoint(Path(folder), self.identity(), interval)

    def descent(self) -> Descent:
        """Its levels, engines and method."""
        settle = self.settings.settle / 255 if "settle" in self.task.settings else 0.0
        return Descent(self.levels, self.engine_at, self.optimizer(), self.lift, self.bounds_at, settle)

    @machine.undisturbed()
    def run(
        self,
        on_event: Listener | None = None,
        checkpoint: str | Path | None = None,
        *,
        checkpoint_interval: float = Checkpoint.INTERVAL,
        on_result: Callable[[Result], object] | None = None,
    ) -> Result:
        """Do it.

        Args:
            on_event: called after every optimizer step; return True to stop there and keep the best.
            checkpoint: a folder; a run that finds its own checkpoint there goes on from it to the same result.
            checkpoint_interval: the least time between two checkpoints, in seconds.
            on_result: called with the result before its losses are measured, which may take minutes.

        Raises:
            ImpastoError: with a sentence on what is wrong with the checkpoint.
        """
        began = time.perf_counter()
        self._keep_memory()
        saver = None if checkpoint is None else self.saver(checkpoint, checkpoint_interval)
        start = (saver.load(self.device) if saver else None) or self.start()
        descent = self.descent()
        ready = time.perf_counter()
        snapshot, stopped = descend(descent, start, on_event, saver)
        done = time.perf_counter()
        image, history, seconds = self.completed(snapshot.best), snapshot.history, snapshot.seconds
        finished = self.finished(image)
        del snapshot, descent, start  # the optimizer's memory, before the last measurement needs room
        self._keep_memory(no_longer=True)
        tensor, made = self.delivered(finished)
        notes = (
            *self.notes(finished),
            *remarks.of_descent(self.storage, self.levels, history, stopped=stopped),
            *(saver.troubles if saver else ()),
        )

        def result(losses: Mapping[str, Scores], measures: Mapping[str, float | None]) -> Result:
            return Result(
                tensor=tensor,
                made=made,
                like=self.like,
                medium=self.medium,
                settings=self.settings,
                recipe=self.recipe(history, losses, measures, stopped=stopped),
                history=history,
                timings={"setup": ready - began, "descent": seconds, "final": time.perf_counter() - done},
                complete=not stopped,
                losses=losses,
                measures=measures,
                notes=notes,
                draw=None if self.task.medium == "picture" else self.picture_of,
            )

        if on_result is not None:
            on_result(result({}, {}))
        losses = self.scores(image, finished)
        measured = result(losses, {})
        return result(losses, measures) if (measures := self.measures(measured)) else measured

    def _keep_memory(self, *, no_longer: bool = False) -> None:
        if self.device.type == "cpu":
            (machine.release_freed_memory if no_longer else machine.keep_freed_memory)()


def origin() -> dict[str, Any]:
    """What made a result, as recipes say it first."""
    return {"impasto": impasto.__version__, "torch": torch.__version__}


def evaluations(history: tuple[Record, ...]) -> int:
    """Those of all levels that a descent has made."""
    return sum({record.level: record.evaluation for record in history}.values())


def scores_of(engine: Evaluator, image: Tensor) -> Scores:
    """The losses of an image."""
    found = engine.measure(image)
    return Scores(found.value, found.by_kind, found.losses)
