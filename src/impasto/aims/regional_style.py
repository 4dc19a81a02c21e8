"""Losses of style over regions: guided Gram matrices and their like (Gatys et al. 2017, section 4.1)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from impasto.aims.regions import Places
from impasto.encoders import Encoder
from impasto.losses import STYLE_LOSSES, GuidedLoss, StyleLoss
from impasto.losses.guided import aimed, mixed
from impasto.masks import averaged, inside
from impasto.settings import Settings

Seen = tuple[tuple[int, ...], Iterable[tuple[str, Tensor, float]]]
"""The spatial shape that a painting is seen at; and layer by layer its features, and how much it has to say there."""

See = Callable[[int], Seen]
"""Looks at the painting of a number."""

Weigh = Callable[[int, StyleLoss, str, str], float]
"""The weight of a style loss, from the number of its region, itself, its layer and its name, as if it were everywhere."""


@dataclass(frozen=True, eq=False)
class Guided:
    """One loss over one region, as a term of an objective will have it."""

    layer: str
    loss: GuidedLoss
    weight: float
    variant: str


@dataclass(frozen=True, eq=False)
class Guidance:
    r"""The losses of style of a run with masks.

    Each region r of the photo has its own losses, which compare means over the region, weighted by the square of its
    guidance channel T_r, with those over its region of its painting. Its factor is

    .. math:: \lambda_r = a_r \, \frac{s_r^2 / (1 - s_r)^2}{s^2 / (1 - s)^2}

    with a_r the region's share of the picture: so a region looks as it would in a picture of its own, whatever its size.
    The second factor, 1 unless ``mask_strengths`` are given, makes it look as it would at a strength of s_r.

    Args:
        encoder: the network.
        places: the regions.
        settings: strengths, and how masks are carried to the layers.
        losses_at: the names of the losses at a layer.
    """

    encoder: Encoder
    places: Places
    settings: Settings
    losses_at: Callable[[str], Iterable[str]]

    def losses(self, shape: tuple[int, ...], shares: Sequence[float], see: See, weigh: Weigh) -> Iterator[Guided]:
        """All losses of all regions for a result of spatial ``shape``.

        Args:
            shape: as said.
            shares: each painting's share, where there is one region only.
            see: shows the paintings; with pairs of masks, by the number of the pair.
            weigh: weighs a loss before its region does.
        """
        for number, mask in enumerate(self.places.masks_at(shape)):
            factor = float(mask.mean()) * self._factor(number)
            if not factor:
                continue
            several = {number: 1.0} if self.places.pairs else dict(enumerate(shares))
            region = f"region{number + 1}" if self.places.pairs else ""
            for (layer, name), loss in self._aims(number, several, see).items():
                guide = self._carried(mask, layer)
                if guide.any():
                    variant = "/".join(part for part in ("" if name == "gram" else name, region) if part)
                    weight = factor * weigh(number, loss, layer, name)
                    yield Guided(layer, GuidedLoss.around(loss, guide), weight, variant)

    def _aims(self, number: int, shares: Mapping[int, float], see: See) -> dict[tuple[str, str], StyleLoss]:
        """A region's losses before they are guided to it, aimed at its part of its painting, or at paintings mixed."""
        found: dict[tuple[str, str], StyleLoss] = {}
        total: dict[str, float] = {}
        for index, share in shares.items():
            if not share:
                continue
            at, parts = see(index)
            mask = self.places.painting_mask(number, at)
            for layer, features, part in parts:
                guide = None if mask is None else self._carried(mask, layer)
                if guide is not None and not guide.any():
                    continue
                total[layer] = total.get(layer, 0.0) + share * part
                for name in self.losses_at(layer):
                    known = found.get((layer, name))
                    found[layer, name] = (
                        mixed(known, features, guide, share * part / total[layer])
                        if known
                        else aimed(STYLE_LOSSES[name], features, guide)
                    )
        return found

    def _carried(self, mask: Tensor, layer: str) -> Tensor:
        """The guidance channel of a layer, (*spatial)."""
        stack = self.encoder.stack
        stride = stack.stride(layer)
        guide = averaged(mask, stride)
        if self.settings.guidance == "inside":
            eroded = inside(mask, stride, stack.radius(layer))
            guide = eroded if eroded.any() else guide  # nothing sees the region alone: all that see it have to do
        return guide[0, 0].to(self.encoder.device)

    def _factor(self, number: int) -> float:
        """What the region's own strength makes of its weight."""
        own, common = self.settings.mask_strengths, 0.5 if self.settings.strength is None else self.settings.strength
        if own is None:
            return 1.0
        return (own[number] / (1 - own[number])) ** 2 / (common / (1 - common)) ** 2
