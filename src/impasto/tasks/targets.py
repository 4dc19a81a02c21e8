"""The objective of style transfer at one size: the photo's features, the paintings' statistics, and their weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from impasto.encoders import IMAGE, Encoder
from impasto.engines import Engine
from impasto.losses import STYLE_LOSSES, ContentLoss, StyleLoss, TotalVariationLoss
from impasto.objective import Objective, Term
from impasto.pyramid import fitted, resize
from impasto.settings import Settings

_EVEN = 0.025  # content weight over style weight, both relative, at strength 0.5: chosen by looking at a few pairs


@dataclass(frozen=True, eq=False)
class Balance:
    """How content and style are weighed: alpha, and beta with w_l, in Gatys et al. (2016, eq. 5 and 7).

    With ``strength`` s, each loss is first divided by the size of its own target: content by half the mean square of the
    photo's features, the style of each layer by the loss of an image without features (with Gram matrices, the squared
    norm of the painting's in the units of E_l). Both are then relative errors without a unit, comparable over pairs,
    sizes and networks, and are weighed by ``0.025 (1 - s)^2`` and ``s^2``. Minimizers of such a sum have a style loss
    that falls as s rises.
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
    def style_losses(self) -> tuple[str, ...]:
        """The style losses that have a weight."""
        return tuple(name for name, weight in self.settings.style_losses.items() if weight)

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

    def style(self, loss: StyleLoss, layer: str, name: str) -> float:
        """The weight of a style loss, by its name in the settings, at a layer."""
        share = _share(self.settings.style_layers, layer) * _share(self.settings.style_losses, name)
        if self.strength is None:
            return share * (self.settings.style_weight or 0.0)
        return share * self.strength**2 / max(loss.size(), 1e-12)


@dataclass(frozen=True, eq=False)
class Targets:
    """Builds the engine for any size of one pair.

    Args:
        encoder: the network.
        content: the photo, (1, 3, H, W) at its full size.
        styles: the paintings, likewise.
        settings: layers, losses, weights, scale and blend.
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
        losses = self._style_losses(shape, balance.style_layers, balance.style_losses)
        return [
            Term("style", layer, loss, balance.style(loss, layer, name), "" if name == "gram" else name)
            for (layer, name), loss in losses.items()
        ]

    def _style_losses(
        self, shape: tuple[int, ...], layers: Sequence[str], names: Sequence[str]
    ) -> dict[tuple[str, str], StyleLoss]:
        """The losses by layer and name, aimed at the paintings' statistics mixed by their shares."""
        found: dict[tuple[str, str], StyleLoss] = {}
        seen = 0.0
        for style, share in zip(self.styles, shares(self.settings, len(self.styles)), strict=True):
            if not share:
                continue
            seen += share
            image = resize(style, style_shape(self.settings, tuple(style.shape[2:]), shape)).to(self.encoder.device)
            for layer, features in self.encoder.features(image, layers):
                for name in names:
                    known = found.get((layer, name))
                    mixed = known.mixed(features, share / seen) if known else STYLE_LOSSES[name].of(features)
                    found[layer, name] = mixed
        return found


def _share(weights: Mapping[Any, float], name: str) -> float:
    return weights[name] / sum(weights.values())


def style_shape(settings: Settings, style: tuple[int, ...], result: tuple[int, ...]) -> tuple[int, ...]:
    """The spatial shape that a painting of shape ``style`` is seen at, for a result of shape ``result``."""
    return fitted(style, max(1, round(max(result) * settings.style_scale)))


def shares(settings: Settings, count: int) -> list[float]:
    """Each painting's share of the style, adding up to 1."""
    blend = settings.blend or (1.0,) * count
    return [part / sum(blend) for part in blend]
