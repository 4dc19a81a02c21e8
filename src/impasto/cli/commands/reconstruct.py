"""``impasto reconstruct``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from impasto.cli.options.running import NO_OPTIONS, RunOptions, files_of, perform
from impasto.cli.options.settings import options
from impasto.panels import PANELS

if TYPE_CHECKING:
    Given = dict[str, str]
else:
    Given = options(
        *(name for name in PANELS["Picture"] if not name.startswith("style_")),
        *("smoothness", "sharpness", "photorealism"),
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
    :func:`impasto.cli.terminal.reports.report` is printed.
    """
    from impasto.tasks.reconstruct import Reconstruction

    values: dict[str, Any] = {**(given or {})}
    task = Reconstruction.prepared(photo, layer, **values)
    where = run.destination([Path(photo), *files_of(task.settings)])
    return perform(task, where, run)
