"""Runs along one axis, time: what sounds and signals share. Their channels are what there is at a time."""

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

import impasto
from impasto import machine
from impasto.aims.style import StyleTargets
from impasto.aims.targets import Targets
from impasto.descent import Level, Record
from impasto.encoders import Encoder, Parameters, Stack
from impasto.engines import Evaluator
from impasto.errors import ImpastoError, SettingsError
from impasto.memory.budget import WHOLE, Budget
from impasto.optimizers import Bounds
from impasto.optimizers.base import UNIT
from impasto.pyramid import resize, scaled
from impasto.runs.result import Scores
from impasto.runs.run import Run, evaluations, origin, scores_of
from impasto.sampling import extent
from impasto.settings import Settings
from impasto.tasks import Task

_MOST = 2**28  # samples: 1 GiB
_SLOWEST = 0.001  # samples per second, below which rates are not told apart


class SequenceRun(Run):
    """A run over a sequence (B, C, T) of values in [0, 1], prepared.

    A kind of sequence gives ``settings``, the ``content`` (of a texture only its shape matters), the ``styles``
    (B, C, any T) and the ``encoder`` for one axis: style is compared at all its convolutions, content at the first.
    """

    budget: Budget = WHOLE
    place: torch.device | None

    @property
    @abstractmethod
    def is_texture(self) -> bool:
        """Whether there is no content."""

    @property
    @abstractmethod
    def sequence(self) -> Tensor:
        """The content as the optimizer has it, (B, C, T) in [0, 1]."""

    @property
    @abstractmethod
    def exemplars(self) -> tuple[Tensor, ...]:
        """The styles likewise."""

    @property
    @abstractmethod
    def encoder(self) -> Encoder:
        """The filters."""

    @property
    @abstractmethod
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The lengths of the levels, coarse to fine."""

    @cached_property
    def device(self) -> torch.device:
        """Where the run computes."""
        return self.place or machine.device(self.settings.device)

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The lengths from coarse to fine, with their evaluations."""
        counts = self.settings.evaluations
        assert counts is not None
        return tuple(Level(shape, counts[min(index, len(counts) - 1)]) for index, shape in enumerate(self.shapes))

    def start(self) -> Tensor:
        """What the descent begins with, at the coarsest length."""
        return self.beginning(self.shapes[0])

    def beginning(self, shape: tuple[int, ...]) -> Tensor:
        """What a descent begins with at a length: the content, noise, or some of both.

        Noise has the values of the first style in random order of time, every channel on its own: all but their
        distribution is lost.
        """
        content = resize(self.sequence, shape).to(self.device)
        if self.settings.init == "content" and not self.settings.noise:
            return content.clone()
        style = self.exemplars[0]
        generator = torch.Generator().manual_seed(self.settings.seed)
        regions = torch.randint(style.shape[-1], content.shape, generator=generator)
        noise = style.gather(-1, regions).to(content.device)
        return torch.lerp(content, noise, self.settings.noise) if self.settings.init == "content" else noise

    @cached_property
    def last(self) -> Evaluator:
        """What evaluates a sequence of the content's length."""
        return self.aims.engine_at(tuple(self.sequence.shape[2:]))

    def engine_at(self, shape: tuple[int, ...]) -> Evaluator:
        """What evaluates a sequence of a length; that of the content's is there already."""
        return self.last if shape == tuple(self.sequence.shape[2:]) else self.aims.engine_at(shape)

    def bounds_at(self, shape: tuple[int, ...]) -> Bounds:  # noqa: ARG002
        """Values in [0, 1]."""
        return UNIT

    def lift(self, image: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Values at the next level's length, with the detail that the content has there and the level below had not."""
        below = tuple(image.shape[2:])
        larger = resize(image, shape)
        if below == shape or self.settings.init != "content":
            return larger
        content = resize(self.sequence, shape)
        return (larger + (content - resize(resize(content, below), shape)).to(larger.device)).clamp_(0, 1)

    def completed(self, best: Tensor) -> Tensor:
        """The best values at the last level's length, in main memory."""
        return self.lift(best, self.shapes[-1]).cpu()

    def scores(self, image: Tensor, finished: Tensor) -> dict[str, Scores]:  # noqa: ARG002
        """The losses of what the descent started from, and of its end."""
        engine = self.engine_at(tuple(image.shape[2:]))
        return {
            "started": scores_of(self.last, self.beginning(tuple(self.sequence.shape[2:]))),
            "delivered": scores_of(engine, image.to(self.device)),
        }

    def fall(self, losses: Mapping[str, Scores]) -> float | None:
        """How many times lower the style loss is than at the start, of a task that has one."""
        before, after = (losses[moment].by_kind.get("style") for moment in ("started", "delivered"))
        return None if before is None or after is None else before / max(after, 1e-30)

    @abstractmethod
    def words(self) -> dict[str, Any]:
        """What the task was told beside the settings."""

    @abstractmethod
    def own_identity(self) -> dict[str, Any]:
        """What else must agree for a checkpoint to be this run's."""

    def identity(self) -> dict[str, Any]:
        """What must agree for a checkpoint to be this run's."""
        return {
            **self.settings.model_dump(mode="json", exclude={"device"}),
            "task": self.task.name,
            **self.own_identity(),
            "shape": list(self.sequence.shape),
            "impasto's version": impasto.__version__,
        }

    @cached_property
    def aims(self) -> Targets:
        """What the run aims at. Styles keep their own length relative to the content's: time is not to be stretched."""
        layers = [layer.name for layer in self.encoder.stack.convolutions]
        settings = self.settings.model_copy(
            update={"content_layers": {layers[0]: 1.0}, "style_layers": dict.fromkeys(layers, 1.0)}
        )
        length = self.sequence.shape[2]
        style = StyleTargets(
            self.encoder, self.exemplars, settings, seen_at=lambda style, shape: scaled(style, shape[0] / length)
        )
        return Targets(self.encoder, self.sequence, self.exemplars, settings, style=style)


def settings_of(
    task: Task, given: Mapping[str, Any] | Settings, styles: int, levels: int, counts: tuple[int, ...]
) -> Settings:
    """The settings of a sequence.

    Args:
        task: what is made.
        given: single settings, or all at once.
        styles: how many there are.
        levels: how many the run has.
        counts: the evaluations on each, unless given.

    Raises:
        SettingsError: for a setting that cannot take effect.
    """
    chosen = task.decide(given)
    if chosen.evaluations is None:
        chosen = chosen.model_copy(update={"evaluations": counts[:levels]})
    if chosen.blend is not None and len(chosen.blend) != styles:
        raise SettingsError(f"The blend has {len(chosen.blend)} shares for {styles} styles; give one share each.")
    numbers = chosen.evaluations or ()
    if len(numbers) > levels:
        raise SettingsError(
            f"The setting evaluations has {len(numbers)} numbers, but {task.result} has {levels} "
            f"level{'s' if levels > 1 else ''}; give at most one number per level."
        )
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


def encoder_for(stack: Stack, parameters: Parameters, settings: Settings, device: torch.device) -> Encoder:
    """The encoder on a device."""
    return Encoder(stack, parameters, padding=settings.padding, device=device)


def sequence_recipe(
    run: SequenceRun,
    history: tuple[Record, ...],
    losses: Mapping[str, Scores],
    measures: Mapping[str, float | None],
    own: Mapping[str, Any],
    *,
    stopped: bool,
) -> dict[str, Any]:
    """How a sequence was made, as plain data, with what its kind adds."""
    delivered = losses.get("delivered")
    return {
        **origin(),
        "task": run.task.name,
        **({"caution": own["caution"]} if "caution" in own else {}),
        "settings": run.settings.model_dump(mode="json", include=set(run.settings.model_fields_set)),
        **own,
        "evaluations": evaluations(history),
        "complete": not stopped,
        "losses": {} if delivered is None else {"total": delivered.value, **delivered.by_kind},
        "measures": dict(measures),
    }
