"""Whose colors a picture has: the painting's, or by one of several ways the photo's (Gatys et al. 2017, section 5)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from impasto.color import (
    ColorMoments,
    LinearMap,
    cholesky,
    chroma,
    is_gray,
    luminance,
    luminance_room,
    match_histogram,
    match_luminance,
    monge_kantorovich,
    with_chroma,
)
from impasto.engines import Evaluation, Evaluator
from impasto.images import Picture
from impasto.optimizers import Bounds
from impasto.pyramid import resize_within
from impasto.settings import Settings

_LINEAR: dict[str, Callable[[ColorMoments, ColorMoments], LinearMap]] = {
    "match": monge_kantorovich,
    "match-cholesky": cholesky,
}
_ROUNDING = 1e-6  # of a luminance that was computed from red, green and blue


@dataclass(frozen=True, eq=False)
class ColorMode:
    """What the settings ``color`` and ``color_strength`` do to a run.

    - ``match``, ``match-cholesky`` and ``histogram`` recolor the paintings before anything else is done.
    - ``luminance`` lets the network see every picture without a share of its chroma: all of it at strength 1. The chroma
      of the photo is added to what it sees. So the descent is over the picture itself, whose bounds stay those of
      pictures: there is nothing to clip at the end. At strength 1 only luminance moves, as far as the photo's chroma
      leaves it room in [0, 1].
    - ``restore`` gives the finished picture the photo's chroma.

    Args:
        settings: as said.
        photo: (1, 3, H, W) at its full size.
        opacity: how much each of its positions counts, (1, 1, H, W), or None for all alike.
        gray: whether all that the picture could have its colors from is gray. Then only grays are painted, for a descent in
            three channels would find colors that the network does not mind.
    """

    settings: Settings
    photo: Tensor
    opacity: Tensor | None = None
    gray: bool = False

    @classmethod
    def of(cls, settings: Settings, photo: Picture, styles: Sequence[Picture]) -> Self:
        """The palette of a run."""
        others = styles if settings.color == "style" or settings.color_strength < 1 else ()
        gray = all(is_gray(picture.pixels) for picture in (photo, *others))
        return cls(settings, photo.pixels, photo.alpha, gray)

    @property
    def hides(self) -> float:
        """The share of chroma that the network does not see."""
        return self.settings.color_strength if self.settings.color == "luminance" else 0.0

    @property
    def locks(self) -> bool:
        """Whether the picture's chroma is the photo's from beginning to end: none, of a gray one."""
        return self.gray or self.hides == 1

    @property
    def veils(self) -> bool:
        """Whether the network sees pictures otherwise than they are."""
        return self.gray or self.hides > 0

    def painting(self, painting: Tensor, opacity: Tensor | None = None, region: Tensor | None = None) -> Tensor:
        """A painting as the network is to see it, in [0, 1].

        Args:
            painting: (1, 3, H, W).
            opacity: how much each of its positions counts, (1, 1, H, W), or None.
            region: how much each of the photo's positions counts, or None for the whole photo.
        """
        weights = self.opacity if region is None else region
        color, share = self.settings.color, self.settings.color_strength
        if color in _LINEAR:
            of_painting, of_photo = ColorMoments.of(painting, opacity), self._moments(weights)
            matched = _LINEAR[color](of_painting, of_photo)(painting)
        elif color == "histogram":
            matched = match_histogram(painting, self.photo, opacity, weights)
        elif color == "luminance":
            matched = match_luminance(painting, self._moments(weights), opacity).expand_as(painting)
        else:
            return painting
        return torch.lerp(painting, matched, share).clamp_(0, 1)

    def photo_at(self, shape: tuple[int, ...]) -> Tensor:
        """The photo as the network is to see it, at a size."""
        photo = self._photo(shape)
        return (
            luminance(photo).expand_as(photo) if self.gray else photo - self.hidden_at(shape) if self.hides else photo
        )

    def hidden_at(self, shape: tuple[int, ...]) -> Tensor:
        """What of the picture the network does not see: a share of the photo's chroma."""
        return self.hides * chroma(self._photo(shape))

    def seen_by(self, engine: Evaluator, shape: tuple[int, ...], device: torch.device) -> Evaluator:
        """An engine that sees pictures of a shape as the network is to see them."""
        return LuminanceOnly(engine, self.hidden_at(shape).to(device), gray=self.locks) if self.veils else engine

    def bounds_at(self, shape: tuple[int, ...], protected: Tensor | None, device: torch.device) -> Bounds:
        """What the picture may be: inside [0, 1], the photo where it is protected, and with its chroma if that is locked.

        Args:
            shape: the picture's.
            protected: (1, 1, *shape), 1 where the picture stays the photo, and in between for something of both.
            device: where the picture is.
        """
        if not self.locks and protected is None:
            return Bounds()
        photo = self._photo(shape)
        if self.locks:
            color, level = chroma(photo), luminance(photo)
            low, high = luminance_room(color)
            low, high = torch.minimum(low, level), torch.maximum(high, level)  # by no more than rounding
        else:
            color, level, low, high = None, photo, torch.zeros_like(photo), torch.ones_like(photo)
        if protected is not None:
            low, high = torch.lerp(low, level, protected), torch.lerp(high, level, protected)
        low, high = low.to(device), high.to(device)
        return Bounds(low, high) if color is None else Luminances(low=low, high=high, color=color.to(device))

    def finished(self, image: Tensor) -> Tensor:
        """The finished picture as it is delivered."""
        if self.settings.color != "restore":
            return image
        own, others = chroma(image), chroma(self._photo(tuple(image.shape[2:])))
        return with_chroma(image, torch.lerp(own, others, self.settings.color_strength))

    def _photo(self, shape: tuple[int, ...]) -> Tensor:
        return resize_within(self.photo, shape, self.settings.padding)

    @cached_property
    def _of_photo(self) -> ColorMoments:
        return ColorMoments.of(self.photo, self.opacity)

    def _moments(self, weights: Tensor | None) -> ColorMoments:
        return self._of_photo if weights is self.opacity else ColorMoments.of(self.photo, weights)


