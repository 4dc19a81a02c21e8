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
        for axis in range(2, x.dim()):
            x = torch.maximum(*_pairs(x, axis))
        return x
    return _mean(x) if kind == "avg" else _mean(x * x).sqrt_()


def _mean(x: Tensor) -> Tensor:
    """The mean of each block."""
    if x.dim() == 5 and x.dtype == torch.bfloat16 and x.device.type == "cpu":  # torch has no such pooling
        return torch.stack([corner.float() for corner in _corners(x)]).mean(0).to(x.dtype)
    return _AVERAGE[x.dim() - 2](x, 2)


def pool_backward(gradient: Tensor, x: Tensor, pooled: Tensor | None, kind: Pooling) -> Tensor:
    """The derivative with respect to x, given the derivative with respect to ``pooled = pool(x, kind)``.

    ``pooled`` is needed for the root of the mean square. Where several corners share the maximum, the first along the last axis
    receives it all, and of those the first along the one before.
    """
    if kind == "max":
        return _to_the_first(gradient, x, 2)
    result = _like(x, *range(2, x.dim()))
    if kind == "avg":
        gradient = gradient / 2 ** (x.dim() - 2)
        for corner in _corners(result):
            corner.copy_(gradient)
        return result
    assert pooled is not None
    # d sqrt(mean x^2) / dx = x / (2^d pooled); a block of zeros has no direction and gets none
    gradient = torch.where(pooled > 0, gradient / pooled / 2 ** (x.dim() - 2), 0)
    for corner, value in zip(_corners(result), _corners(x), strict=True):
        torch.mul(gradient, value, out=corner)
    return result


def _to_the_first(gradient: Tensor, x: Tensor, axis: int) -> Tensor:
    """The derivative with respect to x, given that with respect to the maxima along an axis and all after it.

    Axis by axis, for the rows of the first are long and lie together in memory, and the others have half as much to do.
    """
    first, second = _pairs(x, axis)
    if axis + 1 < x.dim():
        gradient = _to_the_first(gradient, torch.maximum(first, second), axis + 1)
    result = _like(x, axis)
    of_first, of_second = _pairs(result, axis)
    torch.ops.aten.threshold_backward.grad_input(gradient, second - first, 0, grad_input=of_second)
    torch.sub(gradient, of_second, out=of_first)
    return result


def _pairs(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """The views of x that hold the first and the second position of every pair along an axis."""
    whole = x.narrow(axis, 0, 2 * (x.shape[axis] // 2)).unflatten(axis, (-1, 2))
    return whole.select(axis + 1, 0), whole.select(axis + 1, 1)


def _corners(x: Tensor) -> Iterator[Tensor]:
    """The 2^d views of x that hold one position of every block."""
    for offsets in itertools.product((0, 1), repeat=x.dim() - 2):
        blocks = (slice(offset, 2 * (length // 2), 2) for offset, length in zip(offsets, x.shape[2:], strict=True))
        yield x[(slice(None), slice(None), *blocks)]


def _like(x: Tensor, *axes: int) -> Tensor:
    """Room for something like x, with zeros if a last position along an axis belongs to no block."""
    return torch.empty_like(x) if all(x.shape[axis] % 2 == 0 for axis in axes) else torch.zeros_like(x)
