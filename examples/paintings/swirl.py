"""A night in thick oil: strokes around vortices and stars, over hills, a field of wheat and a dark cypress."""

import itertools
from typing import Protocol

import numpy as np

from paintings.brush import Paint, Strokes
from paintings.canvas import Array, Canvas, Noise, ramp, relief, rgb, smoothstep

_GROUND = rgb("1a2456")[0]
_SKY = rgb("0a1136", "12226a", "1b3c9c", "2a62b6", "4f8fca", "8fbfd8", "e4ead0")
_HALO = rgb("fffbe0", "ffe768", "f6b51c", "f3d774", "cfdcae", "7fb6c6", "3a74bd")
_HILLS = rgb("0a1230", "122a55", "1b4d70", "28716f", "5d9158", "a9a850")
_WHEAT = rgb("14284a", "2a5a58", "7d8c3a", "c99a2c", "ecc04a", "f7e08a")
_CYPRESS = rgb("030509", "0a1512", "17281b", "2e331b", "5a421f", "8a6a2c")

_LAYERS = (
    (700, 0.17, 0.034),
    (2200, 0.12, 0.019),
    (4200, 0.085, 0.0125),
    (2200, 0.055, 0.0085),
)  # count, length, width
_FLAMES = (  # of the cypress: foot, lean, height of the tip, half the width, as fractions of the canvas
    (0.165, -0.035, 0.05, 0.052),
    (0.105, -0.035, 0.36, 0.036),
    (0.215, 0.030, 0.44, 0.034),
    (0.250, 0.035, 0.70, 0.030),
    (0.065, -0.030, 0.66, 0.032),
)


def swirl(canvas: Canvas, rng: np.random.Generator) -> Array:
    """A night sky over hills, wheat and a cypress, in layers of ever finer strokes along the flow of each."""
    mirrored, noise = rng.integers(2), Noise(rng)
    hills = _Hills(canvas, noise, rng)
    sky = _Sky(canvas, noise, hills, rng)
    # strokes that circle a star leave its middle bare: it must not be dark
    ground = np.where((sky.halo(*canvas.grid()) < 0.2)[..., None], _HALO[0], _GROUND)
    paint = Paint(ground, np.zeros((canvas.height, canvas.width), np.float32))
    motifs: tuple[_Motif, ...] = (sky, hills, _Cypress(canvas, noise, rng))
    plan = list(itertools.product(motifs, _LAYERS))
    # a generator each: how many strokes one layer needs must not change what the next one draws
    for (motif, layer), own in zip(plan, rng.spawn(len(plan)), strict=True):
        _lay(paint, canvas, motif, own, layer)
    if mirrored:
        paint = Paint(paint.colors[:, ::-1], paint.height[:, ::-1])
    return relief(paint.colors, paint.height, canvas.unit, 2.2)


class _Motif(Protocol):
    """A part of the picture: where it is, which way its strokes run, how large and of what color they are."""

    def inside(self, x: Array, y: Array, /) -> Array: ...

    def flow(self, x: Array, y: Array, /) -> tuple[Array, Array]: ...

    def scale(self, x: Array, y: Array, /) -> Array: ...

    def colors(self, x: Array, y: Array, rng: np.random.Generator, /) -> Array: ...


def _lay(
    paint: Paint, canvas: Canvas, motif: _Motif, rng: np.random.Generator, layer: tuple[int, float, float]
) -> None:
    count, length, width = layer
    x, y = canvas.scatter(rng, count)
    inside = motif.inside(x, y)
    x, y = x[inside], y[inside]
    if not x.size:
        return
    size = motif.scale(x, y) * rng.uniform(0.7, 1.15, x.size)
    breadth = (size + 1) / 2 * rng.uniform(0.8, 1.15, x.size)
    colors = _varied(motif.colors(x, y, rng), rng, 0.05)
    streaks = _varied(motif.colors(x, y, rng) * 1.1, rng, 0.06)
    strokes = Strokes(x, y, _f32(length * size), _f32(width * breadth), colors, streaks)
    paint.lay(canvas, strokes, motif.flow, rng)


