"""Statistics of features that add over positions.

Features are ``(B, C, *spatial)`` with any number of spatial axes; B is 1 for one picture. A statistic here is a plain
sum over positions, so that the sum over a whole image, over its tiles, and over tiles on several ranks are the same
number.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

_CHUNKS = 16  # a reduced-precision product is rounded once per chunk, and the chunks are added in float32
_ROWS = 4096  # positions that functions of positions see at once, so that what they make stays small
_HALF = (torch.bfloat16, torch.float16)


def matrices(features: Tensor) -> tuple[Tensor, ...]:
    """Each item of the batch as a (positions, channels) matrix: a view whatever the memory layout, where one exists."""
    if features.dim() == 2:
        return tuple(item.unsqueeze(0) for item in features)
    if features.stride(1) == 1:  # channels last: positions are rows already
        return tuple(item.movedim(0, -1).flatten(0, -2) for item in features)
    return tuple(item.flatten(1).t() for item in features)


def product_sum(features: Tensor, *, exact: bool = False) -> Tensor:
    """The unnormalized Gram matrix G_ij = sum_k F_ik F_jk over positions k (Gatys et al. 2016, eq. 3).

    Args:
        features: (B, C, *spatial).
        exact: multiply features of half precision in float32, which is slower.

    Returns:
        (B, C, C), in float32 for half-precision features, else in the features' own type.
    """
    products = []
    for matrix in matrices(features):
        half = matrix.dtype in _HALF
        product = matrix.new_zeros(matrix.shape[1], matrix.shape[1], dtype=torch.float32 if half else matrix.dtype)
        for rows in matrix.chunk(_CHUNKS) if half else (matrix,):
            part = rows.float() if half and exact else rows
            product += part.t() @ part
        products.append(product)
    return torch.stack(products)


def value_sum(features: Tensor) -> Tensor:
    """The sum of every channel's values, sum_k F_ik over positions k: (B, C), in the precision of :func:`accumulator`."""
    return torch.stack([matrix.sum(0, dtype=accumulator(features)) for matrix in matrices(features)])


def square_sum(features: Tensor) -> Tensor:
    """The sum of every channel's squares, sum_k F_ik^2 over positions k, likewise: the Gram matrix's diagonal."""
    kind = accumulator(features)
    return sum_by_rows(features, lambda rows: rows.to(kind).square().sum(0))


def sum_by_rows(features: Tensor, of_rows: Callable[[Tensor], Tensor]) -> Tensor:
    """The sum over positions of a function of features, some thousand positions at a time.

    Args:
        features: (B, C, *spatial).
        of_rows: makes a vector (D,), summed over positions, from a matrix (positions, C).

    Returns:
        (B, D).
    """
    sums = [torch.stack([of_rows(rows) for rows in torch.split(matrix, _ROWS)]).sum(0) for matrix in matrices(features)]
    return torch.stack(sums)


def by_rows(features: Tensor) -> Iterator[Tensor]:
    """The features (B, C, *spatial) as :func:`sum_by_rows` and :func:`add_by_rows` see them, one item after the other."""
    for matrix in matrices(features):
        yield from torch.split(matrix, _ROWS)


def moment_sums(features: Tensor) -> Tensor:
    """The unnormalized Gram matrix and, as one more column, the sum of values: all moments of first and second order.

    Half-precision features are multiplied in float32, slower than in :func:`product_sum`, for a covariance is a small
    difference of these numbers.

    Args:
        features: (B, C, *spatial).

    Returns:
        (B, C, C + 1), in the precision of :func:`accumulator`.
    """
    products = product_sum(features, exact=True)
    return torch.cat([products, value_sum(features)[..., None]], dim=-1)


def mean_and_covariance(moments: Tensor) -> tuple[Tensor, Tensor]:
    """The mean m (B, C) and the covariance E[f f^T] - m m^T (B, C, C) of moments per position (B, C, C + 1)."""
    mean = moments[..., -1]
    return mean, moments[..., :-1] - mean[..., :, None] * mean[..., None, :]


def add_product(out: Tensor, features: Tensor, matrix: Tensor) -> None:
    """Add ``F @ matrix`` to ``out`` in place, F being each item of features (B, C, *spatial) by positions.

    Args:
        out: (B, C, *spatial); where it is laid out like a matrix, the product is accumulated without a copy.
        features: of the same shape.
        matrix: (B, C, C).
    """
    for target, rows, square in zip(out, matrices(features), matrix.to(features.dtype), strict=True):
        view = _rows_of(target)
        if view is not None:
            view.addmm_(rows, square)
        else:
            target.add_(_as(target, rows @ square))


def add_by_rows(out: Tensor, features: Tensor, of_rows: Callable[[Tensor, int], Tensor]) -> None:
    """Add a function of each position's features to ``out`` in place, some thousand positions at a time.

    Args:
        out: (B, C, *spatial).
        features: of the same shape.
        of_rows: makes an increment (positions, C) from a matrix (positions, C) and the item's place in the batch.
    """
    for item, (target, rows) in enumerate(zip(out, matrices(features), strict=True)):
        view = _rows_of(target)
        if view is not None:
            for part, piece in zip(torch.split(view, _ROWS), torch.split(rows, _ROWS), strict=True):
                part.add_(of_rows(piece, item))
        else:
            target.add_(_as(target, torch.cat([of_rows(piece, item) for piece in torch.split(rows, _ROWS)])))


def add_vector(out: Tensor, vector: Tensor, features: Tensor | None = None) -> None:
    """Add one number per channel to every position of ``out``, in place, or that number times ``features`` there.

    Args:
        out: (B, C, *spatial).
        vector: (B, C).
        features: of the shape of ``out``, or None for ones.
    """
    spread = vector.to(out.dtype).view(*vector.shape, *(1,) * (out.dim() - 2))
    if features is None:
        out.add_(spread)
    else:
        out.addcmul_(features, spread)


def _rows_of(target: Tensor) -> Tensor | None:
    """One item as a (positions, channels) view, or None for a window of a larger tensor, which has no such view."""
    view = matrices(target[None])[0]
    return view if view.untyped_storage().data_ptr() == target.untyped_storage().data_ptr() else None


def _as(target: Tensor, rows: Tensor) -> Tensor:
    """Rows (positions, channels) in the order of an item (C, *spatial)."""
    return rows.view(*target.shape[1:], -1).movedim(-1, 0)


def position_count(features: Tensor) -> int:
    """M, the number of positions of one item: the product of the spatial extents."""
    return features[0, 0].numel()


def accumulator(features: Tensor) -> torch.dtype:
    """The precision that sums over positions are taken in: float32, or float64 for float64 features."""
    return torch.float64 if features.dtype == torch.float64 else torch.float32
