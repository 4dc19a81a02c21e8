"""The sheet that painters work on: coordinates without pixels, noise, color ramps and the light on thick paint.

Lengths are in units of the sheet's ``sqrt(height * width)``, so that its area is 1 whatever its shape and a picture
keeps its composition at any number of pixels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]  # float32 throughout, which numpy's types cannot follow through sums with Python's numbers

_FINEST = 768  # with fewer pixels per unit brush hairs vanish: small pictures are painted larger, then reduced


@dataclass(frozen=True)
class Canvas:
    """A sheet of ``height`` by ``width`` working pixels that is ``span`` (across, down) units large."""

    height: int
    width: int
    span: tuple[float, float]

    @classmethod
    def for_picture(cls, shape: tuple[int, int], oversampling: float = 1.5) -> "Canvas":
        """The sheet to paint on for a picture of ``shape`` (height, width): finer, to be reduced by `delivered`."""
        height, width = shape
        scale = max(oversampling, _FINEST / math.sqrt(height * width))
        # the span is the picture's, not the rounded sheet's: at twice the size all random choices are the same
        return cls(round(height * scale), round(width * scale), (math.sqrt(width / height), math.sqrt(height / width)))

    @property
    def unit(self) -> float:
        """Pixels per unit of length."""
        return math.sqrt(self.height * self.width)

    def grid(self) -> tuple[Array, Array]:
        """The x and y of every pixel's center in units, each of shape (height, width)."""
        x = (np.arange(self.width, dtype=np.float32) + 0.5) * (self.span[0] / self.width)
        y = (np.arange(self.height, dtype=np.float32) + 0.5) * (self.span[1] / self.height)
        across, down = np.meshgrid(x, y)
        return across, down

    def scatter(self, rng: np.random.Generator, count: int) -> tuple[Array, Array]:
        """About ``count`` points, one at random in every box of a grid: even, but in random order."""
        across, down = self.span
        columns = max(1, round(across * math.sqrt(count)))
        rows = max(1, round(count / columns))
        order = rng.permutation(rows * columns)
        column, row = (order % columns).astype(np.float32), (order // columns).astype(np.float32)
        x = (column + rng.random(order.size, np.float32)) / columns * across
        y = (row + rng.random(order.size, np.float32)) / rows * down
        return x.astype(np.float32), y.astype(np.float32)


class Noise:
    """Smooth random values over the plane, about -1 to 1 with mean 0 (Perlin's gradient noise, 1985, 2002)."""

    _PERIOD = 256

    def __init__(self, rng: np.random.Generator) -> None:
        angle = rng.random((self._PERIOD, self._PERIOD), np.float32) * np.float32(2 * np.pi)
        self._east, self._south = np.cos(angle).ravel() * np.float32(1.5), np.sin(angle).ravel() * np.float32(1.5)

    def __call__(self, x: Array, y: Array, octaves: int = 1) -> Array:
        """The noise at points ``x``, ``y``; each further octave is twice as fine and half as strong."""
        total = self._octave(x, y)
        for octave in range(1, octaves):
            scale = np.float32(2**octave)
            total += self._octave(x * scale + np.float32(17.3 * octave), y * scale - np.float32(9.1 * octave)) / scale
        return total

    def _octave(self, x: Array, y: Array) -> Array:
        left, top = np.floor(x), np.floor(y)
        dx, dy = (x - left).astype(np.float32), (y - top).astype(np.float32)
        mask = self._PERIOD - 1
        column, row = left.astype(np.int32) & mask, (top.astype(np.int32) & mask) * self._PERIOD
        right, below = (column + 1) & mask, (row + self._PERIOD) & (self._PERIOD**2 - 1)
        east, south = self._east, self._south

        def slope(index: NDArray[np.int32], along: Array, down: Array) -> Array:
            product: Array = east[index] * along + south[index] * down
            return product

        fade_x, fade_y = (d * d * d * (d * (d * 6 - 15) + 10) for d in (dx, dy))
        upper = slope(row + column, dx, dy)
        upper += fade_x * (slope(row + right, dx - 1, dy) - upper)
        lower = slope(below + column, dx, dy - 1)
        lower += fade_x * (slope(below + right, dx - 1, dy - 1) - lower)
        blended: Array = upper + fade_y * (lower - upper)
        return blended


def rgb(*colors: str) -> Array:
    """Colors written as six hexadecimal digits, as an array (number of colors, 3) in 0..1."""
    return np.array([[int(color[i : i + 2], 16) / 255 for i in (0, 2, 4)] for color in colors], np.float32)


def ramp(position: Array, colors: Array, stops: Sequence[float] | None = None) -> Array:
    """The color at ``position`` of a gradient through ``colors``, placed at ``stops`` (evenly over 0..1 if None)."""
    places = np.linspace(0, 1, len(colors)) if stops is None else np.asarray(stops)
    channels = [np.interp(position, places, colors[:, channel]) for channel in range(3)]
    return np.stack(channels, -1).astype(np.float32)


def smoothstep(low: float, high: float, value: Array) -> Array:
    """0 below ``low``, 1 above ``high`` and a smooth 3 t^2 - 2 t^3 between them."""
    t = np.clip((value - low) / (high - low), 0, 1).astype(np.float32)
    eased: Array = t * t * (3 - 2 * t)
    return eased


def blurred(image: Array, radius: int) -> Array:
    """A (height, width) image averaged over squares of 2 ``radius`` + 1 pixels, its borders repeated."""
    if radius < 1:
        return image
    side = 2 * radius + 1
    padded = torch.nn.functional.pad(torch.from_numpy(image)[None, None], (radius,) * 4, mode="replicate")
    averaged = torch.nn.functional.avg_pool2d(torch.nn.functional.avg_pool2d(padded, (1, side), 1), (side, 1), 1)
    result: Array = averaged[0, 0].numpy()
    return result


def relief(colors: Array, height: Array, unit: float, strength: float = 1.0, gloss: float = 0.15) -> Array:
    """Colors lit from the upper left over a surface of ``height`` units above the sheet.

    Lambert's cosine law with the normal (-dh/dx, -dh/dy, 1), relative to the flat sheet, and a highlight of at most
    ``gloss`` where the surface mirrors the light to the viewer.
    """
    down, across = np.gradient(height * np.float32(unit * strength))
    length = np.sqrt(1 + across**2 + down**2)
    light = np.array([-0.5, -0.6, 0.62], np.float32) / np.sqrt(np.float32(0.5**2 + 0.6**2 + 0.62**2))
    diffuse = (-across * light[0] - down * light[1] + light[2]) / length
    half = (light + np.array([0, 0, 1], np.float32)) / np.sqrt(2 + 2 * light[2])
    mirror = np.clip((-across * half[0] - down * half[1] + half[2]) / length, 0, 1) ** 24
    flat = half[2] ** 24
    shade = (0.35 + 0.65 * diffuse / light[2])[..., None]
    shine = (gloss * np.clip(mirror - flat, 0, 1))[..., None]
    lit: Array = np.clip(colors * shade + shine, 0, 1).astype(np.float32)
    return lit


def delivered(colors: Array, shape: tuple[int, int]) -> Tensor:
    """A painted sheet (height, width, 3) reduced to a picture (1, 3, *shape) in [0, 1]."""
    sheet = torch.from_numpy(np.ascontiguousarray(colors.transpose(2, 0, 1)))[None]
    picture = torch.nn.functional.interpolate(sheet, size=shape, mode="bilinear", antialias=True, align_corners=False)
    return picture.clamp(0, 1).contiguous()
