"""Videos: a clip and one or several paintings in, the clip in their style out, steady over time.

After Ruder, Dosovitskiy and Brox (2016), "Artistic style transfer for videos": a frame begins as the one before it, moved
along the optical flow, and a temporal loss holds it there where the flow can be trusted.
"""

import shutil
import tempfile
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields, replace
from fractions import Fraction
from functools import cached_property, partial
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from impasto import images, machine, videos
from impasto.aims.balance import Balance
from impasto.aims.regions import Regions
from impasto.aims.style import StyleTargets
from impasto.descent import Record
from impasto.engines.group import ALONE
from impasto.errors import SettingsError
from impasto.images import Picture
from impasto.media import FRAMES
from impasto.memory.budget import Budget
from impasto.memory.tile_progress import OnTile
from impasto.runs.checkpoint import Checkpoint, check_folder
from impasto.runs.events import Event, Listener
from impasto.runs.imaging import several
from impasto.runs.pictures.stylize import Transfer
from impasto.runs.plan import Plan
from impasto.runs.result import Result, Scores
from impasto.runs.videos.frame import Frame, Shared
from impasto.runs.videos.motion import BACK, Flow, Led, Seen, flows, keyframes, led
from impasto.runs.videos.moving_masks import MovingMasks
from impasto.settings import Settings
from impasto.tasks import Task
from impasto.tasks.task import either
from impasto.tasks.video import VIDEO
from impasto.videos import Clip, Painted
from impasto.videos.frames import FrameFolder

_PAINTED = 1e6  # frames: of the first one of a shot, all is finished


def stylize_video(
    clip: Any,
    styles: Any,
    *,
    masks: Any = None,
    protect: Any = None,
    settings: Settings | None = None,
    on_event: Listener | None = None,
    frames: str | Path | None = None,
    **values: Any,
) -> Result:
    """Paint a video in the style of ``styles``.

    Args:
        clip: a path to a video or a folder, a pattern of frames, or a :class:`impasto.videos.Clip`.
        styles: a painting, or a list of them, as for :func:`impasto.stylize`.
        masks: where each style goes, as for :func:`impasto.stylize`; a mask may be a video of as many frames.
        protect: a mask of what stays the clip, a picture or a video.
        settings: all settings at once; or give single ones as keywords.
        on_event: called after every optimizer step; return True to stop there and keep the frames that are finished.
        frames: a folder for the painted frames; a run that finds its own there goes on from them to the same video.
        values: single settings, the words of ``impasto video`` (``temporal_weight``, ``frame_evaluations``, ``strengths``,
            ``blends``, ``boil``, ``keyframes``, ``rate`` of a folder), and ``memory``.

    Returns:
        The video; :meth:`Result.save` encodes it.

    Raises:
        ImpastoError: with a sentence on what is wrong with the clip, a painting or a setting.
    """
    words, rest = VIDEO.split(values)
    given = either(settings, {name: value for name, value in rest.items() if name != "memory"})
    inputs = {
        "content": [clip],
        "styles": several(styles),
        "masks": [] if masks is None else list(masks),
        "protect": [] if protect is None else [protect],
    }
    how = {} if rest.get("memory") is None else {"memory": rest["memory"]}
    run: Video = VIDEO.prepared(inputs, words, given, **how)
    return run.run(on_event, frames)


@dataclass(frozen=True, eq=False)
class Unpainted:
    """What is known of a frame before it is painted."""

    index: int
    pixels: Tensor
    flows: tuple[Flow, ...]
    regions: Regions | None


