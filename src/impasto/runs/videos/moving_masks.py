"""Masks of videos that are videos themselves: regions that differ from frame to frame."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import torch

from impasto import images, videos
from impasto.aims.regions import Regions, check_regions
from impasto.color import luminance
from impasto.errors import ImageError
from impasto.files import is_file
from impasto.images import Picture
from impasto.settings import Settings
from impasto.videos import Clip, Keyframes


@dataclass(frozen=True, eq=False)
class MovingMasks:
    """The masks of a video's frames.

    Args:
        whole: the regions of a picture, each moving mask being the mean of its frames, so that none is nowhere.
        masks: by the number of their region, those that move.
        protect: what stays the video, if that moves.
    """

    whole: Regions
    masks: dict[int, Clip]
    protect: Clip | None = None

    @classmethod
    def read(
        cls,
        inputs: Mapping[str, Sequence[Any]],
        clip: Clip,
        frame: Picture,
        styles: Sequence[Picture],
        settings: Settings,
    ) -> Self | None:
        """From a video's inputs by role; None if there are no masks.

        Args:
            inputs: those of the roles masks and protect count.
            clip: the video.
            frame: its first one.
            styles: the paintings.
            settings: those of the run.

        Raises:
            ImpastoError: if a mask does not fit the video, or is no mask.
        """
        masks, protect = inputs.get("masks", ()), next(iter(inputs.get("protect", ())), None)
        clips = {
            number: _fitted(moving, clip) for number, mask in enumerate(masks) if (moving := _moving(mask)) is not None
        }
        kept = None if protect is None or (moving := _moving(protect)) is None else _fitted(moving, clip)
        spread = {number: _over_time(read) for number, read in clips.items()}
        peaks = [
            (spread[number].peak, _painting(mask)) if number in spread else mask for number, mask in enumerate(masks)
        ]
        safe = None if kept is None else _over_time(kept)
        found = Regions.of(peaks or None, protect if safe is None else safe.peak, frame, styles)
        check_regions(found, settings)
        if found is None:
            return None
        pairs = [
            replace(pair, photo=spread[number].mean) if number in spread else pair
            for number, pair in enumerate(found.pairs)
        ]
        whole = replace(found, pairs=tuple(pairs), protect=found.protect if safe is None else safe.mean)
        return cls(whole, clips, kept)

    def frames(self, shape: tuple[int, int]) -> Iterator[Regions]:
        """The regions of one frame after the other, without end where no mask moves."""
        moving = [clip.frames(shape) for clip in self.masks.values()]
        protected = iter(()) if self.protect is None else self.protect.frames(shape)
        while True:
            pairs = list(self.whole.pairs)
            for (number, clip), frames in zip(self.masks.items(), moving, strict=True):
                pairs[number] = replace(pairs[number], photo=_picture(next(frames), clip))
            regions = replace(self.whole, pairs=tuple(pairs))
            yield regions if self.protect is None else replace(regions, protect=_picture(next(protected), self.protect))


def _moving(mask: Any) -> Clip | None:
    """A mask as a clip, or None if it is a picture or a word."""
    source = mask[0] if isinstance(mask, tuple) and mask else mask
    if isinstance(source, Clip):
        return source
    if isinstance(source, str) and not is_file(source) and isinstance(mask, str):
        source = source.partition("=")[0]
    return videos.read(source) if isinstance(source, (str, Path)) and videos.is_video(source) else None


def _painting(mask: Any) -> Any:
    """The part of a painting that a mask is paired with, or None."""
    if isinstance(mask, tuple):
        return mask[1] if len(mask) > 1 else None
    return mask.partition("=")[2] or None if isinstance(mask, str) and not is_file(mask) else None


def _fitted(moving: Clip, clip: Clip) -> Clip:
    """A moving mask with a frame for each of the clip's."""
    whole = clip.whole if isinstance(clip, Keyframes) else clip
    if len(moving) != len(whole):
        raise ImageError(
            f"The mask {moving.name} has {len(moving)} frames and {clip.name} has {len(whole)}; give a mask of each frame."
        )
    still = replace(moving, shots=(0,))
    return Keyframes.of(still, clip.numbers, clip.chosen) if isinstance(clip, Keyframes) else still


@dataclass(frozen=True, eq=False)
class _Spread:
    """The largest value of a moving mask at every place, and the mean."""

    peak: Picture
    mean: Picture


def _over_time(clip: Clip) -> _Spread:
    peak = total = torch.zeros(1, 1, *clip.shape)
    for frame in clip.frames(clip.shape):
        values = luminance(frame).clamp(0, 1)
        peak, total = torch.maximum(peak, values), total + values
    return _Spread(_picture(peak, clip), _picture(total / len(clip), clip))


def _picture(pixels: torch.Tensor, clip: Clip) -> Picture:
    """Values (1, 1 or 3, H, W) of a mask as a picture that has the clip's name and hash."""
    picture = images.read(pixels.expand(-1, 3, -1, -1))
    source = replace(picture.source, name=clip.name, sha256=clip.sha256, path=clip.path, format="video")
    return replace(picture, source=source)
