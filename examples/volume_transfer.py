"""
A scan in the style of a painting
=================================

.. image:: /pictures/volume-transfer.jpg

A phantom of a head, made of ellipsoids (after Shepp and Logan 1974), in the style of a painted sky, by VGG-19 inflated to
three dimensions. A picture, not data, and not for diagnosis.

By script: ``python examples/volume_transfer.py -o out.nii.gz [--size 48] [--color]``.
"""

import argparse
from pathlib import Path

import numpy as np

from impasto.runs.solids.volume import stylize_volume
from impasto.volumes.volume import Origin, Volume, assembled
from paintings import paint

# Intensity, center (x, y, z), half axes, and turn about z in degrees.
ELLIPSOIDS = (
    (1.0, (0, 0, 0), (0.69, 0.92, 0.81), 0),
    (-0.7, (0, -0.018, 0), (0.66, 0.87, 0.78), 0),
    (-0.25, (0.22, 0, 0), (0.11, 0.31, 0.22), -18),
    (-0.25, (-0.22, 0, 0), (0.16, 0.41, 0.28), 18),
    (0.25, (0, 0.35, -0.15), (0.21, 0.25, 0.41), 0),
    (0.25, (0, 0.1, 0.25), (0.046, 0.046, 0.05), 0),
    (0.2, (0, -0.6, 0), (0.15, 0.1, 0.2), 0),
)


def phantom(side: int) -> Volume:
    """A head of ellipsoids, in int16 from 0 to 1000, with voxels of 180 mm over the side."""
    z, y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j, -1 : 1 : side * 1j]
    total = np.zeros((side, side, side))
    for value, center, axes, turn in ELLIPSOIDS:
        angle = np.deg2rad(turn)
        u, v, w = x - center[0], y - center[1], z - center[2]
        u, v = u * np.cos(angle) + v * np.sin(angle), v * np.cos(angle) - u * np.sin(angle)
        total += value * ((u / axes[0]) ** 2 + (v / axes[1]) ** 2 + (w / axes[2]) ** 2 <= 1)
    affine = np.diag([180 / side] * 3 + [1.0])
    origin = Origin("phantom", None, "0" * 64, "NIfTI")
    return assembled((total * 1000).astype(np.int16), origin, affine, (0, 1000))


def main() -> None:
    """Make the phantom, and paint it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("out.nii.gz"))
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--strength", type=float, default=0.7)
    parser.add_argument("--depths", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--color", action="store_true")
    options = parser.parse_args()
    style = paint("swirl", (512, 512))[..., 20:180, 200:360]
    result = stylize_volume(
        phantom(options.size),
        style,
        strength=options.strength,
        depths=options.depths,
        color=options.color,
    )
    result.save(options.output, pictures=True)
    print(result)


if __name__ == "__main__":
    main()
