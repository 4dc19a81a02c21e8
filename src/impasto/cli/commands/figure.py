"""``impasto figure``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from cyclopts.types import PositiveInt

from impasto.cli.options.destination import Destination
from impasto.cli.options.keeping import KEPT_ELSEWHERE, Way, all_kept, keep
from impasto.cli.options.outputs import DryRun, Outputs, Overwrite
from impasto.cli.options.settings import options
from impasto.cli.terminal.interruption import Interruption
from impasto.cli.terminal.progress import duration, reporter
from impasto.cli.terminal.streams import complain, put_json
from impasto.errors import SettingsError

if TYPE_CHECKING:
    from impasto.runs.events import Event
    from impasto.studies.figure_sheet import Sketch

    Given = dict[str, str]
else:
    Given = options("evaluations", "coarsest", "seed", "network", "weights", "padding", "precision", "device")

SheetFile = Annotated[
    str | None, Parameter(name=("--output", "-o"), metavar="FILE", help="The sheet; its numbers go beside it, .json.")
]
NumbersToo = Annotated[bool, Parameter(name="--json", show_default=False, help="Print the numbers, too.")]
Quiet = Annotated[bool, Parameter(name=("--quiet", "-q"), show_default=False, help="Show no progress.")]

_STOPPED = 130
_STOPPING = "Stopping after this step; the cells so far will be saved. Ctrl-C again aborts at once."


def figure(
    name: Annotated[
        str,
        Parameter(
            help="content-layers, style-layers, trade-off, content-layer, initialization, layer-weights, pooling, "
            "style-losses or blends."
        ),
    ],
    inputs: Annotated[
        list[str] | None,
        Parameter(
            name="INPUT",
            help="What it is made from: a photo, a painting or both, for blends two to four paintings; bundled ones unless given.",
        ),
    ] = None,
    /,
    *,
    output: SheetFile = None,
    size: Annotated[
        PositiveInt | None, Parameter(help="Long side of its pictures, in pixels; 256 unless given.")
    ] = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    as_json: NumbersToo = False,
    quiet: Quiet = False,
    given: Annotated[Given | None, Parameter(name="*")] = None,
) -> int:
    """Draw a figure of the papers, of your own pictures or of bundled ones.

    With ``--json`` the numbers are printed as they are in the file beside the sheet.
    """
    where, outputs = destination(output, [Path(path) for path in inputs or []], overwrite=overwrite)

    from impasto.studies.figures import SIZE, sketch

    values: dict[str, Any] = {**(given or {})}
    plan = sketch(name, *(inputs or []), size=size or SIZE, **values)
    if dry_run:
        outputs.show(as_json=as_json)
        return 0
    return draw_figure(plan, where, outputs, as_json=as_json, quiet=quiet)


def draw_figure(plan: "Sketch", where: Path, outputs: Outputs, *, as_json: bool, quiet: bool) -> int:
    """Draw a figure cell by cell, save it and its numbers, and return the exit code."""
    from impasto.studies.figure_sheet import drawn, numbers_path

    with reporter(quiet=quiet) as tell, Interruption(lambda: tell.say(_STOPPING)) as interruption:

        def listen(event: "Event") -> bool:
            interruption.expect_picture()
            tell(event)
            return interruption.asked

        found = drawn(plan, listen)
        beside = numbers_path(where)
        sheet = keep(where, (Way(where.suffix, found.save_sheet), Way(".png", found.save_sheet)), outputs)
        kept = all_kept([sheet, keep(beside, (Way(".json", found.save_numbers),), outputs)])
        if kept.trouble is None and found.complete:
            tell.say(f"Wrote {where} and {beside}, after {duration(found.numbers['seconds'])}.")
        elif kept.trouble is None:
            tell.say(f"Stopped after {len(found.results)} cells; what there is, is in {where} and {beside}.")
    if kept.trouble is not None:
        complain(kept.trouble)
    if as_json:
        put_json(found.numbers)
    return KEPT_ELSEWHERE if kept.trouble is not None else 0 if found.complete else _STOPPED


def destination(output: str | None, inputs: list[Path], *, overwrite: bool) -> tuple[Path, Outputs]:
    """Where a figure goes, after every check that needs no picture."""
    if output is None or output == "-":
        raise SettingsError("A figure is a picture and its numbers, in two files; name the picture with -o FILE.")
    from impasto.studies.figure_sheet import JSON, numbers_path

    path = Path(output)
    Destination(path).check()
    outputs = Outputs(inputs, overwrite=overwrite)
    outputs.add(path, "The output")
    outputs.add(numbers_path(path), "The file of numbers")
    JSON.replace(numbers_path(path), None)
    return path, outputs
