"""Runs over images: pictures and volumes, as a network sees them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

import impasto
from impasto import images, machine
from impasto.aims.balance import Balance, check_counts
from impasto.aims.colors import ColorMode
from impasto.aims.initial_image import covering, named_start, previewed, starting_image
from impasto.aims.panorama import poles_smoothed
from impasto.aims.regions import Regions
from impasto.aims.targets import Targets
from impasto.choices import WRAPPING, file_and_colors
from impasto.descent import Level, Record
from impasto.encoders import Encoder, Parameters, Stack, load
from impasto.encoders.weights import WEIGHTS
from impasto.engines import Engine, Evaluator
from impasto.engines.ranks import DONE, Ranks
from impasto.errors import SettingsError
from impasto.images import Picture
from impasto.memory.budget import WHOLE, Budget, Layout, bytes_of, compact_from
from impasto.memory.execution import Execution
from impasto.memory.tile_progress import OnTile, TileMeter
from impasto.optimizers import LBFGS, Bounds, Optimizer
from impasto.pyramid import fitted, resize, resize_within
from impasto.runs import remarks
from impasto.runs.events import Listener, descend, optimizer_of
from impasto.runs.plan import Plan, layouts, levels, precision_name, seconds_of
from impasto.runs.result import Scores
from impasto.runs.run import Run, evaluations, origin, scores_of
from impasto.settings import INITS, Settings
from impasto.storage import MEMORY, Mapped, Storage


@dataclass(frozen=True, eq=False)
class ImageRun(Run):
    """A run over an image, prepared. Made by the function of its task.

    Args:
        canvas: of the extent and the kind that comes out: the content, where there is one.
        styles: the paintings.
        settings: in force, with layers under their own names.
        stack: the network's layers.
        parameters: its filters.
        regions: the regions, if there are any.
        budget: the memory that it may use and the processes that share the work; :meth:`within` sets it.
        on_tile: told how the work on large images goes on.
        place: where it computes, instead of what the settings say.
        first: the picture to start from, instead of what the settings name.
    """

    spectrum: ClassVar[float] = LBFGS.spectrum
    network: ClassVar[type[Encoder]] = Encoder

    canvas: Picture
    styles: tuple[Picture, ...]
    settings: Settings
    stack: Stack
    parameters: Parameters
    regions: Regions | None = None
    budget: Budget = WHOLE
    on_tile: OnTile | None = None
    place: torch.device | None = None
    first: Picture | None = None

    @classmethod
    def made(
        cls,
        canvas: Picture,
        styles: Sequence[Picture],
        settings: Settings,
        *,
        memory: str | float | None = None,
        **more: Any,
    ) -> Self:
        """A run whose inputs are read, after the checks that need no size.

        Raises:
            ImpastoError: with a sentence on what does not fit together.
        """
        check_counts(settings, len(styles))
        stack, parameters = load(settings.network, settings.weights)
        chosen = _canonical(settings, stack)
        return cls(canvas, tuple(styles), chosen, stack, parameters, budget=Budget(bytes_of(memory)), **more)

    def checked(self) -> Self:
        """The run, after everything that can be wrong with it was found, before anything is computed.

        Raises:
            ImpastoError: with a sentence on what is wrong.
        """
        self.levels, self.source, self.device  # noqa: B018 - each raises what is wrong with it
        if self.regions is not None:
            self.regions.check_areas(self.levels[-1].shape, self.styles)
        return self

    @property
    def content(self) -> Picture | None:
        """The photo, of a task that takes one."""
        return self.canvas if "content" in self.task.roles else None

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All inputs that are seen by the network: the photo, and the paintings."""
        return (*([] if self.content is None else [self.content]), *self.styles)

    @property
    def like(self) -> Any:
        """The photo, or a picture without one that says how the result is stored."""
        return self.canvas

    def beginning_with(self, start: Any) -> Self:
        """The run, which begins with a picture; with what its settings say, if that is None.

        Raises:
            ImpastoError: if it is none.
        """
        if start is None:
            return self
        first = self.read_start(start)
        name = first.source.name if first.source.name not in INITS else f"{first.source.name}.png"
        first = replace(first, source=replace(first.source, name=name))
        return replace(self, settings=self.settings.model_copy(update={"init": name}), first=first)

    def read_start(self, source: Any) -> Picture:
        """A picture to start from, cut to the proportions of the result.

        Raises:
            ImpastoError: if it is none.
        """
        return covering(named_start(source) if isinstance(source, str) else images.read(source), self.canvas.shape)

    def within(self, budget: Budget, on_tile: OnTile | None = None) -> Self:
        """The same run within another budget, with someone told how its work goes on.

        Raises:
            SettingsError: if it does not fit.
        """
        other = replace(self, budget=budget, on_tile=on_tile, first=self.source)
        other.layouts  # noqa: B018 - raises if it does not fit
        return other

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The sizes from coarse to fine, with their evaluations."""
        return levels(self.settings, self.stack, self.canvas, self.styles)

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """The layers that have a weight, by their own names."""
        return Balance(self.settings).layers

    @cached_property
    def source(self) -> Picture | None:
        """The picture that the descent starts from, or None if it starts from noise."""
        if self.first is not None:
            return self.first
        if self.settings.init == "style":
            return replace(self.styles[0], pixels=self.paintings[0])
        if self.settings.init == "content":
            return self.content
        if self.settings.init == "preview":
            recolored = [
                replace(each, pixels=self.color_mode.painting(each.pixels, each.alpha)) for each in self.styles
            ]
            return previewed(self.settings, self.canvas, recolored, max(self.levels[0].shape), self.device)
        return None if self.settings.init in INITS else self.read_start(self.settings.init)

    @cached_property
    def device(self) -> torch.device:
        """Where the run computes."""
        return self.place or machine.device(self.settings.device)

    @cached_property
    def encoder(self) -> Encoder:
        """The network at the run's precision."""
        return self.encoder_of(machine.precision(self.settings.precision, self.device))

    def encoder_of(self, dtype: torch.dtype) -> Encoder:
        """The network at a precision."""
        return self.network(
            self.stack,
            self.parameters,
            pooling=self.settings.pooling,
            padding=self.settings.padding,
            dtype=dtype,
            device=self.device,
        )

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
        protected = self.regions is not None and self.regions.protects
        inputs = (self.content, self.styles)
        return layouts(self.settings, self.encoder, self.levels, *inputs, budget=self.budget, protected=protected)

    @cached_property
    def execution(self) -> Execution:
        """Where the levels are computed."""
        meter = TileMeter(self.on_tile, self.levels, self.layouts) if self.on_tile else None
        return Execution(self.layouts, self.budget.group, self.storage, meter)

    @cached_property
    def storage(self) -> Storage:
        """Where images live: in files, where memory has no room."""
        return Mapped() if any(layout.files for layout in self.layouts.values()) else MEMORY

    @machine.undisturbed()
    def assist(self) -> None:
        """Do what rank 0 of the group asks for until it is done, instead of :meth:`run`, in every other process."""
        group = self.budget.group
        assert isinstance(group, Ranks)
        engine: Engine | None = None
        while (order := group.order()) != DONE:
            if order[0] == "engine":
                layout, exact = Layout.of(order[1]), order[2]
                execution = Execution({layout.shape: layout}, group, self.storage)
                encoder = self.encoder_of(torch.float32 if exact else torch.bfloat16)
                engine = replace(self.targets(encoder), execution=execution).bare_engine_at(layout.shape)
            else:
                assert engine is not None
                engine.assist(order[1], gradient=order[2])

    def start(self) -> Tensor:
        """The image that the descent begins with, at the coarsest size."""
        source = None if self.source is None else self.source.pixels
        styles = self.paintings or [self.canvas.pixels]
        return starting_image(self.settings, source, styles, self.levels[0].shape).to(self.device)

    def descended(self, on_event: Listener | None = None) -> tuple[Tensor, tuple[Record, ...]]:
        """The finished image at the end of the descent, which is not measured, with its history."""
        snapshot, _ = descend(self.descent(), self.start(), on_event)
        return self.finished(self.completed(snapshot.best)), snapshot.history

    def engine_at(self, shape: tuple[int, ...]) -> Evaluator:
        """What evaluates an image of a shape, at the run's precision."""
        return self.aims.engine_at(shape)

    @cached_property
    def aims(self) -> Targets:
        """What the run aims at, at its precision."""
        return self.targets(self.encoder)

    def lift(self, image: Tensor, shape: tuple[int, ...]) -> Tensor:
        """The image at the next level's shape, with the detail that the photo has there and the level below had not.

        Started without it, a level first spends a dozen evaluations on inventing fine detail.
        """
        before = tuple(image.shape[2:])
        detailed = self.settings.init in ("content", "preview") and before != shape
        larger = self.execution.storage.empty((*image.shape[:2], *shape), image.dtype, image.device)
        for channel in range(image.shape[1]):  # one after the other, for what is made on the way is large too
            part = larger[:, channel : channel + 1]
            part.copy_(self.resized(image[:, channel : channel + 1], shape))
            if detailed:
                photo = self.resized(self.canvas.pixels[:, channel : channel + 1], shape)
                photo = photo - self.resized(self.resized(photo, before), shape)
                part.add_(photo.to(part.device)).clamp_(0, 1)
        self.execution.let_go()
        return larger

    def resized(self, image: Tensor, shape: tuple[int, ...]) -> Tensor:
        """An image at a shape, with the run's border."""
        return resize_within(image, shape, self.settings.padding)

    def optimizer(self) -> Optimizer:
        """The method of descent; it remembers in half precision where files are used."""
        return optimizer_of(self.settings, self.spectrum, self.storage, compact_from(list(self.layouts.values())))

    def targets(self, encoder: Encoder) -> Targets:
        """What the run aims at, computed with an encoder."""
        return self.targets_in(self.execution, encoder)

    def targets_in(self, execution: Execution, encoder: Encoder) -> Targets:
        """The same, computed otherwise; pictures that wrap are compared with paintings that do not."""
        wraps = self.settings.padding in WRAPPING
        return Targets(
            encoder.padded("reflect") if wraps else encoder,
            self.canvas.pixels,
            self.paintings,
            self.settings,
            self.color_mode,
            self.regions,
            canvas=encoder if wraps else None,
            execution=execution,
        )

    @cached_property
    def color_mode(self) -> ColorMode:
        """Whose colors the picture has."""
        return ColorMode.of(self.settings, self.canvas, self.styles)

    @cached_property
    def paintings(self) -> list[Tensor]:
        """The styles' pixels as the network is to see them, one for each region if there are masks."""
        if self.regions is not None and self.regions.pairs:
            return self.regions.painted(self.styles, self.canvas, self.color_mode)
        return [self.color_mode.painting(style.pixels, style.alpha) for style in self.styles]

    def bounds_at(self, shape: tuple[int, ...]) -> Bounds:
        """What an image of a spatial shape may be."""
        protected = None if self.regions is None else self.regions.protected_at(shape)
        return self.color_mode.bounds_at(shape, protected, self.device)

    def completed(self, best: Tensor) -> Tensor:
        """The best image at the finest size, within its bounds, in main memory."""
        shape = self.levels[-1].shape
        image = self.resized(best, shape)
        return self.bounds_at(shape).project_(self.storage.empty_like(image).copy_(image)).cpu()

    def finished(self, image: Tensor) -> Tensor:
        """With smooth poles, of a panorama, and in its colors."""
        flat = poles_smoothed(image) if self.settings.padding == "equirectangular" else image
        return self.color_mode.finished(flat)

    def delivered(self, finished: Tensor) -> tuple[Tensor, Any]:
        """The pixels are all."""
        return finished, finished

    def scores(self, image: Tensor, finished: Tensor) -> dict[str, Scores]:
        """The losses of the image as optimized, and finished as the photo's depth holds it, in float32 in any case."""
        exact = self.encoder if self.encoder.dtype == torch.float32 else self.encoder_of(torch.float32)
        engine = self.targets(exact).engine_at(self.levels[-1].shape)
        rounded = self.execution.rounded(finished, self.canvas.source.depth)
        pairs = {"optimized": image, "delivered": rounded}
        return {name: scores_of(engine, each.to(self.device)) for name, each in pairs.items()}

    def identity(self) -> dict[str, Any]:
        """What must agree for a checkpoint to be this run's: the precision as it was found, not the word that asked for it.

        Memory, processes and the device need not: they change the picture's rounding at most.
        """
        return {
            "task": self.task.name,
            **self.settings.model_dump(mode="json", exclude={"device"}),
            "precision": precision_name(self.encoder.dtype),
            "content": [self.canvas.source.sha256, *self.canvas.shape],
            "styles": [[style.source.sha256, *style.shape] for style in self.styles],
            "files": self._files(),
            "masks": {} if self.regions is None else self.regions.references,
            "impasto's version": impasto.__version__,
            **self.words(),
        }

    def words(self) -> dict[str, Any]:
        """What the task was told beside the settings, as its recipe keeps it."""
        return {}

    def recipe(
        self,
        history: tuple[Record, ...],
        losses: Mapping[str, Scores],
        measures: Mapping[str, float | None],
        *,
        stopped: bool,
    ) -> dict[str, Any]:
        """How the picture was made, as plain data."""
        # Sums in another order are rounded otherwise, and a descent amplifies that.
        count = machine.threads(self.device)
        tiles = [len(self.layouts[level.shape].tiles or ()) for level in self.levels]
        delivered = losses.get("delivered")
        return {
            **origin(),
            "task": self.task.name,
            "settings": self.settings.given(),
            "seed": self.settings.seed,
            "in_force": self.settings.model_dump(mode="json"),  # a later version may have other defaults
            "inputs": {
                **({} if self.content is None else {"content": _reference(self.content)}),
                "styles": [_reference(style) for style in self.styles],
                **self._files(),
                **({} if self.regions is None else self.regions.references),
            },
            "precision": precision_name(self.encoder.dtype),
            "device": str(self.device),
            **({} if count is None else {"threads": count}),
            "levels": [[*level.shape, level.evaluations] for level in self.levels],
            **({"tiles": tiles, "processes": self.budget.group.size} if any(tiles) else {}),
            "evaluations": evaluations(history),
            "complete": not stopped,
            "losses": {} if delivered is None else {"total": delivered.value, **delivered.by_kind},
            **({"measures": measures} if measures else {}),
            **self.words(),
        }

    def _files(self) -> dict[str, dict[str, str]]:
        """The files that settings name."""
        files = {}
        if self.settings.init not in INITS and self.source is not None:
            files["init"] = _reference(self.source)
        if self.settings.weights is not None:
            path, _ = file_and_colors(self.settings.weights)
            files["weights"] = {"name": path.name, "sha256": WEIGHTS.sha256(path)}
        return files

    def notes(self, finished: Tensor) -> Iterator[str]:  # noqa: ARG002
        """What was not used of the inputs' files, and pictures that had too few pixels."""
        yield from remarks.of_inputs(self.pictures, None if self.settings.init in INITS else self.source)
        yield from remarks.enlarged(self.levels[-1].shape, self.settings, self.content, self.styles)

    def _seconds(self) -> float:
        """The time of an evaluation per position, from one at a small size."""
        level = min(self.levels, key=lambda level: abs(max(level.shape) - 192))
        shape = fitted(level.shape, min(192, max(level.shape)))
        image = resize(self.canvas.pixels, shape).to(self.device)
        return seconds_of(self.aims.engine_at(shape), image) / math.prod(shape)


def _reference(picture: Picture) -> dict[str, str]:
    return {"name": picture.source.name, "sha256": picture.source.sha256}


def several(sources: Any, what: str = "style image") -> list[Any]:
    """One or several inputs as a list.

    Raises:
        SettingsError: if there is none.
    """
    found = list(sources) if isinstance(sources, (list, tuple)) else [sources]
    if not found:
        raise SettingsError(f"There is no {what}; give at least one.")
    return found


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
