"""A video as it is read: where its frames are, when each is shown, and what else its file says."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from impasto.errors import VideoError
from impasto.files import Files
from impasto.pyramid import fitted, resize

VIDEOS = Files("a video", VideoError)

MAX_FRAMES = 10**6
"""The most frames of a video."""

_CUT, _TIMES = 0.08, 3.0  # of [0, 1]; times the usual change around it
_AROUND = 5  # frames


@dataclass(frozen=True, eq=False, kw_only=True)
class Clip(ABC):
    """A video whose frames are decoded when they are asked for.

    Args:
        path: the file, or the folder of frames.
        name: without folders.
        sha256: of the file's bytes, or of those of all frames' files.
        shape: height and width as it is shown: upright, with square pixels.
        times: when each frame is shown, in seconds from the first.
        end: when the last one is over.
        shots: the first frame of every shot.
        start: when the first frame is shown by the file's own clock, which its sound keeps to.
        sound: whether there is a sound track.
        notes: sentences on what was found and not used.
    """

    path: Path
    name: str
    sha256: str
    shape: tuple[int, int]
    times: tuple[Fraction, ...]
    end: Fraction
    shots: tuple[int, ...]
    start: Fraction = Fraction(0)
    sound: bool = False
    notes: tuple[str, ...] = ()

    @abstractmethod
    def decoded(self, first: int = 0) -> Iterator[Tensor]:
        """The frames from one on, upright, (1, 3, H, W) in [0, 1], at the size that they are stored in.

        Raises:
            VideoError: if the file is not what it was.
        """

    def frames(self, shape: tuple[int, int], first: int = 0) -> Iterator[Tensor]:
        """The frames from one on at a shape, in steps of 1 / 255."""
        for frame in self.decoded(first):
            sized = frame if tuple(frame.shape[2:]) == shape else resize(frame, shape)
            yield (sized.clamp(0, 1) * 255).round() / 255

    def __len__(self) -> int:
        return len(self.times)

    @property
    def rate(self) -> Fraction:
        """Frames per second on average."""
        return Fraction(len(self)) / self.end


@dataclass(frozen=True, eq=False, kw_only=True)
class Keyframes(Clip):
    """Some frames of a clip, the first of every shot among them.

    Args:
        whole: the clip.
        chosen: how they were chosen: so many frames apart, or a word.
        numbers: of the frames, in the clip.
    """

    whole: Clip
    chosen: int | str
    numbers: tuple[int, ...]

    @classmethod
    def every(cls, whole: Clip, step: int) -> Self:
        """Those of a clip that are so many frames apart, counted from the first of their shot."""
        ends = (*whole.shots[1:], len(whole))
        numbers = chain.from_iterable(range(*span, step) for span in zip(whole.shots, ends, strict=True))
        return cls.of(whole, tuple(numbers), step)

    @classmethod
    def of(cls, whole: Clip, numbers: tuple[int, ...], chosen: int | str) -> Self:
        """Those of a clip with these numbers."""
        values = {part.name: getattr(whole, part.name) for part in fields(Clip)}
        times = tuple(whole.times[number] for number in numbers)
        shots = tuple(numbers.index(shot) for shot in whole.shots)
        return cls(
            **{**values, "times": times, "shots": shots, "sound": False}, whole=whole, chosen=chosen, numbers=numbers
        )

    def decoded(self, first: int = 0) -> Iterator[Tensor]:
        """Out of all of the clip's."""
        wanted = set(self.numbers[first:])
        yield from (frame for number, frame in enumerate(self.whole.decoded()) if number in wanted)


def even(shape: tuple[int, ...], size: int) -> tuple[int, int]:
    """The shape of a video whose long side has so many pixels: even numbers, as codecs want them."""
    height, width = fitted(shape, size)
    return max(2, 2 * round(height / 2)), max(2, 2 * round(width / 2))


def grid_of(frame: Tensor) -> Tensor:
    """What is left of a frame to find cuts by: its colors on a grid of 18 x 32."""
    small: Tensor = torch.nn.functional.adaptive_avg_pool2d(frame, (18, 32))
    return small


def cuts(grids: Sequence[Tensor]) -> tuple[int, ...]:
    """The first frame of every shot, from small pictures of all frames.

    A frame begins a shot where it differs from the one before by more than 0.08 a pixel on average, and by more than
    three times the median of the differences around it, so that fast motion is no cut.
    """
    changes = torch.tensor([float((a - b).abs().mean()) for a, b in pairwise(grids)])
    found = [0]
    for index, change in enumerate(changes.tolist()):
        near = changes[max(0, index - _AROUND) : index + _AROUND + 1]
        others = torch.cat([near[: min(index, _AROUND)], near[min(index, _AROUND) + 1 :]])
        usual = float(others.median()) if len(others) else 0.0
        if change > _CUT and change > _TIMES * usual:
            found.append(index + 1)
    return tuple(found)
