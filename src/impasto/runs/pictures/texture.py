"""Texture synthesis: a picture of any size with the style of an exemplar and no content, from white noise."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from impasto import images, machine
from impasto.aims.initial_image import starting_image
from impasto.aims.style import style_shape
from impasto.errors import SettingsError
from impasto.images import Picture
from impasto.quality import seam
from impasto.runs import remarks
from impasto.runs.events import Listener
from impasto.runs.imaging import ImageRun, several
from impasto.runs.plan import from_noise
from impasto.runs.result import Result
from impasto.settings import INITS, Settings, plain
from impasto.tasks import Task
from impasto.tasks.task import either
from impasto.tasks.texture import TEXTURE

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
    return Texture.of(exemplar, shape, tileable=tileable, settings=settings, **values).run(on_event, checkpoint)


@dataclass(frozen=True, eq=False)
class Texture(ImageRun):
    """A run without a photo, from noise; made by :meth:`of`."""

    task: ClassVar[Task] = TEXTURE

    @classmethod
    @machine.undisturbed()
    def of(
        cls,
        exemplar: Any,
        shape: int | Sequence[int] | None = None,
        *,
        tileable: bool = False,
        start: Any = None,
        memory: str | float | None = None,
        place: torch.device | None = None,
        settings: Settings | None = None,
        **values: Any,
    ) -> Self:
        """Read the exemplars, and a picture to ``start`` from, and check everything; arguments as for :func:`synthesize`.

        Raises:
            ImpastoError: as :func:`synthesize`.
        """
        exemplars = [images.read(source) for source in several(exemplar, "exemplar")]
        extent = _extent(shape, exemplars[0])
        chosen = _settings(cls.task, either(settings, values), max(extent), max(exemplars[0].shape), tileable=tileable)
        run = cls.made(_blank(exemplars[0], extent), exemplars, from_noise(chosen), memory=memory, place=place)
        return run.beginning_with(start).checked()

    def checked(self) -> Self:
        """The run, after everything that can be wrong with it was found.

        Raises:
            ImpastoError: as :func:`synthesize`.
        """
        super().checked()
        _check_period(self)
        return self

    @property
    def tileable(self) -> bool:
        """Whether the texture tiles."""
        return self.settings.padding == "circular"

    def measures(self, result: Result) -> Mapping[str, float | None]:
        """The seam, and how far the loss has fallen below that of white noise."""
        noise = self._loss_of_noise()
        return {
            "seam": seam(images.quantize(result.tensor, self.canvas.source.depth), _PERIOD),
            "noise": noise,
            "fall": noise / max(result.delivered.value, 1e-30),
        }

    def _loss_of_noise(self) -> float:
        shape = self.levels[-1].shape
        white = starting_image(self.settings.model_copy(update={"init": "noise", "noise": 0.0}), None, (), shape)
        return self.aims.engine_at(shape).measure(white.to(self.device)).value

    def notes(self, finished: Tensor) -> Iterator[str]:  # noqa: ARG002
        """What was not used of the exemplars' files, and exemplars that had too few pixels."""
        yield from remarks.of_inputs(self.styles, None if self.settings.init in INITS else self.source)
        final = self.levels[-1].shape
        for style in self.styles:
            seen = style_shape(self.settings, style.shape, final)
            if max(style.shape) < max(seen) * 0.75:
                yield (
                    f"{style.source.name} has {max(style.shape)} pixels on its long side and was enlarged to {max(seen)}; "
                    "a larger original would give more detail."
                )


def prepared(inputs: Mapping[str, Sequence[Any]], words: Mapping[str, Any], **values: Any) -> Texture:
    """A texture from its inputs by role, its words and settings.

    Raises:
        ImpastoError: as :func:`synthesize`.
    """
    return Texture.of(list(inputs["styles"]), start=next(iter(inputs.get("init", ())), None), **words, **values)


def _settings(
    task: Task, given: Mapping[str, Any] | Settings, longest: int, exemplar: int, *, tileable: bool
) -> Settings:
    """The settings in force for a texture of a long side, from an exemplar of one.

    Raises:
        SettingsError: if one of them cannot take effect.
    """
    fixed: dict[str, Any] = {"size": longest, **({"padding": "circular"} if tileable else {})}
    chosen = task.decide(given, usual={"style_scale": min(16.0, exemplar / longest)}, fixed=fixed)
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


def _extent(shape: int | Sequence[int] | None, exemplar: Picture) -> tuple[int, int]:
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
