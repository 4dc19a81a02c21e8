"""Content reconstruction: what a layer keeps of a photo, found by descending from white noise."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from impasto import images, machine
from impasto.descent import Record
from impasto.errors import LayerError, SettingsError
from impasto.images import Picture
from impasto.pyramid import resize
from impasto.quality import psnr, ssim
from impasto.runs.result import Result, Scores
from impasto.runs.run import Listener, Transfer
from impasto.runs.task_settings import decided, from_noise
from impasto.settings import Settings

IDLE = (
    "content_weight",
    "style_weight",
    "style_layers",
    "layers_per_style",
    "content_loss",
    "style_losses",
    "blend",
    "style_scale",
    "style_size",
    "style_scales",
    "preview_of",
    "color",
    "color_strength",
    "mask_strengths",
    "guidance",
)
"""The settings that have no say in a reconstruction."""


def reconstruct(
    photo: Any,
    layer: str,
    *,
    settings: Settings | None = None,
    on_event: Listener | None = None,
    checkpoint: str | Path | None = None,
    **values: Any,
) -> Result:
    r"""The picture whose features at a layer are those of a photo (Gatys, Ecker and Bethge 2016, eq. 1; figure 1).

    It minimizes :math:`\frac{1}{2} \sum (F - P)^2` over the picture, where F and P are its and the photo's features,
    from white noise unless ``init`` says otherwise. Shallow layers give back the pixels, deep ones the arrangement.

    Args:
        photo: a path, PIL image, array (H, W, 3) or tensor (3, H, W).
        layer: its name: ``conv4_2``.
        settings: all settings at once; or give single ones as keywords.
        on_event: called after every optimizer step; return True to stop there and keep the best picture.
        checkpoint: a folder; a run that finds its own checkpoint there goes on from it to the same picture.
        values: single settings.

    Returns:
        The picture. Its ``measures`` compare it, as a file holds it, with the photo at its size: ``feature_error`` is
        sum (F - P)^2 over sum P^2, ``psnr`` is in decibels (None for equal pictures), ``ssim`` is at most 1.

    Raises:
        ImpastoError: with a sentence on what is wrong with the photo, the layer, a setting or the checkpoint.
    """
    return Reconstruction.prepared(photo, layer, settings=settings, **values).run(on_event, checkpoint)


def settings_of(layer: str, settings: Settings | None, values: Mapping[str, Any]) -> Settings:
    """The settings in force for a reconstruction.

    Args:
        layer: the layer's name.
        settings: all settings at once, or None.
        values: single settings instead.

    Raises:
        LayerError: if it is not one layer.
        SettingsError: if one of them cannot take effect.
    """
    if "," in layer or ":" in layer:
        raise LayerError(f"A reconstruction is from one layer, but {layer!r} was given; name one, such as conv4_2.")
    chosen = decided(
        "a reconstruction",
        settings,
        values,
        # an error near 0 drowns in the rounding of bf16; the paper's pooling
        usual={"init": "noise", "precision": "fp32", "pooling": "avg"},
        fixed={"strength": 0.0, "content_layers": {layer: 1.0}},
        idle=IDLE,
    )
    if chosen.init in ("content", "preview"):
        raise SettingsError("A reconstruction cannot start from its own photo; start from noise or another image.")
    return chosen


@dataclass(frozen=True, eq=False)
class Reconstruction(Transfer):
    """A style transfer without a style, from noise; made by :meth:`prepared`. The photo stands in for the painting."""

    spectrum: ClassVar[float] = 0.0
    """The noise to be removed is as strong in fine structures as in coarse ones."""

    @classmethod
    @machine.undisturbed()
    def prepared(cls, photo: Any, layer: str, *, settings: Settings | None = None, **values: Any) -> Self:
        """Read the photo and check everything; arguments as for :func:`reconstruct`.

        Raises:
            ImpastoError: as :func:`reconstruct`.
        """
        chosen = settings_of(layer, settings, values)
        picture = photo if isinstance(photo, Picture) else images.read(photo)
        return cls.of(picture, picture, settings=from_noise(chosen))

    @property
    def layer(self) -> str:
        """The layer whose features are reconstructed."""
        return self.layers[0]

    def recipe(self, history: tuple[Record, ...], delivered: Scores | None, *, stopped: bool) -> dict[str, Any]:
        """How the picture was made; the photo that stands in for a painting is no style."""
        made = super().recipe(history, delivered, stopped=stopped)
        return {**made, "task": "reconstruct", "inputs": {**made["inputs"], "styles": []}}

    def _measures(self, result: Result) -> dict[str, float | None]:
        photo = resize(self.content.pixels, self.levels[-1].shape)
        [(_, target)] = self.encoder.features(photo.to(self.device), [self.layer])
        size = target.float().square().mean().item() / 2
        picture = images.quantize(result.tensor, self.content.source.depth)
        ratio = psnr(picture, photo)
        return {
            "feature_error": result.delivered.losses[f"content/{self.layer}"] / size,
            "psnr": ratio if math.isfinite(ratio) else None,
            "ssim": ssim(picture, photo),
        }

    def _notes(self) -> Iterator[str]:
        yield from dict.fromkeys(super()._notes())