def _varied(colors: Array, rng: np.random.Generator, amount: float) -> Array:
    """Colors as a hand mixes them: each a little lighter or darker, warmer or cooler."""
    light = 1 + rng.normal(0, amount, (len(colors), 1))
    return _f32(np.clip(colors * light + rng.normal(0, amount / 2, colors.shape), 0, 1))


def _f32(values: Array) -> Array:
    return values.astype(np.float32)


class _Sky:
    """A stream with vortices that draw it in, and stars that it circles."""

    def __init__(self, canvas: Canvas, noise: Noise, hills: "_Hills", rng: np.random.Generator) -> None:
        self.across, self.down = canvas.span
        self.noise, self.hills = noise, hills
        self.phases: list[float] = rng.uniform(0, 6, 3).tolist()
        small = min(canvas.span)
        (fx, fy), (gx, gy) = rng.uniform(-0.04, 0.04, (2, 2)).tolist()
        self.vortices = [  # x, y, radius, spin
            ((0.42 + fx) * self.across, (0.36 + fy) * self.down, 0.135 * small, 1.0),
            ((0.66 + gx) * self.across, (0.46 + gy) * self.down, 0.070 * small, -1.0),
        ]
        self.stars = [(0.86 * self.across, 0.17 * self.down, 0.085 * small, -1.0)]
        for px, py, size in rng.random((200, 3)).tolist():
            self._place(px * self.across, (0.05 + 0.52 * py) * self.down, (0.014 + 0.026 * size**2) * small)

    def _place(self, x: float, y: float, radius: float) -> None:
        """Add a star unless there are enough, or another is near."""
        clear = all(np.hypot(x - ox, y - oy) > 2.5 * (radius + size) for ox, oy, size, _ in self.stars + self.vortices)
        if clear and len(self.stars) < 13:
            self.stars.append((x, y, radius, 1.0 if len(self.stars) % 2 else -1.0))

    def inside(self, x: Array, y: Array) -> Array:
        return y < self.hills.ridge(x) + 0.01

    def flow(self, x: Array, y: Array) -> tuple[Array, Array]:
        u = 1 + 0.2 * self.noise(x * 2, y * 2 + 40)
        v = 0.55 * np.sin(7 / self.across * x + 2 * y + self.phases[0]) + 0.3 * self.noise(x * 2.5, y * 2.5)
        for circles, inward in ((self.vortices, 0.42), (self.stars, 0.0)):
            for cx, cy, radius, spin in circles:
                dx, dy = (x - cx) / radius, (y - cy) / radius
                pull = 5 * np.exp(-0.35 * (dx * dx + dy * dy))
                u, v = u - (spin * dy + inward * dx) * pull, v + (spin * dx - inward * dy) * pull
        return u, v

    def scale(self, x: Array, y: Array) -> Array:
        return np.clip(0.45 + 0.4 * self.halo(x, y), 0.45, 1)

    def colors(self, x: Array, y: Array, rng: np.random.Generator) -> Array:
        colors = ramp(self._tone(x, y) + rng.normal(0, 0.085, x.shape), _SKY)
        warm = rng.random(x.shape) < 0.02
        colors[warm] = ramp(rng.random(int(warm.sum())), _HALO[2:6])
        near = self.halo(x, y) + rng.normal(0, 0.07, x.shape)
        lit = near + rng.normal(0, 0.08, x.shape) < 1
        colors[lit] = ramp(near[lit], _HALO, (0, 0.16, 0.32, 0.46, 0.62, 0.8, 1.0))
        return colors

    def _tone(self, x: Array, y: Array) -> Array:
        """From 0, the darkest blue, to 1, the palest: a bright river, bands along the stream, spiral arms."""
        bend = 0.10 * np.sin(7 / self.across * x + self.phases[1])
        river = np.exp(-(((y / self.down - 0.47 - bend) / 0.085) ** 2))
        bands = np.sin(2 * np.pi * (5.5 * y + 1.6 * self.noise(x * 1.3, y * 1.8)))
        tone = 0.30 + 0.30 * river + 0.11 * bands + 0.14 * self.noise(x * 2.5, y * 2.5 + 9)
        tone = tone + 0.16 * smoothstep(0.45, 0.72, y / self.down)
        for cx, cy, radius, spin in self.vortices:
            dx, dy = (x - cx) / radius, (y - cy) / radius
            r = np.hypot(dx, dy) + 0.05
            # the paths of the flow are logarithmic spirals: their angle plus log(r) / inward is constant
            arms = np.sin(2 * (spin * np.arctan2(dy, dx) + np.log(r) / 0.42) + self.phases[2])
            weight = np.exp(-0.2 * r * r)
            tone = tone + weight * (0.52 + 0.30 * arms + 0.35 * np.exp(-6 * r * r) - tone)
        return tone

    def halo(self, x: Array, y: Array) -> Array:
        """The distance to the nearest star, in radii of its halo."""
        halos: Array = np.min([np.hypot(x - cx, y - cy) / (2.4 * radius) for cx, cy, radius, _ in self.stars], 0)
        return halos


