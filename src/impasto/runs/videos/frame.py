"""One frame of a video: a style transfer that begins where the frames before it led."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from impasto.aims.colors import ColorMode
from impasto.aims.style import StyleTargets
from impasto.aims.targets import Targets
from impasto.descent import Level
from impasto.encoders import IMAGE, Encoder
from impasto.losses import TemporalLoss
from impasto.memory.execution import Execution
from impasto.objective import Term
from impasto.optimizers import LBFGS, Optimizer
from impasto.pyramid import resize
from impasto.runs.pictures.stylize import Transfer
from impasto.runs.videos.motion import HOLES, Led
from impasto.settings import Settings
from impasto.tasks import Task
from impasto.tasks.video import VIDEO

_NEAR = 0.005  # a larger first step is tried in vain, and costs one or two evaluations
_COARSE = (12, 10)  # evaluations there, at a quarter of the size and at half


@dataclass(frozen=True, eq=False)
class Shared:
    """What all frames of a video have in common.

    Args:
        encoder: the network.
        paintings: as the network is to see them.
        style: their statistics.
        colors: whose colors the video has, found from its first frame.
        weight: of the temporal loss.
        evaluations: of a frame that follows another.
    """

    encoder: Encoder
    paintings: list[Tensor]
    style: StyleTargets
    colors: ColorMode
    weight: float
    evaluations: int

    def style_of(self, settings: Settings) -> StyleTargets:
        """The paintings' statistics by the shares of a frame."""
        return self.style if settings.blend == self.style.settings.blend else self.style.blended(settings.blend or ())


@dataclass(frozen=True, eq=False)
class Frame(Transfer):
    """A frame, prepared.

    Args:
        shared: what it has in common with the others.
        opening: the first frame of its shot, which says how far content may go, so that nothing pumps.
        led: what the frames before say, or None of the first of a shot.
    """

    task: ClassVar[Task] = VIDEO

    shared: Shared | None = None
    opening: Tensor | None = None
    led: Led | None = None

    @cached_property
    def encoder(self) -> Encoder:
        """That of all frames."""
        assert self.shared is not None
        return self.shared.encoder

    @cached_property
    def paintings(self) -> list[Tensor]:
        """Those of all frames."""
        assert self.shared is not None
        return self.shared.paintings

    @cached_property
    def color_mode(self) -> ColorMode:
        """That of all frames, with the chroma of this one."""
        assert self.shared is not None
        return replace(self.shared.colors, photo=self.canvas.pixels)

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """Those of a picture; of a frame that follows another the finest, with coarser ones before it if there are holes."""
        full = super().levels
        if self.led is None:
            return full
        assert self.shared is not None
        counts = (*(_COARSE if self.led.holes > HOLES else ()), self.shared.evaluations)
        shapes = [level.shape for level in full[-len(counts) :]]
        return tuple(Level(shape, count) for shape, count in zip(shapes, counts[-len(shapes) :], strict=True))

    def optimizer(self) -> Optimizer:
        """That of a picture; of a frame that follows another, which is nearly finished, with a smaller first step."""
        found = super().optimizer()
        return replace(found, first_step=_NEAR) if self.led is not None and isinstance(found, LBFGS) else found

    def start(self) -> Tensor:
        """What the frames before led to; in holes what a picture starts from, for there they show what was in front."""
        own = super().start()
        if self.led is None:
            return own
        shape = self.levels[0].shape
        known = resize(self.led.known, shape).clamp_(0, 1).to(own.device)
        return torch.lerp(own, resize(self.led.image, shape).to(own.device), known)

    def lift(self, image: Tensor, shape: tuple[int, ...]) -> Tensor:
        """What was painted on the level below goes into the holes only."""
        larger = super().lift(image, shape)
        if self.led is None:
            return larger
        known = resize(self.led.known, shape).clamp_(0, 1).to(larger.device)
        return torch.lerp(larger, resize(self.led.image, shape).to(larger.device), known)

    def targets_in(self, execution: Execution, encoder: Encoder) -> Targets:
        """With the temporal loss, the statistics of the paintings, and the limit of the shot."""
        aims = super().targets_in(execution, encoder)
        assert self.shared is not None
        style = self.shared.style_of(self.settings) if encoder is self.shared.encoder else None
        return replace(aims, style=style, opening=self.opening, extra_terms=self._temporal)

    def _temporal(self, shape: tuple[int, ...]) -> list[Term]:
        if self.led is None or self.shared is None or not self.shared.weight:
            return []
        image, weights = resize(self.led.image, shape), resize(self.led.weights, shape).clamp_(min=0)
        loss = TemporalLoss(image.to(self.device), weights.to(self.device), self.device)
        return [Term("temporal", IMAGE, loss, self.shared.weight)]
