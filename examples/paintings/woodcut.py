"""A color woodcut: sun, mountain, hills and sea, cut in swelling lines and printed from several blocks."""

import numpy as np

from paintings.canvas import Array, Canvas, Noise, ramp, relief, rgb, smoothstep

_PAPER, _KEY = rgb("f5e8cc", "171a36")
_SUN = rgb("d8341f")[0]
_SKY = rgb("1d4f80", "3f86a6", "9fc4b8", "f3dfb4", "f2ab62", "e0673f")
_SLOPE, _SNOW, _MOSS, _WHEAT = rgb("6480b8", "faf3e4", "7f9448", "e0a436")
_SEA = rgb("9ccfbd", "4a9fb0", "256a9c", "16406f")
_OUTLINES = (0.0026, 0.0030, 0.0034, 0.0034)  # half the width of the line along the mountain, hill, field and shore


def woodcut(canvas: Canvas, rng: np.random.Generator) -> Array:
    """A sun over a mountain, two hills and the sea: flat colors under the lines of a dark key block."""
    mirrored, scene = rng.integers(2), _Scene(canvas, Noise(rng), rng)
    x, y = (part.ravel() for part in canvas.grid())
    edges = scene.horizons(canvas)
    column = np.arange(x.size) % canvas.width
    level = np.max([(y > edge[column]) * np.int8(front) for front, edge in enumerate(edges, 1)], 0)
    colors, key = np.empty((x.size, 3), np.float32), np.empty(x.size, np.float32)
    motifs = (scene.sky, scene.mountain, scene.hill, scene.field, scene.sea)
    for number, motif in enumerate(motifs):
        here = np.flatnonzero(level == number)
        top = edges[number - 1][column[here]] if number else np.zeros(here.size, np.float32)
        colors[here], key[here] = motif(x[here], y[here], top)
    for number, (edge, half) in enumerate(zip(edges, _OUTLINES, strict=True)):
        near = np.flatnonzero((level <= number + 1) & (np.abs(y - edge[column]) < 0.05))
        steep = np.hypot(1, np.gradient(edge) * canvas.unit)[column[near]]
        width = half * (1 + 0.7 * scene.noise(x[near] * 9, y[near] * 5))
        away = np.abs(y[near] - edge[column[near]]) / steep
        key[near] = np.maximum(key[near], _line(away, width))
    printed, height = _printed(colors, key, x, y, scene.noise)
    shape = (canvas.height, canvas.width)
    printed, height = printed.reshape(*shape, 3), height.reshape(shape)
    if mirrored:
        printed, height = printed[:, ::-1], height[:, ::-1]
    return relief(printed, height, canvas.unit, gloss=0)


def _printed(colors: Array, key: Array, x: Array, y: Array, noise: Noise) -> tuple[Array, Array]:
    """The blocks on paper, with the grain of the plank and the salt of the paper, and the sheet's height."""
    grain = noise(x * 5 + 3 * noise(x, y * 2), y * 90)
    salt = noise(x * 160, y * 160)
    pale = np.clip(0.09 + 0.14 * grain + 0.15 * salt, 0, 1)[:, None]
    ink = (key * (1 - 0.5 * smoothstep(0.5, 0.95, salt + 0.5 * grain)))[:, None]
    dark = _KEY + 0.03 * grain[:, None]
    printed = (colors + (_PAPER - colors) * pale) * (1 - ink) + dark * ink
    return np.clip(printed, 0, 1).astype(np.float32), 0.00015 * salt - 0.0004 * key


