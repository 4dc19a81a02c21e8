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
        layers = [name for name, weight in self.settings.content_layers.items() if weight]
        balance = Balance(self.settings)
        if balance.strength == 1 or self.settings.content_weight == 0:
            return []
        image = resize(self.content, shape).to(self.encoder.device)
        return [
            Term("content", name, ContentLoss(features), balance.content(features, name))
            for name, features in self.encoder.features(image, layers)
        ]

    def _style_terms(self, shape: tuple[int, ...]) -> list[Term]:
        layers = [name for name, weight in self.settings.style_layers.items() if weight]
        balance = Balance(self.settings)
        if balance.strength == 0 or self.settings.style_weight == 0:
            return []
        grams: dict[str, Tensor] = {}
        for style, share in zip(self.styles, _shares(self.settings, len(self.styles)), strict=True):
            size = max(1, round(max(shape) * self.settings.style_scale))
            image = resize(style, fitted(tuple(style.shape[2:]), size)).to(self.encoder.device)
            for name, features in self.encoder.features(image, layers):
                gram = GramLoss.of(features).target * share
                grams[name] = grams[name] + gram if name in grams else gram
        return [Term("style", name, GramLoss(gram), balance.style(gram, name)) for name, gram in grams.items()]


def _share(weights: Mapping[str, float], layer: str) -> float:
    return weights[layer] / sum(weights.values())


def _shares(settings: Settings, count: int) -> list[float]:
    blend = settings.blend or (1.0,) * count
    return [part / sum(blend) for part in blend]
