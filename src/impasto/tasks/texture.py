"""Texture synthesis: a picture of any size with the style of an exemplar and no content, from white noise."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch

from impasto import images, machine
from impasto.aims.initial_image import starting_image
from impasto.aims.style import style_shape
from impasto.descent import Record
from impasto.errors import SettingsError
from impasto.images import Picture
from impasto.quality import seam
from impasto.runs.result import Result, Scores
from impasto.runs.run import Listener, Transfer
from impasto.runs.task_settings import decided, from_noise
from impasto.settings import Settings, plain

_OF_PHOTO = ("sharpness", "photorealism", "color", "color_strength", "mask_strengths", "guidance")
IDLE = ("content_weight", "content_loss", "content_layers", "style_size", "preview_of", *_OF_PHOTO)
"""The settings that have no say in a texture."""

_PERIOD = 4  # pixels: two doublings between levels leave traces that repeat
_SMALLEST = 64  # pixels along an exemplar's long side: seen smaller, its statistics say little


def synthesize(
    exemplar: Any,
    shape: int | tuple[int, int] | None = None,
    *,
    tileable: bool = False,
    settings: Settings | None = None,
    on_event: Listener | None = None,
    checkpoint: str | Path | None = None,
    **values: Any,
) -> Result:
    """A texture with the style of an exemplar (Gatys, Ecker and Bethge 2015; 2016, eq. 3 to 5 alone).

    Args:
        exemplar: a path, PIL image, array (H, W, 3) or tensor (3, H, W); or a list of them, mixed by ``blend``.
        shape: height and width in pixels, or the side of a square; the exemplar's unless given. It may be larger than
            the exemplar.
        tileable: whether copies side by side meet without a seam. The texture is seen with circular padding, the
            exemplar, which need not tile, with mirrored borders.
        settings: all settings at once; or give single ones as keywords, ``style_layers=up_to("conv3_1")`` (:func:`impasto.settings.up_to`). The
            (first) exemplar is seen pixel for pixel unless ``style_scale`` is given.
        on_event: called after every optimizer step; return True to stop there and keep the best picture.
        checkpoint: a folder; a run that finds its own checkpoint there goes on from it to the same picture.
        values: single settings. With ``style_weight`` every layer's E_l is weighed as it is, the paper's sum, in which the
            shallow layers have most to say; without it each is relative to the exemplar's own size there.

    Returns:
        The picture. Its ``measures`` are ``seam`` (:func:`impasto.quality.seam`, about 1 where it tiles), ``noise``
        (the loss of white noise at its size) and ``fall`` (how many times lower the picture's is).

    Raises:
        ImpastoError: with a sentence on what is wrong with an exemplar, a size, a setting or the checkpoint.
    """
    run = Texture.prepared(exemplar, shape, tileable=tileable, settings=settings, **values)
    return run.run(on_event, checkpoint)


@dataclass(frozen=True, eq=False)
class Texture(Transfer):
    """A style transfer without a photo; made by :meth:`prepared`. ``content`` stands in for one and is black."""

    @classmethod
    @machine.undisturbed()
    def prepared(
        cls,
        exemplar: Any,
        shape: int | tuple[int, int] | None = None,
        *,
        tileable: bool = False,
        settings: Settings | None = None,
        **values: Any,
    ) -> Self:
        """Read the exemplars and check everything; arguments as for :func:`synthesize`.

        Raises:
            ImpastoError: as :func:`synthesize`.
        """
        several = exemplar if isinstance(exemplar, (list, tuple)) else [exemplar]
        if not several:
            raise SettingsError("There is no exemplar; give at least one.")
        pictures = [item if isinstance(item, Picture) else images.read(item) for item in several]
        extent = _extent(shape, pictures[0])
        chosen = settings_of(settings, values, max(extent), max(pictures[0].shape), tileable=tileable)
        run = cls.of(_blank(pictures[0], extent), pictures, settings=from_noise(chosen))
        _check_period(run)
        return run

    @property
    def tileable(self) -> bool:
        """Whether the texture tiles."""
        return self.settings.padding == "circular"

    def _measures(self, result: Result) -> Mapping[str, float | None]:
        noise = self._loss_of_noise()
        return {
            "seam": seam(images.quantize(result.tensor, self.content.source.depth), _PERIOD),
            "noise": noise,
            "fall": noise / max(result.delivered.value, 1e-30),
        }

    def recipe(self, history: tuple[Record, ...], delivered: Scores | None, *, stopped: bool) -> dict[str, Any]:
        """How the texture was made; what stands in for a photo is no input."""
        made = super().recipe(history, delivered, stopped=stopped)
        inputs = {name: value for name, value in made["inputs"].items() if name != "content"}
        return {**made, "task": "texture", "inputs": inputs}

    def _loss_of_noise(self) -> float:
        shape = self.levels[-1].shape
        white = starting_image(self.settings.model_copy(update={"init": "noise", "noise": 0.0}), None, (), shape)
        return self.targets(self.encoder).engine_at(shape).measure(white.to(self.device)).value

    def _identity(self) -> dict[str, Any]:
        return {**super()._identity(), "task": "texture"}

    def _notes(self) -> Iterator[str]:
        final = self.levels[-1].shape
        for style in self.styles:
            seen = style_shape(self.settings, style.shape, final)
            if max(style.shape) < max(seen) * 0.75:
                yield (
                    f"{style.source.name} has {max(style.shape)} pixels on its long side and was enlarged to {max(seen)}; "
                    "a larger original would give more detail."
                )


def settings_of(
    settings: Settings | None, values: dict[str, Any], longest: int, exemplar: int, *, tileable: bool
) -> Settings:
    """The settings in force for a texture.

    Args:
        settings: all settings at once, or None.
        values: single settings instead.
        longest: its long side.
        exemplar: that of its first exemplar.
        tileable: whether it tiles.

    Raises:
        SettingsError: if one of them cannot take effect.
    """
    scale = exemplar / longest
    usual: dict[str, Any] = {"init": "noise", "style_scale": min(16.0, scale)}
    weight = values.get("style_weight") if settings is None else settings.style_weight
    fixed: dict[str, Any] = {
        "size": longest,
        **({"strength": 1.0} if weight is None else {"content_weight": 0.0}),
    }
    if tileable:
        fixed["padding"] = "circular"
    chosen = decided("a texture", settings, values, usual=usual, fixed=fixed, idle=IDLE)
    if chosen.init in ("content", "preview"):
        raise SettingsError("A texture has no content to start from; start from noise, style-moments or an image.")
    if "coarsest" in chosen.model_fields_set:
        return chosen
    coarsest = max(chosen.coarsest, round(_SMALLEST / chosen.style_scale))
    return chosen.model_copy(update={"coarsest": coarsest})


def _check_period(run: Texture) -> None:
    """Refuse sides of a tileable texture that a pooling would cut a position from, for they would not tile there."""
    stride = max(run.stack.stride(layer) for layer in run.layers)
    height, width = run.levels[-1].shape
    if run.tileable and (height % stride or width % stride):
        near = " x ".join(str(max(stride, round(side / stride) * stride)) for side in (width, height))
        raise SettingsError(
            f"A tileable texture of {width} x {height} was asked for, but with these layers its sides must be "
            f"multiples of {stride}; choose {near}."
        )


def _extent(shape: int | tuple[int, int] | None, exemplar: Picture) -> tuple[int, int]:
    if shape is None:
        return exemplar.shape
    sides = plain(shape)
    height, width = (sides, sides) if isinstance(sides, int) else sides
    if min(height, width) < 1:
        raise SettingsError(f"A texture of {width} x {height} was asked for; give sides of at least 1 pixel.")
    return height, width


def _blank(exemplar: Picture, shape: tuple[int, int]) -> Picture:
    """A black picture of a shape, to be stored as the exemplar is; its pixels take no memory."""
    source = exemplar.source.undescribed("the texture")
    return Picture(torch.zeros(1, 3, 1, 1).expand(1, 3, *shape), None, source)
