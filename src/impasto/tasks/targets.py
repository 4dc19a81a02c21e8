"""The objective of style transfer at one size: the photo's features, the paintings' Gram matrices, and their weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from impasto.encoders import IMAGE, Encoder
from impasto.engines import Engine
from impasto.losses import ContentLoss, GramLoss, TotalVariationLoss
from impasto.objective import Objective, Term
from impasto.pyramid import fitted, resize
from impasto.settings import Settings

_EVEN = 0.025  # content weight over style weight, both relative, at strength 0.5: chosen by looking at many pairs


@dataclass(frozen=True, eq=False)
class Balance:
    """How content and style are weighed: alpha, and beta with w_l, in Gatys et al. (2016, eq. 5 and 7).

    With ``strength`` s, each loss is first divided by the size of its own target: content by half the mean square of the
    photo's features, the style of each layer by the squared norm of the painting's Gram matrix in the units of E_l. Both
    are then relative errors without a unit, comparable over pairs, sizes and networks, and are weighed by
    ``0.025 (1 - s)^2`` and ``s^2``. Minimizers of such a sum have a style loss that falls as s rises.
    """

    settings: Settings

    @property
    def strength(self) -> float | None:
        """The strength in force, or None where weights are given instead."""
        if self.settings.content_weight is not None:
            return None
        return 0.5 if self.settings.strength is None else self.settings.strength

    @property
    def content_layers(self) -> tuple[str, ...]:
        """The layers whose content loss has a say."""
        off = self.strength == 1 or self.settings.content_weight == 0
        return () if off else tuple(name for name, weight in self.settings.content_layers.items() if weight)

    @property
    def style_layers(self) -> tuple[str, ...]:
        """The layers whose style loss has a say."""
        off = self.strength == 0 or self.settings.style_weight == 0
        return () if off else tuple(name for name, weight in self.settings.style_layers.items() if weight)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose features are looked at, each once."""
        return tuple(dict.fromkeys(self.content_layers + self.style_layers))

    def content(self, features: Tensor, layer: str) -> float:
        """The weight of the content loss at a layer whose target is ``features``."""
        share = _share(self.settings.content_layers, layer)
        if self.strength is None:
            return share * (self.settings.content_weight or 0.0)
        size = features.float().square().mean().item() / 2
        return share * _EVEN * (1 - self.strength) ** 2 / max(size, 1e-12)

    def style(self, target: Tensor, layer: str) -> float:
        """The weight of the style loss at a layer whose target is the Gram matrix ``target`` (1, N, N)."""
        share = _share(self.settings.style_layers, layer)
        if self.strength is None:
            return share * (self.settings.style_weight or 0.0)
        size = target.square().sum().item() / (4 * target.shape[-1] ** 2)
        return share * self.strength**2 / max(size, 1e-12)


@dataclass(frozen=True, eq=False)
class Targets:
    """Builds the engine for any size of one pair.

    Args:
        encoder: the network.
        content: the photo, (1, 3, H, W) at its full size.
        styles: the paintings, likewise.
        settings: layers, weights, scale and blend.
    """

    encoder: Encoder
    content: Tensor
    styles: Sequence[Tensor]
    settings: Settings

    def engine_at(self, shape: tuple[int, ...]) -> Engine:
        """The engine whose objective belongs to a result of spatial ``shape``."""
        with torch.no_grad():
            terms = [*self._content_terms(shape), *self._style_terms(shape)]
        if self.settings.smoothness:
            terms.append(Term("smoothness", IMAGE, TotalVariationLoss(), self.settings.smoothness))
        return Engine(self.encoder, Objective(tuple(terms)))

    def _content_terms(self, shape: tuple[int, ...]) -> list[Term]:
        balance = Balance(self.settings)
        if not balance.content_layers:
            return []
        image = resize(self.content, shape).to(self.encoder.device)
        return [
            Term("content", name, ContentLoss(features), balance.content(features, name))
            for name, features in self.encoder.features(image, balance.content_layers)
        ]

    def _style_terms(self, shape: tuple[int, ...]) -> list[Term]:
        balance = Balance(self.settings)
        if not balance.style_layers:
            return []
        grams: dict[str, Tensor] = {}
        for style, share in zip(self.styles, shares(self.settings, len(self.styles)), strict=True):
            image = resize(style, style_shape(self.settings, tuple(style.shape[2:]), shape)).to(self.encoder.device)
            for name, features in self.encoder.features(image, balance.style_layers):
                gram = GramLoss.of(features).target * share
                grams[name] = grams[name] + gram if name in grams else gram
        return [Term("style", name, GramLoss(gram), balance.style(gram, name)) for name, gram in grams.items()]


def _share(weights: Mapping[str, float], layer: str) -> float:
    return weights[layer] / sum(weights.values())


def style_shape(settings: Settings, style: tuple[int, ...], result: tuple[int, ...]) -> tuple[int, ...]:
    """The spatial shape that a painting of shape ``style`` is seen at, for a result of shape ``result``."""
    return fitted(style, max(1, round(max(result) * settings.style_scale)))


def shares(settings: Settings, count: int) -> list[float]:
    """Each painting's share of the style, adding up to 1."""
    blend = settings.blend or (1.0,) * count
    return [part / sum(blend) for part in blend]
