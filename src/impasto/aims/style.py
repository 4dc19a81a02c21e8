"""The losses of style aimed at paintings, by the shape of a result; photos can share them."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property

import torch
from torch import Tensor

from impasto.aims.balance import Balance, shares
from impasto.aims.regions import Regions
from impasto.encoders import Encoder
from impasto.losses import STYLE_LOSSES, StyleLoss
from impasto.losses.guided import aimed, mixed
from impasto.masks import averaged, inside
from impasto.memory.execution import Execution
from impasto.pyramid import fitted, resize, scaled
from impasto.settings import Settings

Shape = tuple[int, ...]
Losses = Mapping[tuple[str, str], StyleLoss]
"""Losses of style by their layer and their name in the settings."""


@dataclass(frozen=True, eq=False)
class StyleTargets:
    """The statistics of paintings, as the losses of style that are aimed at them, for results of any shape.

    They know nothing of the photo. What is found for a shape is kept, so photos that are given one value (the frames of a
    film, the pictures of a batch) share it. It belongs to one encoder: a measurement at another precision has one of its own.

    Args:
        encoder: the network that sees the paintings.
        styles: the paintings, (1, 3, H, W) at their own sizes; with pairs of masks one for each pair.
        settings: layers, losses, scale and blend.
        regions: the regions, whose masks of paintings count, or None.
        execution: how each size is computed.
        seen_at: from the spatial shapes of a painting and a result the shape that the painting is seen at;
            :func:`style_shape` unless given.
    """

    encoder: Encoder
    styles: Sequence[Tensor]
    settings: Settings
    regions: Regions | None = None
    execution: Execution = field(default_factory=Execution)
    seen_at: Callable[[Shape, Shape], Shape] | None = None
    _known: dict[tuple[Shape, int | None], Losses] = field(default_factory=dict, init=False, repr=False)
    _alone: "dict[int, StyleTargets]" = field(default_factory=dict, init=False, repr=False)

    def losses_at(self, shape: Shape, region: int | None = None) -> Losses:
        """The losses for a result of spatial ``shape``, aimed at the paintings mixed by their shares.

        Args:
            shape: of the result.
            region: the number of a region: then the losses before they are guided to it, aimed at its part of its painting.
        """
        if (shape, region) not in self._known:
            with torch.no_grad():
                self._known[shape, region] = self._losses(shape, region)
        return self._known[shape, region]

    def blended(self, blend: Sequence[float]) -> "StyleTargets":
        """The same paintings in other shares, from statistics of each that are found once."""
        for index, share in enumerate(blend):
            if share and index not in self._alone:
                pure = tuple(float(other == index) for other in range(len(blend)))
                self._alone[index] = replace(self, settings=self.settings.model_copy(update={"blend": pure}))
        settings = self.settings.model_copy(update={"blend": tuple(blend)})
        given = {part.name: getattr(self, part.name) for part in fields(self) if part.init}
        return _Blended(**{**given, "settings": settings}, alone=self._alone)

    def guide(self, mask: Tensor, layer: str) -> Tensor:
        r"""The guidance channel of a layer, (\*spatial), from a mask (1, 1, \*spatial) of a picture."""
        stack = self.encoder.stack
        stride = stack.stride(layer)
        guide = averaged(mask, stride)
        if self.settings.guidance == "inside":
            eroded = inside(mask, stride, stack.radius(layer))
            guide = eroded if eroded.any() else guide  # nothing sees the region alone: all that see it have to do
        return guide[0, 0].to(self.encoder.device)

    def outsized(self, index: int, shape: Shape) -> bool:
        """Whether a painting is seen too large, for a result of a shape in tiles, to be taken whole."""
        cut = self.execution.cut_at(shape)
        seen = math.prod(self._shape_seen(index, shape))
        divisible = all(STYLE_LOSSES[name].pointwise for name in self._balance.style_losses)
        return divisible and cut is not None and seen > max(tile.box.positions for tile in cut)

    @cached_property
    def _balance(self) -> Balance:
        return Balance(self.settings)

    def _losses(self, shape: Shape, region: int | None) -> Losses:
        found: dict[tuple[str, str], StyleLoss] = {}
        part = self._parts()
        for index, share in self._shares(region).items():
            layers = self._balance.layers_of(self._style(index)) if share else ()
            if layers and region is None and self.outsized(index, shape):
                parts = {layer: part(index, share, layer) for layer in layers}
                found.update(self._mixed_in_tiles(found, index, shape, parts))
                continue
            for layer, features, guide in self._features(index, shape, layers, region):
                own = part(index, share, layer)
                for name in self._balance.losses_at(layer):
                    known = found.get((layer, name))
                    found[layer, name] = (
                        mixed(known, features, guide, own) if known else aimed(STYLE_LOSSES[name], features, guide)
                    )
        return found

    def _parts(self) -> Callable[[int, float, str], float]:
        """A function of a painting, its share and a layer: its part of all that has been mixed there, with its own."""
        total: dict[str, float] = {}

        def part(index: int, share: float, layer: str) -> float:
            own = share * self._balance.weight_of(self._style(index), layer)
            total[layer] = total.get(layer, 0.0) + own
            return own / total[layer]

        return part

    def _shares(self, region: int | None) -> dict[int, float]:
        """By number, the shares of the paintings that are mixed."""
        if region is not None and self.regions is not None and self.regions.pairs:
            return {region: 1.0}
        return dict(enumerate(shares(self.settings, len(self.styles))))

    def _features(
        self, index: int, shape: Shape, layers: Sequence[str], region: int | None
    ) -> Iterator[tuple[str, Tensor, Tensor | None]]:
        """A painting's features at layers, with the guidance channel of the region in it, None for all of it."""
        if not layers:
            return
        image = resize(self.styles[index], self._shape_seen(index, shape)).to(self.encoder.device)
        mask = None
        if self.regions is not None and region is not None:
            mask = self.regions.painting_mask(region, tuple(image.shape[2:]))
        for layer, features in self.encoder.features(image, layers):
            guide = None if mask is None else self.guide(mask, layer)
            if guide is None or guide.any():
                yield layer, features, guide

    def _style(self, index: int) -> int:
        """The number of the style that a painting shows: with pairs of masks one style may be there several times."""
        return self.regions.styles[index] if self.regions is not None and self.regions.pairs else index

    def _shape_seen(self, index: int, shape: Shape) -> Shape:
        own = tuple(self.styles[index].shape[2:])
        seen = self.seen_at(own, shape) if self.seen_at else style_shape(self.settings, own, shape)
        if self.settings.style_scales is not None:
            seen = scaled(seen, self.settings.style_scales[self._style(index)])
        return seen

    def _mixed_in_tiles(self, found: Losses, index: int, shape: Shape, parts: Mapping[str, float]) -> Losses:
        """The losses found so far with a part of each layer's target given over to a painting taken tile by tile."""
        cut = self.execution.cut_at(shape)
        assert cut is not None
        known = {(layer, name): found.get((layer, name)) for layer in parts for name in self._balance.losses_at(layer)}
        side = max(max(tile.core.shape) for tile in cut)
        losses = self.execution.style(self.encoder, self.styles[index], self._shape_seen(index, shape), known, side)
        for key, loss in losses.items():
            before = known[key]
            losses[key] = loss if before is None else before.joined(loss.target, parts[key[0]])
        return losses


@dataclass(frozen=True, eq=False)
class _Blended(StyleTargets):
    """Paintings mixed from the statistics of each."""

    alone: Mapping[int, StyleTargets] = field(default_factory=dict)

    def _losses(self, shape: Shape, region: int | None) -> Losses:
        found: dict[tuple[str, str], StyleLoss] = {}
        part = self._parts()
        for index, share in self._shares(region).items():
            own = self.alone[index].losses_at(shape, region) if share else {}
            parts = {layer: part(index, share, layer) for layer in dict.fromkeys(layer for layer, _ in own)}
            for (layer, name), loss in own.items():
                known = found.get((layer, name))
                found[layer, name] = known.joined(loss.target, parts[layer]) if known else loss
        return found


def style_shape(settings: Settings, style: tuple[int, ...], result: tuple[int, ...]) -> tuple[int, ...]:
    """The spatial shape that paintings of shape ``style`` are seen at, for a result of shape ``result``."""
    return fitted(style, max(1, round(max(result) * settings.scale_of())))
