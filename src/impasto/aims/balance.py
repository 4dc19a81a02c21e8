"""How content and style are weighed against each other, layer by layer, by a run's settings."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor

from impasto.aims.strength import flatness, limit
from impasto.encoders import IMAGE
from impasto.errors import SettingsError
from impasto.losses import AngularLoss, ContentLoss, DistanceLoss, StyleLoss
from impasto.objective import Limit, Term
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
        most = limit(self.strength, flatness(photo, self.settings.padding), self.settings.final_size)
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

    def weight_of(self, index: int, layer: str) -> float:
        """How much the style of an index has to say at a layer, beside the others and before its share."""
        own = self.settings.layers_per_style
        return 1.0 if own is None else own[index][layer]

    def alone(self, index: int) -> Self:
        """The balance of a picture that has the style of an index only, with this style's own layers."""
        own = self.settings.layers_per_style
        if own is None:
            return self
        return replace(
            self, settings=self.settings.model_copy(update={"style_layers": own[index], "layers_per_style": None})
        )

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
            layer: where these are.
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


def _share(weights: Mapping[Any, float], name: str) -> float:
    return weights[name] / sum(weights.values())


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
