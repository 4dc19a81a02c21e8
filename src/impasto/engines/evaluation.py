"""The value and gradient of an objective, over one tile or many.

Summaries are added over tiles, compared once, and pulled back tile by tile. With one tile, the activations of the
first pass are kept and nothing is computed twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from impasto.encoders import Encoder
from impasto.errors import SettingsError
from impasto.losses import Loss
from impasto.objective import Objective, Term
from impasto.tiling import Tile, Window, whole


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What one evaluation found.

    Args:
        value: the objective.
        losses: each term's plain loss, without its weight, by term name.
        weighted: each term's part of the value, by term name.
        gradient: the derivative of the objective with respect to the image, or None if it was not asked for.
    """

    value: float
    losses: dict[str, float]
    weighted: dict[str, float]
    gradient: Tensor | None

    @property
    def by_kind(self) -> dict[str, float]:
        """The weighted losses, added up by kind: ``content``, ``style``, ``smoothness``."""
        total: dict[str, float] = {}
        for name, part in self.weighted.items():
            kind = name.partition("/")[0]
            total[kind] = total.get(kind, 0.0) + part
        return total


@dataclass(frozen=True, eq=False)
class Engine:
    """Evaluates one objective with one encoder.

    Args:
        encoder: the network.
        objective: what is evaluated.
        tiles: how the image is cut; None takes it whole.
    """

    encoder: Encoder
    objective: Objective
    tiles: tuple[Tile, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse what would be wrong rather than slow.

        Raises:
            SettingsError: for several tiles under circular padding, whose border is on the far side of the image.
        """
        if self.tiles and len(self.tiles) > 1 and self.encoder.padding == "circular":
            raise SettingsError("Circular padding cannot be cut into tiles; take the image whole or another padding.")

    def evaluate(self, image: Tensor) -> Evaluation:
        """The objective's value, its terms, and its gradient at ``image`` (B, 3, *spatial), RGB in [0, 1]."""
        shape = tuple(image.shape[2:])
        cut = self.tiles or whole(shape)
        with torch.no_grad():
            views = [_View(self, tile, shape) for tile in cut]
            kept = [view.forward(image) for view in views[:1]]
            summaries = views[0].summarize(kept[0])
            for view in views[1:]:
                summaries = [a + b for a, b in zip(summaries, view.summarize(view.features(image)), strict=True)]
            gradient = views[0].backward(kept.pop(), summaries)
            if len(views) > 1:
                gradient = _collect(image, views, summaries, gradient)
        return self._evaluation(summaries, shape, gradient)

    def measure(self, image: Tensor) -> Evaluation:
        """The value and the terms alone, in a fraction of the time and memory; the gradient is None."""
        shape = tuple(image.shape[2:])
        with torch.no_grad():
            views = [_View(self, tile, shape) for tile in self.tiles or whole(shape)]
            parts = [view.stream(image) for view in views]
        return self._evaluation([sum(column[1:], column[0]) for column in zip(*parts, strict=True)], shape, None)

    def _evaluation(self, summaries: Sequence[Tensor], shape: tuple[int, ...], gradient: Tensor | None) -> Evaluation:
        terms = self.objective.terms
        values = [
            term.loss.compare(summary, _positions(self.encoder, term.layer, shape))
            for term, summary in zip(terms, summaries, strict=True)
        ]
        numbers = torch.stack(values).tolist()
        losses = {term.name: number for term, number in zip(terms, numbers, strict=True)}
        weighted = {term.name: term.weight * losses[term.name] for term in terms}
        return Evaluation(sum(weighted.values()), losses, weighted, gradient)


class _View:
    """One tile's part of an evaluation."""

    def __init__(self, engine: Engine, tile: Tile, shape: tuple[int, ...]) -> None:
        self.encoder = engine.encoder
        self.terms = engine.objective.terms
        self.layers = engine.objective.layers
        self.tile = tile
        self.shape = shape
        self.losses = [self._localized(term) for term in self.terms]

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return self.encoder.forward(image[self.tile.box.index], self.layers)

    def features(self, image: Tensor) -> dict[str, Tensor]:
        return dict(self.encoder.features(image[self.tile.box.index], self.layers))

    def stream(self, image: Tensor) -> list[Tensor]:
        """The summaries, with one activation alive at a time."""
        found: dict[int, Tensor] = {}
        for layer, features in self.encoder.features(image[self.tile.box.index], self.layers):
            for position, term in enumerate(self.terms):
                if term.layer == layer:
                    found[position] = self.losses[position].summarize(self._core(features, term))
        return [found[position] for position in range(len(self.terms))]

    def summarize(self, features: Mapping[str, Tensor]) -> list[Tensor]:
        return [
            loss.summarize(self._core(features[term.layer], term))
            for loss, term in zip(self.losses, self.terms, strict=True)
        ]

    def backward(self, kept: dict[str, Tensor], summaries: Sequence[Tensor]) -> Tensor:
        features = {layer: kept[layer] for layer in self.layers}

        def inject(layer: str, out: Tensor) -> None:
            of_layer = features.pop(layer)
            for loss, term, summary in zip(self.losses, self.terms, summaries, strict=True):
                if term.layer == layer:
                    positions = _positions(self.encoder, layer, self.shape)
                    core = self._core(of_layer, term)
                    loss.add_gradient(self._core(out, term), core, summary, positions, term.weight)

        return self.encoder.backward(kept, self.layers, inject)

    def _localized(self, term: Term) -> Loss:
        return term.loss.at(self._window(term.layer))

    def _window(self, layer: str) -> Window:
        stack = self.encoder.stack
        return self.tile.core_at(stack.stride(layer), stack.extent(layer, self.shape), self.shape)

    def _core(self, features: Tensor, term: Term) -> Tensor:
        """The view of the tile's features that its core answers for."""
        stack = self.encoder.stack
        window = self._window(term.layer).reaching(term.loss.margin, stack.extent(term.layer, self.shape))
        return features[window.moved(self.tile.origin_at(stack.stride(term.layer))).index]


def _collect(image: Tensor, views: Sequence[_View], summaries: Sequence[Tensor], first: Tensor) -> Tensor:
    """The whole gradient: every tile's own, added where boxes overlap."""
    gradient = torch.zeros_like(image)
    gradient[views[0].tile.box.index] += first
    for view in views[1:]:
        gradient[view.tile.box.index] += view.backward(view.forward(image), summaries)
    return gradient


def _positions(encoder: Encoder, layer: str, shape: tuple[int, ...]) -> int:
    count = 1
    for length in encoder.stack.extent(layer, shape):
        count *= length
    return count
