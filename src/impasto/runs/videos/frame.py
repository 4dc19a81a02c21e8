"""One frame of a video: a style transfer that begins where the frames before it led."""

from collections.abc import Iterator, Sequence
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
from impasto.pyramid import resize
from impasto.runs.pictures.stylize import Transfer
from impasto.tasks import Task
from impasto.tasks.video import VIDEO
from impasto.videos.optical_flow import optical_flow, reliability, warped

BACK = (1, 2, 4)
"""How many frames back it is looked for what a frame shows: the long-term consistency of Ruder et al. (2016, section 5)."""

HOLES = 0.003
"""The share of a frame that no frame before shows, from which on coarse levels are painted, too."""

_COARSE = (12, 10)  # evaluations there, at a quarter of the size and at half
_PATIENCE = 3.0  # frames after which what was newly painted is held with 0.63 of the full weight


@dataclass(frozen=True, eq=False)
class Led:
    r"""What earlier frames say of a frame.

    Args:
        image: (1, 3, H, W): earlier painted frames, moved along the flow; where several show a place, the nearest.
        known: (1, 1, H, W) in [0, 1]: where that can be trusted.
        age: (1, 1, H, W): for how many frames what is there has been painted.
    """

    image: Tensor
    known: Tensor
    age: Tensor

    @property
    def weights(self) -> Tensor:
        r"""How much each pixel is held: :math:`w = c \, (1 - e^{-a / 3})` for c known and a its age.

        A frame after the first has few evaluations. What has just come into sight is not finished by them; it is let go
        on for some frames before it is held.
        """
        return self.known * (1 - torch.exp(-self.age / _PATIENCE))

    @property
    def holes(self) -> float:
        """The share of the frame that no frame before shows."""
        return 1 - float(self.known.mean())


@dataclass(frozen=True, eq=False)
class Seen:
    """A frame that was painted: what it shows, how it looks, and for how many frames its places have been painted."""

    pixels: Tensor
    painted: Tensor
    age: Tensor


@dataclass(frozen=True, eq=False)
class Flow:
    """Between a frame and one some frames before: the flow there, and where it can be trusted."""

    back: int
    there: Tensor
    known: Tensor


def flows(pixels: Tensor, earlier: Sequence[Tensor]) -> Iterator[Flow]:
    """The flows from a frame to those before it, the nearest last in the sequence.

    Frames further back are asked only as long as some part of the frame was not found.
    """
    missing = torch.ones(1, 1, *pixels.shape[2:])
    for back in BACK:
        if back > len(earlier) or float(missing.mean()) <= HOLES:
            return
        there = optical_flow(pixels, earlier[-back])
        known = reliability(there, optical_flow(earlier[-back], pixels))
        missing = missing * (1 - known)
        yield Flow(back, there, known)


def led(found: Sequence[Flow], seen: Sequence[Seen]) -> Led:
    r"""Earlier frames as one, given flows to them.

    A frame further back counts where no nearer one does, :math:`c_{long}^{(j)} = \max(c^{(j)} - \sum_{k < j} c^{(k)}, 0)`
    (Ruder et al. 2016, eq. 9).
    """
    nearest = found[0]
    image = warped(seen[-1].painted, nearest.there).clamp_(0, 1)
    known = nearest.known
    age = warped(seen[-1].age, nearest.there).clamp_(min=0) * known
    for flow in found[1:]:
        new = (flow.known - known).clamp_(min=0)
        one = seen[-flow.back]
        image = torch.lerp(image, warped(one.painted, flow.there).clamp_(0, 1), new)
        age = torch.lerp(age, warped(one.age, flow.there).clamp_(min=0), new)
        known = known + new
    return Led(image, known, age)


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

    def start(self) -> Tensor:
        """What the frames before led to."""
        return super().start() if self.led is None else resize(self.led.image, self.levels[0].shape).to(self.device)

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
        style = self.shared.style if encoder is self.shared.encoder else None
        return replace(aims, style=style, opening=self.opening, extra_terms=self._temporal)

    def _temporal(self, shape: tuple[int, ...]) -> list[Term]:
        if self.led is None or self.shared is None or not self.shared.weight:
            return []
        image, weights = resize(self.led.image, shape), resize(self.led.weights, shape).clamp_(min=0)
        loss = TemporalLoss(image.to(self.device), weights.to(self.device), self.device)
        return [Term("temporal", IMAGE, loss, self.shared.weight)]
