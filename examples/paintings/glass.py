"""A leaded window: sun, sky, mountains and water in streaky opalescent glass."""

import math

import numpy as np
from numpy.typing import NDArray

from paintings.canvas import Array, Canvas, Noise, blurred, ramp, relief, rgb, smoothstep

_SUN = rgb("fffbe6", "fff2bc", "ffd95c")
_DAWN = rgb("fff0a0", "ffd040", "fb9a2a", "f0603a", "cc3f6e", "7d3f9e", "3348a8", "1b3180")
_PEAKS = rgb("9a78c8", "5a55b5", "2f6aa5", "208088", "2a7050")
_WATER = rgb("ffe69a", "a6dcb4", "3fb4aa", "1f8ab4", "1b5ca6", "16397e")
_LEAD = rgb("1b1712")[0]

_SIDE = 128  # the random points of the panes repeat after this many squares
_RINGS = (0.05, 0.11, 0.22, 0.44)  # radii of the leads around the sun, as fractions of the shorter side
_SECTORS = (1, 9, 16, 24, 44)  # panes around the sun, within and beyond each ring
_DISC, _RAYS, _SKY, _FAR, _NEAR, _SEA = 0, 1, 4, 5, 6, 7  # regions: 0 and 1 are the sun, 2 to 4 the sky
Mask = NDArray[np.bool_]

_HALF = 0.0042  # half the width of a lead


def glass(canvas: Canvas, rng: np.random.Generator) -> Array:
    """A sun in rings of glass over mountains and water, held by leads and lit from behind."""
    mirrored, window = rng.integers(2), _Window(canvas, Noise(rng), rng)
    pane, border = voronoi(*window.plan(), rng)
    edge = np.where(window.region == _DISC, 9, to_length(border, canvas.unit))
    edge = np.minimum(edge, window.outlines())
    chance = rng.random((5, 8 * _SIDE**2), np.float32)[:, pane + window.region * _SIDE**2]
    streak, ripple = window.streaks(chance[2:])
    colors = window.colors(chance) * (1 + 0.38 * streak + 0.10 * ripple)[..., None]
    colors = (colors + 0.3 * np.clip(streak, 0, 1)[..., None] ** 1.5) * (0.82 + 0.40 * chance[1])[..., None]
    half = _HALF * (1 + 0.25 * window.warp[0])
    colors = _leaded(colors, edge, half, ripple)
    height = np.where(edge < half, _rounded(edge, half), 0.0012 * streak + 0.0005 * ripple)
    if mirrored:
        colors, height = colors[:, ::-1], height[:, ::-1]
    return _glowing(relief(colors, height, canvas.unit, gloss=0.3), canvas.unit)


