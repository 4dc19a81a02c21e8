"""Pictures cut out of a volume: slices across its axes, and slices at 45 degrees to them."""

import math

import torch
import torch.nn.functional as nnf
from torch import Tensor


def across(voxels: Tensor, axis: int, place: float) -> Tensor:
    """The slice of a volume (1, C, D, H, W) at a place between 0 and 1 along an axis (0 to 2): (1, C, ...)."""
    last = voxels.shape[2 + axis] - 1
    return voxels.select(2 + axis, round(place * last))


def diagonal(voxels: Tensor, axis: int, count: int = 8) -> Tensor:
    """Slices that hold one axis and stand at 45 degrees to the two others, around the center of a volume.

    They are sampled one voxel apart, linearly between voxels, and have the extent of the volume along the axis and that
    of its shorter other side across. Interpolation smooths, so compare only with slices that were cut likewise.

    Args:
        voxels: (1, C, D, H, W).
        axis: 0 to 2, the axis that they hold.
        count: how many; they are a voxel apart, or fewer if the volume is thin.

    Returns:
        (count, C, length of the axis, length across).
    """
    shape = voxels.shape[2:]
    one, other = (place for place in range(3) if place != axis)
    across_ = min(shape[one], shape[other])
    count = max(1, min(count, int((math.sqrt(2) - 1) * across_)))
    along = torch.arange(shape[axis], dtype=torch.float64) - (shape[axis] - 1) / 2
    steps = (torch.arange(across_, dtype=torch.float64) - (across_ - 1) / 2) / math.sqrt(2)
    shifts = (torch.arange(count, dtype=torch.float64) - (count - 1) / 2) / math.sqrt(2)
    places = torch.zeros(count, shape[axis], across_, 3, dtype=torch.float64)  # from the center, in voxels
    places[..., axis] = along[None, :, None]
    places[..., one] = steps[None, None, :] + shifts[:, None, None]
    places[..., other] = steps[None, None, :] - shifts[:, None, None]
    halves = torch.tensor(shape, dtype=torch.float64) / 2
    grid = (places / halves).flip(-1).to(voxels.dtype)
    found = nnf.grid_sample(voxels, grid[None], mode="bilinear", padding_mode="border", align_corners=False)
    return found[0].movedim(1, 0)
