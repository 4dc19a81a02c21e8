r"""Masks: how much of every position belongs to a region, from the picture to the layers of a network.

A mask is (1, 1, \*spatial) with values in [0, 1]. Position k of a layer with stride s covers the block [s k, s k + s) of
the picture, and sees r positions more to either side.
"""

import torch
import torch.nn.functional as nnf
from torch import Tensor

_SHARP = 1e-4  # what resampling leaves of a value that should be 0 or 1


def resampled_mask(mask: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The mask at another size: averaged over what a position covers, and linear in between; 0 and 1 stay exact."""
    if tuple(mask.shape[2:]) != shape:
        mask = nnf.interpolate(mask, shape, mode="bilinear", antialias=True)
    mask = torch.where(mask > 1 - _SHARP, torch.ones_like(mask), mask)
    return torch.where(mask < _SHARP, torch.zeros_like(mask), mask)


def averaged(mask: Tensor, stride: int) -> Tensor:
    """The mask of a layer: the mean over the block of every position."""
    for axis in range(2, mask.dim()):
        count = mask.shape[axis] // stride
        blocks = (*mask.shape[:axis], count, stride, *mask.shape[axis + 1 :])
        mask = mask.narrow(axis, 0, count * stride).reshape(blocks).mean(axis + 1)
    return mask


def inside(mask: Tensor, stride: int, radius: int) -> Tensor:
    """The mask of a layer, eroded: the least value among all the positions that a position of the layer sees.

    What lies beyond the border of the picture does not count.
    """
    for axis in range(2, mask.dim()):
        last = mask.movedim(axis, -1)
        count = last.shape[-1] // stride
        beyond = count * stride + radius - last.shape[-1]  # below 0 if the rest of a division is not even seen
        padded = nnf.pad(-last, (radius, beyond), value=-torch.inf)
        seen = padded.unfold(-1, stride + 2 * radius, stride)
        mask = -seen.amax(-1).movedim(-1, axis)
    return mask
