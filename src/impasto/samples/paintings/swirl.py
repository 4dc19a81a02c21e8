"""A night sky in thick oil: long curved strokes around vortices and stars, over hills and a dark cypress."""

import numpy as np

from impasto.samples.paintings.brush import Flow, Paint, Strokes
from impasto.samples.paintings.canvas import Array, Canvas, Noise, ramp, relief, rgb, smoothstep

_SKY = rgb("0a1136", "12226a", "1b3c9c", "2a62b6", "4f8fca", "8fbfd8", "e4ead0")
_HALO = rgb("fffbe0", "ffe768", "f6b51c", "f3d774", "cfdcae", "7fb6c6", "3a74bd")
_HILLS = rgb("081028", "11284f", "1a4a6e", "27706e", "5d9158", "b9a544", "ecd27a")
_TREE = rgb("030509", "0a1512", "17281b", "2e331b", "5a421f", "8a6a2c")
_LAYERS = ((700, 0.17, 0.034), (2200, 0.12, 0.019), (4200, 0.085, 0.0125), (2200, 0.055, 0.0085))


class _Scene:
    """Where things are, in units of the canvas; stars and vortices are rows of (x, y, radius, spin)."""

    def __init__(self, canvas: Canvas, rng: np.random.Generator) -> None:
        self.across, self.down = canvas.span
        self.noise = Noise(rng)
        self.mirror = bool(rng.integers(2))
        self.phase = rng.random(4).astype(np.float32) * 6
        small = min(self.across, self.down)
        fx, fy = rng.uniform(-0.04, 0.04, (2, 2))
        self.vortices = np.array([
            [(0.42 + fx[0]) * self.across, (0.36 + fy[0]) * self.down, 0.135 * small, 1],
            [(0.66 + fx[1]) * self.across, (0.46 + fy[1]) * self.down, 0.07 * small, -1],
        ])
        moon = [0.86 * self.across, 0.17 * self.down, 0.085 * small, -1]
        self.stars = self._place_stars(rng, [moon], small)
        if self.mirror:
            self.vortices[:, 0], self.stars[:, 0] = self.across - self.vortices[:, 0], self.across - self.stars[:, 0]

    def _place_stars(self, rng, stars, small):
        for x, y, size in rng.random((200, 3)):
            star = [x * self.across, (0.05 + 0.52 * y) * self.down, (0.014 + 0.026 * size**2) * small, 1 - 2 * (size > 0.5)]
            clear = all(np.hypot(star[0] - o[0], star[1] - o[1]) > 2.05 * (star[2] + o[2]) for o in [*stars, *self.vortices])
            if clear and len(stars) < 13:
                stars.append(star)
        return np.array(stars)

    def ridge(self, x, level):
        f = x / self.across
        f = 1 - f if self.mirror else f
        p = self.phase[level]
        far = 0.70 - 0.07 * f + 0.035 * np.sin(6 * f + p) + 0.018 * np.sin(15 * f + 2 * p)
        near = 0.85 + 0.05 * np.sin(5 * f + p) + 0.01 * np.sin(17 * f + p)
        return (far if level == 0 else near) * self.down

    def sky_flow(self, x, y):
        u = 1 + 0.2 * self.noise(x * 2, y * 2 + 40)
        v = 0.55 * np.sin(7 * x / self.across + 2 * y + self.phase[2]) + 0.3 * self.noise(x * 2.5, y * 2.5)
        for i, (cx, cy, radius, spin) in enumerate(np.concatenate([self.vortices, self.stars])):
            dx, dy = (x - cx) / radius, (y - cy) / radius
            pull = 5 * np.exp(-0.35 * (dx * dx + dy * dy))
            inward = 0.42 if i < len(self.vortices) else 0
            u, v = u - (spin * dy + inward * dx) * pull, v + (spin * dx - inward * dy) * pull
        return u.astype(np.float32), v.astype(np.float32)

    def hill_flow(self, x, y):
        e = np.float32(0.01)
        level = y > self.ridge(x, 1)
        slope = np.where(level, self.ridge(x + e, 1) - self.ridge(x - e, 1), self.ridge(x + e, 0) - self.ridge(x - e, 0)) / (2 * e)
        return np.ones_like(x), (slope + 0.5 * self.noise(x * 4, y * 6)).astype(np.float32)

    def tree_flow(self, x, y):
        return (0.55 * np.sin(y * 16 + self.phase[3]) + 0.5 * self.noise(x * 6, y * 3)).astype(np.float32), -np.ones_like(y)

    def tree(self, x, y):
        """Positive inside the cypress: the union of its flames."""
        f = x / self.across
        f = 1 - f if self.mirror else f
        inside = np.full(x.shape, -1.0)
        for foot, lean, tip, width in ((0.17, -0.035, 0.06, 0.062), (0.10, -0.035, 0.34, 0.045), (0.225, 0.03, 0.42, 0.042), (0.27, 0.035, 0.66, 0.038), (0.055,-0.03,0.6,0.04)):
            s = (y / self.down - tip) / (1 - tip)
            rise = np.clip(s, 0, 1)
            middle = foot + lean * (1 - rise) ** 1.5 + 0.014 * np.sin(11 * rise + self.phase[3] + 20 * foot) * (1 - rise)
            wide = width * rise**0.62 * (1 + 0.16 * np.sin(19 * rise + 30 * foot))
            inside = np.maximum(inside, np.where(s > 0, wide - np.abs(f - middle), -1))
        return inside * self.across

    def sky_tone(self, x, y):
        """0 for the darkest blue to 1 for the palest."""
        river = np.exp(-(((y / self.down - 0.47 - 0.10 * np.sin(7 * x / self.across + self.phase[1])) / 0.085) ** 2))
        bands = np.sin(2 * np.pi * (5.5 * y + 1.6 * self.noise(x * 1.3, y * 1.8)))
        tone = 0.30 + 0.30 * river + 0.11 * bands + 0.14 * self.noise(x * 2.5, y * 2.5 + 9)
        low = smoothstep(0.45, 0.72, y / self.down)
        tone = tone + 0.16 * low
        for cx, cy, radius, spin in self.vortices:
            dx, dy = (x - cx) / radius, (y - cy) / radius
            r = np.hypot(dx, dy) + 0.05
            arms = np.sin(2 * (spin * np.arctan2(dy, dx) + np.log(r) / 0.42) + self.phase[0])
            weight = np.exp(-0.2 * r * r)
            tone = tone * (1 - weight) + weight * (0.52 + 0.30 * arms + 0.35 * np.exp(-6 * r * r))
        return tone.astype(np.float32)

    def halo(self, x, y):
        """Distance to the nearest star in its halo's radii."""
        near = np.full(x.shape, 9, np.float32)
        for cx, cy, radius, _ in self.stars:
            near = np.minimum(near, (np.hypot(x - cx, y - cy) / (2.4 * radius)).astype(np.float32))
        return near


