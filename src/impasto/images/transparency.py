"""What to paint with where a picture is transparent."""

import torch
from torch import Tensor
from torch.nn import functional


def extend_visible_colors(pixels: Tensor, alpha: Tensor) -> Tensor:
    r"""``pixels`` with their visible colors extended into the transparent parts.

    .. math:: x = t c + (1 - t)\, b, \qquad t = \min(1, 4 \alpha)

    where c are the pixels and the backdrop b is their pull-push extension: average down by two until one pixel is left,
    then fill the gaps of each level from the level below it (Gortler, Grzeszczuk, Szeliski and Cohen 1996).

    Editors leave any color under a transparent pixel, and that garbage would take part in the style. A backdrop of one
    color would draw the outline of the object into the content features; an extension of the object's own colors has
    neither fault. Pixels of a quarter opacity and more keep their color exactly, so that putting the alpha channel back
    gives the picture back.

    Args:
        pixels: (1, 3, H, W) in [0, 1], not premultiplied.
        alpha: (1, 1, H, W) in [0, 1], above zero somewhere.

    Returns:
        (1, 3, H, W) in [0, 1].
    """
    trust = _trust(alpha)
    return torch.where(trust == 1, pixels, _fill(pixels * trust, trust)).clamp(0, 1)


def _fill(weighted: Tensor, trust: Tensor) -> Tensor:
    smallest = torch.finfo(trust.dtype).tiny
    if trust.shape[-1] == trust.shape[-2] == 1:
        return weighted / trust.clamp_min(smallest)
    coarse, cover = _halve(weighted), _halve(trust)
    # A block with one opaque pixel of four already knows its color, so that holes close from their nearest edge.
    gain = _trust(cover) / cover.clamp_min(smallest)
    backdrop = functional.interpolate(
        _fill(coarse * gain, cover * gain), trust.shape[-2:], mode="bilinear", align_corners=False
    )
    return weighted + (1 - trust) * backdrop


def _trust(alpha: Tensor) -> Tensor:
    return (4 * alpha).clamp_max(1)


def _halve(values: Tensor) -> Tensor:
    return functional.avg_pool2d(values, 2, ceil_mode=True, count_include_pad=False)
