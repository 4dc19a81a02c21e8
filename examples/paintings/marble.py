"""Marbled paper: drops of color on water, drawn out with combs and curled with a stylus.

Every movement of the water is a known map of the plane, so a pixel is followed back through all of them, last first,
to the drop that its paint fell with (Lu, Jaffer, Jin, Zhao and Mao, "Mathematical Marbling", 2012).
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from paintings.canvas import Array, Canvas, Noise, relief, rgb, smoothstep

_INKS = rgb("f4e6c8", "c9351d", "17284f", "e0a030", "7d1626", "2d7074", "f0b58a", "141019", "d9652b")
_SHARES = (0.19, 0.15, 0.18, 0.12, 0.11, 0.10, 0.07, 0.04, 0.04)
_WATER = _INKS[2]  # the ground that no drop covers
_CHUNK = 1 << 15  # pixels followed together; they stay in the processor's cache


def marble(canvas: Canvas, rng: np.random.Generator) -> Array:
    """Rings of warm inks, combed to and fro, waved, combed across, and curled around a few centers."""
    noise = Noise(rng)
    drops = _drops(canvas, rng)
    inks = rng.choice(len(_INKS), len(drops), p=_SHARES)
    x, y = (part.ravel() for part in canvas.grid())
    fallen = _unmoved(x + 0.004 * noise(x * 9, y * 9), y, canvas, rng)
    parts = [drop_at(px, py, drops) for px, py in _chunks(*fallen)]
    drop, rim = (np.concatenate(part) for part in zip(*parts, strict=True))
    colors = np.where((drop >= 0)[:, None], _INKS[inks[drop]], _WATER)
    fibers = noise(x * 140, y * 140, 2)
    pigment = 1 + 0.13 * noise(fallen[0] * 24, fallen[1] * 24, 3) + 0.05 * fibers - 0.22 * smoothstep(0.86, 1, rim)
    colors = np.clip(colors * pigment[:, None], 0, 1).reshape(canvas.height, canvas.width, 3)
    height = (0.0006 * rim + 0.0002 * fibers).reshape(canvas.height, canvas.width)
    return relief(colors, height, canvas.unit, gloss=0.05)


def _drops(canvas: Canvas, rng: np.random.Generator) -> Array:
    """Rows of (x, y, radius) in the order the drops fall: rings on rings first, then a sprinkle of small ones."""
    rings = 5
    x, y = canvas.scatter(rng, 46)
    late = rng.random(x.size * rings) + 0.8 * np.repeat(np.arange(rings), x.size)
    order = np.argsort(late, kind="stable")
    centers = np.stack([np.tile(x, rings), np.tile(y, rings)], 1)[order]
    centers += rng.normal(0, 0.006, centers.shape)
    small = np.stack(canvas.scatter(rng, 140), 1)
    radii = np.concatenate([rng.uniform(0.035, 0.085, len(centers)), rng.uniform(0.007, 0.030, len(small))])
    return np.concatenate([np.concatenate([centers, small]), radii[:, None]], 1).astype(np.float32)


def _chunks(x: Array, y: Array) -> Iterator[tuple[Array, Array]]:
    for first in range(0, x.size, _CHUNK):
        yield x[first : first + _CHUNK], y[first : first + _CHUNK]


def drop_at(x: Array, y: Array, drops: Array) -> tuple[NDArray[np.int32], Array]:
    """The drop that holds every point (-1 for none) and how near its rim the point is (0 to 1).

    A drop of radius r falling on C pushes the paint at distance d to sqrt(d^2 + r^2); so a point p that is not inside
    came from C + (p - C) sqrt(1 - r^2 / |p - C|^2).
    """
    drop, rim = np.full(x.size, -1, np.int32), np.zeros(x.size, np.float32)
    left = np.arange(x.size)
    for number in range(len(drops) - 1, -1, -1):
        cx, cy, radius = drops[number]
        dx, dy = x - cx, y - cy
        ratio = (dx * dx + dy * dy) / (radius * radius)
        inside = ratio < 1
        if inside.any():
            drop[left[inside]], rim[left[inside]] = number, ratio[inside]
            left, dx, dy, ratio = (part[~inside] for part in (left, dx, dy, ratio))
        shrink = np.sqrt(1 - 1 / ratio)
        x, y = cx + dx * shrink, cy + dy * shrink
    return drop, rim


def _unmoved(x: Array, y: Array, canvas: Canvas, rng: np.random.Generator) -> tuple[Array, Array]:
    """Where the paint at every point lay before it was combed and curled."""
    centers = np.stack(canvas.scatter(rng, 6), 1).tolist()
    for cx, cy in centers:
        radius, turn = rng.uniform(0.13, 0.24), rng.uniform(2.2, 4.2) * rng.choice([-1, 1])
        x, y = uncurled(x, y, (cx, cy), float(radius), float(turn))
    tilt, phase = float(rng.uniform(-0.3, 0.3)), float(rng.uniform(0, 6))
    x, y = _unwaved(x, y, tilt, phase)
    x, y = uncombed(x, y, tilt + math.pi / 2, spacing=0.045, pull=0.07, softness=0.012)
    return uncombed(x, y, tilt, spacing=0.11, pull=0.11, softness=0.03, to_and_fro=True)


def uncurled(x: Array, y: Array, center: tuple[float, float], radius: float, turn: float) -> tuple[Array, Array]:
    """Before a stylus turned the paint by ``turn`` radians at ``center``, less with distance."""
    dx, dy = x - center[0], y - center[1]
    angle = turn * np.exp(-(dx * dx + dy * dy) / radius**2)
    cos, sin = np.cos(angle), np.sin(angle)
    return center[0] + dx * cos + dy * sin, center[1] + dy * cos - dx * sin


def _unwaved(x: Array, y: Array, angle: float, phase: float) -> tuple[Array, Array]:
    """Before the tray was rocked in waves across ``angle``."""
    cos, sin = math.cos(angle), math.sin(angle)
    shift = 0.03 * np.sin((x * cos + y * sin) * (2 * math.pi / 0.5) + phase)
    return x + shift * sin, y - shift * cos


def uncombed(
    x: Array, y: Array, angle: float, *, spacing: float, pull: float, softness: float, to_and_fro: bool = False
) -> tuple[Array, Array]:
    """Before a comb of tines ``spacing`` apart was drawn along ``angle``: paint on a tine moved by ``pull``."""
    cos, sin = math.cos(angle), math.sin(angle)
    across = (y * cos - x * sin) / spacing + 0.5
    tine = np.round(across)
    shift = pull * np.exp(-np.abs(across - tine) * (spacing / softness))
    if to_and_fro:
        shift = shift * (1 - 2 * (tine % 2))
    return x - shift * cos, y - shift * sin
