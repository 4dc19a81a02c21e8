"""A volume as a thing to look at: a block seen from a little above, with a corner cut away, turning."""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as nnf
from torch import Tensor

_TILT = math.radians(28)
_LIGHT = (0.82, 0.92, 1.0)  # of faces across columns, rows and slices
_FAR = 1e9


def turning(
    voxels: Tensor, spacing: tuple[float, float, float] = (1, 1, 1), *, frames: int = 36, side: int = 240
) -> Iterator[Tensor]:
    """A :func:`block` that turns once about the axis of its slices, seen in parallel projection, in so many frames."""
    for frame in range(frames):
        yield block(voxels, spacing, angle=2 * math.pi * frame / frames, side=side)


def block(
    voxels: Tensor, spacing: tuple[float, float, float] = (1, 1, 1), *, angle: float = 0.0, side: int = 240
) -> Tensor:
    """The surface of a block without one of its upper octants, so that three faces of its inside are seen.

    Each pixel sends a ray along the line of sight into the box, and, where that enters the missing octant, on through it
    to the wall behind; the voxels are read there, linearly.

    Args:
        voxels: (1, 3, D, H, W) in [0, 1].
        spacing: between slices, rows and columns.
        angle: how far it is turned, in radians.
        side: of the picture, in pixels.

    Returns:
        (1, 3, side, side) in [0, 1], on white.
    """
    size = torch.tensor([float(step) * length for step, length in zip(spacing, voxels.shape[2:], strict=True)][::-1])
    half = size / torch.linalg.vector_norm(size)
    origins, sight = _rays(angle, side)
    enter, leave, face = _crossing(origins, sight, -half, half)
    hit = enter < leave
    points = origins + enter[..., None] * sight
    cut = hit & (points * torch.tensor([1.0, 1.0, 1.0]) > -1e-6).all(-1)  # the octant where all are positive
    _, through, wall = _crossing(origins, sight, torch.zeros(3), half, last=True)
    seen = torch.where(cut, through, enter)
    hit &= ~(cut & (through >= leave - 1e-6))
    colors = _read(voxels, origins + seen[..., None] * sight, half)
    light = torch.tensor(_LIGHT)[torch.where(cut, wall, face)]
    return torch.where(hit, colors * light, torch.ones(()))[None]


def _rays(angle: float, side: int) -> tuple[Tensor, Tensor]:
    """Where every pixel's line of sight starts (side, side, 3), and its direction, in the block's own directions.

    These are columns, rows and slices; the slices are stacked upward.
    """
    turned = angle + math.pi / 4
    right = torch.tensor([-math.sin(turned), math.cos(turned), 0.0])
    away = torch.tensor([-math.cos(turned) * math.cos(_TILT), -math.sin(turned) * math.cos(_TILT), -math.sin(_TILT)])
    up = torch.tensor([-math.cos(turned) * math.sin(_TILT), -math.sin(turned) * math.sin(_TILT), math.cos(_TILT)])
    grid = (torch.arange(side) + 0.5) / side * 2.1 - 1.05
    return grid[None, :, None] * right - grid[:, None, None] * up, away


def _crossing(
    origins: Tensor, sight: Tensor, low: Tensor, high: Tensor, *, last: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """How far along its sight a ray enters and leaves a box, and across which axis it enters, or leaves with ``last``."""
    slope = torch.where(sight.abs() < 1e-9, torch.full((), 1e-9), sight)
    one, other = (low - origins) / slope, (high - origins) / slope
    near, far = torch.minimum(one, other), torch.maximum(one, other)
    enter, first = near.clamp(-_FAR, _FAR).max(-1)
    leave, final = far.clamp(-_FAR, _FAR).min(-1)
    return enter, leave, final if last else first


def _read(voxels: Tensor, points: Tensor, half: Tensor) -> Tensor:
    """The colors (3, side, side) at points of the block."""
    grid = (points / half)[None, None].to(voxels.dtype)
    return nnf.grid_sample(voxels, grid, mode="bilinear", padding_mode="border", align_corners=False)[0, :, 0]
