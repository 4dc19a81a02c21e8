"""The objective of style transfer at one size: the photo's features, the paintings' statistics, and their weights."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from impasto.aims.colors import Palette
from impasto.aims.panorama import Evened
from impasto.aims.regional_style import Guidance, Seen
from impasto.aims.regions import Places
from impasto.aims.strength import flatness, limit
from impasto.choices import WRAPPING
from impasto.encoders import IMAGE, Encoder
from impasto.engines import Engine, Evaluator
from impasto.errors import SettingsError
from impasto.losses import (
    STYLE_LOSSES,
    AngularLoss,
    ContentLoss,
    DistanceLoss,
    PhotorealismLoss,
    SharpnessLoss,
    StyleLoss,
    TotalVariationLoss,
)
from impasto.memory.execution import Room
from impasto.objective import Limit, Objective, Term
from impasto.pyramid import fitted, resize, resize_within, scaled
from impasto.settings import HELD_LAYERS, Settings

_SQUARED = {"conv4_2": 1.0}
_NEAREST = ("conv3_1", "conv4_1")  # where single features say what they are of; below they are edges and colors
_EVEN = 0.025  # squared content over style, both relative, at strength 0.5: chosen by looking at a few pairs
_STIFF = 10.0  # of its limit, beside a relative style loss
_CONSTANT = 0.1  # the length of what is added to features that are held, relative to the photo's features


@dataclass(frozen=True, eq=False)
class Balance:
    """How content and style are weighed: alpha, and beta with w_l, in Gatys et al. (2016, eq. 5 and 7).

    With ``strength`` s, each loss is first divided by the size of its own target: content by half the mean square of the
    photo's features, the style of each layer by the loss of an image without features (with Gram matrices, the squared
    norm of the painting's in the units of E_l). Both are then relative errors without a unit, comparable over pairs,
    sizes and networks, and are weighed by ``0.025 (1 - s)^2`` and ``s^2``. Minimizers of such a sum have a style loss
    that falls as s rises.

    With the cosine content loss, which is the usual one, content is held instead: the directions of features, and the
    colors of the image, as a weighted mean over the content layers, may go as far from the photo's as
    :func:`impasto.aims.strength.limit` says, and the relative errors of style decide the rest.
    """

    settings: Settings

    @property
    def strength(self) -> float | None:
        """The strength in force, or None where weights are given instead."""
        if self.settings.content_weight is not None:
            return None
        return 0.5 if self.settings.strength is None else self.settings.strength

    @property
    def holds(self) -> bool:
        """Whether content is held at a distance, rather than weighed by its squared error."""
        chosen = self.settings
        if chosen.content_loss is not None:
            return chosen.content_loss == "cosine"
        return chosen.mask_strengths is None and self.strength not in (None, 0, 1)

    @property
    def content_weights(self) -> Mapping[str, float]:
        """The weights of the content layers, relative to one another."""
        return self.settings.content_layers or (HELD_LAYERS if self.holds else _SQUARED)

    def limit(self, photo: Tensor, free: float = 1.0) -> Limit | None:
        """How far the content may go from the photo's, where it is held.

        Args:
            photo: (1, 3, H, W).
            free: the share of the picture that may change at all: the rest is at no distance.
        """
        if not self.holds or not self.content_layers:
            return None
        assert self.strength is not None
        most = limit(self.strength, flatness(photo, self.settings.padding))
        return Limit("content", max(most * free, 1e-6), _STIFF)

    @property
    def content_layers(self) -> tuple[str, ...]:
        """The layers whose content loss has a say."""
        off = self.strength == 1 or self.settings.content_weight == 0
        return () if off else tuple(name for name, weight in self.content_weights.items() if weight)

    @property
    def style_layers(self) -> tuple[str, ...]:
        """The layers whose style loss has a say."""
        off = self.strength == 0 or self.settings.style_weight == 0
        return () if off else tuple(name for name, weight in self.style_weights.items() if weight)

    def layers_of(self, index: int) -> tuple[str, ...]:
        """The layers at which the style of an index has a say."""
        own = self.settings.layers_per_style
        return tuple(name for name in self.style_layers if own is None or own[index].get(name))

    @property
    def style_weights(self) -> Mapping[str, float]:
        """w_l: of every style layer; where styles have layers of their own, what each gives it, by its share."""
        own = self.settings.layers_per_style
        if own is None:
            return self.settings.style_layers
        found: dict[str, float] = {}
        for weights, share in zip(own, shares(self.settings, len(own)), strict=True):
            for name, weight in weights.items():
                found[name] = found.get(name, 0.0) + share * weight
        return found

    @property
    def style_losses(self) -> tuple[str, ...]:
        """The style losses that have a weight."""
        return tuple(name for name, weight in self._loss_weights.items() if weight)

    def losses_at(self, layer: str) -> tuple[str, ...]:
        """The style losses that have a say at a layer."""
        everywhere = self.settings.style_losses is not None or layer in _NEAREST
        return tuple(name for name in self.style_losses if everywhere or name != "nearest")

    @property
    def _loss_weights(self) -> Mapping[Any, float]:
        usual = ("gram", "nearest") if self.holds else ("gram",)
        return self.settings.style_losses or dict.fromkeys(usual, 1.0)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose features are looked at, each once."""
        return tuple(dict.fromkeys(self.content_layers + self.style_layers))

    def content(self, target: Tensor, size: float, layer: str, device: torch.device | None = None) -> Term:
        """The content loss at a layer.

        Args:
            target: the photo's features, (B, C, *spatial).
            size: half their mean square.
            layer: as said.
            device: where it is computed, if not where the target is.
        """
        share = _share(self.content_weights, layer)
        if self.holds and layer == IMAGE:
            return Term("content", layer, DistanceLoss(target, device), share, "distance")
        if self.holds:
            weak = _CONSTANT * math.sqrt(2 * size * target.shape[1])
            return Term("content", layer, AngularLoss(target, max(weak, 1e-12), device), share, "cosine")
        if self.strength is None:
            weight = self.settings.content_weight or 0.0
        else:
            weight = _EVEN * (1 - self.strength) ** 2 / max(size, 1e-12)
        return Term("content", layer, ContentLoss(target, device), share * weight)

    def style(self, loss: StyleLoss, layer: str, name: str) -> float:
        """The weight of a style loss, by its name in the settings, at a layer."""
        beside = {other: weight for other, weight in self.style_weights.items() if name in self.losses_at(other)}
        share = _share(beside, layer) * _share(self._loss_weights, name)
        if self.strength is None:
            return share * (self.settings.style_weight or 0.0)
        return share * (1.0 if self.holds else self.strength**2) / max(loss.size(), 1e-12)


