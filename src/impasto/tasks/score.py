"""The losses of any picture, from any tool, against a photo and its paintings."""

from dataclasses import dataclass, replace
from typing import Any

from impasto import images, machine
from impasto.engines import Evaluator
from impasto.errors import ImageError
from impasto.settings import Settings
from impasto.tasks.plan import check_fit
from impasto.tasks.result import Scores
from impasto.tasks.room import Room
from impasto.tasks.transfer import Transfer


@dataclass(frozen=True)
class Scored:
    """One picture's losses.

    Args:
        name: the picture's file name.
        shape: its height and width, at which it was scored.
        scores: the losses, in float32.
    """

    name: str
    shape: tuple[int, int]
    scores: Scores


@machine.undisturbed()
def score(
    content: Any,
    styles: Any,
    pictures: Any,
    *,
    masks: Any = None,
    protect: Any = None,
    settings: Settings | None = None,
    **values: Any,
) -> list[Scored]:
    """Content, style and total loss of pictures as they are, at their own size.

    Arguments are those of :func:`impasto.stylize`; ``pictures`` is one picture or a list. The photo is resampled to
    each picture's size; settings that say how a picture comes about, such as ``size``, have no say.

    Raises:
        ImageError: if a picture's proportions are not those of the photo.
        ImpastoError: as :func:`impasto.stylize`.
    """
    several = pictures if isinstance(pictures, (list, tuple)) else [pictures]
    base = Transfer.unsized(content, styles, masks=masks, protect=protect, settings=settings, **values)
    exact = base.settings.model_copy(update={"precision": "fp32"})
    run = replace(base, settings=exact)
    found = []
    engines: dict[tuple[int, int], Evaluator] = {}
    for item in several:
        picture = item if isinstance(item, images.Picture) else images.read(item)
        if picture.shape not in engines:
            _check_proportions(picture, run.content)
            sized = run if exact.style_size is None else replace(run, settings=_sized(exact, picture.shape))
            check_fit(sized.settings, run.stack, run.content, run.styles, picture.shape)
            engines = {picture.shape: sized.targets_in(Room(), run.encoder).engine_at(picture.shape)}
        evaluation = engines[picture.shape].measure(picture.pixels.to(run.device))
        scores = Scores(evaluation.value, evaluation.by_kind, evaluation.losses)
        found.append(Scored(picture.source.name, picture.shape, scores))
    return found


def _sized(settings: Settings, shape: tuple[int, int]) -> Settings:
    """The settings of a run whose result would have this shape: a style's size in pixels is told from the result's."""
    return settings.model_copy(update={"size": max(shape), "preview_of": None})


def _check_proportions(picture: images.Picture, content: images.Picture) -> None:
    height, width = picture.shape
    expected = content.shape[0] / content.shape[1]
    if abs(height - width * expected) > 2 and abs(width - height / expected) > 2:
        raise ImageError(
            f"{picture.source.name} is {width} x {height}, but the photo's proportions are "
            f"{content.shape[1]} x {content.shape[0]}; give a picture made from this photo."
        )
