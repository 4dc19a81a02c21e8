"""What a run will do before it does it: levels, evaluations, memory and time."""

import math
from dataclasses import dataclass

import torch

from impasto.descent import Level
from impasto.encoders import Conv, Encoder, Stack
from impasto.pyramid import fitted, level_shapes
from impasto.settings import Settings

_FINEST, _GROWTH, _MOST = 30, 1.6, 80  # evaluations on the finest level, times more per coarser one, and at most
_FOUNDATION = 420e6  # bytes that Python, torch and the weights take before the first image


def levels(settings: Settings, content_shape: tuple[int, ...]) -> tuple[Level, ...]:
    """The levels of a run, coarse to fine, for a photo of a spatial shape."""
    shapes = level_shapes(fitted(content_shape, settings.size), settings.coarsest, settings.ratio)
    given = settings.evaluations
    if given is None:
        counts = [min(_MOST, round(_FINEST * _GROWTH**up)) for up in range(len(shapes) - 1, -1, -1)]
    else:
        counts = [given[min(index, len(given) - 1)] for index in range(len(shapes))]
    return tuple(Level(shape, count) for shape, count in zip(shapes, counts, strict=True))


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
