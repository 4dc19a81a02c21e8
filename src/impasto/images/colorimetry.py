"""Color profiles for files that name their colors by numbers: PNG's gAMA, cHRM and cICP, AVIF's nclx, EXIF's R03.

A profile (ICC.1:2022) of primaries and a curve says the same, and is what everything else here understands.
"""

import struct
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from impasto.errors import ImageError

_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

_D65, _C = (0.3127, 0.3290), (0.310, 0.316)
_SRGB = (_D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_ADOBE = (_D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
_PRIMARIES = {
    1: _SRGB,
    4: (_C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: (_D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    8: (_C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: (_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
"""White, red, green and blue (x, y) of the color spaces in ITU-T H.273, table 2."""

_VIDEO = (1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_CURVES = {1: _VIDEO, 4: (2.2,), 5: (2.8,), 6: _VIDEO, 8: (1.0,), 13: _SRGB_CURVE, 14: _VIDEO, 15: _VIDEO}
"""From samples to light (H.273, table 3): a power, or the g, a, b, c, d of (a x + b)^g, and c x below d."""

_UNSAID, _SRGB_CODES = 2, {"primaries": 1, "transfer": 13}
_HIGH_RANGE = {16: "PQ", 18: "HLG"}
_INSIGNIFICANT = 0.05  # of a gamma's distance to sRGB's, as libpng has it

Point = tuple[float, float]


def adobe_rgb() -> bytes:
    """The profile of Adobe RGB (1998)."""
    return _profile(_ADOBE, (563 / 256,))


def by_codes(codes: Sequence[int], channels: int, name: str) -> bytes | None:
    """The profile that the code points of H.273 stand for, or None where they are sRGB's or say nothing.

    The codes are color primaries, transfer characteristics, matrix coefficients, and whether the range is full. For gray,
    of one channel, only the curve counts.

    Raises:
        ImageError: for light beyond white (PQ, HLG), and for codes that no one knows.
    """
    primaries = _SRGB_CODES["primaries"] if codes[0] == _UNSAID else codes[0]
    transfer = _SRGB_CODES["transfer"] if codes[1] == _UNSAID else codes[1]
    if transfer in _HIGH_RANGE:
        raise ImageError(
            f"{name} is an HDR picture ({_HIGH_RANGE[transfer]}), whose light goes beyond white; export it as SDR."
        )
    if primaries not in _PRIMARIES or transfer not in _CURVES:
        raise ImageError(
            f"{name} stores its colors in a space without a name here (primaries {primaries}, transfer {transfer}); "
            "save it as sRGB."
        )
    if transfer == _SRGB_CODES["transfer"] and (primaries == _SRGB_CODES["primaries"] or channels == 1):
        return None
    return _profile(None if channels == 1 else _PRIMARIES[primaries], _CURVES[transfer])


def by_gamma(gamma: float | None, points: Sequence[float] | None, channels: int) -> bytes | None:
    """The profile of a PNG's gAMA and cHRM, or None where they are sRGB's or nonsense.

    Args:
        gamma: of the file: samples are light to the power of it; None for the curve of sRGB.
        points: white, red, green and blue, x and y each; None for those of sRGB.
        channels: of the picture: for gray only the curve counts.
    """
    usual = gamma is None or not gamma > 0 or abs(gamma * 2.2 - 1) < _INSIGNIFICANT
    curve = _SRGB_CURVE if usual or gamma is None else (1 / gamma,)
    if channels == 1:
        return None if usual else _profile(None, curve)
    pairs = tuple(zip(points[::2], points[1::2], strict=True)) if points and len(points) == 8 else _SRGB
    same = bool(np.allclose(pairs, _SRGB, atol=2e-3))
    if (usual and same) or not _is_triangle(pairs):
        return None
    return _profile(_SRGB if same else pairs, curve)


def _is_triangle(pairs: Sequence[Point]) -> bool:
    """Whether white and three primaries span a space of colors."""
    (rx, ry), (gx, gy), (bx, by) = pairs[1:]
    return min(y for _, y in pairs) > 0 and abs((gx - rx) * (by - ry) - (bx - rx) * (gy - ry)) > 1e-4


@lru_cache(maxsize=16)
def _profile(points: tuple[Point, ...] | None, curve: tuple[float, ...]) -> bytes:
    """A profile of white, red, green and blue, or a gray one where they are None."""
    shape = struct.pack(">4sIHH", b"para", 0, 0 if len(curve) == 1 else 3, 0) + _fixed(curve)
    tags = {b"desc": _words("Colors by numbers"), b"cprt": _words("No rights reserved"), b"wtpt": _xyz(_D50)}
    if points is None:
        tags[b"kTRC"] = shape
    else:
        colorants, adaptation = _to_d50(points)
        tags[b"chad"] = b"sf32" + bytes(4) + _fixed(adaptation.ravel())
        for letter, column in zip((b"r", b"g", b"b"), colorants.T, strict=True):
            tags |= {letter + b"XYZ": _xyz(column), letter + b"TRC": shape}
    start, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    space = b"GRAY" if points is None else b"RGB "
    head = struct.pack(">I4sI4s4s4s", start + len(body), bytes(4), 0x04400000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(_D50)
    return head.ljust(128, b"\0") + table + body


def _to_d50(points: tuple[Point, ...]) -> tuple[np.ndarray, np.ndarray]:
    """XYZ of the primaries in columns, adapted to D50 after Bradford, and that adaptation."""
    white, *primaries = (np.array([x / y, 1.0, (1 - x - y) / y]) for x, y in points)
    bare = np.stack(primaries, axis=1)
    cones = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white))
    adaptation = np.linalg.inv(_BRADFORD) @ cones @ _BRADFORD
    return adaptation @ (bare * np.linalg.solve(bare, white)), adaptation


def _fixed(values: Sequence[float] | np.ndarray) -> bytes:
    return b"".join(struct.pack(">i", round(float(value) * 65536)) for value in values)


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(values)


def _words(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">III2s2sII", 0, 1, 12, b"en", b"US", len(data), 28) + data
