"""``impasto stylize``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from impasto.cli.options.outputs import Outputs
from impasto.cli.options.regions import EVERYWHERE, PlaceOptions
from impasto.cli.options.running import NO_OPTIONS, RunOptions, files_of, perform, rehearse
from impasto.cli.options.settings import chosen, options

if TYPE_CHECKING:
    Given = dict[str, str]
else:
    Given = options()

_RUN = Group("Run", sort_key=0)


def stylize(
    content: Annotated[str, Parameter(help="The photo.")],
    styles: Annotated[list[str], Parameter(name="STYLE", help="The painting, or several to blend.")],
    /,
    *,
    preset: Annotated[
        str | None,
        Parameter(
            metavar="NAME|FILE.toml", group=_RUN, help="Settings to begin with; options given beside it override them."
        ),
    ] = None,
    run: Annotated[RunOptions, Parameter(name="*")] = NO_OPTIONS,
    places: Annotated[PlaceOptions, Parameter(name="*")] = EVERYWHERE,
    given: Annotated[Given | None, Parameter(name="*")] = None,
) -> int:
    """Paint a photo in the style of paintings.

    With ``--json`` the report of :func:`impasto.cli.terminal.reports.report` is printed, or for a dry run that of
    :func:`impasto.cli.terminal.reports.plan_report`.
    """
    settings = chosen(given, preset)
    inputs = [*(Path(name) for name in (content, *styles)), *places.files(), *files_of(settings)]
    where = run.destination(inputs) if run.output is not None or not run.dry_run else None

    from impasto.runs.run import Transfer

    transfer = Transfer.of(content, styles, **places.arguments(), settings=settings)
    if where is None:
        rehearse(transfer, run, Outputs())
        return 0
    return perform(transfer, where, run)
