"""Volumes in the style of pictures or of other volumes: a transfer whose network is inflated to three dimensions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from impasto import images, machine, volumes
from impasto.aims.targets import Targets
from impasto.encoders import Encoder
from impasto.encoders.inflation import Inflated
from impasto.engines import AxisFirst, Evaluator, Part, WeightedSum
from impasto.errors import SettingsError
from impasto.images import Picture
from impasto.memory.budget import Budget, Layout
from impasto.memory.execution import Execution
from impasto.memory.tile_progress import OnTile
from impasto.runs.events import Listener
from impasto.runs.imaging import ImageRun, several
from impasto.runs.result import Result
from impasto.runs.solids.block import Block, alone, contact_sheet, flat, grayed
from impasto.settings import Settings
from impasto.tasks import Task
from impasto.tasks.task import either
from impasto.tasks.volume import AXES, VOLUME
from impasto.tiling import Tile, Window
from impasto.volumes import CAUTION, Volume
from impasto.volumes.reading import holds_volume


def stylize_volume(
    content: Any,
    styles: Any,
    *,
    depths: Sequence[int] = AXES,
    color: bool = False,
    window: tuple[float, float] | None = None,
    settings: Settings | None = None,
    on_event: Listener | None = None,
    checkpoint: str | Path | None = None,
    **values: Any,
) -> Result:
    """A volume in the style of pictures or of other volumes, by VGG-19 inflated to three dimensions.

    Args:
        content: a NIfTI file, a folder of DICOM files, a TIFF stack, an NPY file, an array (D, H, W) of intensities or
            (D, H, W, 3) of colors, or a :class:`impasto.volumes.Volume`.
        styles: the same, or pictures; or a list of them.
        depths: the axes that are the network's depth, along which kernels are averages: 0 for slices, 1 for rows, 2 for
            columns. With all of them no direction differs from the others; with one, which takes a third of the time, the
            style is in its slices, and smeared along it.
        color: whether a volume of intensities becomes one of colors. If not, only grays are looked at, and intensities
            are what comes out.
        window: the intensities that are black and white, for the network; see :func:`impasto.volumes.read`.
        settings: all settings at once; or give single ones as keywords.
        on_event: called after every optimizer step; return True to stop there and keep the best volume.
        checkpoint: a folder; a run that finds its own checkpoint there goes on from it to the same volume.
        values: single settings. ``size`` is the longest side in voxels, the volume's own unless given.

    Returns:
        The volume, in the place and with the intensity window of the content. It is a picture, not data, and not for
        diagnosis.

    Raises:
        ImpastoError: with a sentence on what is wrong with a volume, a picture, a setting or the checkpoint.
    """
    run = VolumeTransfer.of(content, styles, depths=depths, color=color, window=window, settings=settings, **values)
    return run.run(on_event, checkpoint)


@dataclass(frozen=True, eq=False)
class VolumeTransfer(ImageRun):
    """A style transfer to a volume; made by :meth:`of`.

    Args:
        depths: the axes that are the network's depth.
        color: whether colors come out.
    """

    task: ClassVar[Task] = VOLUME
    network: ClassVar[type[Encoder]] = Inflated

    depths: tuple[int, ...] = AXES
    color: bool = True

    @classmethod
    @machine.undisturbed()
    def of(
        cls,
        content: Any,
        styles: Any,
        *,
        depths: Sequence[int] = AXES,
        color: bool = False,
        window: Sequence[float] | None = None,
        start: Any = None,
        memory: str | float | None = None,
        place: torch.device | None = None,
        settings: Settings | None = None,
        **values: Any,
    ) -> Self:
        """Read the inputs, and a volume to ``start`` from, and check everything; arguments as for :func:`stylize_volume`.

        Raises:
            ImpastoError: as :func:`stylize_volume`.
        """
        if not depths or len({*depths}) < len(depths) or not {*depths} <= {*AXES}:
            raise SettingsError(
                f"The depths {list(depths)} were given; give some of 0 (slices), 1 (rows), 2 (columns)."
            )
        limits = None if window is None else (window[0], window[1])
        volume = content if isinstance(content, Volume) else volumes.read(content, window=limits)
        seen = [style_of(style) for style in several(styles)]
        colored = color or not volume.gray
        chosen = flat(VOLUME.decide(either(settings, values), usual={"size": max(16, *volume.shape)}))
        if chosen.padding == "circular":
            raise SettingsError("A volume in a style does not tile; leave the padding circular out.")
        shown = seen if colored else [grayed(style) for style in seen]
        own = {"depths": tuple(sorted(depths)), "color": colored}
        run = cls.made(Block.of(volume), shown, chosen, memory=memory, place=place, **own)
        return run.beginning_with(start).checked()

    def within(self, budget: Budget, on_tile: OnTile | None = None) -> Self:
        """As :meth:`ImageRun.within`, in one process.

        Raises:
            SettingsError: for several.
        """
        return super().within(alone(budget), on_tile)

    @property
    def like(self) -> Volume:
        """A volume of the kind that comes out, to try its writing with; its voxels take no memory."""
        assert isinstance(self.canvas, Block)
        voxels = torch.zeros(1, 3, 1, 1, 1).expand(1, 3, *self.levels[-1].shape)
        return self.canvas.volume.like(voxels, color=self.color)

    @cached_property
    def source(self) -> Picture | None:
        """The volume that the descent starts from, or None if it starts from noise."""
        found = None if self.settings.init == "preview" else super().source
        if self.settings.init == "preview" or (found is not None and found.pixels.dim() != 5):
            raise SettingsError(
                f"A volume cannot start from {self.settings.init}, which is a picture; start from content or noise."
            )
        return found

    def read_start(self, source: Any) -> Picture:
        """A volume to start from.

        Raises:
            ImpastoError: if it is neither a volume nor a picture.
        """
        return style_of(source)

    def targets(self, encoder: Encoder) -> Targets:
        """What the volume aims at."""
        styles = [style.pixels for style in self.styles]
        return VolumeTargets(
            *(encoder, self.canvas.pixels, styles, self.settings),
            execution=self.execution,
            depths=self.depths,
            gray=not self.color,
        )

    def delivered(self, finished: Tensor) -> tuple[Tensor, Volume]:
        """The volume, in the place and with the intensity window of the content."""
        assert isinstance(self.canvas, Block)
        gray = finished.mean(1, keepdim=True).expand_as(finished).contiguous()
        tensor = finished if self.color else gray
        return tensor, self.canvas.volume.like(tensor, color=self.color)

    def picture_of(self, result: Result) -> Tensor:
        """The contact sheet."""
        return contact_sheet(result.made, self.pictures, result.subject)

    def recipe(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """How the volume was made; it is no data."""
        return {**super().recipe(*args, **kwargs), "caution": CAUTION}

    def notes(self, finished: Tensor) -> Iterator[str]:
        """What the inputs' files say that was not used."""
        yield from super().notes(finished)
        blocks = [picture for picture in self.pictures if isinstance(picture, Block)]
        yield from dict.fromkeys(sentence for block in blocks for sentence in block.volume.origin.remarks)

    def words(self) -> dict[str, Any]:
        """What this task decides beside the settings."""
        assert isinstance(self.canvas, Block)
        return {"depths": list(self.depths), "color": self.color, "window": list(self.canvas.volume.window)}


