"""Brush strokes: thousands of curved, bristly strokes along a flow, laid in one vectorized pass.

Every stroke is a ribbon of samples (along, across). The sheet records which sample covers each pixel last; colors and
heights are then looked up once per pixel, however many strokes lie on top of each other.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paintings.canvas import Array, Canvas, Noise, smoothstep

Flow = Callable[[Array, Array], tuple[Array, Array]]  # (x, y) -> direction, of any length

_STEPS = 10  # straight pieces of a stroke's path
_PRINTS = 24  # different brush prints
_SPACING = 0.75  # pixels between samples; below 1 so that no pixel inside a stroke is missed
_CHUNK = 1 << 20  # samples at a time, to bound memory


@dataclass(frozen=True)
class Strokes:
    """Strokes to be laid in order: N centers, sizes in units, and the two colors that each brush is loaded with."""

    x: Array
    y: Array
    length: Array
    width: Array
    colors: Array  # (N, 3)
    streaks: Array  # (N, 3): of the bristles that took up other paint


@dataclass
class Paint:
    """Wet paint on a sheet: colors (height, width, 3) and its thickness in units (height, width)."""

    colors: Array
    height: Array

    def lay(self, canvas: Canvas, strokes: Strokes, flow: Flow, rng: np.random.Generator, body: float = 0.12) -> None:
        """Lay ``strokes`` along ``flow`` over what is there; ``body`` is the paint's thickness per stroke width."""
        prints = _Prints(canvas, strokes, rng)
        used = rng.integers(0, _PRINTS, strokes.x.size)
        top = np.full(canvas.height * canvas.width, -1, np.int32)
        for pixels, samples in _cover(canvas, strokes, flow, prints, used):
            top[pixels] = samples  # of samples on one pixel the last stays: the stroke on top
        wet = np.flatnonzero(top >= 0)
        stroke, within = np.divmod(top[wet], prints.size)
        place = used[stroke] * prints.size + within
        streak = prints.streak.ravel()[place][:, None]
        self.colors.reshape(-1, 3)[wet] = strokes.colors[stroke] * (1 - streak) + strokes.streaks[stroke] * streak
        heights = self.height.reshape(-1)
        heights[wet] *= np.float32(0.35)
        heights[wet] += prints.height.ravel()[place] * strokes.width[stroke] * np.float32(body)


class _Prints:
    """What brushes leave: a mask, a height in 0..1 and a mixture of two colors in 0..1, each (print, along, across)."""

    def __init__(self, canvas: Canvas, strokes: Strokes, rng: np.random.Generator) -> None:
        rows = int(strokes.length.max() * canvas.unit / _SPACING) + 2
        columns = int(strokes.width.max() * canvas.unit / _SPACING) + 2
        self.size = rows * columns
        self.along = np.linspace(0, 1, rows, dtype=np.float32)
        self.across = np.linspace(-1, 1, columns, dtype=np.float32)
        noise = Noise(rng)
        u, v = self.along[None, :, None], self.across[None, None, :]
        other = np.arange(_PRINTS, dtype=np.float32)[:, None, None] * np.float32(7.7)
        u, v, other = (np.broadcast_to(part, (_PRINTS, rows, columns)) for part in (u, v, other))
        bristle = noise(v * 5 + other, u * np.float32(1.3) + other) + np.float32(0.6) * noise(
            v * 11 - other, u * 2 + other
        )
        ragged = np.float32(0.85) + np.float32(0.15) * noise(v * 3 + other, other + np.float32(0.5))
        rounded = np.sqrt(np.clip(1 - (np.clip(1 - u / np.float32(0.16), 0, 1)) ** 2, 0, 1))
        wobble = np.float32(0.9) + np.float32(0.14) * noise(u * 3 + other, other - np.float32(3.5))
        tail = smoothstep(0.55, 1.0, u)
        inside = np.abs(v) < rounded * wobble * (1 - np.float32(0.35) * tail)
        self.mask = inside & (u < ragged) & (bristle > tail * np.float32(1.1) - np.float32(1.0))
        edge = np.exp(-(((np.abs(v) - np.float32(0.72)) / np.float32(0.16)) ** 2))
        self.height = (np.float32(0.55) + np.float32(0.4) * bristle + np.float32(0.3) * edge) * (
            1 - np.float32(0.5) * u
        )
        self.streak = smoothstep(-0.1, 0.75, noise(v * 4 - other, u + other) + np.float32(0.5) * bristle)


def _cover(
    canvas: Canvas, strokes: Strokes, flow: Flow, prints: _Prints, used: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """Pixels and the number of the sample that covers them, in the order of the strokes."""
    path_x, path_y = _paths(strokes, flow)
    within = np.arange(prints.size, dtype=np.int32).reshape(1, prints.along.size, prints.across.size)
    chunk = max(1, _CHUNK // prints.size)
    for first in range(0, strokes.x.size, chunk):
        part = slice(first, first + chunk)
        x, y = _ribbons(path_x[part], path_y[part], strokes.width[part], prints)
        column = (x * (canvas.width / canvas.span[0])).astype(np.int32)
        row = (y * (canvas.height / canvas.span[1])).astype(np.int32)
        keep = prints.mask[used[part]] & (x >= 0) & (y >= 0) & (column < canvas.width) & (row < canvas.height)
        number = within + np.arange(first, first + len(x), dtype=np.int32)[:, None, None] * np.int32(prints.size)
        yield (row * np.int32(canvas.width) + column)[keep], number[keep]


def _paths(strokes: Strokes, flow: Flow) -> tuple[Array, Array]:
    """Points (N, steps + 1) along the flow through every center, by the midpoint rule."""
    halves = []
    for sign in (-1, 1):
        x, y, step = strokes.x, strokes.y, np.float32(sign) * strokes.length / _STEPS
        points = [(x, y)]
        for _ in range(_STEPS // 2):
            u, v = _unit(*flow(x, y))
            u, v = _unit(*flow(x + u * step / 2, y + v * step / 2))
            x, y = x + u * step, y + v * step
            points.append((x, y))
        halves.append(points)
    points = halves[0][:0:-1] + halves[1]
    return np.stack([x for x, _ in points], 1), np.stack([y for _, y in points], 1)


def _unit(u: Array, v: Array) -> tuple[Array, Array]:
    length = np.sqrt(u * u + v * v) + np.float32(1e-12)
    return u / length, v / length


def _ribbons(path_x: Array, path_y: Array, width: Array, prints: _Prints) -> tuple[Array, Array]:
    """Where every sample (stroke, along, across) lies: on the path, moved along its normal."""
    place = prints.along * _STEPS
    before = np.minimum(place.astype(np.int32), _STEPS - 1)
    part = (place - before).astype(np.float32)
    x, y = (path[:, before] * (1 - part) + path[:, before + 1] * part for path in (path_x, path_y))
    along_x, along_y = _unit(np.gradient(x, axis=1), np.gradient(y, axis=1))
    aside = prints.across * (width / 2)[:, None]
    return x[:, :, None] - along_y[:, :, None] * aside[:, None], y[:, :, None] + along_x[:, :, None] * aside[:, None]
