"""Pooling over blocks of two positions along every axis, in any number of dimensions, and its derivative.

The blocks are read as strided views: each of the 2^d corners of all blocks is one view, and a reduction over corners
is a few elementwise passes in whatever memory layout the features have.
"""

import itertools
from collections.abc import Iterator

import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto.choices import Pooling

_AVERAGE = {1: nnf.avg_pool1d, 2: nnf.avg_pool2d, 3: nnf.avg_pool3d}


def pool(x: Tensor, kind: Pooling) -> Tensor:
    """Pool x (B, C, *spatial): the mean, the maximum, or the root of the mean square of each block."""
    if kind == "max":
        first, *rest = _corners(x)
        result = first.clone(memory_format=torch.preserve_format)
        for corner in rest:
            torch.maximum(result, corner, out=result)
        return result
    return _mean(x) if kind == "avg" else _mean(x * x).sqrt_()


def _mean(x: Tensor) -> Tensor:
    """The mean of each block."""
    if x.dim() == 5 and x.dtype == torch.bfloat16 and x.device.type == "cpu":  # torch has no such pooling
        return torch.stack([corner.float() for corner in _corners(x)]).mean(0).to(x.dtype)
    return _AVERAGE[x.dim() - 2](x, 2)


def pool_backward(gradient: Tensor, x: Tensor, pooled: Tensor | None, kind: Pooling) -> Tensor:
    """The derivative with respect to x, given the derivative with respect to ``pooled = pool(x, kind)``.

    ``pooled`` is not needed for the average. Where several corners share the maximum, the first receives it all.
    """
    result = torch.empty_like(x) if _even(x) else torch.zeros_like(x)
    if kind == "avg":
        gradient = gradient / 2 ** (x.dim() - 2)
        for corner in _corners(result):
            corner.copy_(gradient)
        return result
    assert pooled is not None
    if kind == "l2":
        # d sqrt(mean x^2) / dx = x / (2^d pooled); a block of zeros has no direction and gets none
        gradient = torch.where(pooled > 0, gradient / pooled / 2 ** (x.dim() - 2), 0)
        for corner, value in zip(_corners(result), _corners(x), strict=True):
            torch.mul(gradient, value, out=corner)
        return result
    free = torch.ones_like(pooled, dtype=torch.bool)
    for corner, value in zip(_corners(result), _corners(x), strict=True):
        hit = (value == pooled).logical_and_(free)
        free.logical_and_(hit.logical_not())
        corner.copy_(gradient * hit)
    return result


def _corners(x: Tensor) -> Iterator[Tensor]:
    """The 2^d views of x that hold one position of every block."""
    for offsets in itertools.product((0, 1), repeat=x.dim() - 2):
        blocks = (slice(offset, 2 * (length // 2), 2) for offset, length in zip(offsets, x.shape[2:], strict=True))
        yield x[(slice(None), slice(None), *blocks)]


def _even(x: Tensor) -> bool:
    return all(length % 2 == 0 for length in x.shape[2:])