class _Scene:
    """The picture's parts. Each gives its color blocks (n, 3) and its key block (n) at points below its upper edge."""

    def __init__(self, canvas: Canvas, noise: Noise, rng: np.random.Generator) -> None:
        self.across, self.down = canvas.span
        self.small = min(canvas.span)
        self.noise = noise
        self.phases = rng.uniform(0, 6, 6).tolist()
        self.sun_x, self.sun_y = (
            float(rng.uniform(0.66, 0.74)) * self.across,
            float(rng.uniform(0.24, 0.32)) * self.down,
        )
        self.sun_radius = 0.13 * self.small
        self.peak = float(rng.uniform(0.28, 0.38)) * self.across

    def horizons(self, canvas: Canvas) -> Array:
        """The upper edges (4, width) of the mountain, the hill, the field and the sea."""
        x = (np.arange(canvas.width, dtype=np.float32) + 0.5) * (self.across / canvas.width)
        f, p, still = x / self.across, self.phases, np.full_like(x, 3)
        away = np.abs(x - self.peak) / self.across
        hand = 0.004 * self.noise(x * 22, still)
        mountain = 0.21 + 0.66 * away**0.88 + 0.012 * self.noise(x * 14, still)
        hill = 0.600 + 0.035 * np.sin(7 * f + p[0]) + 0.020 * np.sin(15 * f + p[1]) + hand
        field = 0.680 + 0.040 * np.sin(5 * f + p[2]) + 0.012 * np.sin(13 * f + p[3]) + hand
        sea = 0.765 + 0.010 * np.sin(16 * x + p[4]) + hand
        return np.stack([mountain, hill, field, sea]).astype(np.float32) * self.down

    def sky(self, x: Array, y: Array, _top: Array) -> tuple[Array, Array]:
        """Rings of lines around the sun, broken by clouds, over a graded wash (bokashi)."""
        noise = self.noise
        drift = noise(x * 3, y * 3, 2)
        dx, dy = x - self.sun_x, y - self.sun_y
        r = np.hypot(dx, dy)
        colors = ramp(1.5 * y / self.down + 0.04 * drift, _SKY)
        tone = 0.12 + 0.50 * smoothstep(0.10, 0.7, r / self.small) + 0.12 * drift
        key = self._cut((r + 0.02 * drift) * 60, tone, x, y)
        edge = r + 0.004 * noise(x * 22, y * 22) - self.sun_radius
        disc = edge < 0
        shade = 0.5 * smoothstep(-0.2, 1.2, dy / self.sun_radius) - 0.05
        key[disc] = self._cut((y + 0.01 * drift) * 70, shade, x, y)[disc]
        colors[disc] = _SUN
        key = np.maximum(key, _line(edge, 0.0026))
        billow = self._billow(x, y)
        cloud = billow > 0
        foot = self._billow(x, y + 0.03)  # of the same cloud a little lower: below 0 near its lower edge
        colors[cloud] = _PAPER
        key[cloud] = self._cut(y * 75 + drift, 0.4 * smoothstep(0.05, -0.35, foot) - 0.08, x, y)[cloud]
        step = 0.002
        slope = np.hypot(self._billow(x + step, y) - billow, self._billow(x, y + step) - billow) / step
        return colors, np.maximum(key, _line(billow / (slope + 0.5), 0.0026))

    def _billow(self, x: Array, y: Array) -> Array:
        """Positive in clouds."""
        return self.noise(x * 1.7 + 7, y * 5.5, 2) + 0.12 * self.noise(x * 9, y * 14) - 0.4

    def mountain(self, x: Array, y: Array, top: Array) -> tuple[Array, Array]:
        """Lines down the slopes, dense on the side away from the sun; a ragged cap of snow."""
        noise = self.noise
        deep = (0.075 + 0.05 * noise(x * 26, y * 4) + 0.02 * noise(x * 60, y * 9)) * self.small
        snow = y - top < deep * (1 - smoothstep(0.36, 0.60, y / self.down))
        shaded = smoothstep(0.1, -0.1, (x - self.peak) / self.across + 0.25 * noise(x * 7, y * 3.5))
        haze = smoothstep(0.40, 0.62, y / self.down)
        phase = (x - self.peak) * 58 + 9 * (y - top) + 1.6 * noise(x * 3, y * 3, 2) + 0.8 * noise(x * 12, y * 12)
        tone = np.where(snow, -0.35 + 0.62 * shaded, 0.42 + 0.42 * shaded) - 0.25 * haze
        colors = np.where(snow[:, None], _SNOW, _SLOPE + (_PAPER - _SLOPE) * (0.5 * haze)[:, None])
        return colors, self._cut(phase, tone, x, y)

    def hill(self, x: Array, y: Array, top: Array) -> tuple[Array, Array]:
        """Contour lines, closer to black towards the foot."""
        below = y - top
        tone = 0.34 + 0.5 * self.noise(x * 4, y * 7 + 20) + 2.2 * below / self.down
        phase = below * 92 + 3 * self.noise(x * 5, y * 5) + 7 * x
        return np.broadcast_to(_MOSS, (x.size, 3)), self._cut(phase, tone, x, y)

    def field(self, x: Array, y: Array, top: Array) -> tuple[Array, Array]:
        """Furrows that lean the other way."""
        below = y - top
        tone = 0.20 + 0.4 * self.noise(x * 4, y * 7 + 60) + 2.6 * below / self.down
        phase = below * 76 - 6 * x + 2.5 * self.noise(x * 5 + 40, y * 5)
        return np.broadcast_to(_WHEAT, (x.size, 3)), self._cut(phase, tone, x, y)

    def sea(self, x: Array, y: Array, top: Array) -> tuple[Array, Array]:
        """Waves, finer with distance, and the sun's path over them."""
        noise = self.noise
        depth = (y - top) / (0.25 * self.down)
        waves = 0.6 * np.sin(15 * x / (0.5 + depth) + self.phases[5] + 5 * depth) + 1.1 * noise(x * 5, y * 11)
        phase = np.log1p(3 * depth) * 21 + waves
        path = np.exp(-(((x - self.sun_x) / ((0.09 + 0.15 * depth) * self.small)) ** 2))
        tone = 0.34 + 0.26 * depth + 0.45 * noise(x * 4, y * 8 + 11) - 0.35 * path
        lit = self._cut(phase + 0.5, 1.5 * path - 0.65 + 0.3 * noise(x * 9, y * 20), x, y)[:, None]
        colors = ramp(0.95 * depth + 0.12 * noise(x * 3, y * 6), _SEA)
        return colors + (_SKY[4] - colors) * lit, self._cut(phase, tone, x, y)

    def _cut(self, phase: Array, tone: Array, x: Array, y: Array) -> Array:
        """Ink left standing at whole numbers of ``phase``: lines ``tone`` of their spacing wide that swell and break."""
        line = np.round(phase)
        swell = 0.32 * self.noise(line * 3.7 + x * 6, y * 6) + 0.16 * self.noise(line * 1.9 + x * 22, y * 22)
        return smoothstep(-0.12, 0.12, tone + swell - 2 * np.abs(phase - line))


def _line(distance: Array, half: Array | float) -> Array:
    """Ink within ``half`` of a curve."""
    return 1 - smoothstep(-0.0008, 0.0008, np.abs(distance) - half)