def _jittered(rng, colors, amount):
    light = rng.normal(0, amount, (len(colors), 1))
    tint = rng.normal(0, amount * 0.5, colors.shape)
    return np.clip(colors * (1 + light) + tint, 0, 1).astype(np.float32)


def _sky_colors(scene, rng, x, y):
    tone = scene.sky_tone(x, y) + rng.normal(0, 0.085, x.shape)
    colors = ramp(tone, _SKY)
    warm = rng.random(x.shape) < 0.02
    colors[warm] = ramp(rng.random(int(warm.sum())), _HALO[2:6])
    near = scene.halo(x, y) + rng.normal(0, 0.07, x.shape)
    inside = near + rng.normal(0, 0.08, x.shape) < 1
    colors[inside] = ramp(near[inside], _HALO, (0, 0.16, 0.32, 0.46, 0.62, 0.8, 1.0))
    return _jittered(rng, colors, 0.05)


def _hill_colors(scene, rng, x, y):
    depth_far = (y - scene.ridge(x, 0)) / scene.down
    depth_near = (y - scene.ridge(x, 1)) / scene.down
    tone = np.where(depth_near > 0, 0.72 - 2.6 * depth_near, 0.42 - 2.2 * depth_far)
    tone = tone + 0.22 * scene.noise(x * 4, y * 9) + rng.normal(0, 0.1, x.shape)
    return _jittered(rng, ramp(tone, _HILLS), 0.05)


def _tree_colors(scene, rng, x, y):
    tone = 0.36 + 0.45 * scene.noise(x * 11, y * 3) + rng.normal(0, 0.17, x.shape)
    return _jittered(rng, ramp(tone, _TREE), 0.05)


def swirl(canvas: Canvas, rng: np.random.Generator) -> Array:
    """A night sky of vortices and stars over hills, in thick strokes of ultramarine, cobalt and yellow."""
    scene = _Scene(canvas, rng)
    gx, gy = canvas.grid()
    ground = np.broadcast_to(rgb("1a2456"), (canvas.height, canvas.width, 3)).copy()
    paint = Paint(ground, np.zeros((canvas.height, canvas.width), np.float32))
    sky = lambda x, y: y < scene.ridge(x, 0) + 0.01
    land = lambda x, y: y > scene.ridge(x, 0)
    tree = lambda x, y: scene.tree(x, y) > 0
    for region, flow, color, scale in ((sky, scene.sky_flow, _sky_colors, 1.0), (land, scene.hill_flow, _hill_colors, 0.85), (tree, scene.tree_flow, _tree_colors, 0.9)):
        for count, length, width in _LAYERS:
            x, y = canvas.scatter(rng, count)
            inside = region(x, y)
            x, y = x[inside], y[inside]
            if not x.size: continue
            n = x.size
            size = scale * rng.uniform(0.7, 1.15, n)
            if flow == scene.sky_flow:
                size = size * np.clip(0.45 + 0.4 * scene.halo(x, y), 0.45, 1)
            colors = color(scene, rng, x, y)
            streaks = _jittered(rng, color(scene, rng, x, y) * 1.12, 0.04)
            paint.lay(canvas, Strokes(x, y, (length * size).astype(np.float32), (width * (size + 1) / 2 * rng.uniform(0.8, 1.15, n)).astype(np.float32), colors, streaks), flow, rng)
    return relief(paint.colors, paint.height, canvas.unit, 2.2)
