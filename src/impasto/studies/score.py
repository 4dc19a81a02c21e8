"""The losses of any picture, from any tool, against a photo and its paintings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from impasto import images, machine
from impasto.aims.balance import shares
from impasto.aims.style import style_shape
from impasto.choices import STYLE_LAYERS
from impasto.engines import Evaluation, Evaluator
from impasto.errors import ImageError
from impasto.judge import Judge
from impasto.losses import IMAGE_LOSSES
from impasto.memory.execution import Execution
from impasto.pyramid import fitted, resize, same_proportions
from impasto.quality import ssim
from impasto.runs.pictures.stylize import Transfer
from impasto.runs.plan import check_fit
from impasto.runs.result import Scores
from impasto.settings import Settings


@dataclass(frozen=True)
class Scored:
    """One picture's losses, and measures that no setting of the losses has a say in.

    Args:
        name: the picture's file name.
        shape: its height and width, at which it was scored.
        scores: the losses, in float32.
        ssim: structural similarity to the photo, at most 1.
        gram: of each style layer, the squared distance of its Gram matrix from the paintings', relative to that of an image
            without features.
        moments: the same for the means and standard deviations of its filters.
        lpips: the perceptual distance to the photo, if there is a judge (:class:`impasto.judge.Judge`).
        judged: the distance of Gram matrices in the judge's VGG-16 to the paintings, by their shares.
    """

    name: str
    shape: tuple[int, int]
    scores: Scores
    ssim: float
    gram: Mapping[str, float]
    moments: Mapping[str, float]
    lpips: float | None = None
    judged: float | None = None


@machine.undisturbed()
def score(
    content: Any,
    styles: Any,
    pictures: Any,
    *,
    masks: Any = None,
    protect: Any = None,
    judge: str | Path | None = None,
    settings: Settings | None = None,
    **values: Any,
) -> list[Scored]:
    """Content, style and total loss of pictures as they are, at their own size.

    Arguments are those of :func:`impasto.stylize`; ``pictures`` is one picture or a list, and ``judge`` a file of the
    weights of networks that no loss uses (:meth:`impasto.judge.Judge.of`). The photo is resampled to each picture's size;
    settings that say how a picture comes about, such as ``size``, have no say.

    Raises:
        ImageError: if a picture's proportions are not those of the photo.
        ImpastoError: as :func:`impasto.stylize`.
    """
    several = pictures if isinstance(pictures, (list, tuple)) else [pictures]
    base = Transfer.unsized(content, styles, masks=masks, protect=protect, settings=settings, **values)
    other = None if judge is None else Judge.of(judge)
    exact = base.settings.model_copy(update={"precision": "fp32"})
    run = replace(base, settings=exact)
    found = []
    engines: dict[tuple[int, int], tuple[Evaluator, Evaluator]] = {}
    for item in several:
        picture = images.read(item)
        if picture.shape not in engines:
            _check_proportions(picture, run.canvas)
            update = {"size": max(picture.shape), "preview_of": None}  # which a style's size in pixels is told from
            sized = run if exact.style_size is None else replace(run, settings=exact.model_copy(update=update))
            check_fit(sized.settings, run.stack, run.canvas, run.styles, picture.shape)
            both = (sized, _styles_alone(sized, picture.shape))
            first, second = (each.targets_in(Execution(), run.encoder).engine_at(picture.shape) for each in both)
            engines = {picture.shape: (first, second)}
        evaluation, distances = (engine.measure(picture.pixels.to(run.device)) for engine in engines[picture.shape])
        scores = Scores(evaluation.value, evaluation.by_kind, evaluation.losses)
        photo = resize(run.canvas.pixels, picture.shape)
        gram, moments = (_of(distances, name) for name in ("", "moments"))
        judged = _judged(other, picture.pixels, photo, run) if other else (None, None)
        found.append(
            Scored(picture.source.name, picture.shape, scores, ssim(picture.pixels, photo), gram, moments, *judged)
        )
    return found


def _judged(judge: Judge, image: Tensor, photo: Tensor, run: Transfer) -> tuple[float, float]:
    """LPIPS to the photo, and the distance of Gram matrices to the paintings at the size of the image."""
    side = max(image.shape[2:])
    with torch.no_grad():
        parts = zip(run.styles, shares(run.settings, len(run.styles)), strict=True)
        distances = (share * judge.gram(image, resize(each.pixels, fitted(each.shape, side))) for each, share in parts)
        return judge.lpips(image, photo), sum(distances)


def _styles_alone(run: Transfer, shape: tuple[int, int]) -> Transfer:
    """The run with Gram matrices and moments as its losses, everywhere in the picture, at all style layers that it has."""
    seen = [shape, *(style_shape(run.settings, style.shape, shape) for style in run.styles)]
    layers = [layer for layer in STYLE_LAYERS if run.stack.stride(layer) <= min(map(min, seen))]
    off = dict.fromkeys(IMAGE_LOSSES, 0.0)
    none = dict.fromkeys(("content_weight", "style_weight", "layers_per_style", "mask_strengths"))
    chosen = {"strength": 1.0, "content_loss": "squared", "style_losses": {"gram": 1.0, "moments": 1.0}}
    update = {**off, **none, **chosen, "style_layers": dict.fromkeys(layers, 1.0)}
    return replace(run, settings=run.settings.model_copy(update=update), regions=None)


def _of(found: Evaluation, variant: str) -> dict[str, float]:
    """The relative distances of one kind by layer: each term is weighed by its share over that of no features."""
    names = {name: name.split("/")[1:] for name in found.losses}
    share = 1 / len(names)
    return {layer: found.weighted[name] / share for name, (layer, *rest) in names.items() if "".join(rest) == variant}


def _check_proportions(picture: images.Picture, content: images.Picture) -> None:
    height, width = picture.shape
    if not same_proportions(picture.shape, content.shape):
        raise ImageError(
            f"{picture.source.name} is {width} x {height}, but the photo's proportions are "
            f"{content.shape[1]} x {content.shape[0]}; give a picture made from this photo."
        )
