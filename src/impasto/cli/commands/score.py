"""``impasto score``."""

from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from impasto.cli.options.regions import EVERYWHERE, RegionOptions
from impasto.cli.options.settings import SCORING, chosen, options
from impasto.cli.terminal.progress import size
from impasto.cli.terminal.reports import scores
from impasto.cli.terminal.streams import printable, put, put_json, put_table
from impasto.files import is_folder

if TYPE_CHECKING:
    from impasto.studies.score import Scored

    Given = dict[str, str]
else:
    Given = options(*SCORING)


def score(
    content: Annotated[str, Parameter(help="The photo.")],
    style: Annotated[str, Parameter(help="The painting.")],
    images: Annotated[list[str], Parameter(name="IMAGE", help="Pictures made from them, by any tool, or folders.")],
    /,
    *,
    more: Annotated[
        tuple[str, ...], Parameter(name="--style", metavar="FILE", help="One more painting; may be repeated.")
    ] = (),
    judge: Annotated[
        str | None,
        Parameter(
            metavar="FILE",
            help="Weights of AlexNet, LPIPS and VGG-16 (.npz), to measure with networks that no loss uses.",
        ),
    ] = None,
    as_json: Annotated[bool, Parameter(name="--json", show_default=False, help="Print JSON.")] = False,
    regions: Annotated[RegionOptions, Parameter(name="*")] = EVERYWHERE,
    given: Annotated[Given | None, Parameter(name="*")] = None,
) -> None:
    """Measure the losses of any pictures, from any tool.

    The JSON form is a list with, for every picture, ``image``, ``width``, ``height``, the keys of
    :func:`impasto.cli.terminal.reports.scores`, and ``ssim``, ``gram`` and ``moments``, with a judge also ``lpips`` and ``judged``,
    of :class:`impasto.studies.score.Scored`.
    """
    settings = chosen(given)
    from impasto.studies.score import score as measure

    several = _opened(images)
    found = measure(content, [style, *more], several, **regions.arguments(), judge=judge, settings=settings)
    named = list(zip(several, found, strict=True))
    if as_json:
        put_json([_report(image, scored) for image, scored in named])
        return
    for image, scored in named:
        put(f"{printable(image)}  {size(scored.shape)}")
        put_table(("loss", "weighted", "plain"), _rows(scored))
    of_judge = () if judge is None else ("lpips", "judged")
    put_table(("picture", "total", "content", "style", "ssim", "gram", "moments", *of_judge), _summary(named))


def _opened(named: list[str]) -> list[str]:
    """The pictures, with those of folders in the place of these."""
    from impasto.images.folder import pictures_in

    parts = ([str(path) for path in pictures_in(name)] if is_folder(Path(name)) else [name] for name in named)
    return [name for part in parts for name in part]


def _summary(named: list[tuple[str, "Scored"]]) -> list[tuple[object, ...]]:
    """A line per picture: its losses, its likeness to the photo, and the mean over layers of its relative distances."""
    lines: list[tuple[float, ...]] = []
    for _, scored in named:
        kinds = (scored.scores.by_kind.get(kind, 0.0) for kind in ("content", "style"))
        distances = (fmean(of_layers.values()) for of_layers in (scored.gram, scored.moments))
        lines.append((scored.scores.value, *kinds, scored.ssim, *distances, *_judged(scored).values()))
    rows: list[tuple[object, ...]] = [(name, *line) for (name, _), line in zip(named, lines, strict=True)]
    mean = [("mean", *map(fmean, zip(*lines, strict=True)))] if len(lines) > 1 else []
    return [*rows, *mean]


def _report(image: str, scored: "Scored") -> dict[str, Any]:
    height, width = scored.shape
    told = {"ssim": scored.ssim, "gram": dict(scored.gram), "moments": dict(scored.moments)}
    return {"image": image, "width": width, "height": height, **scores(scored.scores), **told, **_judged(scored)}


def _judged(scored: "Scored") -> dict[str, float]:
    """What the judge says, if there is one."""
    told = {"lpips": scored.lpips, "judged": scored.judged}
    return {name: value for name, value in told.items() if value is not None}


def _rows(scored: "Scored") -> list[tuple[object, ...]]:
    found = scored.scores
    weighted = {"total": found.value, **found.by_kind}
    return [
        *((name, value, "") for name, value in weighted.items()),
        *((n, "", value) for n, value in found.losses.items()),
    ]
