r"""Convolutions of 3 x 3 with fewer multiplications: minimal filtering, F(4 x 4, 3 x 3).

A tile of 4 x 4 outputs needs 6 x 6 inputs, 144 multiplications per pair of channels if computed directly, and 36 as

.. math:: Y = A^T \left[ (G g G^T) \odot (B^T d\, B) \right] A

(Winograd 1980; Lavin and Gray 2016, "Fast algorithms for convolutional neural networks", eq. 8). Over channels the
products are 36 matrix products, which is what processors do best; the transforms are matrix products, too, a few per
cent of the work. Transposing the algorithm of Toom and Cook gives the matrices: polynomials are evaluated at six points.

Differs from the paper: the points are 0, 1, -1, 2, 1/2 and infinity instead of 0, 1, -1, 2, -2 and infinity. The mirror
image of a kernel, evaluated at x, is the kernel at 1/x, but for a factor. So the adjoint of a convolution uses the same
transformed weights, its points in another order, and no second copy is kept. All numbers in A and B are sums of few
powers of two, and thirds are in G only, which is applied once.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

TILE = 4
"""Outputs of a tile along each axis."""

_SPAN = TILE + 2  # inputs of a tile along each axis
_AT_ONCE = 2**15  # positions times channels of the transformed tiles computed together, so that they stay in the cache
_SOME = 32  # channels whose weights are transformed together, in float64
_MIRRORED = [5, 1, 2, 4, 3, 0]  # of each point the place of its reciprocal

_POINTS = torch.tensor([0.0, 1.0, -1.0, 2.0, 0.5], dtype=torch.float64)
_SCALES = torch.tensor([-1.0, 1.0, 1.0, 1.0, 0.25], dtype=torch.float64)  # make of mirrored rows of G rows of G


def _others(index: int) -> Tensor:
    """All finite points but one; all of them for the infinite."""
    return torch.cat([_POINTS[:index], _POINTS[index + 1 :]])


def _polynomial(roots: Tensor) -> Tensor:
    """The coefficients of the product of x - root, lowest first."""
    found = torch.ones(1, dtype=torch.float64)
    for root in roots:
        found = torch.cat([found.new_zeros(1), found]) - root * torch.cat([found, found.new_zeros(1)])
    return found


def _matrices() -> tuple[Tensor, Tensor, Tensor]:
    """A^T (4, 6), G (6, 3) and B^T (6, 6), in float64."""
    outputs, kernel, inputs = (torch.zeros(rows, _SPAN, dtype=torch.float64) for rows in (TILE, 3, _SPAN))
    for index, (point, scale) in enumerate(zip(_POINTS, _SCALES, strict=True)):
        rest = _others(index)
        outputs[:, index] = point ** torch.arange(TILE)
        kernel[:, index] = scale * point ** torch.arange(3) / torch.prod(point - rest)
        inputs[:-1, index] = _polynomial(rest) / scale
    outputs[-1, -1] = kernel[-1, -1] = 1
    inputs[:, -1] = _polynomial(_POINTS)
    return outputs, kernel.t(), inputs.t()


_OUT, _KERNEL, _IN = _matrices()


class Winograd:
    """One layer's convolution and its adjoint, with zeros beyond the border.

    Args:
        weight: (out, in, 3, 3).
    """

    def __init__(self, weight: Tensor) -> None:
        outputs, inputs = weight.shape[:2]
        self.weight = weight.new_empty(_SPAN**2, inputs, outputs)
        for part, into in zip(weight.split(_SOME), self.weight.split(_SOME, 2), strict=True):
            into.copy_(torch.einsum("ij,ocjk,lk->ilco", _KERNEL, part.double(), _KERNEL).flatten(0, 1))
        order = torch.arange(_SPAN**2).view(_SPAN, _SPAN)[_MIRRORED][:, _MIRRORED].flatten()
        inward, outward = torch.kron(_IN, _IN), torch.kron(_OUT, _OUT)
        self._there = inward.to(weight.dtype), outward.to(weight.dtype)
        self._back = inward[order].to(weight.dtype), outward[:, order].to(weight.dtype)

    def convolve(self, x: Tensor, bias: Tensor, width: int, *, rectified: bool) -> Tensor:
        """The convolution of x (B, in, H, W) with ``width`` zeros around it, plus the bias (out,), after a ReLU if asked."""
        return _filtered(x, self.weight, self._there, width, bias, rectified=rectified)

    def convolve_transposed(self, gradient: Tensor, width: int) -> Tensor:
        """The convolution of a gradient (B, out, H, W) with kernels mirrored and channels swapped, ``width`` zeros around it."""
        return _filtered(gradient, self.weight.transpose(1, 2), self._back, width)


def _filtered(
    x: Tensor,
    weight: Tensor,
    transforms: tuple[Tensor, Tensor],
    width: int,
    bias: Tensor | None = None,
    *,
    rectified: bool = False,
) -> Tensor:
    """All tiles, some rows of them at a time: transformed, multiplied, and transformed back into their places."""
    channels, (inward, outward) = weight.shape[2], transforms
    height, length = (extent + 2 * width - 2 for extent in x.shape[2:])
    down, across = -(-height // TILE), -(-length // TILE)
    out = x.new_empty((x.shape[0], down * TILE, across * TILE, channels))
    rows = max(1, min(down, round(_AT_ONCE / max(weight.shape[1:]) / across)))
    for item, into in zip(x.movedim(1, -1), out, strict=True):
        blocks = into.view(down, TILE, across, TILE, channels)
        for first, strip in _strips(item, width, rows, across, down):
            count = strip.shape[2] * across
            tiles = torch.mm(inward, strip.reshape(_SPAN**2, -1)).view(_SPAN**2, count, -1)
            products = torch.bmm(tiles, weight)
            if bias is not None:
                products[_SPAN + 1] += bias  # the point (1, 1), which every output of the tile sees with weight 1
            found = torch.mm(outward, products.view(_SPAN**2, -1)).view(TILE, TILE, -1, across, channels)
            place = blocks[first : first + strip.shape[2]].permute(1, 3, 0, 2, 4)
            torch.clamp(found, min=0, out=place) if rectified else place.copy_(found)
    return out[:, :height, :length].movedim(-1, 1).contiguous(memory_format=torch.channels_last)


def _strips(item: Tensor, width: int, rows: int, across: int, down: int) -> Iterator[tuple[int, Tensor]]:
    """The tiles (6, 6, rows, across, C) of some rows of tiles of an item (H, W, C), as views of a buffer, with the first row."""
    height, length, channels = item.shape
    buffer = item.new_zeros(TILE * rows + 2, TILE * across + 2, channels)
    row, column = buffer.stride()[:2]
    for first in range(0, down, rows):
        count = min(rows, down - first)
        top = TILE * first - width
        inside = slice(max(0, top), min(height, top + TILE * count + 2))
        buffer[: inside.start - top].zero_()
        buffer[inside.start - top : inside.stop - top, width : width + length].copy_(item[inside])
        buffer[inside.stop - top :].zero_()
        shape = (_SPAN, _SPAN, count, across, channels)
        yield first, buffer.as_strided(shape, (row, column, TILE * row, TILE * column, 1))
