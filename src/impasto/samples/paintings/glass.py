"""A leaded window: sun, sky, mountains and water in streaky opalescent glass."""

import numpy as np

from impasto.samples.paintings.canvas import Array, Canvas, Noise, blurred, ramp, relief, rgb, smoothstep

_DAWN = rgb("fff0a0", "ffd040", "fb9a2a", "f0603a", "cc3f6e", "7d3f9e", "3348a8", "1b3180")
_PEAKS = rgb("9a78c8", "5a55b5", "2f6aa5", "208088", "2a7050")
_WATER = rgb("ffe69a", "a6dcb4", "3fb4aa", "1f8ab4", "1b5ca6", "16397e")
_SUN = rgb("fffbe6", "fff0b0", "ffd85a")
_SIDE = 128


def _cells(u, v, period, rng):
    offset = rng.uniform(0.08, 0.92, (2, _SIDE * _SIDE)).astype(np.float32)
    column, row = np.floor(u), np.floor(v)
    du, dv = u - column, v - row
    ci, ri = column.astype(np.int32), row.astype(np.int32)
    best, second = np.full(u.shape, 99, np.float32), np.full(u.shape, 99, np.float32)
    cell = np.zeros(u.shape, np.int32)
    for j in (-1, 0, 1):
        base = (ri + j) % period * _SIDE
        for i in (-1, 0, 1):
            index = base + ((ci + i) & (_SIDE - 1))
            px, py = offset[0][index] + (i - du), offset[1][index] + (j - dv)
            d = px * px + py * py
            second = np.minimum(second, np.maximum(best, d))
            cell = np.where(d < best, index, cell)
            best = np.minimum(best, d)
    return cell, np.sqrt(second) - np.sqrt(best)


def _distance(border, unit):
    down, across = np.gradient(border)
    return border / (np.hypot(down, across) * np.float32(unit) + np.float32(1e-4))


