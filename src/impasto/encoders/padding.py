"""Borders: what a convolution sees beyond the image, and the adjoint of putting it there."""

import torch.nn.functional as nnf
from torch import Tensor

from impasto.choices import Padding


def pad(x: Tensor, width: int, mode: Padding) -> Tensor:
    """Extend every spatial axis of x (B, C, *spatial) by ``width`` positions on both sides."""
    widths = [width] * (2 * (x.dim() - 2))
    if mode == "zero":
        return nnf.pad(x, widths)
    if mode == "reflect" and min(x.shape[2:]) <= width:
        mode = "replicate"  # there is nothing to mirror in a single row; its mirror image is itself
    return nnf.pad(x, widths, mode=mode)


def pad_adjoint(gradient: Tensor, width: int, mode: Padding) -> Tensor:
    """The transpose of :func:`pad`: what flowed into the border is added to the positions it was copied from."""
    inner = [length - 2 * width for length in gradient.shape[2:]]
    if mode == "reflect" and min(inner) <= width:
        mode = "replicate"
    for axis, length in enumerate(inner, start=2):
        core = gradient.narrow(axis, width, length)
        for offset in range(width):
            before = gradient.select(axis, width - 1 - offset)
            after = gradient.select(axis, width + length + offset)
            if mode == "reflect":
                core.select(axis, 1 + offset).add_(before)
                core.select(axis, length - 2 - offset).add_(after)
            elif mode == "replicate":
                core.select(axis, 0).add_(before)
                core.select(axis, length - 1).add_(after)
            elif mode == "circular":
                core.select(axis, (length - 1 - offset) % length).add_(before)
                core.select(axis, offset % length).add_(after)
        gradient = core
    return gradient
