"""``impasto explore``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from impasto.cli.commands.figure import NumbersToo, Quiet, SheetFile, destination, draw_figure
from impasto.cli.options.outputs import DryRun, Overwrite
from impasto.cli.options.settings import arguments, options
from impasto.errors import SettingsError
from impasto.panels import PANELS

if TYPE_CHECKING:
    Given = dict[str, str]
else:
    Given = options(
        *("size", "content_loss", "content_layers", "style_layers", "style_losses", "blend", "smoothness"),
        *PANELS["Network"],
        *PANELS["Machine"],
    )


def explore(
    content: Annotated[str, Parameter(help="The photo.")],
    styles: Annotated[list[str], Parameter(name="STYLE", help="The painting, or several to blend.")],
    /,
    *,
    output: SheetFile = None,
    strengths: Annotated[
        str | None, Parameter(metavar="NUMBERS", help="From left to right; 0.2,0.5,0.8 unless given.")
    ] = None,
    scales: Annotated[
        str | None, Parameter(metavar="NUMBERS", help="Style scales, from top to bottom; 0.5,1,2 unless given.")
    ] = None,
    colors: Annotated[
        str | None, Parameter(metavar="NAMES", help="Settings of color; style,luminance unless given.")
    ] = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    as_json: NumbersToo = False,
    quiet: Quiet = False,
    given: Annotated[Given | None, Parameter(name="*")] = None,
) -> int:
    """Draw a sheet of small pictures to choose from, each with the command that makes it at full size.

    All other options go into those commands, and so into the pictures. With ``--json`` the numbers are printed as they
    are in the file beside the sheet; every cell there has its ``command``.
    """
    where, outputs = destination(output, [Path(name) for name in (content, *styles)], overwrite=overwrite)

    from impasto.studies.explore import Axes, exploration

    axes: dict[str, Any] = {"strengths": _numbers("strengths", strengths), "scales": _numbers("scales", scales)}
    axes["colors"] = None if colors is None else tuple(name.strip() for name in colors.split(","))
    chosen = Axes(**{name: value for name, value in axes.items() if value is not None})
    plan = exploration(content, styles, chosen, words=arguments, names=(content, *styles), **(given or {}))
    if dry_run:
        outputs.show(as_json=as_json)
        return 0
    return draw_figure(plan, where, outputs, as_json=as_json, quiet=quiet)


def _numbers(name: str, text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise SettingsError(f"The {name} are {text!r}; give numbers with commas between them.") from None
