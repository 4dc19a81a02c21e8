"""What a run will do before it does it: levels, evaluations, memory and time."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from impasto.descent import Level
from impasto.encoders import Conv, Encoder, Stack
from impasto.errors import LayerError, SettingsError
from impasto.images import Picture
from impasto.pyramid import fitted, level_shapes
from impasto.settings import Settings
from impasto.tasks.targets import Balance, style_shape

_FINEST, _GROWTH, _MOST = 30, 1.6, 80  # evaluations on the finest level, times more per coarser one, and at most
_FOUNDATION = 420e6  # bytes that Python, torch and the weights take before the first image


def levels(settings: Settings, stack: Stack, content: Picture, styles: Sequence[Picture]) -> tuple[Level, ...]:
    """The levels of a run, coarse to fine.

    A coarse level on which a narrow picture would have no position at some layer is left out, with its evaluations.

    Raises:
        LayerError: if that is so on the finest level already.
        SettingsError: if evaluations are given for more levels than there are.
    """
    shapes = level_shapes(fitted(content.shape, settings.size), settings.coarsest, settings.ratio)
    given = settings.evaluations
    if given is not None and len(given) > len(shapes):
        raise SettingsError(
            f"The setting evaluations has {len(given)} numbers for {len(shapes)} levels of {settings.size} pixels and "
            f"less (coarsest {settings.coarsest}, ratio {settings.ratio:g}); give at most one number per level."
        )
    check_fit(settings, stack, content, styles, shapes[-1])
    if given is None:
        counts = [min(_MOST, round(_FINEST * _GROWTH**up)) for up in range(len(shapes) - 1, -1, -1)]
    else:
        counts = [given[min(index, len(given) - 1)] for index in range(len(shapes))]
    return tuple(
        Level(shape, count)
        for shape, count in zip(shapes, counts, strict=True)
        if not any(_misfits(settings, stack, content, styles, shape))
    )


def check_fit(
    settings: Settings, stack: Stack, content: Picture, styles: Sequence[Picture], shape: tuple[int, ...]
) -> None:
    """Refuse a result of spatial ``shape`` for which a picture is too small for one of its layers.

    Raises:
        LayerError: naming the picture, the layer, and the size it needs.
    """
    for sentence in _misfits(settings, stack, content, styles, shape):
        raise LayerError(sentence)


def _misfits(
    settings: Settings, stack: Stack, content: Picture, styles: Sequence[Picture], shape: tuple[int, ...]
) -> Iterator[str]:
    balance = Balance(settings)
    seen = [(content, content.shape, balance.content_layers), (content, shape, balance.layers)]
    for style in styles:
        at = style_shape(settings, style.shape, shape)
        seen += [(style, style.shape, balance.style_layers), (style, at, balance.style_layers)]
    for picture, extents, layers in seen:
        for layer in layers:
            if min(extents) < stack.stride(layer):
                yield _misfit(picture, extents, layer, stack.stride(layer))


def _misfit(picture: Picture, shape: tuple[int, ...], layer: str, need: int) -> str:
    pixels = " x ".join(map(str, reversed(shape)))
    given = shape == picture.shape
    return (
        f"{picture.source.name} {f'has {pixels}' if given else f'would be seen at {pixels}'} pixels, too small for "
        f"{layer}, which needs at least {need} along every side; "
        f"{'give a larger picture' if given else 'choose a larger size'} or shallower layers."
    )


@dataclass(frozen=True)
class Plan:
    """What a run will do.

    Args:
        levels: coarse to fine.
        layers: the layers that losses look at.
        precision: of features and convolutions, ``fp32`` or ``bf16``.
        device: where.
        memory: estimated peak resident memory, in bytes.
        seconds: estimated time, or None if nothing was measured.
    """

    levels: tuple[Level, ...]
    layers: tuple[str, ...]
    precision: str
    device: str
    memory: float
    seconds: float | None

    @property
    def evaluations(self) -> int:
        """All evaluations of all levels."""
        return sum(level.evaluations for level in self.levels)


def memory_of(encoder: Encoder, layers: tuple[str, ...], shape: tuple[int, ...], history: int) -> float:
    """An estimate of the peak memory of a run, in bytes, from what is alive at the peak.

    Per image position: every kept activation once, the two gradients of the widest layers, and 3 float32 channels for
    each of the optimizer's 2 ``history`` vectors and half a dozen more images.
    """
    positions = math.prod(shape)
    size = torch.empty(0, dtype=encoder.dtype).element_size()
    kept = sum(_values(encoder.stack, layer) for layer in encoder.stack.until(encoder.deepest(layers)))
    widest = max(_values(encoder.stack, layer) for layer in encoder.stack.convolutions)
    return _FOUNDATION + positions * (size * (kept + 2 * widest) + 12 * (2 * history + 6))


def _values(stack: Stack, layer: object) -> float:
    """Values per image position of a convolution's output; averages are not kept."""
    if not isinstance(layer, Conv):
        return 0.0
    return layer.channels_out / stack.stride(layer.name) ** 2
