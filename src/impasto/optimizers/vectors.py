"""Sums and products of images a piece at a time, so that what is made on the way stays small."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

PIECE = 2**22
"""Values of a vector that are taken at once."""


def pieces(*vectors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """The same pieces of several tensors of one shape: all of them at once where they are small, else flat views.

    Large tensors to be written into must be contiguous.
    """
    if vectors[0].numel() <= PIECE:
        yield vectors
        return
    yield from zip(*(torch.split(vector.reshape(-1), PIECE) for vector in vectors), strict=True)


def dot(a: Tensor, b: Tensor) -> float:
    """The scalar product; where one has less precision, in that of the other."""
    kind = torch.promote_types(a.dtype, b.dtype)
    return sum(float(torch.dot(x.flatten().to(kind), y.flatten().to(kind))) for x, y in pieces(a, b))


def length(a: Tensor) -> float:
    """The Euclidean norm."""
    return math.hypot(*(float(torch.linalg.vector_norm(x)) for (x,) in pieces(a)))


def distance(a: Tensor, b: Tensor) -> float:
    """The Euclidean norm of the difference."""
    return math.hypot(*(float(torch.linalg.vector_norm(x - y)) for x, y in pieces(a, b)))


def slope_of(image: Tensor, start: Tensor, gradient: Tensor) -> float:
    """The scalar product of ``image - start`` with the gradient, summed in float64 where the device has it."""
    exact = torch.float32 if image.device.type == "mps" else torch.float64
    return sum(float(torch.sum((x - y) * g, dtype=exact)) for x, y, g in pieces(image, start, gradient))


def subtract(out: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """``a - b`` in the precision of ``out``, which receives it."""
    for target, x, y in pieces(out, a, b):
        target.copy_(x - y)
    return out