@dataclass(frozen=True, eq=False)
class LuminanceOnly:
    """An engine that does not see some of a picture's colors.

    Args:
        engine: what evaluates.
        hidden: what is taken off the picture before, (1, 3, *spatial).
        gray: take off all chroma, and let only luminance move: f(y(x)), whose derivative along the one direction that
            changes luminance and not chroma, (1, 1, 1), is the mean of the engine's over red, green and blue.
    """

    engine: Evaluator
    hidden: Tensor
    gray: bool

    def evaluate(self, image: Tensor) -> Evaluation:
        """The value, its terms, and the gradient."""
        found = self.engine.evaluate(self._seen(image))
        if not self.gray:
            return found
        assert found.gradient is not None
        return replace(found, gradient=found.gradient.mean(1, keepdim=True).expand_as(image).contiguous())

    def measure(self, image: Tensor) -> Evaluation:
        """The value and its terms alone."""
        return self.engine.measure(self._seen(image))

    def _seen(self, image: Tensor) -> Tensor:
        return luminance(image).expand_as(image).contiguous() if self.gray else image - self.hidden


@dataclass(frozen=True, eq=False, kw_only=True)
class Luminances(Bounds):
    """Pictures of one chroma, (1, 3, H, W), whose luminance lies between ``low`` and ``high``, (1, 1, H, W)."""

    low: Tensor
    high: Tensor
    color: Tensor

    def project(self, image: Tensor) -> Tensor:
        """The picture with the image's luminance, as far as that is inside."""
        return (luminance(image).clamp(self.low, self.high) + self.color).clamp_(0, 1)

    def held(self, image: Tensor, gradient: Tensor) -> Tensor:
        """Where luminance is at a bound that a descent along the negative gradient would push it through."""
        level, slope = luminance(image), gradient.mean(1, keepdim=True)
        held = (level <= self.low + _ROUNDING) & (slope > 0) | (level >= self.high - _ROUNDING) & (slope < 0)
        return held.expand_as(image)
