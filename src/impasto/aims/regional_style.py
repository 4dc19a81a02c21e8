"""Losses of style over regions: guided Gram matrices and their like (Gatys et al. 2017, section 4.1)."""

from collections.abc import Iterator

from impasto.aims.balance import Balance
from impasto.aims.regions import Regions
from impasto.aims.style import StyleTargets
from impasto.losses import GuidedLoss
from impasto.objective import Term
from impasto.settings import Settings


def guided_terms(style: StyleTargets, regions: Regions, balance: Balance, shape: tuple[int, ...]) -> Iterator[Term]:
    r"""The terms of style of all regions, for a result of spatial ``shape``.

    Each region r of the photo has its own losses, which compare means over the region, weighted by the square of its
    guidance channel T_r, with those over its region of its painting. Its factor is

    .. math:: \lambda_r = a_r \, \frac{s_r^2 / (1 - s_r)^2}{s^2 / (1 - s)^2}

    with a_r the region's share of the picture: so a region looks as it would in a picture of its own, whatever its size.
    The second factor, 1 unless ``mask_strengths`` are given, makes it look as it would at a strength of s_r.

    Args:
        style: the paintings' statistics.
        regions: the regions.
        balance: weighs a loss as if it were everywhere, in a region with a style of its own by that style's layers.
        shape: of the result.
    """
    for number, mask in enumerate(regions.masks_at(shape)):
        factor = float(mask.mean()) * _factor(balance.settings, number)
        if not factor:
            continue
        own = balance.alone(regions.styles[number]) if regions.pairs else balance
        region = f"region{number + 1}" if regions.pairs else ""
        for (layer, name), loss in style.losses_at(shape, number).items():
            guide = style.guide(mask, layer)
            if guide.any():
                variant = "/".join(part for part in ("" if name == "gram" else name, region) if part)
                weight = factor * own.style(loss, layer, name)
                yield Term("style", layer, GuidedLoss.around(loss, guide), weight, variant)


def _factor(settings: Settings, number: int) -> float:
    """What the region's own strength makes of its weight."""
    own, common = settings.mask_strengths, 0.5 if settings.strength is None else settings.strength
    if own is None:
        return 1.0
    return (own[number] / (1 - own[number])) ** 2 / (common / (1 - common)) ** 2
