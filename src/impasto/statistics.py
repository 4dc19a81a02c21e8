"""Statistics of features that add over positions.

Features are ``(B, C, *spatial)`` with any number of spatial axes; B is 1 for one picture. A statistic here is a plain
sum over positions, so that the sum over a whole image, over its tiles, and over tiles on several ranks are the same
number.
"""

import torch
from torch import Tensor

_CHUNKS = 16  # a reduced-precision product is rounded once per chunk, and the chunks are added in float32


def matrices(features: Tensor) -> tuple[Tensor, ...]:
    """Each item of the batch as a (positions, channels) matrix: a view whatever the memory layout, where one exists."""
    if features.dim() == 2:
        return tuple(item.unsqueeze(0) for item in features)
    if features.stride(1) == 1:  # channels last: positions are rows already
        return tuple(item.movedim(0, -1).flatten(0, -2) for item in features)
    return tuple(item.flatten(1).t() for item in features)


def product_sum(features: Tensor) -> Tensor:
    """The unnormalized Gram matrix G_ij = sum_k F_ik F_jk over positions k (Gatys et al. 2016, eq. 3).

    Args:
        features: (B, C, *spatial).

    Returns:
        (B, C, C), in float32 for half-precision features, else in the features' own type.
    """
    return torch.stack([_product(matrix) for matrix in matrices(features)])


def _product(matrix: Tensor) -> Tensor:
    if matrix.dtype not in {torch.bfloat16, torch.float16}:
        return matrix.t() @ matrix
    total = torch.zeros(matrix.shape[1], matrix.shape[1], dtype=torch.float32, device=matrix.device)
    for chunk in matrix.chunk(_CHUNKS):
        total += chunk.t() @ chunk
    return total


def add_product(out: Tensor, features: Tensor, matrix: Tensor) -> None:
    """Add ``F @ matrix`` to ``out`` in place, F being each item of features (B, C, *spatial) by positions.

    Args:
        out: (B, C, *spatial); where it is laid out like a matrix, the product is accumulated without a copy.
        features: of the same shape.
        matrix: (B, C, C).
    """
    for target, rows, square in zip(out, matrices(features), matrix.to(features.dtype), strict=True):
        view = matrices(target[None])[0]
        if view.untyped_storage().data_ptr() == target.untyped_storage().data_ptr():
            view.addmm_(rows, square)
        else:  # a window of a larger tensor: its rows cannot be addressed as one matrix
            target.add_((rows @ square).view(*target.shape[1:], -1).movedim(-1, 0))


def position_count(features: Tensor) -> int:
    """M, the number of positions of one item: the product of the spatial extents."""
    return features[0, 0].numel()


def accumulator(features: Tensor) -> torch.dtype:
    """The precision that sums over positions are taken in: float32, or float64 for float64 features."""
    return torch.float64 if features.dtype == torch.float64 else torch.float32
