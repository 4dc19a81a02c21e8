"""The objective of style transfer at one size: the photo's features, the paintings' statistics, and their weights."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import torch
from torch import Tensor

from impasto.aims.balance import Balance
from impasto.aims.colors import ColorMode
from impasto.aims.panorama import PolesSmoothed
from impasto.aims.regional_style import guided_terms
from impasto.aims.regions import Regions
from impasto.aims.style import StyleTargets
from impasto.choices import WRAPPING
from impasto.encoders import IMAGE, Encoder
from impasto.engines import Engine, Evaluator
from impasto.losses import IMAGE_LOSSES, image_loss
from impasto.memory.execution import Execution
from impasto.objective import Objective, Term
from impasto.pyramid import resize_within
from impasto.settings import Settings


@dataclass(frozen=True, eq=False)
class Targets:
    """Builds the engine for any size of one pair.

    Args:
        encoder: the network.
        content: the photo, (1, 3, H, W) at its full size.
        styles: the paintings, likewise.
        settings: layers, losses, weights, scale and blend.
        color_mode: whose colors the picture has, or None for the paintings'.
        regions: which part of the photo has which style, or None for all of it. With pairs of masks there is one painting
            for each pair, in their order.
        canvas: what sees the result and the photo, if that is another network, with another border, than sees the paintings.
        execution: how each size is computed.
        style: the statistics of the paintings, where several photos share them; else they are made for every engine.
        opening: the picture that says how far content may go, where several share one limit: the first frame of a shot.
        extra_terms: what a task adds to the objective, from a result's spatial shape.

    Raises:
        ValueError: if ``style`` was made with another network, or at another precision, than ``encoder``.
    """

    encoder: Encoder
    content: Tensor
    styles: Sequence[Tensor]
    settings: Settings
    color_mode: ColorMode | None = None
    regions: Regions | None = None
    canvas: Encoder | None = None
    execution: Execution = field(default_factory=Execution)
    style: StyleTargets | None = None
    opening: Tensor | None = None
    extra_terms: Callable[[tuple[int, ...]], Sequence[Term]] | None = None

    def __post_init__(self) -> None:
        if self.style is not None and _kind(self.style.encoder) != _kind(self.encoder):
            raise ValueError("The paintings' statistics were made with another encoder than the photo's.")

    @cached_property
    def balance(self) -> Balance:
        """How content and style are weighed."""
        return Balance(self.settings)

    def engine_at(self, shape: tuple[int, ...]) -> Evaluator:
        """What evaluates a result of spatial ``shape``: an engine, or what shows it luminance alone."""
        engine: Evaluator = self.bare_engine_at(shape)
        engine = engine if self.color_mode is None else self.color_mode.seen_by(engine, shape, self.encoder.device)
        return PolesSmoothed(engine) if self.settings.padding == "equirectangular" else engine

    def bare_engine_at(self, shape: tuple[int, ...]) -> Engine:
        """The engine whose objective belongs to what the network sees of a result of spatial ``shape``."""
        self.execution.announce(self.encoder, shape)
        with torch.no_grad():
            terms = [*self._content_terms(shape), *self._style_terms(shape)]
        free = 1.0 if self.regions is None else self.regions.free_at(shape)
        terms += [*self._image_terms(shape), *(self.extra_terms(shape) if self.extra_terms else ())]
        objective = Objective(
            tuple(terms), self.balance.limit(self.content if self.opening is None else self.opening, free)
        )
        return self.execution.engine(self.canvas or self.encoder, objective, shape)

    def _photo_at(self, shape: tuple[int, ...]) -> Tensor:
        if self.color_mode is not None:
            return self.color_mode.photo_at(shape).to(self.encoder.device)
        return resize_within(self.content, shape, self.settings.padding).to(self.encoder.device)

    def _content_terms(self, shape: tuple[int, ...]) -> list[Term]:
        balance = self.balance
        if not balance.content_layers:
            return []
        if cut := self.execution.cut_at(shape):
            plain = (self.color_mode is None or not self.color_mode.veils) and self.settings.padding not in WRAPPING
            photo = self.execution.resized(self.content, shape) if plain else self._photo_at(shape)
            parts = self.execution.content(self.canvas or self.encoder, photo, balance.content_layers, cut)
            return [balance.content(target, size, layer, self.encoder.device) for layer, target, size in parts]
        image = self._photo_at(shape)
        return [
            balance.content(features, features.float().square().mean().item() / 2, name)
            for name, features in (self.canvas or self.encoder).features(image, balance.content_layers)
        ]

    def _style_terms(self, shape: tuple[int, ...]) -> Iterator[Term]:
        balance = self.balance
        if not balance.style_layers:
            return
        style = self.style or StyleTargets(self.encoder, self.styles, self.settings, self.regions, self.execution)
        if self.regions is not None:
            yield from guided_terms(style, self.regions, balance, shape)
            return
        for (layer, name), loss in style.losses_at(shape).items():
            yield Term("style", layer, loss, balance.style(loss, layer, name), "" if name == "gram" else name)

    def _image_terms(self, shape: tuple[int, ...]) -> Iterator[Term]:
        """What is asked of the picture itself."""
        photo = cache(lambda: self._photo_at(shape))
        for name in IMAGE_LOSSES:
            if weight := getattr(self.settings, name):
                yield Term(name, IMAGE, image_loss(name, photo), weight)


def _kind(encoder: Encoder) -> tuple[Any, ...]:
    """What features depend on, beside the weights."""
    return encoder.stack, encoder.pooling, encoder.padding, encoder.dtype, encoder.device
