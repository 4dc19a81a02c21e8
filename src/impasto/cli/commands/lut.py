"""``impasto lut``."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from impasto.cli.options.keeping import KEPT_ELSEWHERE, Way, keep
from impasto.cli.options.outputs import DryRun, Outputs, Overwrite
from impasto.cli.terminal.streams import complain, tell
from impasto.errors import SettingsError


def lut(
    painting: Annotated[str, Parameter(help="The painting whose colors are wanted.")],
    photo: Annotated[
        str | None, Parameter(help="A photo like those that it is for; the bundled ones unless given.")
    ] = None,
    /,
    *,
    output: Annotated[
        str | None, Parameter(name=("--output", "-o"), metavar="FILE", help="Where the table goes, .cube.")
    ] = None,
    points: Annotated[int, Parameter(help="Points along each axis; programs take 17, 33 and 65.")] = 33,
    method: Annotated[
        Literal["match", "match-cholesky", "histogram"], Parameter(help="How colors are matched, as by --color.")
    ] = "match",
    strength: Annotated[float, Parameter(help="0 changes nothing, 1 gives all of the painting's colors.")] = 1.0,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    quiet: Annotated[bool, Parameter(name=("--quiet", "-q"), show_default=False)] = False,
) -> int:
    """Write the colors of a painting as a table (LUT) for other programs, as an Adobe .cube file."""
    if output is None or Path(output).suffix.lower() != ".cube":
        raise SettingsError(f"The output is {output or 'missing'}; give a name that ends in .cube, as -o style.cube.")
    path = Path(output)
    inputs = [Path(name) for name in (painting, photo) if name is not None]
    outputs = Outputs(inputs, overwrite=overwrite)
    from impasto.studies.color_table import CUBES, color_table

    CUBES.replace(path, None)
    outputs.add(path, "The output")
    table = color_table(painting, photo, points=points, method=method, strength=strength)
    if dry_run:
        outputs.show()
        return 0
    title = f"impasto: {Path(painting).name}, {method}, strength {strength:g}"
    kept = keep(path, (Way(".cube", lambda place: table.save(place, title)),), outputs)
    if kept.trouble is not None:
        complain(kept.trouble)
        return KEPT_ELSEWHERE
    if not quiet:
        tell(f"Wrote {path}, {points} x {points} x {points} colors.")
    return 0
