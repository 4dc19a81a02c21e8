"""``impasto texture``."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from impasto.cli.options.running import NO_OPTIONS, RunOptions, files_of, perform
from impasto.cli.options.settings import options, words
from impasto.errors import SettingsError
from impasto.panels import PANELS
from impasto.settings import up_to as layers_up_to

if TYPE_CHECKING:
    Given = dict[str, str]
else:
    Given = options(
        *(name for name in PANELS["Picture"] if name not in ("size", "style_scale")),
        *("style_layers", "layers_per_style", "style_weight", "style_losses", "blend", "smoothness"),
        *PANELS["Network"],
        *PANELS["Descent"],
        *PANELS["Machine"],
    )


def texture(
    exemplars: Annotated[list[str], Parameter(name="STYLE", help="The exemplar, or several to blend.")],
    /,
    *,
    size: Annotated[
        str | None, Parameter(metavar="SIDE|WIDTHxHEIGHT", help="In pixels; the exemplar's unless given.")
    ] = None,
    tileable: Annotated[
        bool, Parameter(show_default=False, help="Let copies side by side meet without a seam.")
    ] = False,
    up_to: Annotated[
        str | None,
        Parameter(metavar="LAYER", help="Take the style layers from conv1_1 to this one, such as conv3_1, alone."),
    ] = None,
    style_scale: Annotated[
        float | None,
        Parameter(help="Long side of the exemplar, relative to the texture's; pixel for pixel unless given."),
    ] = None,
    run: Annotated[RunOptions, Parameter(name="*")] = NO_OPTIONS,
    given: Annotated[Given | None, Parameter(name="*")] = None,
) -> int:
    """Make a texture of any size from an exemplar.

    Starts from white noise unless ``--init`` says otherwise. With ``--json`` the report of
    :func:`impasto.cli.terminal.reports.report` is printed.
    """
    own = {} if style_scale is None else {"style_scale": str(style_scale)}
    if up_to is not None and "style_layers" in (given or {}):
        raise SettingsError("--up-to and --style-layers both choose layers; give one of them.")
    values: dict[str, Any] = {**(given or {}), **own, **_layers(up_to)}
    shape = _shape(size)

    from impasto.tasks.texture import Texture

    task = Texture.prepared(exemplars, shape, tileable=tileable, **values)
    where = run.destination([*map(Path, exemplars), *files_of(task.settings)])
    return perform(task, where, run)


def _layers(last: str | None) -> dict[str, str]:
    return {} if last is None else {"style_layers": words(layers_up_to(last))}


def _shape(size: str | None) -> tuple[int, int] | None:
    """Height and width from ``512`` or ``640x480``."""
    if size is None:
        return None
    found = re.fullmatch(r"(\d{1,6})(?:[x×](\d{1,6}))?", size.strip())
    if found is None:
        raise SettingsError(f"The size {size!r} was given; give a side such as 512, or 640x480 for width and height.")
    width, height = found[1], found[2] or found[1]
    return int(height), int(width)
