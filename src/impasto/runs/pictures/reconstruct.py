"""Content reconstruction: what a layer keeps of a photo, found by descending from white noise."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import torch

from impasto import images, machine
from impasto.pyramid import resize
from impasto.quality import psnr, ssim
from impasto.runs.events import Listener
from impasto.runs.imaging import ImageRun
from impasto.runs.plan import from_noise
from impasto.runs.result import Result
from impasto.settings import Settings
from impasto.tasks import Task, words
from impasto.tasks.reconstruct import RECONSTRUCT
from impasto.tasks.task import either


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
    return Reconstruction.of(photo, layer, settings=settings, **values).run(on_event, checkpoint)


@dataclass(frozen=True, eq=False)
class Reconstruction(ImageRun):
    """A run without a style, from noise; made by :meth:`of`."""

    task: ClassVar[Task] = RECONSTRUCT
    spectrum: ClassVar[float] = 0.0
    """The noise to be removed is as strong in fine structures as in coarse ones."""

    @classmethod
    @machine.undisturbed()
    def of(
        cls,
        photo: Any,
        layer: str,
        *,
        start: Any = None,
        memory: str | float | None = None,
        place: torch.device | None = None,
        settings: Settings | None = None,
        **values: Any,
    ) -> Self:
        """Read the photo, and a picture to ``start`` from, and check everything; arguments as for :func:`reconstruct`.

        Raises:
            ImpastoError: as :func:`reconstruct`.
        """
        one = {words.layer(layer): 1.0}
        chosen = cls.task.decide(either(settings, values), fixed={"content_layers": one})
        run = cls.made(images.read(photo), (), from_noise(chosen), memory=memory, place=place)
        return run.beginning_with(start).checked()

    @property
    def layer(self) -> str:
        """The layer whose features are reconstructed."""
        return self.layers[0]

    def measures(self, result: Result) -> dict[str, float | None]:
        """How near features and pixels are to the photo's."""
        photo = resize(self.canvas.pixels, self.levels[-1].shape)
        [(_, target)] = self.encoder.features(photo.to(self.device), [self.layer])
        size = target.float().square().mean().item() / 2
        picture = images.quantize(result.tensor, self.canvas.source.depth)
        ratio = psnr(picture, photo)
        return {
            "feature_error": result.delivered.losses[f"content/{self.layer}"] / size,
            "psnr": ratio if math.isfinite(ratio) else None,
            "ssim": ssim(picture, photo),
        }


def prepared(inputs: Mapping[str, Sequence[Any]], own: Mapping[str, Any], **values: Any) -> Reconstruction:
    """A reconstruction from its inputs by role, its words and settings.

    Raises:
        ImpastoError: as :func:`reconstruct`.
    """
    [photo] = inputs["content"]
    return Reconstruction.of(photo, start=next(iter(inputs.get("init", ())), None), **own, **values)
