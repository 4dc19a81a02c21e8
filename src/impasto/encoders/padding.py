"""Borders: what a convolution sees beyond the image, and the adjoint of putting it there."""

import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto.choices import Padding


def pad(x: Tensor, reach: tuple[int, int], mode: Padding) -> Tensor:
    """Extend every spatial axis of x (B, C, *spatial) by ``reach`` positions before and after.

    ``equirectangular`` is for panoramas (B, C, H, W) whose columns are all around and whose rows go from pole to pole:
    beyond the left and the right is the other end, and beyond a pole the same rows go on, seen from the other side, that
    is half the width away. Features of a panorama and of the same turned around the axis are then the same, turned.
    """
    if mode == "equirectangular":
        return _pad_sphere(x, reach)
    modes = [_possible(mode, length, reach) for length in x.shape[2:]]
    for kind in dict.fromkeys(modes):
        widths = [width for other in reversed(modes) for width in (reach if other == kind else (0, 0))]
        x = nnf.pad(x, widths, mode="constant" if kind == "zero" else kind)
    return x


def _possible(mode: Padding, length: int, reach: tuple[int, int]) -> Padding:
    """The mode along one axis: there is nothing to mirror in a single row; its mirror image is itself."""
    return "replicate" if mode == "reflect" and length <= max(reach) else mode


def pad_adjoint(gradient: Tensor, reach: tuple[int, int], mode: Padding) -> Tensor:
    """The transpose of :func:`pad`: what flowed into the border is added to the positions it was copied from."""
    if mode == "equirectangular":
        return _pad_sphere_adjoint(gradient, reach)
    before, after = reach
    inner = [length - before - after for length in gradient.shape[2:]]
    for axis, length in enumerate(inner, start=2):
        core = gradient.narrow(axis, before, length)
        kind = _possible(mode, length, reach)
        if kind != "zero":
            for offset in range(before):
                source = {"reflect": 1 + offset, "replicate": 0, "circular": (length - 1 - offset) % length}[kind]
                core.select(axis, source).add_(gradient.select(axis, before - 1 - offset))
            for offset in range(after):
                source = {"reflect": length - 2 - offset, "replicate": length - 1, "circular": offset % length}[kind]
                core.select(axis, source).add_(gradient.select(axis, before + length + offset))
        gradient = core
    return gradient


def _pad_sphere(x: Tensor, reach: tuple[int, int]) -> Tensor:
    before, after = reach
    height, width = x.shape[2:]
    north = x[:, :, :before].flip(2).roll(width // 2, 3)
    south = x[:, :, height - after :].flip(2).roll(width // 2, 3)
    return nnf.pad(torch.cat([north, x, south], 2), (before, after, 0, 0), mode="circular")


def _pad_sphere_adjoint(gradient: Tensor, reach: tuple[int, int]) -> Tensor:
    before, after = reach
    height, width = (length - before - after for length in gradient.shape[2:])
    rows = gradient.narrow(3, before, width)
    rows.narrow(3, width - before, before).add_(gradient.narrow(3, 0, before))
    rows.narrow(3, 0, after).add_(gradient.narrow(3, before + width, after))
    core = rows.narrow(2, before, height)
    north, south = rows.narrow(2, 0, before), rows.narrow(2, before + height, after)
    core.narrow(2, 0, before).add_(north.flip(2).roll(-(width // 2), 3))
    core.narrow(2, height - after, after).add_(south.flip(2).roll(-(width // 2), 3))
    return core
