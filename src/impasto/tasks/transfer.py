"""Style transfer: a photo and one or several paintings in, the photo in their style out."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

import impasto
from impasto import images, machine
from impasto.descent import Descent, Level, Record, Snapshot
from impasto.encoders import Encoder, Parameters, Stack, load
from impasto.encoders.weights import file_sha256
from impasto.engines import Evaluation
from impasto.errors import CheckpointError, SettingsError
from impasto.images import Picture
from impasto.optimizers import LBFGS, Adam, GradientDescent, Optimizer
from impasto.pyramid import fitted, resize
from impasto.settings import INITS, Settings, make
from impasto.tasks.checkpoint import Checkpoint
from impasto.tasks.plan import Plan, levels, memory_of
from impasto.tasks.result import Result, Scores
from impasto.tasks.start import starting_image
from impasto.tasks.targets import Balance, Targets


@dataclass(frozen=True, eq=False)
class Event:
    """Where a run is; what callbacks get.

    Args:
        level: index of the current level, from 0.
        levels: all levels.
        evaluation: evaluations made on this level.
        value: the objective there.
        by_kind: its weighted parts: ``content``, ``style``, ``smoothness``.
        losses: each term's plain loss by name.
        seconds: time spent so far in the descent.
        remaining: estimated seconds to go.
        image: the best image so far at the level's size, (1, 3, H, W).
    """

    level: int
    levels: tuple[Level, ...]
    evaluation: int
    value: float
    by_kind: dict[str, float]
    losses: dict[str, float]
    seconds: float
    remaining: float
    image: Tensor = field(repr=False)


Listener = Callable[[Event], object]


def stylize(
    content: Any,
    styles: Any,
    *,
    settings: Settings | None = None,
    on_event: Listener | None = None,
    checkpoint: str | Path | None = None,
    **values: Any,
) -> Result:
    """Paint ``content`` in the style of ``styles`` (Gatys, Ecker and Bethge 2016), from coarse to fine.

    Args:
        content: the photo: a path, PIL image, array (H, W, 3) or tensor (3, H, W).
        styles: a painting, or a list of them.
        settings: all settings at once; or give single ones as keywords, by the names in
            :class:`impasto.Settings`, ``stylize(photo, painting, size=1024, strength=0.7)``.
        on_event: called after every optimizer step; return True to stop there and keep the best image.
        checkpoint: a folder; a run that finds its own checkpoint there goes on from it to the same picture.
        values: single settings.

    Returns:
        The picture with its history; :meth:`Result.save` writes it.

    Raises:
        ImpastoError: with a sentence on what is wrong with an image, a setting, the weights or the checkpoint.
    """
    return Transfer.of(content, styles, settings=settings, **values).run(on_event, checkpoint)


@dataclass(frozen=True, eq=False)
class Transfer:
    """One run, prepared: inputs read, settings checked, network read. Made by :meth:`of`."""

    content: Picture
    styles: tuple[Picture, ...]
    settings: Settings
    stack: Stack
    parameters: Parameters

    @classmethod
    def of(cls, content: Any, styles: Any, *, settings: Settings | None = None, **values: Any) -> Self:
        """Read the inputs and check that the settings fit them; arguments as for :func:`stylize`.

        Everything that can be wrong is found here, before anything is computed.

        Raises:
            ImpastoError: as :func:`stylize`.
        """
        run = cls.unsized(content, styles, settings=settings, **values)
        run.levels, run.source, run.device  # noqa: B018 - each raises what is wrong with it
        return run

    @classmethod
    def unsized(cls, content: Any, styles: Any, *, settings: Settings | None = None, **values: Any) -> Self:
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
        if chosen.blend is not None and len(chosen.blend) != len(several):
            raise SettingsError(
                f"The blend has {len(chosen.blend)} shares for {len(several)} styles; give one share each."
            )
        stack, parameters = load(chosen.network, chosen.weights)
        pictures = [_picture(source) for source in (content, *several)]
        return cls(pictures[0], tuple(pictures[1:]), _canonical(chosen, stack), stack, parameters)

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
        if self.settings.init in ("content", "style"):
            return self.content if self.settings.init == "content" else self.styles[0]
        return None if self.settings.init in INITS else _picture(self.settings.init)

    @cached_property
    def device(self) -> torch.device:
        """Where the run computes."""
        return machine.device(self.settings.device)

    @cached_property
    def encoder(self) -> Encoder:
        """The network at the run's precision."""
        return self._encoder(machine.precision(self.settings.precision, self.device))

    def plan(self, *, measure: bool = True) -> Plan:
        """What :meth:`run` will do; with ``measure``, the time is estimated from one small evaluation made now."""
        history = (self.settings.history or LBFGS.history) if self.settings.optimizer == "lbfgs" else 1
        return Plan(
            self.levels,
            self.layers,
            _name(self.encoder.dtype),
            str(self.device),
            memory_of(self.encoder, self.layers, self.levels[-1].shape, history),
            self._seconds() if measure else None,
        )

    def run(
        self,
        on_event: Listener | None = None,
        checkpoint: str | Path | None = None,
        *,
        checkpoint_interval: float = Checkpoint.INTERVAL,
    ) -> Result:
        """Do it; arguments as for :func:`stylize`, and the least time between two checkpoints, in seconds."""
        began = time.perf_counter()
        if self.device.type == "cpu":
            machine.keep_freed_memory()
        saver = None
        if checkpoint is not None:
            saver = Checkpoint(Path(checkpoint), self._identity(), checkpoint_interval)
        start = (saver.load(self.device) if saver else None) or self._start()
        descent = Descent(self.levels, self.targets(self.encoder).engine_at, _optimizer(self.settings), self._lift)
        ready = time.perf_counter()
        snapshot, stopped = self._descend(descent, start, on_event, saver)
        done = time.perf_counter()
        image = self._resized(snapshot.best, self.levels[-1].shape).cpu()
        history, seconds = snapshot.history, snapshot.seconds
        del snapshot, descent, start  # the optimizer's memory, before the last measurement needs room
        if self.device.type == "cpu":
            machine.release_freed_memory()
        optimized, delivered = self._scores(image)
        timings = {"setup": ready - began, "descent": seconds, "final": time.perf_counter() - done}
        return Result(
            image,
            self.content,
            self.settings,
            self._recipe(history, delivered, stopped=stopped),
            history,
            optimized,
            delivered,
            timings,
            complete=not stopped,
            notes=(*self._notes(), *(saver.troubles if saver else ())),
        )

    def _descend(
        self, descent: Descent, start: Tensor | Snapshot, on_event: Listener | None, saver: Checkpoint | None
    ) -> tuple[Snapshot, bool]:
        """The last snapshot, and whether a listener stopped the run there."""
        snapshot = start if isinstance(start, Snapshot) else None
        for snapshot in descent.run(start):
            last = snapshot.done and snapshot.level == len(self.levels) - 1
            _save(saver, snapshot, force=last)
            if on_event and on_event(self._event(descent, snapshot)) and not last:
                _save(saver, snapshot, force=True)
                return snapshot, True
        assert snapshot is not None
        return snapshot, False

    def _event(self, descent: Descent, snapshot: Snapshot) -> Event:
        point = snapshot.state.point
        assert isinstance(point, Evaluation)
        return Event(
            snapshot.level,
            self.levels,
            snapshot.state.evaluations,
            point.value,
            point.by_kind,
            point.losses,
            snapshot.seconds,
            descent.remaining(snapshot),
            snapshot.best,
        )

    def _start(self) -> Tensor:
        """The image that the descent begins with, at the coarsest size."""
        source = None if self.source is None else self.source.pixels
        styles = [style.pixels for style in self.styles]
        return starting_image(self.settings, source, styles, self.levels[0].shape).to(self.device)

    def _lift(self, image: Tensor, shape: tuple[int, ...]) -> Tensor:
        """The image at the next level's shape, with the detail that the photo has there and the level below had not.

        Started without it, a level first spends a dozen evaluations on inventing fine detail.
        """
        larger = self._resized(image, shape)
        if self.settings.init != "content" or tuple(image.shape[2:]) == shape:
            return larger
        photo = resize(self.content.pixels, shape)
        blurred = resize(resize(photo, tuple(image.shape[2:])), shape)
        return larger.add_((photo - blurred).to(larger.device)).clamp_(0, 1)

    def _resized(self, image: Tensor, shape: tuple[int, ...]) -> Tensor:
        return resize(image, shape)

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
        return Targets(encoder, self.content.pixels, [style.pixels for style in self.styles], self.settings)

    def _scores(self, image: Tensor) -> tuple[Scores, Scores]:
        """The losses of the image as it is and as the photo's depth holds it, in float32 whatever the run's precision."""
        exact = self.encoder if self.encoder.dtype == torch.float32 else self._encoder(torch.float32)
        engine = self.targets(exact).engine_at(self.levels[-1].shape)
        rounded = images.quantize(image, self.content.source.depth)
        found = [engine.measure(x.to(self.device)) for x in (image, rounded)]
        first, second = (Scores(e.value, e.by_kind, e.losses) for e in found)
        return first, second

    def _seconds(self) -> float:
        """The time of the whole run, from one evaluation at a small size."""
        level = min(self.levels, key=lambda level: abs(max(level.shape) - 192))
        shape = fitted(level.shape, min(192, max(level.shape)))
        engine = self.targets(self.encoder).engine_at(shape)
        image = resize(self.content.pixels, shape).to(self.device)
        times = []
        for _ in range(2):
            machine.synchronize(self.device)
            began = time.perf_counter()
            engine.evaluate(image)
            machine.synchronize(self.device)
            times.append(time.perf_counter() - began)
        return min(times) / (shape[0] * shape[1]) * sum(level.cost for level in self.levels)

    def _notes(self) -> Iterator[str]:
        longest = max(self.levels[-1].shape)
        for picture, size in [
            (self.content, longest),
            *((s, longest * self.settings.style_scale) for s in self.styles),
        ]:
            if max(picture.shape) < size * 0.75:
                yield (
                    f"{picture.source.name} has {max(picture.shape)} pixels on its long side and was enlarged to "
                    f"{round(size)}; a larger original would give more detail."
                )

    def _identity(self) -> dict[str, Any]:
        """What must agree for a checkpoint to be this run's."""
        return {
            **self.settings.model_dump(mode="json"),
            "content": [self.content.source.sha256, *self.content.shape],
            "styles": [[style.source.sha256, *style.shape] for style in self.styles],
            "files": self._files(),
            "computed precision": _name(self.encoder.dtype),
            "impasto's version": impasto.__version__,
        }

    def _files(self) -> dict[str, dict[str, str]]:
        """The files that settings name."""
        files = {}
        if self.settings.init not in INITS and self.source is not None:
            files["init"] = _reference(self.source)
        if self.settings.weights is not None:
            path = Path(self.settings.weights)
            files["weights"] = {"name": path.name, "sha256": file_sha256(path)}
        return files

    def _recipe(self, history: tuple[Record, ...], delivered: Scores, *, stopped: bool) -> dict[str, Any]:
        return {
            "impasto": impasto.__version__,
            "torch": torch.__version__,
            "task": "stylize",
            "settings": self.settings.given(),
            "seed": self.settings.seed,
            "in_force": self.settings.model_dump(mode="json"),  # a later version may have other defaults
            "inputs": {
                "content": _reference(self.content),
                "styles": [_reference(style) for style in self.styles],
                **self._files(),
            },
            "precision": _name(self.encoder.dtype),
            "device": str(self.device),
            "levels": [[*level.shape, level.evaluations] for level in self.levels],
            "evaluations": sum({record.level: record.evaluation for record in history}.values()),
            "complete": not stopped,
            "losses": {"total": delivered.value, **delivered.by_kind},
        }


