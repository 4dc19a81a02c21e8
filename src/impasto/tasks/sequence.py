"""A descent on a sequence: what sounds and signals share. Its one axis is time, its channels are what there is at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import impasto
from impasto import machine
from impasto.aims.targets import Targets
from impasto.descent import Descent, Level, Record
from impasto.encoders import Encoder, Parameters, Stack
from impasto.engines import Evaluator
from impasto.errors import ImpastoError, SettingsError
from impasto.optimizers import Bounds
from impasto.optimizers.base import UNIT
from impasto.pyramid import resize, scaled
from impasto.runs.checkpoint import Checkpoint
from impasto.runs.events import Listener, descend, optimizer_of
from impasto.runs.result import Scores
from impasto.runs.task_settings import decided
from impasto.sampling import extent
from impasto.settings import Settings

SETTINGS = (
    "strength",
    "content_weight",
    "style_weight",
    "style_losses",
    "blend",
    "evaluations",
    "init",
    "noise",
    "seed",
    "optimizer",
    "rate",
    "history",
    "device",
)
"""The settings of pictures that have a say in sequences too."""

_MOST = 2**28  # samples: 1 GiB
_SLOWEST = 0.001  # samples per second, below which rates are not told apart
_TEXTURE = ("strength", "content_weight", "style_weight", "init", "noise")


@dataclass(frozen=True, eq=False)
class Finish:
    """A last level, on which a descent goes on in other values than before: a sound, after its spectrogram.

    Args:
        shape: its spatial shape.
        engine: makes its engine from that of the level before.
        lift: makes its start from where the level before ended.
        bounds: of its values.
    """

    shape: tuple[int, ...]
    engine: Callable[[Evaluator], Evaluator]
    lift: Callable[[Tensor], Tensor]
    bounds: Bounds


class _Share(Level):
    """A level whose time depends on its evaluations alone, whatever its values are."""

    @property
    def cost(self) -> int:
        return self.evaluations


@dataclass(frozen=True, eq=False)
class Outcome:
    """Where a descent on a sequence ended.

    Args:
        values: the sequence, (B, C, T) in [0, 1], or what it was finished to.
        history: one record per optimizer step.
        started: the losses of what the descent started from.
        ended: the losses of ``values``.
        seconds: the time it took.
        complete: False if it was stopped before its last evaluation.
        engine: measures the losses of any sequence of the content's shape.
        notes: sentences about what the user may want to know.
    """

    values: Tensor
    history: tuple[Record, ...]
    started: Scores
    ended: Scores
    seconds: float
    complete: bool
    engine: Evaluator
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Sequences:
    """A descent on a sequence, prepared.

    Args:
        content: (B, C, T) in [0, 1]; of a texture only its shape matters.
        styles: (B, C, any T) each.
        settings: made by :func:`settings_for`.
        encoder: for one axis; style is compared at all its convolutions, content at the first.
        identity: what else must agree for a checkpoint to be this run's.
        shapes: the levels, coarse to fine; None for the content's own.
        finish: a last level of other values, or None.
        spectrum: of the optimizer; 0 for values without a spectrum like that of pictures.
    """

    content: Tensor
    styles: tuple[Tensor, ...]
    settings: Settings
    encoder: Encoder
    identity: Mapping[str, Any]
    shapes: tuple[tuple[int, ...], ...] | None = None
    finish: Finish | None = None
    spectrum: float = 0.0

    def run(self, on_event: Listener | None = None, checkpoint: str | Path | None = None) -> Outcome:
        """Do it.

        Args:
            on_event: called after every optimizer step; return True to stop there and keep the best.
            checkpoint: a folder; a run that finds its own checkpoint there goes on from it.

        Raises:
            CheckpointError: if the checkpoint is damaged or belongs to another run.
        """
        shapes = self.shapes or (tuple(self.content.shape[2:]),)
        saver = None if checkpoint is None else Checkpoint(Path(checkpoint), self._identity())
        resumed = saver.load(self.encoder.device) if saver else None
        engine = self._targets().engine_at(shapes[-1])
        optimizer = optimizer_of(self.settings, self.spectrum)
        descent = Descent(
            self._levels(shapes), self._engine_at(engine, shapes[-1]), optimizer, self._lift, self._bounds_at
        )
        snapshot, stopped = descend(descent, resumed or self.start(shapes[0]), on_event, saver)
        values = self._complete(snapshot.best, shapes[-1])
        return Outcome(
            values.cpu(),
            snapshot.history,
            score(engine, self.start(shapes[-1])),
            score(descent.engine_at(tuple(values.shape[2:])), values),
            snapshot.seconds,
            not stopped,
            engine,
            tuple(saver.troubles if saver else ()),
        )

    def _complete(self, values: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Values at the content's shape, if they come from a coarser level: where a run was stopped."""
        finished = self.finish is not None and tuple(values.shape[2:]) == self.finish.shape
        return values if finished else self._lift(values, shape)

    def start(self, shape: tuple[int, ...]) -> Tensor:
        """What a descent begins with at a shape: the content, noise, or some of both.

        Noise has the values of the first style in random order of time, every channel on its own: all but their
        distribution is lost.
        """
        content = resize(self.content, shape).to(self.encoder.device)
        if self.settings.init == "content" and not self.settings.noise:
            return content.clone()
        style = self.styles[0]
        generator = torch.Generator().manual_seed(self.settings.seed)
        places = torch.randint(style.shape[-1], content.shape, generator=generator)
        noise = style.gather(-1, places).to(content.device)
        return torch.lerp(content, noise, self.settings.noise) if self.settings.init == "content" else noise

    def _levels(self, shapes: Sequence[tuple[int, ...]]) -> list[Level]:
        counts = self.settings.evaluations
        assert counts is not None
        level = Level if self.finish is None else _Share
        all_shapes = [*shapes] if self.finish is None else [*shapes, self.finish.shape]
        return [level(shape, counts[min(index, len(counts) - 1)]) for index, shape in enumerate(all_shapes)]

    def _engine_at(self, last: Evaluator, shape_of_last: tuple[int, ...]) -> Callable[[tuple[int, ...]], Evaluator]:
        """The engine by a level's shape; that of the last shape is there already."""

        def made(shape: tuple[int, ...]) -> Evaluator:
            if self.finish is not None and shape == self.finish.shape:
                return self.finish.engine(last)
            return last if shape == shape_of_last else self._targets().engine_at(shape)

        return made

    def _bounds_at(self, shape: tuple[int, ...]) -> Bounds:
        return UNIT if self.finish is None or shape != self.finish.shape else self.finish.bounds

    def _lift(self, values: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Values at the next level's shape, with the detail that the content has there and the level below had not."""
        if self.finish is not None and shape == self.finish.shape:
            return self.finish.lift(values)
        below = tuple(values.shape[2:])
        larger = resize(values, shape)
        if below == shape or self.settings.init != "content":
            return larger
        content = resize(self.content, shape)
        return (larger + (content - resize(resize(content, below), shape)).to(larger.device)).clamp_(0, 1)

    def _targets(self) -> Targets:
        layers = [layer.name for layer in self.encoder.stack.convolutions]
        settings = self.settings.model_copy(
            update={"content_layers": {layers[0]: 1.0}, "style_layers": dict.fromkeys(layers, 1.0)}
        )
        return _InTime(self.encoder, self.content, self.styles, settings)

    def _identity(self) -> dict[str, Any]:
        return {
            **self.settings.model_dump(mode="json", exclude={"device"}),
            **self.identity,
            "shape": list(self.content.shape),
            "impasto's version": impasto.__version__,
        }


@dataclass(frozen=True, eq=False)
class _InTime(Targets):
    """Targets whose styles keep their own length relative to the content's: time is not to be stretched."""

    def _seen_at(self, style: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
        return scaled(style, shape[0] / self.content.shape[2])


def settings_for(
    what: str,
    settings: Settings | None,
    values: Mapping[str, Any],
    *,
    styles: int,
    texture: bool,
    **usual: Any,
) -> Settings:
    """The settings of a sequence from what was given.

    Args:
        what: the result in words, for the error's sentence.
        settings: all settings at once, or None.
        values: single settings instead.
        styles: how many there are.
        texture: whether there is no content: strength is 1 then, and the start noise.
        usual: the task's own defaults.

    Raises:
        SettingsError: for a setting of pictures alone, or one that cannot take effect.
    """
    idle = set(Settings.model_fields) - set(SETTINGS)
    fixed = {"strength": 1.0, "init": "noise"} if texture else {}
    given = set(values if settings is None else settings.model_fields_set)
    if texture or given & {"content_weight", "style_weight"}:
        usual.pop("strength", None)
    if texture:
        idle |= set(_TEXTURE) - set(fixed)
    chosen = decided(
        what,
        settings,
        values,
        usual={"precision": "fp32", "content_loss": "squared", "pooling": "avg", **usual},
        fixed=fixed,
        idle=idle,
    )
    if chosen.init not in ("content", "noise"):
        raise SettingsError(f"The setting init is {chosen.init!r}, but {what} starts from content or noise.")
    if chosen.blend is not None and len(chosen.blend) != styles:
        raise SettingsError(f"The blend has {len(chosen.blend)} shares for {styles} styles; give one share each.")
    return chosen


def check_rates(name: str, count: int, old: float, new: float, error: type[ImpastoError]) -> None:
    """Refuse to bring a sequence from one rate to another where that would fill the memory, or rates are beyond telling.

    Args:
        name: of the sequence.
        count: its samples.
        old: its rate.
        new: the other.
        error: the class of the error.
    """
    if old != new and (min(old, new) < _SLOWEST or extent(count, old, new) > _MOST):
        raise error(
            f"{name} has {old:g} samples per second and cannot be brought to {new:g}; check the rates, and give inputs of "
            "similar ones."
        )


def encoder_for(stack: Stack, parameters: Parameters, settings: Settings) -> Encoder:
    """The encoder on the device that settings name."""
    device = machine.device(settings.device)
    return Encoder(stack, parameters, padding=settings.padding, device=device)


def check_levels(what: str, settings: Settings, levels: int) -> None:
    """Refuse evaluations for more levels than there are.

    Raises:
        SettingsError: if that is so.
    """
    given = settings.evaluations or ()
    if len(given) > levels:
        raise SettingsError(
            f"The setting evaluations has {len(given)} numbers, but {what} has {levels} "
            f"level{'s' if levels > 1 else ''}; give at most one number per level."
        )


def score(engine: Evaluator, values: Tensor) -> Scores:
    """The losses of a sequence."""
    found = engine.measure(values)
    return Scores(found.value, found.by_kind, found.losses)