def glass(canvas: Canvas, rng: np.random.Generator) -> Array:
    noise = Noise(rng)
    across, down = canvas.span
    x, y = canvas.grid()
    sun_x, sun_y = float((0.62 + rng.uniform(-0.08, 0.08)) * across), float((0.38 + rng.uniform(-0.03, 0.03)) * down)
    if rng.integers(2): sun_x = across - sun_x
    dx, dy = x - sun_x, y - sun_y
    r = np.hypot(dx, dy) + np.float32(1e-4)
    theta = np.arctan2(dy, dx)
    small = min(across, down)
    sun_r = 0.11 * small
    warp_x, warp_y = noise(x * 2.2, y * 2.2), noise(x * 2.2 + 50, y * 2.2)
    p = rng.uniform(0, 6, 6).tolist()
    f = x / across
    far = (0.56 + 0.07 * np.sin(7 * f + p[0]) + 0.045 * np.sin(17 * f + p[1])) * down
    near = (0.64 + 0.04 * np.sin(6 * f + p[2]) + 0.03 * np.sin(13 * f + p[3])) * down
    shore = (0.70 + 0.006 * np.sin(9 * f + p[4])) * down
    q = np.log(r / sun_r)
    turn = (theta + 0.12 * warp_y) / (2 * np.pi)
    rings = (sun_r*0.45, sun_r, sun_r * 2.0, sun_r * 4.0)
    zone = sum((r > ring).astype(np.int32) for ring in rings)  # 0..4
    counts = (1, 9, 16, 24, 44)
    us = [q * 0 + 0.5, q * 0 + 20.5, q * 3.2 + 0.4 * warp_x, q * 3.6 + 0.4 * warp_x+30, q * 6.2 + 0.9 * warp_x + 60]
    ground = (
        (x * 10 + 1.2 * warp_x + 3 * y, y * 10 - 2 * x + 1.0 * warp_y),
        (x * 11 + 1.2 * warp_x - 4 * y, y * 12 + 3 * x + 1.0 * warp_y),
        (x * 6 + 0.8 * warp_x, y * 27 + 1.1 * np.sin(9 * x + p[5]) + 1.5 * warp_y),
    )
    level = np.where(y > shore, 7, np.where(y > near, 6, np.where(y > far, 5, zone)))
    u = np.choose(level, [*us, *(g[0] for g in ground)]).astype(np.float32)
    v = np.choose(level, [*(turn * n for n in counts), *(g[1] for g in ground)]).astype(np.float32)
    period = np.array([*counts, 128, 128, 128], np.int32)[level]
    cell, border = _cells(u, v, period, rng)
    cell = cell + level.astype(np.int32) * (_SIDE * _SIDE)
    edge = _distance(border, canvas.unit)
    edge[level == 0] = 9
    sky = y < far
    lines = np.where(sky, np.minimum.reduce([np.abs(r - ring) for ring in rings]), 9)
    lines = np.minimum.reduce([lines, np.where(y < near + .01, np.abs(y - far), 9), np.where(y < shore+.01, np.abs(y - near), 9), np.abs(y - shore)])
    edge = np.minimum(edge, lines).astype(np.float32)
    table = rng.random((8 * _SIDE * _SIDE, 5)).astype(np.float32)
    own = [table[:, k][cell] for k in range(5)]
    t = r / (0.9 * max(across, down))
    colors = np.empty((*x.shape, 3), np.float32)
    m = level <= 1
    colors[m] = ramp(0.8 * r[m] / sun_r + 0.3 * (own[0][m] - 0.5), _SUN)
    m = (level > 1) & (level < 5)
    colors[m] = ramp(0.04 + t[m] + 0.24 * (own[0][m] - 0.5), _DAWN)
    m = (level > 4) & (level < 7)
    colors[m] = ramp(((y - far)[m]) / (0.16 * down) * 0.6 + 0.5 * (own[0][m] - 0.3), _PEAKS)
    m = level == 7
    glow = np.exp(-(((x[m] - sun_x) / (0.13 * small)) ** 2))
    depth = ((y - shore)[m]) / (0.3 * down)
    colors[m] = ramp(0.3 + 0.6 * depth + 0.45 * (own[0][m] - 0.5) - 0.6 * glow * (0.5 + 0.5 * own[1][m]), _WATER)
    angle = own[2] * np.float32(np.pi)
    c, s = np.cos(angle), np.sin(angle)
    along, over = x * c + y * s + own[3] * 50, -x * s + y * c + own[4] * 50
    bend = over + 0.02 * warp_x
    streak = noise(along * 6, bend * 26, 2)
    ripple = noise(along * 50 + 4 * streak, bend * 80)
    colors *= (1 + 0.38 * streak + 0.10 * ripple)[..., None]
    colors += (0.30 * np.clip(streak, 0, 1) ** 1.5)[..., None]
    colors *= (0.80 + 0.42 * own[1])[..., None]
    half = 0.0042 * (1 + 0.25 * warp_x)
    colors *= (0.5 + 0.5 * smoothstep(0, 0.016, edge - half))[..., None]
    lead = (1 - smoothstep(-0.001, 0.001, edge - half))[..., None]
    metal = rgb("1b1712")[0] * (1 + 0.5 * ripple)[..., None]
    colors = np.clip(colors, 0, 1) * (1 - lead) + metal * lead
    round_ = np.sqrt(np.clip(1 - (edge / half) ** 2, 0, 1)) * half
    height = np.where(edge < half, round_ * 0.7, 0.0012 * streak + 0.0005 * ripple)
    out = relief(colors.astype(np.float32), height.astype(np.float32), canvas.unit, 1, 0.3)
    radius = int(canvas.unit * 0.012)
    bloom = np.stack([blurred(blurred(np.ascontiguousarray(out[..., k]), radius), radius) for k in range(3)], -1)
    return np.clip(out + 0.25 * bloom**1.5, 0, 1).astype(np.float32)