def _save(saver: Checkpoint | None, snapshot: Snapshot, *, force: bool) -> None:
    """Save if there is where to; a full disk must not cost the run that the checkpoint was to protect."""
    if saver is None:
        return
    try:
        saver.save(snapshot, force=force)
    except CheckpointError as error:
        if not saver.troubles:  # the first one says it
            saver.troubles.append(f"{error} The run went on without it.")


def _picture(source: Any) -> Picture:
    return source if isinstance(source, Picture) else images.read(source)


def _reference(picture: Picture) -> dict[str, str]:
    return {"name": picture.source.name, "sha256": picture.source.sha256}


def _name(dtype: torch.dtype) -> str:
    return "bf16" if dtype == torch.bfloat16 else "fp32"


def _optimizer(settings: Settings) -> Optimizer:
    if settings.optimizer == "adam":
        return Adam() if settings.rate is None else Adam(rate=settings.rate)
    if settings.optimizer == "gradient-descent":
        return GradientDescent()
    return LBFGS() if settings.history is None else LBFGS(history=settings.history)


def _canonical(settings: Settings, stack: Stack) -> Settings:
    """The settings with every layer under its own name: ``conv4_2`` for ``relu4_2``."""
    named = {}
    for name in ("content_layers", "style_layers"):
        weights: dict[str, float] = getattr(settings, name)
        named[name] = {stack.canonical(layer): weight for layer, weight in weights.items()}
        if len(named[name]) < len(weights):
            raise SettingsError(f"The setting {name} names a layer twice ({', '.join(weights)}); name each once.")
    return settings.model_copy(update=named)