@dataclass(frozen=True, eq=False)
class Targets:
    """Builds the engine for any size of one pair.

    Args:
        encoder: the network.
        content: the photo, (1, 3, H, W) at its full size.
        styles: the paintings, likewise.
        settings: layers, losses, weights, scale and blend.
        palette: whose colors the picture has, or None for the paintings'.
        places: which part of the photo has which style, or None for all of it. With pairs of masks there is one painting
            for each pair, in their order.
        canvas: what sees the result and the photo, if that is another network, with another border, than sees the paintings.
        room: how each size is computed.
    """

    encoder: Encoder
    content: Tensor
    styles: Sequence[Tensor]
    settings: Settings
    palette: Palette | None = None
    places: Places | None = None
    canvas: Encoder | None = None
    room: Room = field(default_factory=Room)

    def engine_at(self, shape: tuple[int, ...]) -> Evaluator:
        """What evaluates a result of spatial ``shape``: an engine, behind a veil if the network sees only luminance."""
        engine: Evaluator = self.bare_engine_at(shape)
        engine = engine if self.palette is None else self.palette.seen_by(engine, shape, self.encoder.device)
        return Evened(engine) if self.settings.padding == "equirectangular" else engine

    def bare_engine_at(self, shape: tuple[int, ...]) -> Engine:
        """The engine whose objective belongs to what the network sees of a result of spatial ``shape``."""
        self.room.announce(self.encoder, shape)
        with torch.no_grad():
            terms = [*self._content_terms(shape), *self._style_terms(shape)]
        free = 1.0 if self.places is None else self.places.free_at(shape)
        objective = Objective((*terms, *self._image_terms(shape)), Balance(self.settings).limit(self.content, free))
        return self.room.engine(self.canvas or self.encoder, objective, shape)

    def _photo_at(self, shape: tuple[int, ...]) -> Tensor:
        if self.palette is not None:
            return self.palette.photo_at(shape).to(self.encoder.device)
        return resize_within(self.content, shape, self.settings.padding).to(self.encoder.device)

    def _image_terms(self, shape: tuple[int, ...]) -> Iterator[Term]:
        """What is asked of the picture itself."""
        chosen = self.settings
        if chosen.smoothness:
            yield Term("smoothness", IMAGE, TotalVariationLoss(), chosen.smoothness)
        if chosen.sharpness:
            yield Term("sharpness", IMAGE, SharpnessLoss(self._photo_at(shape)), chosen.sharpness)
        if chosen.photorealism:
            yield Term("photorealism", IMAGE, PhotorealismLoss(self._photo_at(shape)), chosen.photorealism)

    def _content_terms(self, shape: tuple[int, ...]) -> list[Term]:
        balance = Balance(self.settings)
        if not balance.content_layers:
            return []
        if cut := self.room.cut_at(shape):
            plain = (self.palette is None or not self.palette.veils) and self.settings.padding not in WRAPPING
            photo = self.room.resized(self.content, shape) if plain else self._photo_at(shape)
            parts = self.room.content(self.canvas or self.encoder, photo, balance.content_layers, cut)
            return [balance.content(target, size, layer, self.encoder.device) for layer, target, size in parts]
        image = self._photo_at(shape)
        return [
            balance.content(features, features.float().square().mean().item() / 2, name)
            for name, features in (self.canvas or self.encoder).features(image, balance.content_layers)
        ]

    def _style_terms(self, shape: tuple[int, ...]) -> list[Term]:
        balance = Balance(self.settings)
        if not balance.style_layers:
            return []
        if self.places is not None:
            return self._guided_terms(shape, self.places)
        losses = self._style_losses(shape, balance.style_layers)
        return [
            Term("style", layer, loss, balance.style(loss, layer, name), "" if name == "gram" else name)
            for (layer, name), loss in losses.items()
        ]

    def _guided_terms(self, shape: tuple[int, ...], places: Places) -> list[Term]:
        """Those of every region by itself; where regions have styles of their own, with that style's layers."""
        own = self.settings.layers_per_style if places.pairs else None

        def seen(index: int) -> Seen:
            style, image = self._style(index), self._seen(index, shape)
            layers = Balance(self.settings).layers_of(style)
            parts = (
                (layer, features, self._weight_of(style, layer))
                for layer, features in self.encoder.features(image, layers)
            )
            return tuple(image.shape[2:]), parts

        def weigh(number: int, loss: StyleLoss, layer: str, name: str) -> float:
            alone = {} if own is None else {"style_layers": own[self._style(number)], "layers_per_style": None}
            return Balance(self.settings.model_copy(update=alone)).style(loss, layer, name)

        guidance = Guidance(self.encoder, places, self.settings, Balance(self.settings).losses_at)
        found = guidance.losses(shape, shares(self.settings, len(self.styles)), seen, weigh)
        return [Term("style", part.layer, part.loss, part.weight, part.variant) for part in found]

    def _style(self, index: int) -> int:
        """The number of the style that a painting shows: with pairs of masks one style may be there several times."""
        return self.places.styles[index] if self.places is not None and self.places.pairs else index

    def _seen(self, index: int, shape: tuple[int, ...]) -> Tensor:
        """The painting of an index as it is seen for a result of a shape."""
        return resize(self.styles[index], self._shape_seen(index, shape)).to(self.encoder.device)

    def _shape_seen(self, index: int, shape: tuple[int, ...]) -> tuple[int, ...]:
        seen = self._seen_at(tuple(self.styles[index].shape[2:]), shape)
        if self.settings.style_scales is not None:
            seen = scaled(seen, self.settings.style_scales[self._style(index)])
        return seen

    def _seen_at(self, style: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape that a style is seen at, for a result of a shape."""
        return style_shape(self.settings, style, shape)

    def _style_losses(self, shape: tuple[int, ...], layers: Sequence[str]) -> dict[tuple[str, str], StyleLoss]:
        """The losses by layer and name, aimed at the paintings' statistics mixed by their shares."""
        found: dict[tuple[str, str], StyleLoss] = {}
        seen = dict.fromkeys(layers, 0.0)
        for index, share in enumerate(shares(self.settings, len(self.styles))):
            own = Balance(self.settings).layers_of(index) if share else ()
            if own and self._outsized(index, shape):
                for layer in own:
                    seen[layer] += share * self._weight_of(index, layer)
                parts = {layer: share * self._weight_of(index, layer) / seen[layer] for layer in own}
                found.update(self._mixed_in_tiles(found, index, shape, parts))
                continue
            for layer, features in self.encoder.features(self._seen(index, shape), own) if own else ():
                part = share * self._weight_of(index, layer)
                seen[layer] += part
                for name in Balance(self.settings).losses_at(layer):
                    known = found.get((layer, name))
                    mixed = known.mixed(features, part / seen[layer]) if known else STYLE_LOSSES[name].of(features)
                    found[layer, name] = mixed
        return found

    def _outsized(self, index: int, shape: tuple[int, ...]) -> bool:
        """Whether a painting is seen too large to be taken whole."""
        cut = self.room.cut_at(shape)
        seen = math.prod(self._shape_seen(index, shape))
        divisible = all(STYLE_LOSSES[name].pointwise for name in Balance(self.settings).style_losses)
        return divisible and cut is not None and seen > max(tile.box.positions for tile in cut)

    def _mixed_in_tiles(
        self, found: Mapping[tuple[str, str], StyleLoss], index: int, shape: tuple[int, ...], parts: Mapping[str, float]
    ) -> dict[tuple[str, str], StyleLoss]:
        """The losses found so far with a part of each layer's target given over to a painting taken tile by tile."""
        cut = self.room.cut_at(shape)
        assert cut is not None
        balance = Balance(self.settings)
        known = {(layer, name): found.get((layer, name)) for layer in parts for name in balance.losses_at(layer)}
        side = max(max(tile.core.shape) for tile in cut)
        losses = self.room.style(self.encoder, self.styles[index], self._shape_seen(index, shape), known, side)
        for key, loss in losses.items():
            before = known[key]
            losses[key] = loss if before is None else before.joined(loss.target, parts[key[0]])
        return losses

    def _weight_of(self, index: int, layer: str) -> float:
        """How much a style has to say at a layer, beside the others."""
        own = self.settings.layers_per_style
        return 1.0 if own is None else own[index][layer]


def _share(weights: Mapping[Any, float], name: str) -> float:
    return weights[name] / sum(weights.values())


def style_shape(settings: Settings, style: tuple[int, ...], result: tuple[int, ...]) -> tuple[int, ...]:
    """The spatial shape that paintings of shape ``style`` are seen at, for a result of shape ``result``."""
    return fitted(style, max(1, round(max(result) * settings.scale_of())))


def check_counts(settings: Settings, count: int) -> None:
    """Refuse settings with an entry per style if there is another number of styles.

    Raises:
        SettingsError: naming both numbers.
    """
    called = {
        "blend": "The blend has {} shares for {} styles; give one share each.",
        "style_scales": "The setting style_scales has {} scales for {} styles; give one scale each.",
        "layers_per_style": "The setting layers_per_style has the layers of {} styles for {} styles; give layers for each.",
    }
    for name, sentence in called.items():
        given = getattr(settings, name)
        if given is not None and len(given) != count:
            raise SettingsError(sentence.format(len(given), count))


def shares(settings: Settings, count: int) -> list[float]:
    """Each painting's share of the style, adding up to 1."""
    blend = settings.blend or (1.0,) * count
    return [part / sum(blend) for part in blend]
