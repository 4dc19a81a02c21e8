"""Style transfer: a photo and one or several paintings in, the photo in their style out."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import impasto
from impasto import images, machine
from impasto.descent import Descent, Level, Record, Snapshot
from impasto.encoders import Encoder, load
from impasto.engines import Evaluation
from impasto.errors import SettingsError
from impasto.images import Picture
from impasto.optimizers import LBFGS, Adam, GradientDescent, Optimizer
from impasto.pyramid import fitted, resize
from impasto.settings import INITS, Settings, make
from impasto.tasks.checkpoint import Checkpoint
from impasto.tasks.plan import Plan, levels, memory_of
from impasto.tasks.result import Result, Scores
from impasto.tasks.targets import Targets


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
    image: Tensor


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
    """One run, prepared: inputs read, settings checked, network ready."""

    content: Picture
    styles: tuple[Picture, ...]
    settings: Settings

    @classmethod
    def of(cls, content: Any, styles: Any, *, settings: Settings | None = None, **values: Any) -> "Transfer":
        """Read the inputs and check that the settings fit them; arguments as for :func:`stylize`.

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
        run = cls(_picture(content), tuple(_picture(style) for style in several), chosen)
        run._check()
        return run

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The sizes from coarse to fine, with their evaluations."""
        return levels(self.settings, self.content.shape)

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """The layers that have a weight, by their own names."""
        named = {**self.settings.content_layers, **self.settings.style_layers}
        return tuple(name for name in named if named[name])

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
        history = self.settings.history or LBFGS.history
        return Plan(
            self.levels,
            self.layers,
            _name(self.encoder.dtype),
            str(self.device),
            memory_of(self.encoder, self.layers, self.levels[-1].shape, history),
            self._seconds() if measure else None,
        )

    def run(self, on_event: Listener | None = None, checkpoint: str | Path | None = None) -> Result:
        """Do it; arguments as for :func:`stylize`."""
        began = time.perf_counter()
        if self.device.type == "cpu":
            machine.keep_freed_memory()
        saver = Checkpoint(Path(checkpoint), self._identity()) if checkpoint is not None else None
        start = (saver.load() if saver else None) or self._start()
        descent = Descent(self.levels, self.targets(self.encoder).engine_at, _optimizer(self.settings), self._lift)
        ready = time.perf_counter()
        snapshot, stopped = self._descend(descent, start, on_event, saver)
        done = time.perf_counter()
        image = resize(snapshot.best, self.levels[-1].shape).cpu()
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
            notes=tuple(self._notes()),
        )

    def _descend(
        self, descent: Descent, start: Tensor | Snapshot, on_event: Listener | None, saver: Checkpoint | None
    ) -> tuple[Snapshot, bool]:
        """The last snapshot, and whether a listener stopped the run there."""
        snapshot = start if isinstance(start, Snapshot) else None
        for snapshot in descent.run(start):
            last = snapshot.done and snapshot.level == len(self.levels) - 1
            if saver:
                saver.save(snapshot, force=last)
            if on_event and on_event(self._event(descent, snapshot)) and not last:
                if saver:
                    saver.save(snapshot, force=True)
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
        """The image that the descent begins with, at a size of its own."""
        shape = self.levels[0].shape
        generator = torch.Generator().manual_seed(self.settings.seed)
        noise = torch.rand(1, 3, *shape, generator=generator)
        image = self._initial(shape, noise)
        mixed = torch.lerp(image, noise, self.settings.noise) if self.settings.noise else image
        return mixed.to(self.device)

    def _lift(self, image: Tensor, shape: tuple[int, ...]) -> Tensor:
        """The image at the next level's shape, with the detail that the photo has there and the level below had not.

        Started without it, a level first spends a dozen evaluations on inventing fine detail.
        """
        larger = resize(image, shape)
        if self.settings.init != "content" or tuple(image.shape[2:]) == shape:
            return larger
        photo = resize(self.content.pixels, shape)
        blurred = resize(resize(photo, tuple(image.shape[2:])), shape)
        return larger.add_((photo - blurred).to(larger.device)).clamp_(0, 1)

    def _initial(self, shape: tuple[int, ...], noise: Tensor) -> Tensor:
        init = self.settings.init
        if init == "noise":
            return noise
        if init == "style-moments":
            return _with_moments_of(self.styles[0].pixels, noise)
        source = self.content if init == "content" else _picture(init)
        return resize(source.pixels, shape)

    def _encoder(self, dtype: torch.dtype) -> Encoder:
        stack, parameters = load(self.settings.network, self.settings.weights)
        return Encoder(
            stack,
            parameters,
            pooling=self.settings.pooling,
            padding=self.settings.padding,
            dtype=dtype,
            device=self.device,
        )

    def targets(self, encoder: Encoder) -> Targets:
        """What the run aims at, computed with an encoder."""
        return Targets(encoder, self.content.pixels, [style.pixels for style in self.styles], self.settings)

    def _scores(self, image: Tensor) -> tuple[Scores, Scores]:
        """The losses of the image as it is and as files hold it, in float32 whatever the run's precision."""
        exact = self.encoder if self.encoder.dtype == torch.float32 else self._encoder(torch.float32)
        engine = self.targets(exact).engine_at(self.levels[-1].shape)
        found = [engine.measure(x.to(self.device)) for x in (image, images.quantize(image))]
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

    def _check(self) -> None:
        """Everything that can be wrong is found before anything is computed."""
        settings = self.settings
        stack, _ = load(settings.network, settings.weights)
        for name in self.layers:
            stack.extent(stack.canonical(name), self.levels[0].shape)
        for style in self.styles:
            size = max(1, round(max(self.levels[0].shape) * settings.style_scale))
            for name in settings.style_layers:
                stack.extent(stack.canonical(name), fitted(style.shape, size))
        if settings.init not in INITS:
            images.read(settings.init)

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
            "settings": self.settings.model_dump(mode="json"),
            "content": self.content.source.sha256,
            "styles": [style.source.sha256 for style in self.styles],
            "precision": _name(self.encoder.dtype),
            "impasto": impasto.__version__,
        }

    def _recipe(self, history: tuple[Record, ...], delivered: Scores, *, stopped: bool) -> dict[str, Any]:
        return {
            "impasto": impasto.__version__,
            "torch": torch.__version__,
            "task": "stylize",
            "settings": self.settings.given(),
            "inputs": {
                "content": _reference(self.content),
                "styles": [_reference(style) for style in self.styles],
                **({} if self.settings.init in INITS else {"init": _reference(_picture(self.settings.init))}),
            },
            "precision": _name(self.encoder.dtype),
            "device": str(self.device),
            "levels": [[*level.shape, level.evaluations] for level in self.levels],
            "evaluations": sum({record.level: record.evaluation for record in history}.values()),
            "complete": not stopped,
            "losses": {"total": delivered.value, **delivered.by_kind},
        }


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


def _with_moments_of(style: Tensor, noise: Tensor) -> Tensor:
    """Noise whose colors have the mean and covariance of the style's pixels, kept in [0, 1]."""
    colors = style.flatten(2)[0].double()
    mean = colors.mean(1, keepdim=True)
    values, vectors = torch.linalg.eigh((colors - mean) @ (colors - mean).t() / colors.shape[1])
    root = vectors * values.clamp(min=0).sqrt() @ vectors.t()
    flat = (noise.flatten(2)[0].double() - 0.5) * 12**0.5  # uniform in [0, 1], brought to variance 1
    return torch.as_tensor(root @ flat + mean).to(noise.dtype).view_as(noise).clamp(0, 1)


def replaced(settings: Settings, **values: Any) -> Settings:
    """The settings with some values changed, checked again."""
    return make({**settings.given(), **values})
