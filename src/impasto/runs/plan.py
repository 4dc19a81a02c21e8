"""What a run will do before it does it: levels, evaluations, memory and time."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from impasto import machine
from impasto.aims.balance import Balance
from impasto.aims.style import style_shape
from impasto.choices import LARGEST
from impasto.descent import Level
from impasto.encoders import Encoder, Stack
from impasto.engines import Evaluator
from impasto.errors import LayerError, SettingsError
from impasto.images import Picture
from impasto.losses import STYLE_LOSSES
from impasto.memory.budget import Budget, Layout, arrange, demand, history_of
from impasto.optimizers import LBFGS
from impasto.pyramid import fitted, level_shapes, scaled
from impasto.settings import Settings

_COUNTS = (40, 30, 80)  # evaluations on the finest level, on the one below it, and on all others
_LARGE = 2.25e6  # positions of a level that has at most as many as the finest; in larger ones they fall as the root
_FEWEST = 6
_FROM_NOISE = (200, 150, 100)
_PHOTOREALISM = 900.0  # bytes: 9 places with 3 channels as they are, centered, explained, and their products in blocks
_REACH = 4  # positions that a loss on the picture itself may look beyond its own


def levels(settings: Settings, stack: Stack, content: Picture, styles: Sequence[Picture]) -> tuple[Level, ...]:
    """The levels of a run, coarse to fine.

    A coarse level on which a narrow picture would have no position at some layer is left out, with its evaluations.

    Raises:
        LayerError: if that is so on the finest level already.
        SettingsError: if evaluations are given for more levels than there are, or a preview is none of the levels.
    """
    shapes = level_shapes(fitted(content.shape, settings.final_size), settings.coarsest, settings.ratio)
    given = settings.evaluations
    if given is not None and len(given) > len(shapes):
        raise SettingsError(
            f"The setting evaluations has {len(given)} numbers for {len(shapes)} levels of {settings.final_size} pixels and "
            f"less (coarsest {settings.coarsest}, ratio {settings.ratio:g}); give at most one number per level."
        )
    if given is None:
        counts = [_usual(shape, up) for up, shape in zip(range(len(shapes) - 1, -1, -1), shapes, strict=True)]
    else:
        counts = [given[min(index, len(given) - 1)] for index in range(len(shapes))]
    shapes = _until(settings, shapes)
    check_fit(settings, stack, content, styles, shapes[-1])
    return tuple(
        Level(shape, count)
        for shape, count in zip(shapes, counts, strict=False)
        if not any(_misfits(settings, stack, content, styles, shape))
    )


def _until(settings: Settings, shapes: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    """The levels up to the size, which for a preview is one on the way to the picture that it is a preview of."""
    sizes = [max(shape) for shape in shapes]
    if settings.size not in sizes:
        raise SettingsError(
            f"A preview of {settings.preview_of} pixels is one of its levels, which are {', '.join(map(str, sizes))}; "
            f"the size is {settings.size}."
        )
    return shapes[: sizes.index(settings.size) + 1]


def _usual(shape: tuple[int, ...], up: int) -> int:
    """Evaluations of a level so many steps coarser than the finest.

    The coarsest levels lay out what can be seen from afar, and cost next to nothing. The finest decides what is left of the
    loss, whatever came before; of the level below it most is painted over.
    """
    scarce = round(_COUNTS[0] * math.sqrt(_LARGE / math.prod(shape)))
    return min(_COUNTS[min(up, len(_COUNTS) - 1)], max(_FEWEST, scarce))


def check_fit(
    settings: Settings, stack: Stack, content: Picture, styles: Sequence[Picture], shape: tuple[int, ...]
) -> None:
    """Refuse a result of spatial ``shape`` for which a picture is too small for one of its layers.

    Raises:
        LayerError: naming the picture, the layer, and the size it needs.
    """
    for picture, extents, layer in _misfits(settings, stack, content, styles, shape):
        raise LayerError(
            _misfit(picture, extents, layer, stack.stride(layer), _enough(settings, stack, content, styles, max(shape)))
        )


def _misfits(
    settings: Settings, stack: Stack, content: Picture, styles: Sequence[Picture], shape: tuple[int, ...]
) -> Iterator[tuple[Picture, tuple[int, ...], str]]:
    """Pictures with the shape at which they have no position in a layer."""
    balance = Balance(settings)
    seen = [(content, content.shape, balance.content_layers), (content, shape, balance.layers)]
    for index, style in enumerate(styles):
        at = scaled(style_shape(settings, style.shape, shape), settings.scale_of(index) / settings.scale_of())
        seen += [(style, extents, balance.layers_of(index)) for extents in (style.shape, at)]
    for picture, extents, layers in seen:
        for layer in layers:
            if min(extents) < stack.stride(layer):
                yield picture, extents, layer


def _enough(settings: Settings, stack: Stack, content: Picture, styles: Sequence[Picture], size: int) -> int | None:
    """A size from this one up at which all pictures are seen large enough, if there is one."""
    while size <= LARGEST:
        sized = settings.model_copy(update={"size": size, "preview_of": None})
        found = _misfits(sized, stack, content, styles, fitted(content.shape, size))
        short = [stack.stride(layer) / (min(at) + 0.5) for picture, at, layer in found if at != picture.shape]
        if not short:
            return size
        size = max(size + 1, math.floor(size * max(short)))
    return None


def _misfit(picture: Picture, shape: tuple[int, ...], layer: str, need: int, enough: int | None) -> str:
    pixels = " x ".join(map(str, reversed(shape)))
    given = shape == picture.shape
    larger = "choose a larger size" if enough is None else f"choose a larger size, such as {enough},"
    return (
        f"{picture.source.name} {f'has {pixels}' if given else f'would be seen at {pixels}'} pixels, too small for "
        f"{layer}, which needs at least {need} along every side; "
        f"{'give a larger picture' if given else larger} or shallower layers."
    )


@dataclass(frozen=True)
class Plan:
    """What a run will do.

    Args:
        levels: coarse to fine.
        layers: the layers that losses look at.
        precision: of features and convolutions, ``fp32`` or ``bf16``.
        device: where.
        layouts: by a level's shape, how it is computed.
        seconds: estimated time, or None if nothing was measured.
        processes: that share the work.
    """

    levels: tuple[Level, ...]
    layers: tuple[str, ...]
    precision: str
    device: str
    layouts: Mapping[tuple[int, ...], Layout]
    seconds: float | None
    processes: int = 1

    @property
    def memory(self) -> float:
        """Estimated peak resident memory of a process, in bytes."""
        return max(layout.memory for layout in self.layouts.values())

    @property
    def files(self) -> float:
        """Bytes in temporary files at the peak, 0 if everything stays in memory."""
        return max(layout.files for layout in self.layouts.values())

    @property
    def cost(self) -> float:
        """Positions times evaluations of all levels, those in tiles with what tiles add and processes take off."""
        return sum(level.cost * self.layouts[level.shape].cost for level in self.levels)

    @property
    def evaluations(self) -> int:
        """All evaluations of all levels."""
        return sum(level.evaluations for level in self.levels)


def layouts(
    settings: Settings,
    encoder: Encoder,
    levels: Sequence[Level],
    content: Picture | None,
    styles: Sequence[Picture],
    *,
    budget: Budget,
    protected: bool = False,
) -> dict[tuple[int, ...], Layout]:
    """How every level is computed within a budget, by its shape.

    Args:
        settings: of the run.
        encoder: what sees the result, at the run's precision.
        levels: coarse to fine.
        content: the photo, of a task that has one.
        styles: the paintings.
        budget: what the run may use.
        protected: whether parts of the result stay the photo.

    Raises:
        SettingsError: if a level does not fit.
    """
    balance, stack = Balance(settings), encoder.stack
    own = sum(12.0 * math.prod(each.shape) for each in (*([content] if content else ()), *styles))
    style_margin = max((STYLE_LOSSES[name].margin for name in balance.style_losses), default=0)
    reaches = [stack.radius(name) for name in balance.layers]
    reaches += [stack.radius(name) + style_margin * stack.stride(name) for name in balance.style_layers]
    stride = max(stack.stride(name) for name in balance.layers)
    found = {}
    for level in reversed(levels):  # what does not fit is most likely, and best named by, the finest
        seen = [
            math.prod(
                scaled(style_shape(settings, style.shape, level.shape), settings.scale_of(index) / settings.scale_of())
            )
            for index, style in enumerate(styles if balance.style_layers else ())
        ]
        want = demand(
            encoder,
            balance.layers,
            balance.content_layers,
            level,
            pictures=own + _held(settings, protected=protected) * math.prod(level.shape),
            style=max(seen, default=0),
            divisible=all(STYLE_LOSSES[name].pointwise for name in balance.style_losses),
            optimizer=history_of(settings.optimizer, settings.history or LBFGS.history, level.evaluations),
            beside=_PHOTOREALISM if settings.photorealism else 0.0,
        )
        found[level.shape] = arrange(want, budget, max(_REACH, *reaches), stride, encoder.padding)
    return found


def _held(settings: Settings, *, protected: bool) -> float:
    """Bytes of a position that are in memory all along, in float32: photos that losses are aimed at, bounds, hidden colors."""
    images = bool(settings.sharpness) + bool(settings.photorealism)  # the photo each
    images += 3 * bool(settings.photorealism)  # the inverse of every block's colors
    bounded = settings.color == "luminance" or protected
    images += 3 * bounded + (settings.color == "luminance")  # bounds below and above, what is projected; hidden colors
    return 12.0 * images


def seconds_of(engine: Evaluator, image: Tensor) -> float:
    """The time of one evaluation: the better of two, for the first one pays for what the others find done."""
    times = []
    for _ in range(2):
        machine.synchronize(image.device)
        began = time.perf_counter()
        engine.evaluate(image)
        machine.synchronize(image.device)
        times.append(time.perf_counter() - began)
    return min(times)


def precision_name(dtype: torch.dtype) -> str:
    """``bf16`` or ``fp32``."""
    return "bf16" if dtype == torch.bfloat16 else "fp32"


def from_noise(settings: Settings) -> Settings:
    """The settings with 200, 150, 100, ... evaluations per level, unless some are given.

    From noise, where everything has to be found, more are needed than from a photo.
    """
    if settings.evaluations is not None:
        return settings
    shapes = level_shapes((settings.size,), settings.coarsest, settings.ratio)
    return settings.model_copy(update={"evaluations": _FROM_NOISE[: len(shapes)]})