class _Window:
    """The design: which region every point belongs to, how panes are cut there, and their colors."""

    def __init__(self, canvas: Canvas, noise: Noise, rng: np.random.Generator) -> None:
        self.noise, self.small = noise, min(canvas.span)
        across, down = canvas.span
        self.x, self.y = x, y = canvas.grid()
        self.down, self.reach = down, 0.9 * max(canvas.span)
        self.sun_x, sun_y = float(rng.uniform(0.54, 0.70)) * across, float(rng.uniform(0.35, 0.41)) * down
        p = self.phases = rng.uniform(0, 6, 6).tolist()
        self.warp = noise(x * 2.2, y * 2.2), noise(x * 2.2 + 50, y * 2.2)
        self.r, self.angle = np.hypot(x - self.sun_x, y - sun_y) + 1e-4, np.arctan2(y - sun_y, x - self.sun_x)
        f = (np.arange(canvas.width, dtype=np.float32) + 0.5) / canvas.width
        self.edges = down * np.stack([
            0.56 + 0.070 * np.sin(7 * f + p[0]) + 0.045 * np.sin(17 * f + p[1]),
            0.64 + 0.040 * np.sin(6 * f + p[2]) + 0.030 * np.sin(13 * f + p[3]),
            0.70 + 0.006 * np.sin(9 * f + p[4]),
        ])  # fmt: skip
        self.region: NDArray[np.int32] = np.sum([self.r > ring * self.small for ring in _RINGS], 0, dtype=np.int32)
        for region, edge in zip((_FAR, _NEAR, _SEA), self.edges, strict=True):
            self.region[y > edge] = region

    def plan(self) -> tuple[Array, Array, NDArray[np.int32]]:
        """Coordinates in which panes have about unit size, and the number of panes after which the second repeats."""
        x, y, (wx, wy) = self.x, self.y, self.warp
        out = np.log(self.r / (_RINGS[1] * self.small))
        turn = (self.angle + 0.12 * wy) / (2 * math.pi)
        us = [np.full_like(x, 0.5), np.full_like(x, 20.5)]  # one pane deep
        us += [out * fineness + 0.4 * wx + 30 * start for start, fineness in enumerate((3.2, 3.6, 6.2))]
        us += [x * 10 + 1.2 * wx + 3 * y, x * 11 + 1.2 * wx - 4 * y, x * 6 + 0.8 * wx]
        vs = [turn * sectors for sectors in _SECTORS]
        vs += [y * 10 - 2 * x + wy, y * 12 + 3 * x + wy, y * 27 + 1.1 * np.sin(9 * x + self.phases[5]) + 1.5 * wy]
        period = np.array([*_SECTORS, _SIDE, _SIDE, _SIDE], np.int32)
        return np.choose(self.region, us), np.choose(self.region, vs), period[self.region]

    def outlines(self) -> Array:
        """The distance to the nearest lead between regions."""
        above = self.y < self.edges[0]
        nearest = np.where(above, np.min([np.abs(self.r - ring * self.small) for ring in _RINGS], 0), 9)
        for region, edge in zip((_FAR, _NEAR, _SEA), self.edges, strict=True):
            nearest = np.minimum(nearest, np.where(self.region <= region, np.abs(self.y - edge), 9))
        return nearest

    def streaks(self, chance: Array) -> tuple[Array, Array]:
        """Streaks and ripples of the sheet that each pane was cut from, in a direction and from a place of its own."""
        cos, sin = np.cos(chance[0] * math.pi), np.sin(chance[0] * math.pi)
        along = self.x * cos + self.y * sin + chance[1] * 50
        aside = self.y * cos - self.x * sin + chance[2] * 50 + 0.02 * self.warp[0]
        streak = self.noise(along * 6, aside * 26, 2)
        return streak, self.noise(along * 50 + 4 * streak, aside * 80)

    def colors(self, chance: Array) -> Array:
        """The color of the glass: graded over each region, and a step of its own for each pane."""
        colors = np.empty((*self.x.shape, 3), np.float32)
        parts = (
            (_DISC, _RAYS, self._sun),
            (_RAYS + 1, _SKY, self._sky),
            (_FAR, _NEAR, self._peaks),
            (_SEA, _SEA, self._sea),
        )
        for first, last, paint in parts:
            here = (self.region >= first) & (self.region <= last)
            colors[here] = paint(here, chance[0][here] - 0.5, chance[1][here])
        return colors

    def _sun(self, here: Mask, step: Array, _: Array) -> Array:
        return ramp(0.8 / (_RINGS[1] * self.small) * self.r[here] + 0.3 * step, _SUN)

    def _sky(self, here: Mask, step: Array, _: Array) -> Array:
        return ramp(0.04 + self.r[here] / self.reach + 0.24 * step, _DAWN)

    def _peaks(self, here: Mask, step: Array, _: Array) -> Array:
        below = (self.y - self.edges[0])[here] / self.down
        return ramp(0.1 + 3.7 * below + 0.5 * step, _PEAKS)

    def _sea(self, here: Mask, step: Array, shine: Array) -> Array:
        below = (self.y - self.edges[2])[here] / self.down
        path = np.exp(-(((self.x[here] - self.sun_x) / (0.13 * self.small)) ** 2))
        return ramp(0.3 + 2 * below + 0.45 * step - path * (0.3 + 0.3 * shine), _WATER)


def voronoi(u: Array, v: Array, period: NDArray[np.int32], rng: np.random.Generator) -> tuple[NDArray[np.int32], Array]:
    """Voronoi cells of one random point per unit square: the cell's number, and a field that is 0 on the borders.

    The field is the distance to the second nearest point less that to the nearest (Worley 1996).
    """
    offset_u, offset_v = rng.uniform(0.08, 0.92, (2, _SIDE**2)).astype(np.float32)
    column, row = np.floor(u), np.floor(v)
    du, dv, column, row = u - column, v - row, column.astype(np.int32), row.astype(np.int32)
    nearest, second = np.full(u.shape, 99, np.float32), np.full(u.shape, 99, np.float32)
    cell = np.zeros(u.shape, np.int32)
    for down in (-1, 0, 1):
        start = (row + down) % period * _SIDE
        for right in (-1, 0, 1):
            point = start + (column + right) % _SIDE
            distance = np.hypot(offset_u[point] + right - du, offset_v[point] + down - dv)
            second = np.minimum(second, np.maximum(nearest, distance))
            cell = np.where(distance < nearest, point, cell)
            nearest = np.minimum(nearest, distance)
    return cell, second - nearest


def to_length(field: Array, unit: float) -> Array:
    """The distance to where ``field`` is 0, to first order: the field divided by its slope."""
    down, across = np.gradient(field)
    length: Array = field / (np.hypot(down, across) * unit + 1e-4)
    return length


def _leaded(colors: Array, edge: Array, half: Array, ripple: Array) -> Array:
    """Glass that darkens towards its leads, and the leads."""
    colors = np.clip(colors * (0.6 + 0.4 * smoothstep(0, 0.013, edge - half))[..., None], 0, 1)
    lead = (1 - smoothstep(-0.001, 0.001, edge - half))[..., None]
    leaded: Array = colors + (_LEAD * (1 + 0.5 * ripple)[..., None] - colors) * lead
    return leaded


def _rounded(edge: Array, half: Array) -> Array:
    """The height of leads with a round profile."""
    return 0.7 * half * np.sqrt(np.clip(1 - (edge / half) ** 2, 0, 1))


def _glowing(colors: Array, unit: float) -> Array:
    """Light that spills over from bright panes."""
    radius = round(unit * 0.012)
    channels = (np.ascontiguousarray(colors[..., channel]) for channel in range(3))
    spill = np.stack([blurred(blurred(channel, radius), radius) for channel in channels], -1)
    return np.clip(colors + 0.25 * spill**1.5, 0, 1)
