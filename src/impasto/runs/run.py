"""Style transfer: a photo and one or several paintings in, the photo in their style out."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from impasto import images, machine
from impasto.aims.balance import Balance, check_counts
from impasto.aims.colors import Palette
from impasto.aims.initial_image import covering, named_start, previewed, starting_image
from impasto.aims.panorama import evened
from impasto.aims.regions import Places, check_places
from impasto.aims.targets import Targets
from impasto.choices import WRAPPING
from impasto.descent import Descent, Level, Record
from impasto.encoders import Encoder, Parameters, Stack, load
from impasto.engines import Engine
from impasto.engines.ranks import DONE, Ranks
from impasto.errors import SettingsError
from impasto.images import Picture
from impasto.images.wrapping import tileable
from impasto.memory.budget import WHOLE, Budget, Layout, bytes_of, compact_from
from impasto.memory.execution import Room
from impasto.memory.tile_progress import Meter, OnWork
from impasto.optimizers import LBFGS, Bounds, Optimizer
from impasto.pyramid import fitted, resize, resize_within
from impasto.runs.checkpoint import Checkpoint
from impasto.runs.events import Event, Listener, descend, optimizer_of
from impasto.runs.plan import Plan, layouts, levels, seconds_of
from impasto.runs.recipe import identity, precision_name, recipe
from impasto.runs.remarks import enlarged, of_descent, of_inputs
from impasto.runs.result import Result, Scores
from impasto.settings import INITS, Settings, make
from impasto.storage import MEMORY, Mapped

__all__ = ["Event", "Listener", "Transfer", "stylize"]

_UNMEASURED = Scores(math.nan, {}, {})


def stylize(
    content: Any,
    styles: Any,
    *,
    masks: Any = None,
    protect: Any = None,
    settings: Settings | None = None,
    on_event: Listener | None = None,
    checkpoint: str | Path | None = None,
    **values: Any,
) -> Result:
    """Paint ``content`` in the style of ``styles`` (Gatys, Ecker and Bethge 2016), from coarse to fine.

    Args:
        content: the photo: a path, PIL image, array (H, W, 3) or tensor (3, H, W).
        styles: a painting, or a list of them.
        masks: where each style goes: a list with a mask of the photo for every style, in the same order, or several for
            one style. Each is a path, ``"sky.png"``, ``"sky.png=stars.png"`` with a mask of the painting too, the word
            ``"rest"``, an array, a tensor, or a pair of these. White belongs to the region, gray in part.
        protect: a mask of what stays the photo.
        settings: all settings at once; or give single ones as keywords, by the names in
            :class:`impasto.Settings`, ``stylize(photo, painting, size=1024, strength=0.7)``.
        on_event: called after every optimizer step; return True to stop there and keep the best image.
        checkpoint: a folder; a run that finds its own checkpoint there goes on from it to the same picture.
        values: single settings, and ``memory``, what may be resident, ``"4GB"``: what needs more is computed in tiles.

    Returns:
        The picture with its history; :meth:`Result.save` writes it.

    Raises:
        ImpastoError: with a sentence on what is wrong with an image, a setting, the weights or the checkpoint.
    """
    run = Transfer.of(content, styles, masks=masks, protect=protect, settings=settings, **values)
    return run.run(on_event, checkpoint)


@dataclass(frozen=True, eq=False)
class Transfer:
    """One run, prepared: inputs read, settings checked, network read. Made by :meth:`of`.

    Its ``budget`` is the memory it may use and the processes that share the work, and ``on_work`` is told how the work on
    large pictures goes on; :meth:`within` sets both.
    """

    content: Picture
    styles: tuple[Picture, ...]
    settings: Settings
    stack: Stack
    parameters: Parameters
    places: Places | None = None
    budget: Budget = WHOLE
    on_work: OnWork | None = None

    spectrum: ClassVar[float] = LBFGS.spectrum  # how much faster coarse structures may move than fine ones

    @classmethod
    @machine.undisturbed()
    def of(cls, content: Any, styles: Any, *, settings: Settings | None = None, **values: Any) -> Self:
        """Read the inputs and check that the settings fit them; arguments as for :func:`stylize`.

        Everything that can be wrong is found here, before anything is computed.

        Raises:
            ImpastoError: as :func:`stylize`.
        """
        run = cls.unsized(content, styles, settings=settings, **values)
        run.levels, run.source, run.device  # noqa: B018 - each raises what is wrong with it
        if run.places is not None:
            run.places.check_areas(run.levels[-1].shape, run.styles)
        return run

    @classmethod
    @machine.undisturbed()
    def unsized(
        cls,
        content: Any,
        styles: Any,
        *,
        masks: Any = None,
        protect: Any = None,
        memory: str | float | None = None,
        settings: Settings | None = None,
        **values: Any,
    ) -> Self:
        """:meth:`of`, without what depends on the size of the result and on what to start from.

        Raises:
            ImpastoError: as :func:`stylize`.
        """
        if settings is not None and values:
            raise SettingsError(f"Give settings or single values, not both; {', '.join(values)} came beside settings.")
        chosen = settings or make(values)
        several = styles if isinstance(styles, (list, tuple)) else [styles]
        if not several:
            raise SettingsError("There is no style image; give at least one.")
        check_counts(chosen, len(several))
        stack, parameters = load(chosen.network, chosen.weights)
        photo, *paintings = (_picture(source) for source in (content, *several))
        if chosen.padding == "circular" and Balance(chosen).content_layers:
            photo = tileable(photo)
        places = Places.of(masks, protect, photo, paintings)
        check_places(places, chosen)
        budget = Budget(bytes_of(memory))
        return cls(photo, tuple(paintings), _canonical(chosen, stack), stack, parameters, places, budget)

    def within(self, budget: Budget, on_work: OnWork | None = None) -> Self:
        """The same run within another budget, with someone told how its work goes on.

        Raises:
            SettingsError: if it does not fit.
        """
        other = replace(self, budget=budget, on_work=on_work)
        known = {name: value for name, value in vars(self).items() if name in ("levels", "source", "device", "encoder")}
        vars(other).update(known)  # found already, and the same
        other.layouts  # noqa: B018 - raises if it does not fit
        return other

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The sizes from coarse to fine, with their evaluations."""
        return levels(self.settings, self.stack, self.content, self.styles)

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """The layers that have a weight, by their own names."""
        return Balance(self.settings).layers

    @cached_property
    def source(self) -> Picture | None:
        """The picture that the descent starts from, or None if it starts from noise."""
        if self.settings.init == "style":
            return replace(self.styles[0], pixels=self.paintings[0])
        if self.settings.init == "content":
            return self.content
        if self.settings.init == "preview":
            recolored = [replace(each, pixels=self.palette.painting(each.pixels, each.alpha)) for each in self.styles]
            return previewed(self.settings, self.content, recolored, max(self.levels[0].shape))
        return None if self.settings.init in INITS else covering(named_start(self.settings.init), self.content.shape)

    @cached_property
    def device(self) -> torch.device:
        """Where the run computes."""
        return machine.device(self.settings.device)

    @cached_property
    def encoder(self) -> Encoder:
        """The network at the run's precision."""
        return self._encoder(machine.precision(self.settings.precision, self.device))

    @machine.undisturbed()
    def plan(self, *, measure: bool = True) -> Plan:
        """What :meth:`run` will do; with ``measure``, the time is estimated from one small evaluation made now."""
        plan = Plan(
            self.levels,
            self.layers,
            precision_name(self.encoder.dtype),
            str(self.device),
            self.layouts,
            None,
            self.budget.group.size,
        )
        return replace(plan, seconds=self._seconds() * plan.cost) if measure else plan

    @cached_property
    def layouts(self) -> dict[tuple[int, ...], Layout]:
        """How each level is computed within the budget, by its shape."""
        protected = self.places is not None and self.places.protects
        pictures = (self.content, *self.styles)
        return layouts(self.settings, self.encoder, self.levels, pictures, self.budget, protected=protected)

    @cached_property
    def room(self) -> Room:
        """Where the levels are computed."""
        storage = Mapped() if any(layout.files for layout in self.layouts.values()) else MEMORY
        meter = Meter(self.on_work, self.levels, self.layouts) if self.on_work else None
        return Room(self.layouts, self.budget.group, storage, meter)

    @machine.undisturbed()
    def run(
        self,
        on_event: Listener | None = None,
        checkpoint: str | Path | None = None,
        *,
        checkpoint_interval: float = Checkpoint.INTERVAL,
        on_picture: Callable[[Result], object] | None = None,
    ) -> Result:
        """Do it; other arguments as for :func:`stylize`.

        Args:
            on_event: as there.
            checkpoint: as there.
            checkpoint_interval: the least time between two checkpoints, in seconds.
            on_picture: called with the result before its losses are measured, which may take minutes.
        """
        began = time.perf_counter()
        self._keep_memory()
        saver = None if checkpoint is None else self.saver(checkpoint, checkpoint_interval)
        start = (saver.load(self.device) if saver else None) or self._start()
        aims = self.targets(self.encoder)
        descent = Descent(
            self.levels, aims.engine_at, self._optimizer(), self._lift, self.bounds_at, self.settings.settle / 255
        )
        ready = time.perf_counter()
        snapshot, stopped = descend(descent, start, on_event, saver)
        done = time.perf_counter()
        shape = self.levels[-1].shape
        best = self._resized(snapshot.best, shape)
        image = self.bounds_at(shape).project_(self.room.storage.empty_like(best).copy_(best)).cpu()
        flat = evened(image) if self.settings.padding == "equirectangular" else image
        finished = self.palette.finished(flat)
        history, seconds = snapshot.history, snapshot.seconds
        del best, snapshot, descent, start  # the optimizer's memory, before the last measurement needs room
        self._keep_memory(no_longer=True)
        notes = (
            *of_inputs(self),
            *self._notes(),
            *of_descent(self, history, stopped=stopped),
            *(saver.troubles if saver else ()),
        )
        timings = {"setup": ready - began, "descent": seconds, "final": time.perf_counter() - done}
        known = self.recipe(history, None, stopped=stopped)
        scores = (_UNMEASURED, _UNMEASURED)
        result = Result(
            *(finished, self.content, self.settings, known, history, *scores, timings),
            complete=not stopped,
            notes=notes,
        )
        if on_picture is not None:
            on_picture(self._described(result, {}))
        optimized, delivered = self._scores(image, finished)
        result = replace(
            result,
            recipe=self.recipe(history, delivered, stopped=stopped),
            optimized=optimized,
            delivered=delivered,
            timings={**timings, "final": time.perf_counter() - done},
        )
        return self._described(result, self._measures(result))

    def _keep_memory(self, *, no_longer: bool = False) -> None:
        if self.device.type == "cpu":
            (machine.release_freed_memory if no_longer else machine.keep_freed_memory)()

    def _measures(self, result: Result) -> Mapping[str, float | None]:  # noqa: ARG002
        """What else the task finds out about a picture, by name."""
        return {}

    def _described(self, result: Result, measures: Mapping[str, float | None]) -> Result:
        """The result as the task delivers it, with what was found out about it."""
        if not measures:
            return result
        return replace(result, recipe={**result.recipe, "measures": measures}, measures=measures)

    def recipe(self, history: tuple[Record, ...], delivered: Scores | None, *, stopped: bool) -> dict[str, Any]:
        """How the picture was made, as plain data: :func:`impasto.runs.recipe.recipe`."""
        return recipe(self, history, delivered, stopped=stopped)

    @machine.undisturbed()
    def assist(self) -> None:
        """Do what rank 0 of the group asks for until it is done, instead of :meth:`run`, in every other process."""
        group = self.budget.group
        assert isinstance(group, Ranks)
        engine: Engine | None = None
        while (order := group.order()) != DONE:
            if order[0] == "engine":
                layout, exact = Layout.of(order[1]), order[2]
                room = Room({layout.shape: layout}, group, self.room.storage)
                encoder = self._encoder(torch.float32 if exact else torch.bfloat16)
                engine = replace(self.targets(encoder), room=room).bare_engine_at(layout.shape)
            else:
                assert engine is not None
                engine.assist(order[1], gradient=order[2])

    def saver(self, folder: str | Path, interval: float = Checkpoint.INTERVAL) -> Checkpoint:
        """Where the run saves itself in a folder, at most once in so many seconds."""
        return Checkpoint(Path(folder), self._identity(), interval)

    def _start(self) -> Tensor:
        """The image that the descent begins with, at the coarsest size."""
        source = None if self.source is None else self.source.pixels
        return starting_image(self.settings, source, self.paintings, self.levels[0].shape).to(self.device)

    def _lift(self, image: Tensor, shape: tuple[int, ...]) -> Tensor:
        """The image at the next level's shape, with the detail that the photo has there and the level below had not.

        Started without it, a level first spends a dozen evaluations on inventing fine detail.
        """
        before = tuple(image.shape[2:])
        detailed = self.settings.init in ("content", "preview") and before != shape
        larger = self.room.storage.empty((*image.shape[:2], *shape), image.dtype, image.device)
        for channel in range(image.shape[1]):  # one after the other, for what is made on the way is large too
            part = larger[:, channel : channel + 1]
            part.copy_(self._resized(image[:, channel : channel + 1], shape))
            if detailed:
                photo = self._resized(self.content.pixels[:, channel : channel + 1], shape)
                photo = photo - self._resized(self._resized(photo, before), shape)
                part.add_(photo.to(part.device)).clamp_(0, 1)
        self.room.let_go()
        return larger

    def _resized(self, image: Tensor, shape: tuple[int, ...]) -> Tensor:
        return resize_within(image, shape, self.settings.padding)

    def _optimizer(self) -> Optimizer:
        compact = compact_from(list(self.layouts.values()))
        return optimizer_of(self.settings, self.spectrum, self.room.storage, compact)

    def _encoder(self, dtype: torch.dtype) -> Encoder:
        return Encoder(
            self.stack,
            self.parameters,
            pooling=self.settings.pooling,
            padding=self.settings.padding,
            dtype=dtype,
            device=self.device,
        )

    def targets(self, encoder: Encoder) -> Targets:
        """What the run aims at, computed with an encoder."""
        return self.targets_in(self.room, encoder)

    def targets_in(self, room: Room, encoder: Encoder) -> Targets:
        """The same in a room; pictures that wrap are compared with paintings that do not."""
        wraps = self.settings.padding in WRAPPING
        return Targets(
            encoder.padded("reflect") if wraps else encoder,
            self.content.pixels,
            self.paintings,
            self.settings,
            self.palette,
            self.places,
            canvas=encoder if wraps else None,
            room=room,
        )

    @cached_property
    def palette(self) -> Palette:
        """Whose colors the picture has."""
        return Palette.of(self.settings, self.content, self.styles)

    @cached_property
    def paintings(self) -> list[Tensor]:
        """The styles' pixels as the network is to see them, one for each region if there are masks."""
        if self.places is not None and self.places.pairs:
            return self.places.painted(self.styles, self.content, self.palette)
        return [self.palette.painting(style.pixels, style.alpha) for style in self.styles]

    def bounds_at(self, shape: tuple[int, ...]) -> Bounds:
        """What an image of a spatial shape may be."""
        protected = None if self.places is None else self.places.protected_at(shape)
        return self.palette.bounds_at(shape, protected, self.device)

    def _scores(self, image: Tensor, finished: Tensor) -> tuple[Scores, Scores]:
        """The losses of the image as optimized, and finished as the photo's depth holds it, in float32 in any case."""
        exact = self.encoder if self.encoder.dtype == torch.float32 else self._encoder(torch.float32)
        engine = self.targets(exact).engine_at(self.levels[-1].shape)
        rounded = self.room.rounded(finished, self.content.source.depth)
        found = [engine.measure(x.to(self.device)) for x in (image, rounded)]
        first, second = (Scores(e.value, e.by_kind, e.losses) for e in found)
        return first, second

    def _seconds(self) -> float:
        """The time of an evaluation per position, from one at a small size."""
        level = min(self.levels, key=lambda level: abs(max(level.shape) - 192))
        shape = fitted(level.shape, min(192, max(level.shape)))
        image = resize(self.content.pixels, shape).to(self.device)
        return seconds_of(self.targets(self.encoder).engine_at(shape), image) / math.prod(shape)

    def _notes(self) -> Iterator[str]:
        yield from enlarged(self)

    def _identity(self) -> dict[str, Any]:
        """What must agree for a checkpoint to be this run's."""
        return identity(self)


def _picture(source: Any) -> Picture:
    return source if isinstance(source, Picture) else images.read(source)


def _canonical(settings: Settings, stack: Stack) -> Settings:
    """The settings with every layer under its own name: ``conv4_2`` for ``relu4_2``."""

    def canonical(name: str, weights: dict[str, float]) -> dict[str, float]:
        named = {stack.canonical(layer): weight for layer, weight in weights.items()}
        if len(named) < len(weights):
            raise SettingsError(f"The setting {name} names a layer twice ({', '.join(weights)}); name each once.")
        return named

    named = ((key, getattr(settings, key)) for key in ("content_layers", "style_layers"))
    update: dict[str, Any] = {key: canonical(key, weights) for key, weights in named if weights is not None}
    if settings.layers_per_style is not None:
        update["layers_per_style"] = tuple(canonical("layers_per_style", own) for own in settings.layers_per_style)
    return settings.model_copy(update=update)
