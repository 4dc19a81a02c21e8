"""Marbled paper: drops of color on water, drawn out with combs and a stylus."""

import numpy as np

from impasto.samples.paintings.canvas import Array, Canvas, Noise, relief, rgb, smoothstep

_INKS = rgb("f4e6c8", "c9351d", "17284f", "e0a030", "7d1626", "2d7074", "f0b58a", "141019", "d9652b")
_SHARE = (0.19, 0.15, 0.18, 0.12, 0.11, 0.10, 0.07, 0.04, 0.04)


def _drops(canvas, rng):
    """Rows of (x, y, radius) and the ink of each, in the order they fall."""
    x, y = canvas.scatter(rng, 46)
    rings = 5
    order = np.argsort(rng.random(x.size * rings) + np.repeat(np.arange(rings), x.size) * 0.8)
    cx, cy = np.tile(x, rings)[order], np.tile(y, rings)[order]
    r = rng.uniform(0.035, 0.085, cx.size)
    sx, sy = canvas.scatter(rng, 140)
    small = rng.uniform(0.007, 0.030, sx.size)
    wobble = rng.normal(0, 0.006, (2, cx.size))
    drops = np.stack([np.r_[cx + wobble[0], sx], np.r_[cy + wobble[1], sy], np.r_[r, small]], 1).astype(np.float32)
    ink = rng.choice(len(_INKS), len(drops), p=_SHARE)
    return drops, ink


def _combed(x, y, angle, spacing, push, sharpness, offset, alternate):
    """Before a comb was drawn: tines every spacing, moved by push along angle."""
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    across = (y * c - x * s) / spacing + offset
    tine = np.round(across)
    d = np.abs(across - tine) * spacing
    shift = push * np.exp(-d / sharpness)
    if alternate:
        shift = shift * (1 - 2 * (tine % 2))
    return x - shift * c, y - shift * s


def _waved(x, y, angle, amplitude, length, phase):
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    shift = amplitude * np.sin((x * c + y * s) * (2 * np.pi / length) + phase)
    return x + shift * s, y - shift * c


def _curled(x, y, cx, cy, radius, turn):
    """Before a stylus turned the paint about a center, by ``turn`` radians there."""
    dx, dy = x - cx, y - cy
    a = -turn * np.exp(-(dx * dx + dy * dy) / (radius * radius))
    c, s = np.cos(a), np.sin(a)
    return cx + dx * c - dy * s, cy + dx * s + dy * c


def _settled(x, y, drops):
    """The drop whose paint came to rest at every point (-1 for the water), and how near to its rim in 0..1."""
    drop, edge = np.full(x.size, -1, np.int32), np.zeros(x.size, np.float32)
    left = np.arange(x.size)
    for number in range(len(drops) - 1, -1, -1):
        center_x, center_y, radius = drops[number]
        dx, dy = x - center_x, y - center_y
        ratio = (dx * dx + dy * dy) / (radius * radius)
        inside = ratio < 1
        if inside.any():
            drop[left[inside]], edge[left[inside]] = number, ratio[inside]
            left, dx, dy, ratio = (part[~inside] for part in (left, dx, dy, ratio))
        shrink = np.sqrt(1 - 1 / ratio)
        x, y = center_x + dx * shrink, center_y + dy * shrink
    return drop, edge


def marble(canvas: Canvas, rng: np.random.Generator) -> Array:
    drops, ink = _drops(canvas, rng)
    noise = Noise(rng)
    gx, gy = canvas.grid()
    x, y = gx.ravel(), gy.ravel()
    cx, cy = canvas.scatter(rng, 6)
    turns = rng.uniform(2.2, 4.2, cx.size) * rng.choice([-1, 1], cx.size)
    radii = rng.uniform(0.13, 0.24, cx.size)
    tilt = rng.uniform(-0.3, 0.3)
    # the last movement first: every pixel is followed back to where its paint fell
    x = x + np.float32(0.004) * noise(x * 9, y * 9)
    for i in range(cx.size):
        x, y = _curled(x, y, np.float32(cx[i]), np.float32(cy[i]), np.float32(radii[i]), np.float32(turns[i]))
    x, y = _waved(x, y, tilt, np.float32(0.03), np.float32(0.5), rng.uniform(0, 6))
    x, y = _combed(x, y, tilt + np.pi / 2, np.float32(0.045), np.float32(0.07), np.float32(0.012), 0.3, False)
    x, y = _combed(x, y, tilt, np.float32(0.11), np.float32(0.11), np.float32(0.03), 0.5, True)
    fallen_x, fallen_y = x, y
    drop, edge = np.empty(x.size, np.int32), np.empty(x.size, np.float32)
    for first in range(0, x.size, 1 << 15):
        part = slice(first, first + (1 << 15))
        drop[part], edge[part] = _settled(x[part], y[part], drops)
    color = np.where((drop >= 0)[:, None], _INKS[ink[drop]], _INKS[2])
    grain = noise(fallen_x * 24, fallen_y * 24, 3)
    flecks = noise(gx.ravel() * 140, gy.ravel() * 140, 2)
    color = color * (1 + 0.13 * grain + 0.05 * flecks)[:, None]
    color = color * (1 - 0.22 * smoothstep(0.86, 1.0, edge))[:, None]
    color = np.clip(color, 0, 1).astype(np.float32).reshape(canvas.height, canvas.width, 3)
    height = (0.0006 * edge + 0.00022 * flecks).astype(np.float32).reshape(canvas.height, canvas.width)
    return relief(color, height, canvas.unit, 1, 0.05)
