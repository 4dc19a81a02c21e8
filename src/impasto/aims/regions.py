"""Where which style goes: masks of the photo and of the paintings, and what stays the photo."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from impasto import images
from impasto.aims.colors import ColorMode
from impasto.color import luminance
from impasto.errors import ImageError, SettingsError
from impasto.files import is_file
from impasto.images import Picture
from impasto.losses import STYLE_LOSSES
from impasto.masks import resampled_mask
from impasto.pyramid import same_proportions
from impasto.settings import Settings

REST = "rest"
"""The word for what no other mask covers."""


@dataclass(frozen=True, eq=False)
class Pair:
    """A region of the photo, and the region of a painting that its style comes from.

    Args:
        photo: the mask of the photo; None for what no other mask covers.
        painting: the mask of the painting; None for all of it, or ``rest`` for what no other mask of it covers.
    """

    photo: Picture | None
    painting: Picture | str | None = None

    @classmethod
    def read(cls, source: Any) -> Self:
        """A pair from what :func:`impasto.stylize` takes for one."""
        if isinstance(source, tuple):
            photo, painting = source if len(source) == 2 else (None, None)
            if len(source) != 2 or photo is None:
                raise SettingsError("A pair of masks is (mask of the photo, mask of the painting or None).")
        elif isinstance(source, str) and not is_file(source):
            name, _, other = source.partition("=")
            photo, painting = name, other or None
        else:
            photo, painting = source, None
        return cls(
            None if _is_rest(photo) else _mask(photo),
            painting if painting is None else REST if _is_rest(painting) else _mask(painting),
        )


@dataclass(frozen=True, eq=False)
class Regions:
    """All regions of a run.

    Args:
        pairs: one per region; none for one region that is everything.
        styles: the number of each pair's style.
        protect: the mask of what stays the photo, or None.
    """

    pairs: tuple[Pair, ...] = ()
    styles: tuple[int, ...] = ()
    protect: Picture | None = None

    @classmethod
    def of(cls, masks: Any, protect: Any, photo: Picture, paintings: Sequence[Picture]) -> Self | None:
        """The regions of a run from the arguments of :func:`impasto.stylize`; None if there are none.

        Raises:
            ImpastoError: if a mask cannot be read, is black, or does not fit its picture.
        """
        several = [] if masks is None else masks if isinstance(masks, list) else [masks]
        if not several and protect is None:
            return None
        pairs = tuple(Pair.read(item) for item in several)
        if sum(pair.photo is None for pair in pairs) > 1:
            raise SettingsError("The rest of the photo was given two styles; give it one, and the others masks.")
        if pairs and len(paintings) not in (1, len(pairs)):
            raise SettingsError(
                f"There are {len(pairs)} masks for {len(paintings)} styles; give one mask for each style, in the same "
                "order, or one style alone. A style may be given twice."
            )
        styles = tuple(number if len(paintings) > 1 else 0 for number in range(len(pairs)))
        for pair, style in zip(pairs, styles, strict=True):
            _check_proportions(pair.photo, photo, "photo")
            _check_proportions(pair.painting, paintings[style], "painting")
        protected = None if protect is None else _mask(protect)
        _check_proportions(protected, photo, "photo")
        return cls(pairs, styles, protected)

    def check_areas(self, shape: tuple[int, ...], paintings: Sequence[Picture]) -> None:
        """Refuse regions that nothing is left of in a result of spatial ``shape``, or in their paintings.

        Raises:
            SettingsError: naming the mask.
        """
        for mask, pair in zip(self.masks_at(shape), self.pairs or (Pair(None),), strict=True):
            if float(mask.sum()) >= 1:
                continue
            name = "what no mask covers" if pair.photo is None else pair.photo.source.name
            beyond = " that is not protected" if self.protect is not None else ""
            raise SettingsError(f"Of {name} there is no pixel{beyond} in a result of {shape[1]} x {shape[0]}.")
        for number, style in enumerate(self.styles):
            painted = self.painting_mask(number, paintings[style].shape)
            if painted is not None and float(painted.sum()) < 1:
                raise SettingsError(f"The masks of {paintings[style].source.name} leave no rest of it; give one less.")

    def masks_at(self, shape: tuple[int, ...]) -> list[Tensor]:
        """How much each position of a result belongs to each region, (1, 1, *shape) each."""
        protected = self._protected(shape)
        masks = self._regions(shape)
        return masks if protected is None else [mask * (1 - protected) for mask in masks]

    @property
    def protects(self) -> bool:
        """Whether something stays the photo: what is protected, and what no mask covers."""
        return self.protect is not None or (bool(self.pairs) and all(pair.photo is not None for pair in self.pairs))

    def protected_at(self, shape: tuple[int, ...]) -> Tensor | None:
        """How much each position stays the photo, (1, 1, *shape), or None if all may change."""
        if not self.protects:
            return None
        free = torch.stack(self._regions(shape)).sum(0).clamp(max=1)
        protected = self._protected(shape)
        return 1 - (free if protected is None else free * (1 - protected))

    def free_at(self, shape: tuple[int, ...]) -> float:
        """The share of a result of spatial ``shape`` that does not stay the photo."""
        protected = self.protected_at(shape)
        return 1.0 if protected is None else 1 - float(protected.mean())

    def _regions(self, shape: tuple[int, ...]) -> list[Tensor]:
        """The masks, whatever is protected."""
        given = [None if pair.photo is None else resampled_mask(_values(pair.photo), shape) for pair in self.pairs]
        return _filled(given, shape) if self.pairs else [torch.ones(1, 1, *shape)]

    def _protected(self, shape: tuple[int, ...]) -> Tensor | None:
        return None if self.protect is None else resampled_mask(_values(self.protect), shape)

    def painting_mask(self, number: int, shape: tuple[int, ...]) -> Tensor | None:
        """How much each position of a painting, seen at ``shape``, belongs to the region of a number; None for all alike."""
        mine = self.pairs[number].painting if self.pairs else None
        if not isinstance(mine, str):
            return None if mine is None else resampled_mask(_values(mine), shape)
        same = [
            pair.painting for pair, style in zip(self.pairs, self.styles, strict=True) if style == self.styles[number]
        ]
        others = [resampled_mask(_values(mask), shape) for mask in same if isinstance(mask, Picture)]
        return _filled([*others, None], shape)[-1]

    def painted(self, styles: Sequence[Picture], photo: Picture, color_mode: ColorMode) -> list[Tensor]:
        """The painting of every region as the network is to see it, with colors that are matched to those of its region."""
        masks = self.masks_at(photo.shape) if color_mode.settings.color != "style" else [None] * len(self.pairs)
        found = []
        for number, mask in enumerate(masks):
            style = styles[self.styles[number]]
            where = self.painting_mask(number, style.shape)
            found.append(color_mode.painting(style.pixels, _together(where, style.alpha), _together(mask, photo.alpha)))
        return found

    @cached_property
    def references(self) -> dict[str, Any]:
        """Names and hashes of the masks, as plain data."""
        found: dict[str, Any] = {}
        if self.pairs:
            found["masks"] = [
                {"photo": _reference(pair.photo) or REST, "painting": _reference(pair.painting)} for pair in self.pairs
            ]
        if self.protect is not None:
            found["protect"] = _reference(self.protect)
        return found


def check_regions(regions: Regions | None, settings: Settings) -> None:
    """Refuse settings that cannot take effect with these regions, or without any.

    Raises:
        SettingsError: naming the setting.
    """
    pairs = () if regions is None else regions.pairs
    if settings.guidance != "average" and regions is None:
        raise SettingsError("The setting guidance cannot take effect without masks; give some, or leave it out.")
    if settings.mask_strengths is not None and len(settings.mask_strengths) != len(pairs):
        raise SettingsError(
            f"The setting mask_strengths has {len(settings.mask_strengths)} numbers for {len(pairs)} masks; give one each."
        )
    if pairs and settings.blend is not None:
        raise SettingsError("The blend cannot take effect beside masks: each style has a region of its own.")
    if pairs and (settings.strength == 0 or settings.style_weight == 0):
        raise SettingsError("Masks cannot take effect without a style loss: strength or style_weight is 0.")
    for name in (settings.style_losses or ()) if regions is not None else ():
        if not STYLE_LOSSES[name].pointwise:
            raise SettingsError(
                f"The style loss {name} looks at neighbors, so it cannot be kept to a region; leave it out."
            )


def _filled(masks: Sequence[Tensor | None], shape: tuple[int, ...]) -> list[Tensor]:
    """The masks, with what all others leave in the place of None."""
    others = sum((mask for mask in masks if mask is not None), torch.zeros(1, 1, *shape))
    return [(1 - others).clamp(0, 1) if mask is None else mask for mask in masks]


def _is_rest(source: Any) -> bool:
    return isinstance(source, str) and source == REST and not is_file(source)


def _mask(source: Any) -> Picture:
    """A mask read from a path, an array, a tensor or a picture.

    Raises:
        ImageError: if it is black everywhere.
    """
    if isinstance(source, np.ndarray) and source.dtype == np.bool_:
        source = source.astype(np.uint8) * 255
    picture = source if isinstance(source, Picture) else images.read(source, as_stored=True)
    if float(_values(picture).max()) < 0.5:
        raise ImageError(f"The mask {picture.source.name} is dark everywhere; paint white what belongs to its region.")
    return picture


def _values(mask: Picture) -> Tensor:
    """The mask's values, (1, 1, H, W): its luminance, and 0 where it is transparent."""
    values = luminance(mask.pixels).clamp(0, 1)
    return values if mask.alpha is None else values * mask.alpha


def _check_proportions(mask: Picture | str | None, of: Picture, what: str) -> None:
    if not isinstance(mask, Picture):
        return
    height, width = mask.shape
    if not same_proportions(mask.shape, of.shape):
        raise ImageError(
            f"The mask {mask.source.name} is {width} x {height}, but its {what} {of.source.name} has the proportions "
            f"{of.shape[1]} x {of.shape[0]}; give a mask that covers all of it."
        )


def _reference(mask: Picture | str | None) -> Any:
    return {"name": mask.source.name, "sha256": mask.source.sha256} if isinstance(mask, Picture) else mask


def _together(mask: Tensor | None, alpha: Tensor | None) -> Tensor | None:
    return mask if alpha is None else alpha if mask is None else mask * alpha