@dataclass(frozen=True, eq=False)
class Video(Transfer):
    """The painting of a video, prepared. ``canvas`` is its first frame.

    Args:
        clip: the video.
        temporal_weight: how much a frame keeps to those before.
        frame_evaluations: of a frame that follows another.
        strengths: by times in seconds, instead of that of the settings; straight between them.
        blends: likewise the shares of the styles.
        boil: the share of a frame that is painted anew.
        moving: the masks of the frames, if some move.
    """

    task: ClassVar[Task] = VIDEO

    clip: Clip | None = None
    temporal_weight: float = 10.0
    frame_evaluations: int = 7
    strengths: Mapping[str, float] = field(default_factory=dict)
    blends: Mapping[str, Sequence[float]] = field(default_factory=dict)
    boil: float = 0.0
    moving: MovingMasks | None = None

    @property
    def like(self) -> Any:
        """The clip, whose times and sound the video has."""
        return self._clip

    @property
    def _clip(self) -> Clip:
        assert self.clip is not None
        return self.clip

    @machine.undisturbed()
    def run(
        self,
        on_event: Listener | None = None,
        checkpoint: str | Path | None = None,
        *,
        checkpoint_interval: float = Checkpoint.INTERVAL,  # noqa: ARG002  # every frame is one
        on_result: Callable[[Result], object] | None = None,  # noqa: ARG002  # nothing is measured after the last frame
    ) -> Result:
        """Paint it.

        Args:
            on_event: called after every optimizer step; return True to stop there and keep the frames that are finished.
            checkpoint: a folder for the painted frames; a temporary one unless given.
            checkpoint_interval: of no meaning: every frame is saved.
            on_result: likewise: nothing takes long after the last frame.

        Raises:
            ImpastoError: with a sentence on what is wrong with the folder.
        """
        began = time.perf_counter()
        self._keep_memory()
        scratch = _Scratch() if checkpoint is None else None
        folder = FrameFolder(Path(checkpoint or "") if scratch is None else scratch.folder, self.identity())
        check_folder(folder.folder)
        with folder.held():
            ready = time.perf_counter()
            records = list(self._painted(folder, on_event, began))
        if not records:
            raise SettingsError("The video was stopped before its first frame was finished, so there is none.")
        painted = Painted(self._clip, len(records), _Kept(folder, scratch))
        first = folder.load(0)
        assert first is not None
        complete = len(records) == len(self._clip)
        losses = {"optimized": _mean(records)}
        measures = {
            "frames": float(len(records)),
            "shots": float(sum(shot < len(records) for shot in self._clip.shots)),
        }
        return Result(
            tensor=first[0],
            made=painted,
            like=self._clip,
            medium=self.medium,
            settings=self.settings,
            recipe=self.recipe(tuple(records), losses, measures, stopped=not complete),
            history=tuple(records),
            timings={"setup": ready - began, "descent": time.perf_counter() - ready, "final": 0.0},
            complete=complete,
            losses=losses,
            measures=measures,
            notes=tuple(self.notes(first[0])),
        )

    def _painted(self, folder: FrameFolder, on_event: Listener | None, began: float) -> Iterator[Record]:
        """The last line of every frame's history, as far as frames are finished."""
        seen: deque[Seen] = deque(maxlen=max(BACK))
        opening: Tensor | None = None
        meter = _Meter(self, began)
        for frame in _ahead(self._unpainted()):
            if not frame.flows:
                seen.clear()
                opening = frame.pixels
            before = led(frame.flows, seen) if frame.flows else None
            before = before and before.boiled(self.boil, frame.pixels, self.settings.seed + frame.index)
            known = folder.load(frame.index)
            if known is None:
                found = self._paint(frame, before, opening, partial(_told, on_event, meter, frame.index))
                if found is None:
                    return
                folder.save(frame.index, found[0], asdict(found[1]))
                meter.painted(frame.index)
                known = folder.load(frame.index)
                assert known is not None
            seen.append(Seen(frame.pixels, known[0], _age(frame, before)))
            yield Record(**known[1])

    def _paint(
        self, frame: Unpainted, before: Led | None, opening: Tensor | None, listen: Listener
    ) -> tuple[Tensor, Record] | None:
        """A frame and the last line of its history; None if a listener stopped it."""
        canvas = replace(self.canvas, pixels=frame.pixels, alpha=None)
        inherited = {part.name: getattr(self, part.name) for part in fields(Transfer)}
        own = {
            "canvas": canvas,
            "first": None,
            "settings": self._settings_at(self._clip.times[frame.index]),
            "regions": frame.regions,
        }
        run = Frame(**{**inherited, **own}, shared=self._shared, opening=opening, led=before)
        stopped = [False]

        def told(event: Event) -> bool:
            stopped[0] = bool(listen(event)) or stopped[0]
            return stopped[0]

        image, history = run.descended(told)
        return None if stopped[0] else (image, replace(history[-1], level=len(self.levels) - 1))

    def _settings_at(self, time: Fraction) -> Settings:
        """Those of a frame that is shown at a time."""
        changed: dict[str, Any] = {}
        if self.strengths:
            [changed["strength"]] = _at(time, {at: [strength] for at, strength in self.strengths.items()})
        if self.blends:
            changed["blend"] = _at(time, self.blends)
        return self.settings.model_copy(update=changed)

    @cached_property
    def _shared(self) -> Shared:
        style = StyleTargets(self.encoder, self.paintings, self.settings, self.regions, self.execution)
        return Shared(
            self.encoder, self.paintings, style, self.color_mode, self.temporal_weight, self.frame_evaluations
        )

    def _unpainted(self) -> Iterator[Unpainted]:
        """Every frame with the flows to the ones before it in its shot."""
        earlier: deque[Tensor] = deque(maxlen=max(BACK))
        starts = set(self._clip.shots)
        regions = repeat(self.regions) if self.moving is None else self.moving.frames(self.canvas.shape)
        for index, pixels in enumerate(self._clip.frames(self.canvas.shape)):
            if index in starts:
                earlier.clear()
            yield Unpainted(index, pixels, tuple(flows(pixels, tuple(earlier))), next(regions))
            earlier.append(pixels)

    def within(self, budget: Budget, on_tile: OnTile | None = None) -> Self:
        """The same run within another budget.

        Raises:
            SettingsError: if it does not fit, or several processes are to share it.
        """
        if budget.group != ALONE:
            raise SettingsError("A video is painted by one process; leave torchrun out.")
        return super().within(budget, on_tile)

    def keeps_in(self, folder: Path) -> Path:
        """Its frames have a folder of their own."""
        return folder / FRAMES

    @machine.undisturbed()
    def plan(self, *, measure: bool = True) -> Plan:
        """That of the first frame, with the time of all."""
        plan = super().plan(measure=measure)
        meter = _Meter(self, 0.0)
        return plan if plan.seconds is None else replace(plan, seconds=plan.seconds * meter.left / meter.cost[True])

    def identity(self) -> dict[str, Any]:
        """That of a picture, with the clip instead of its first frame."""
        clip = self._clip
        return {
            **super().identity(),
            "content": [clip.sha256, *self.canvas.shape, len(clip)],
            "shots": list(clip.shots),
        }

    def words(self) -> dict[str, Any]:
        """How frames follow one another."""
        words: dict[str, Any] = {"temporal_weight": self.temporal_weight, "frame_evaluations": self.frame_evaluations}
        words |= {"strengths": dict(self.strengths)} if self.strengths else {}
        words |= {"blends": {at: list(shares) for at, shares in self.blends.items()}} if self.blends else {}
        words |= {"boil": self.boil} if self.boil else {}
        clip = self._clip
        if isinstance(clip, videos.Keyframes):
            words, clip = words | {"keyframes": clip.chosen}, clip.whole
        return words | ({"rate": float(clip.rate)} if isinstance(clip, videos.Stills) else {})

    def notes(self, finished: Tensor) -> Iterator[str]:
        """What the clip's file holds that was not used, and that of any picture."""
        yield from self._clip.notes
        yield from super().notes(finished)


