"""Solid textures: a block whose slices across its axes have the style of a picture, from noise."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from impasto import images, machine
from impasto.aims.initial_image import starting_image
from impasto.aims.style import style_shape
from impasto.aims.targets import Targets
from impasto.descent import Level
from impasto.encoders import Encoder
from impasto.engines import Evaluator, Part, Slices, WeightedSum
from impasto.errors import SettingsError
from impasto.memory.budget import Budget, Layout, demand, history_of
from impasto.memory.tile_progress import OnTile
from impasto.optimizers import LBFGS
from impasto.pyramid import level_shapes
from impasto.runs import remarks
from impasto.runs.events import Listener
from impasto.runs.imaging import ImageRun, several
from impasto.runs.result import Result
from impasto.runs.solids.block import Block, alone, contact_sheet, flat
from impasto.settings import Settings
from impasto.tasks import Task
from impasto.tasks.task import either
from impasto.tasks.volume import AXES, SOLID
from impasto.volumes import CAUTION, Origin, Volume
from impasto.volumes.slicing import diagonal
from impasto.volumes.volume import written

_EVALUATIONS = (100, 80, 60)  # coarse to fine
_PIXELS = 2**16  # of the slices that are evaluated at once


def synthesize_block(
    exemplar: Any,
    shape: int | tuple[int, int, int] = 64,
    *,
    periodic: bool = False,
    axes: Sequence[int] = AXES,
    settings: Settings | None = None,
    on_event: Listener | None = None,
    checkpoint: str | Path | None = None,
    **values: Any,
) -> Result:
    r"""A block of solid texture (after Kopf et al. 2007, with the statistics of Gatys, Ecker and Bethge 2015).

    .. math:: L = \frac{1}{A} \sum_{a} \frac{1}{L_a} \sum_{k} \sum_l w_l E_l(\text{slice } k \text{ across axis } a)

    Every slice across each of the A axes is compared with the exemplar, by the style loss of pictures; all of them have a
    say in every evaluation.

    Args:
        exemplar: a path, PIL image, array (H, W, 3) or tensor (3, H, W); or a list of them, mixed by ``blend``.
        shape: slices, rows and columns, or the side of a cube.
        periodic: whether copies of the block meet without a seam. Sides must then be multiples of the deepest stride.
        axes: across which axes slices are compared. An exemplar with a direction, such as wood, has no block that looks
            like it from all sides; two axes leave the third free.
        settings: all settings at once; or give single ones as keywords.
        on_event: called after every optimizer step; return True to stop there and keep the best block.
        checkpoint: a folder; a run that finds its own checkpoint there goes on from it to the same block.
        values: single settings.

    Returns:
        The block. Its ``measures`` are ``noise`` (the loss of white noise), ``fall`` (how many times lower the block's is)
        and ``fall_diagonal``, the same for slices at 45 degrees, which no evaluation has seen.

    Raises:
        ImpastoError: with a sentence on what is wrong with an exemplar, a size, a setting or the checkpoint.
    """
    run = SolidTexture.of(exemplar, shape, periodic=periodic, axes=axes, settings=settings, **values)
    return run.run(on_event, checkpoint)


@dataclass(frozen=True, eq=False)
class SolidTexture(ImageRun):
    """A run over a block without content; made by :meth:`of`.

    Args:
        axes: across which slices are compared.
    """

    task: ClassVar[Task] = SOLID

    axes: tuple[int, ...] = AXES

    @classmethod
    @machine.undisturbed()
    def of(
        cls,
        exemplar: Any,
        shape: int | Sequence[int] = 64,
        *,
        periodic: bool = False,
        axes: Sequence[int] = AXES,
        memory: str | float | None = None,
        place: torch.device | None = None,
        settings: Settings | None = None,
        **values: Any,
    ) -> Self:
        """Read the exemplars and check everything; arguments as for :func:`synthesize_block`.

        Raises:
            ImpastoError: as :func:`synthesize_block`.
        """
        extent = (shape,) * 3 if isinstance(shape, int) else tuple(shape)
        if len(extent) != 3 or min(extent) < 16:
            given = " x ".join(map(str, extent))
            raise SettingsError(f"A block of {given} was asked for; give slices, rows and columns, each at least 16.")
        if not axes or len({*axes}) < len(axes) or not {*axes} <= {*AXES}:
            raise SettingsError(f"The axes {list(axes)} were given; give some of 0 (slices), 1 (rows), 2 (columns).")
        exemplars = [images.read(source) for source in several(exemplar, "exemplar")]
        chosen = _settings(either(settings, values), max(extent), periodic=periodic)
        run = cls.made(
            _empty(extent), exemplars, chosen, memory=memory, place=place, axes=tuple(sorted(axes))
        ).checked()
        _check_period(run)
        return run

    @property
    def like(self) -> Volume:
        """A volume of the kind that comes out; its voxels take no memory."""
        assert isinstance(self.canvas, Block)
        return self.canvas.volume

    @property
    def periodic(self) -> bool:
        """Whether copies of the block meet without a seam."""
        return self.settings.padding == "circular"

    def within(self, budget: Budget, on_tile: OnTile | None = None) -> Self:
        """As :meth:`ImageRun.within`, in one process.

        Raises:
            SettingsError: for several.
        """
        return super().within(alone(budget), on_tile)

    @cached_property
    def layouts(self) -> dict[tuple[int, ...], Layout]:
        """How each level is computed: some slices at a time, and so never in tiles.

        Raises:
            SettingsError: if a level does not fit the budget.
        """
        return {level.shape: self._layout(level) for level in reversed(self.levels)}

    def _layout(self, level: Level) -> Layout:
        history = history_of(self.settings.optimizer, self.settings.history or LBFGS.history, level.evaluations)
        seen = max(math.prod(style_shape(self.settings, style.shape, level.shape)) for style in self.styles)
        pictures = sum(12.0 * math.prod(style.shape) for style in self.styles)
        want = demand(
            *(self.encoder, self.layers, (), level),
            pictures=pictures,
            style=seen,
            divisible=False,
            optimizer=history,
        )
        batch = max(_PIXELS, math.prod(level.shape) // min(level.shape))
        memory, total = want.base + want.state + max(want.style, batch * want.peak), self.budget.bytes(self.device)
        if memory > total:
            raise SettingsError(
                f"A block of {written(level.shape)} needs about {memory / 1e9:.1f} GB of memory, but it may use "
                f"{total / 1e9:.1f} GB; give it more with --memory, or choose a smaller one."
            )
        return Layout(level.shape, None, 1, memory, 0.0, 1.0)

    def targets(self, encoder: Encoder) -> Targets:
        """What the slices aim at."""
        exemplars = [style.pixels for style in self.styles]
        seen, canvas = (encoder.padded("reflect"), encoder) if self.periodic else (encoder, None)  # it need not tile
        return SliceTargets(seen, self.canvas.pixels, exemplars, self.settings, canvas=canvas, axes=self.axes)

    def delivered(self, finished: Tensor) -> tuple[Tensor, Volume]:
        """The block, as 8 bits hold it."""
        return finished, self.like.like(images.quantize(finished), color=True)

    def picture_of(self, result: Result) -> Tensor:
        """The contact sheet."""
        return contact_sheet(result.made, self.styles, result.subject)

    def words(self) -> dict[str, Any]:
        """The axes, and what the block is not for."""
        return {"axes": list(self.axes)}

    def recipe(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """How the block was made; it is no data."""
        return {**super().recipe(*args, **kwargs), "caution": CAUTION}

    def measures(self, result: Result) -> Mapping[str, float | None]:
        """The loss of white noise, and how far that of the block is below it, over slices and over diagonal slices."""
        shape = self.levels[-1].shape
        white = starting_image(self.settings.model_copy(update={"init": "noise", "noise": 0.0}), None, (), shape)
        targets = self.targets(self.encoder)
        assert isinstance(targets, SliceTargets)
        engine, flat = targets.engine_at(shape), targets.bare_engine_at(shape)
        before, after = (engine.measure(x.to(self.device)).value for x in (white, result.tensor))
        slanted = [
            sum(flat.measure(diagonal(x.cpu(), axis).to(self.device)).value for axis in self.axes)
            for x in (white, result.tensor)
        ]
        return {
            "noise": before,
            "fall": before / max(after, 1e-30),
            "fall_diagonal": slanted[0] / max(slanted[1], 1e-30),
        }

    def notes(self, finished: Tensor) -> Iterator[str]:  # noqa: ARG002
        """What was not used of the exemplars' files."""
        yield from remarks.of_inputs(self.styles, None)


def prepared(inputs: Mapping[str, Sequence[Any]], words: Mapping[str, Any], **values: Any) -> SolidTexture:
    """A block from its inputs by role, its words and settings.

    Raises:
        ImpastoError: as :func:`synthesize_block`.
    """
    return SolidTexture.of(list(inputs["styles"]), **words, **values)


def _check_period(run: SolidTexture) -> None:
    """Refuse sides of a periodic block that a pooling would cut a position from, for they would not tile there."""
    stride = max(run.stack.stride(layer) for layer in run.layers)
    shape = run.levels[-1].shape
    if run.periodic and any(side % stride for side in shape):
        given = " x ".join(map(str, shape))
        raise SettingsError(
            f"A periodic block of {given} was asked for, but with these layers its sides must be multiples of {stride}."
        )


@dataclass(frozen=True, eq=False)
class SliceTargets(Targets):
    """The exemplar's style, as a target of every slice of a block.

    Args:
        axes: across which slices are seen.
    """

    axes: tuple[int, ...] = AXES

    def engine_at(self, shape: tuple[int, ...]) -> Evaluator:
        """The mean over axes, and over the slices across each, of the style loss; a few slices at a time."""
        engine = self.bare_engine_at(shape)  # of slices of one extent or another: style knows no places
        parts = []
        for axis in self.axes:
            step = max(1, _PIXELS * shape[axis] // math.prod(shape))
            weight = 1 / (len(self.axes) * shape[axis])
            parts += [Part(Slices(axis, at, at + step), engine, weight) for at in range(0, shape[axis], step)]
        return WeightedSum(parts)


def _settings(given: Mapping[str, Any] | Settings, longest: int, *, periodic: bool) -> Settings:
    fixed: dict[str, Any] = {"size": longest, **({"padding": "circular"} if periodic else {})}
    chosen = flat(SOLID.decide(given, fixed=fixed))
    if chosen.evaluations is not None:
        return chosen
    count = len(level_shapes((longest,), chosen.coarsest, chosen.ratio))
    return chosen.model_copy(update={"evaluations": _EVALUATIONS[:count]})


def _empty(shape: tuple[int, ...]) -> Block:
    """A black block of a shape; its voxels take no memory."""
    voxels = torch.zeros(1, 3, 1, 1, 1).expand(1, 3, *shape)
    origin = Origin("the block", None, "0" * 64, "array", gray=False)
    return Block.of(Volume(voxels, (0.0, 255.0), np.eye(4), origin))