class _Hills:
    """Dark hills, and wheat in front of them."""

    def __init__(self, canvas: Canvas, noise: Noise, rng: np.random.Generator) -> None:
        self.across, self.down = canvas.span
        self.noise = noise
        self.phases: list[float] = rng.uniform(0, 6, 2).tolist()

    def ridge(self, x: Array) -> Array:
        """The y of the hills' upper edge."""
        f, phase = x / self.across, self.phases[0]
        return (0.70 - 0.07 * f + 0.035 * np.sin(6 * f + phase) + 0.018 * np.sin(15 * f + 2 * phase)) * self.down

    def field(self, x: Array) -> Array:
        """The y of the field's upper edge."""
        f, phase = x / self.across, self.phases[1]
        return (0.85 + 0.05 * np.sin(5 * f + phase) + 0.01 * np.sin(17 * f + phase)) * self.down

    def inside(self, x: Array, y: Array) -> Array:
        return y > self.ridge(x)

    def flow(self, x: Array, y: Array) -> tuple[Array, Array]:
        step = 0.01
        ridge, field = ((edge(x + step) - edge(x - step)) / (2 * step) for edge in (self.ridge, self.field))
        return np.ones_like(x), np.where(y > self.field(x), field, ridge) + 0.5 * self.noise(x * 4, y * 6)

    def scale(self, x: Array, y: Array) -> Array:
        return 0.7 + 0.9 * (y - self.ridge(x)) / self.down

    def colors(self, x: Array, y: Array, rng: np.random.Generator) -> Array:
        below_ridge, below_field = (y - self.ridge(x)) / self.down, (y - self.field(x)) / self.down
        uneven = 0.25 * self.noise(x * 4, y * 9) + rng.normal(0, 0.11, x.shape)
        hills = ramp(0.46 - 2.2 * below_ridge + uneven, _HILLS)
        wheat = ramp(0.74 - 2.4 * below_field + uneven, _WHEAT)
        return np.where((below_field > 0)[:, None], wheat, hills)


class _Cypress:
    """A tree of dark flames."""

    def __init__(self, canvas: Canvas, noise: Noise, rng: np.random.Generator) -> None:
        self.across, self.down = canvas.span
        self.noise = noise
        self.phase = float(rng.uniform(0, 6))

    def inside(self, x: Array, y: Array) -> Array:
        f, reach = x / self.across, np.full_like(x, -1)
        for foot, lean, tip, width in _FLAMES:
            fall = (y / self.down - tip) / (1 - tip)
            rise = np.clip(fall, 0, 1)
            middle = foot + lean * (1 - rise) ** 1.5 + 0.014 * np.sin(11 * rise + self.phase + 20 * foot) * (1 - rise)
            half = width * rise**0.62 * (1 + 0.16 * np.sin(19 * rise + 30 * foot))
            reach = np.maximum(reach, np.where(fall > 0, half - np.abs(f - middle), -1))
        return reach > 0

    def flow(self, x: Array, y: Array) -> tuple[Array, Array]:
        return 0.55 * np.sin(16 * y + self.phase) + 0.5 * self.noise(x * 6, y * 3), np.full_like(y, -1)

    def scale(self, _x: Array, y: Array) -> Array:
        return 0.7 + 0.3 * y / self.down

    def colors(self, x: Array, y: Array, rng: np.random.Generator) -> Array:
        return ramp(0.38 + 0.45 * self.noise(x * 11, y * 3) + rng.normal(0, 0.17, x.shape), _CYPRESS)
