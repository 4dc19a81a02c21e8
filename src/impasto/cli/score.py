"""``impasto score``."""

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from impasto.cli.options import SCORING, chosen, options
from impasto.cli.places import EVERYWHERE, PlaceOptions
from impasto.cli.progress import size
from impasto.cli.reports import scores
from impasto.cli.streams import put, put_json, put_table, shown

if TYPE_CHECKING:
    from impasto.tasks.score import Scored

    Given = dict[str, str]
else:
    Given = options(*SCORING)


def score(
    content: Annotated[str, Parameter(help="The photo.")],
    style: Annotated[str, Parameter(help="The painting.")],
    images: Annotated[list[str], Parameter(name="IMAGE", help="Pictures made from them, by any tool.")],
    /,
    *,
    more: Annotated[
        tuple[str, ...], Parameter(name="--style", metavar="FILE", help="One more painting; may be repeated.")
    ] = (),
    as_json: Annotated[bool, Parameter(name="--json", show_default=False, help="Print JSON.")] = False,
    places: Annotated[PlaceOptions, Parameter(name="*")] = EVERYWHERE,
    given: Annotated[Given | None, Parameter(name="*")] = None,
) -> None:
    """Measure the losses of any pictures, from any tool.

    The JSON form is a list with, for every picture, ``image``, ``width``, ``height`` and the keys of
    :func:`impasto.cli.reports.scores`.
    """
    settings = chosen(given)
    from impasto.tasks.score import score as measure

    found = measure(content, [style, *more], images, **places.arguments(), settings=settings)
    named = list(zip(images, found, strict=True))
    if as_json:
        put_json([_report(image, scored) for image, scored in named])
        return
    for image, scored in named:
        put(f"{shown(image)}  {size(scored.shape)}")
        put_table(("loss", "weighted", "plain"), _rows(scored))


def _report(image: str, scored: "Scored") -> dict[str, Any]:
    height, width = scored.shape
    return {"image": image, "width": width, "height": height, **scores(scored.scores)}


def _rows(scored: "Scored") -> list[tuple[object, ...]]:
    found = scored.scores
    weighted = {"total": found.value, **found.by_kind}
    return [
        *((name, value, "") for name, value in weighted.items()),
        *((n, "", value) for n, value in found.losses.items()),
    ]