def prepared(inputs: Mapping[str, Sequence[Any]], words: Mapping[str, Any], **values: Any) -> VolumeTransfer:
    """A volume in a style from its inputs by role, its words and settings.

    Raises:
        ImpastoError: as :func:`stylize_volume`.
    """
    [content] = inputs["content"]
    start = next(iter(inputs.get("init", ())), None)
    return VolumeTransfer.of(content, list(inputs["styles"]), start=start, **words, **values)


@dataclass(frozen=True, eq=False)
class VolumeTargets(Targets):
    """The features of a volume and the statistics of styles, with each of some axes as the network's depth.

    Args:
        depths: these axes.
        gray: whether only the mean over channels is looked at.
    """

    depths: tuple[int, ...] = AXES
    gray: bool = False

    def engine_at(self, shape: tuple[int, ...]) -> Evaluator:
        """The mean over depths of the objective."""
        parts = [
            Part(AxisFirst(axis), self._turned(axis).bare_engine_at(_turn(shape, axis)), 1 / len(self.depths))
            for axis in self.depths
        ]
        return WeightedSum(parts, gray=self.gray)

    def _turned(self, axis: int) -> Targets:
        def turned(pixels: Tensor) -> Tensor:
            return AxisFirst(axis)(pixels) if pixels.dim() == 5 else pixels

        styles = [turned(style) for style in self.styles]
        return Targets(
            self.encoder, turned(self.content), styles, self.settings, execution=_turned_room(self.execution, axis)
        )


def _turn(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (shape[axis], *shape[:axis], *shape[axis + 1 :])


def _turned_room(execution: Execution, axis: int) -> Execution:
    """The room of a volume with an axis brought to the front: its tiles are turned likewise."""

    def window(of: Window) -> Window:
        return Window(_turn(of.start, axis), _turn(of.stop, axis))

    def turned(layout: Layout) -> Layout:
        cut = layout.tiles and tuple(Tile(window(tile.core), window(tile.box)) for tile in layout.tiles)
        return replace(layout, shape=_turn(layout.shape, axis), tiles=cut)

    layouts = [turned(layout) for layout in execution.layouts.values()]
    return Execution({layout.shape: layout for layout in layouts}, storage=execution.storage)


def style_of(source: Any) -> Picture:
    """A style as a picture: one that is, or a volume.

    Raises:
        ImpastoError: if it is neither.
    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, Volume):
        return Block.of(source)
    return Block.of(volumes.read(source)) if holds_volume(source) else images.read(source)
