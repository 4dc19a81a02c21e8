"""``impasto reconstruct``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from impasto.cli.options import PANELS, chosen, options
from impasto.cli.running import NO_OPTIONS, RunOptions, files_of, perform

if TYPE_CHECKING:
    Given = dict[str, str]
else:
    Given = options(
        *(name for name in PANELS["Picture"] if name != "style_scale"),
        "smoothness",
        *PANELS["Network"],
        *PANELS["Descent"],
        *PANELS["Machine"],
    )


def reconstruct(
    photo: Annotated[str, Parameter(help="The photo.")],
    /,
    *,
    layer: Annotated[str, Parameter(help="The layer whose features are kept, conv1_1 to conv5_4.")],
    run: Annotated[RunOptions, Parameter(name="*")] = NO_OPTIONS,
    given: Annotated[Given | None, Parameter(name="*")] = None,
) -> int:
    """Show what a layer keeps of a photo.

    Starts from white noise unless ``--init`` says otherwise. With ``--json`` the report of
    :func:`impasto.cli.reports.report` is printed.
    """
    settings = chosen(given)
    where = run.destination([Path(photo), *files_of(settings)])

    from impasto.tasks.reconstruction import Reconstruction

    return perform(Reconstruction.prepared(photo, layer, settings=settings), where, run)