class _Scratch:
    """A temporary folder, which is removed when nobody has it any more."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="impasto-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)


@dataclass(frozen=True, eq=False)
class _Kept:
    """The frames of a folder by their numbers."""

    folder: FrameFolder
    scratch: _Scratch | None

    def __call__(self, index: int) -> Any:
        return self.folder.pixels(index)


class _Meter:
    """How long the rest takes, from what the frames so far took in this session."""

    def __init__(self, video: Video, began: float) -> None:
        finest = video.levels[-1]
        self.cost = {True: sum(level.cost for level in video.levels), False: finest.cost // finest.evaluations}
        self.cost[False] *= video.frame_evaluations + 1
        self.shots = set(video.like.shots)
        self.count = len(video.like)
        self.began = began
        self.done = 0.0
        self.left = float(sum(self.cost[index in self.shots] for index in range(self.count)))

    def painted(self, index: int) -> None:
        """A frame is finished."""
        self.done += self.cost[index in self.shots]

    def remaining(self, index: int, event: Event) -> float:
        """Seconds to go while a frame is painted."""
        total = sum(level.cost for level in event.levels)
        here = sum(level.cost for level in event.levels[: event.level])
        level = event.levels[event.level]
        share = (here + level.cost * min(1.0, event.evaluation / level.evaluations)) / total
        after = sum(self.cost[other in self.shots] for other in range(index + 1, self.count))
        own = self.cost[index in self.shots]
        spent = time.perf_counter() - self.began
        return spent * (after + own * (1 - share)) / max(self.done + own * share, 1e-9)


def _told(on_event: Listener | None, meter: _Meter, index: int, event: Event) -> object:
    """Tell a listener of a frame's event as one of the video's."""
    if on_event is None:
        return False
    name, remaining = f"frame {index + 1}", meter.remaining(index, event)
    return on_event(replace(event, unit=index, units=meter.count, name=name, remaining=remaining))


def _ahead(frames: Iterator[Unpainted]) -> Iterator[Unpainted]:
    """The same, each found in a thread while the one before it is painted."""

    @machine.undisturbed()
    def following() -> Unpainted | None:
        return next(frames, None)

    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(following)
        while (frame := found.result()) is not None:
            found = pool.submit(following)
            yield frame


def _age(frame: Unpainted, before: Led | None) -> Tensor:
    """For how many frames what a frame shows has been painted, once that one is."""
    shape = tuple(frame.pixels.shape[2:])
    age = torch.full((1, 1, *shape), _PAINTED) if before is None else before.age + 1
    protected = None if frame.regions is None else frame.regions.protected_at(shape)
    return age if protected is None else age * (protected < 0.5)


def _mean(records: Sequence[Record]) -> Scores:
    """Losses of frames as they were optimized, on average."""
    names = list(dict.fromkeys(name for record in records for name in record.losses))
    losses = {name: sum(record.losses.get(name, 0.0) for record in records) / len(records) for name in names}
    return Scores(sum(record.value for record in records) / len(records), {}, losses)


def prepared(
    inputs: Mapping[str, Sequence[Any]], words: Mapping[str, Any], *, settings: Settings | None = None, **values: Any
) -> Video:
    """The painting of a video from its inputs by role.

    Raises:
        ImpastoError: with a sentence on what is wrong.
    """
    memory, place = values.pop("memory", None), values.pop("place", None)
    [source], styles = inputs["content"], inputs["styles"]
    chosen = VIDEO.decide(either(settings, values))
    paintings = [images.read(style) for style in styles]
    _check(chosen, words, len(paintings))
    clip = source if isinstance(source, Clip) else videos.read(source, words.get("rate"))
    shape = videos.even(clip.shape, chosen.size)
    clip = _keyframes(clip, words.get("keyframes"), shape)
    kinds = {"temporal_weight": float, "frame_evaluations": int, "boil": float, "strengths": dict, "blends": dict}
    given = {name: kind(words[name]) for name, kind in kinds.items() if words.get(name) is not None}
    blend = next(iter(given.get("blends", {}).values()), None)
    run = Video.made(
        _first(clip, shape),
        paintings,
        chosen if blend is None else chosen.model_copy(update={"blend": tuple(blend)}),
        memory=memory,
        place=place,
        clip=clip,
        **given,
    )
    moving = MovingMasks.read(inputs, clip, run.canvas, run.styles, chosen)
    return replace(run, regions=None if moving is None else moving.whole, moving=moving).checked()


def _keyframes(clip: Clip, chosen: int | str | None, shape: tuple[int, int]) -> Clip:
    """A clip, or those of its frames that are to be painted."""
    if chosen is None:
        return clip
    if isinstance(chosen, str):
        return videos.Keyframes.of(clip, keyframes(clip, shape), chosen)
    return videos.Keyframes.every(clip, chosen)


def _check(settings: Settings, words: Mapping[str, Any], styles: int) -> None:
    if settings.size % 2:
        raise SettingsError(f"The size of a video is {settings.size}, which is odd; codecs want an even one.")
    weight, count = words.get("temporal_weight", 0.0), words.get("frame_evaluations", 1)
    if not 0 <= weight <= 1e6:
        raise SettingsError(f"The temporal weight is {weight:g}; give 0 to 1000000, such as 10.")
    apart = words.get("keyframes", 1)
    if isinstance(apart, int) and not 1 <= apart <= 10**6:
        raise SettingsError(f"Keyframes are to be {apart} frames apart; give 1 or more, such as 10.")
    if not 0 <= words.get("boil", 0.0) <= 1:
        raise SettingsError(f"The boil is {words['boil']:g}; give a share from 0 to 1, such as 0.3.")
    for shares in words.get("blends", {}).values():
        if settings.blend is not None or len(shares) != styles:
            raise SettingsError(
                f"A blend that changes is instead of blend, and has a share for each style, of which there are {styles}; "
                "give such as 0:1/0,4:0/1."
            )
    if not 1 <= count <= 10**6:
        raise SettingsError(f"A frame is to have {count} evaluations; give 1 or more, such as 7.")
    if words.get("strengths") and (settings.strength is not None or not Balance(settings).holds):
        raise SettingsError(
            "A strength that changes is instead of strength, weights and content_loss; leave these out."
        )
    if settings.padding == "circular" and Balance(settings).content_layers:
        raise SettingsError("The padding circular makes tiles of pictures, and a video is none; choose another.")


def _at(time: Fraction, values: Mapping[str, Sequence[float]]) -> tuple[float, ...]:
    """Numbers that change, at a time: straight between the times at which they are given."""
    moments = [float(moment) for moment in values]
    return tuple(float(np.interp(float(time), moments, some)) for some in zip(*values.values(), strict=True))


def _first(clip: Clip, shape: tuple[int, int]) -> Picture:
    """The first frame as a picture, which has the clip's name and hash."""
    pixels = next(clip.frames(shape))
    picture = images.read(pixels)
    source = replace(picture.source, name=clip.name, sha256=clip.sha256, path=clip.path, format="video")
    return replace(picture, source=source)


__all__ = ["Video", "prepared", "stylize_video"]
