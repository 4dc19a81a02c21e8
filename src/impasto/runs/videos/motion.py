"""What earlier frames say of a frame of a video, found along the optical flow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from impasto.videos import Clip
from impasto.videos.optical_flow import optical_flow, smooth, visible, warped

BACK = (1, 2, 4)
"""How many frames back it is looked for what a frame shows: the long-term consistency of Ruder et al. (2016, section 5)."""

HOLES = 0.003
"""The share of a frame that no frame before shows, from which on coarse levels are painted, too."""

_PATIENCE = 3.0  # frames after which what was newly painted is held with 0.63 of the full weight


@dataclass(frozen=True, eq=False)
class Led:
    r"""What earlier frames say of a frame.

    Args:
        image: (1, 3, H, W): earlier painted frames, moved along the flow; where several show a place, the nearest.
        known: (1, 1, H, W) in [0, 1]: where they show what the frame shows.
        smooth: (1, 1, H, W) in [0, 1]: where that does not lie at an edge of motion, where flow is not exact.
        age: (1, 1, H, W): for how many frames what is there has been painted.
    """

    image: Tensor
    known: Tensor
    smooth: Tensor
    age: Tensor

    @property
    def weights(self) -> Tensor:
        r"""How much each pixel is held: :math:`w = c \, (1 - e^{-a / 3})` for c known and smooth, and a its age.

        A frame after the first has few evaluations. What has just come into sight is not finished by them; it is let go
        on for some frames before it is held.
        """
        return self.known * self.smooth * (1 - torch.exp(-self.age / _PATIENCE))

    @property
    def holes(self) -> float:
        """The share of the frame that no frame before shows."""
        return 1 - float(self.known.mean())

    def boiled(self, share: float, pixels: Tensor, seed: int) -> Self:
        """As if earlier frames did not show a share of the frame, blots of it, which a seed chooses."""
        if not share:
            return self
        blots = _blots(tuple(pixels.shape[2:]), seed)
        least = float(np.quantile(blots.numpy(), share))  # torch's takes no more than 16 million values
        kept = (blots >= least).to(blots.dtype) if share < 1 else torch.zeros_like(blots)
        return replace(self, known=self.known * kept, age=self.age * kept)


@dataclass(frozen=True, eq=False)
class Seen:
    """A frame that was painted: what it shows, how it looks, and for how many frames its places have been painted.

    Of what is protected that is 0: where it is so no longer, there is nothing to hold on to.
    """

    pixels: Tensor
    painted: Tensor
    age: Tensor


@dataclass(frozen=True, eq=False)
class Flow:
    """Between a frame and one some frames before: the flow there, and where that one shows the same."""

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
        known = visible(there, optical_flow(earlier[-back], pixels))
        missing = missing * (1 - known)
        yield Flow(back, there, known)


def led(found: Sequence[Flow], seen: Sequence[Seen]) -> Led:
    r"""Earlier frames as one, given flows to them.

    A frame further back counts where no nearer one does, :math:`c_{long}^{(j)} = \max(c^{(j)} - \sum_{k < j} c^{(k)}, 0)`
    (Ruder et al. 2016, eq. 9).
    """
    nearest = found[0]
    image = warped(seen[-1].painted, nearest.there).clamp_(0, 1)
    known, even = nearest.known, smooth(nearest.there)
    age = warped(seen[-1].age, nearest.there).clamp_(min=0) * known
    for flow in found[1:]:
        new = (flow.known - known).clamp_(min=0)
        one = seen[-flow.back]
        image = torch.lerp(image, warped(one.painted, flow.there).clamp_(0, 1), new)
        even = torch.lerp(even, smooth(flow.there), new)
        age = torch.lerp(age, warped(one.age, flow.there).clamp_(min=0), new)
        known = known + new
    return Led(image, known * (age >= 0.5), even, age)


def keyframes(clip: Clip, shape: tuple[int, int], lost: float = 1 / 3) -> tuple[int, ...]:
    """Numbers of the frames that others can be made from: a new one where a share of the last one is out of sight.

    Args:
        clip: the video, the first frames of whose shots are among them.
        shape: that motion is looked at.
        lost: the share.
    """
    found: list[int] = []
    before, seen = None, torch.ones(1, 1, *shape)
    for number, pixels in enumerate(clip.frames(shape)):
        if before is not None:
            there = optical_flow(pixels, before)
            seen = warped(seen, there).clamp_(0, 1) * visible(there, optical_flow(before, pixels))
        if number in clip.shots or 1 - float(seen.mean()) > lost:
            found.append(number)
            seen = torch.ones_like(seen)
        before = pixels
    return tuple(found)


def _blots(shape: tuple[int, ...], seed: int) -> Tensor:
    """Noise (1, 1, H, W) that changes over a sixteenth of the long side."""
    grid = [max(2, round(16 * side / max(shape))) for side in shape]
    noise = torch.rand(1, 1, *grid, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(noise, shape, mode="bicubic", align_corners=False)
