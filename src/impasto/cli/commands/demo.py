"""``impasto demo``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from impasto.cli.options.performing import perform
from impasto.cli.options.running import NO_PICTURE_OPTIONS, PictureOptions
from impasto.cli.options.settings import chosen, options
from impasto.errors import SettingsError

if TYPE_CHECKING:
    Given = dict[str, str]
else:
    Given = options("size", "strength", "evaluations")

PHOTO, PAINTING = "rocket", "swirl"
"""The pair that the demo shows, both bundled."""

OUTPUT = "impasto-demo.png"


def demo(
    *,
    run: Annotated[PictureOptions, Parameter(name="*")] = NO_PICTURE_OPTIONS,
    given: Annotated[Given | None, Parameter(name="*")] = None,
) -> int:
    """Paint a bundled photo in the style of a bundled painting.

    The painting is saved beside the picture, to be looked at and used again.
    """
    from impasto import images, samples
    from impasto.runs.pictures.stylize import Transfer

    settings = chosen(given)
    if run.output == "-":
        raise SettingsError("The demo saves its painting beside its picture and needs a folder; give -o FILE.")
    photo = samples.photo(PHOTO)
    where = run.destination([photo], OUTPUT)
    painting = Path(run.output or OUTPUT)
    painting = painting.with_name(f"{painting.stem}-painting.png")
    where.outputs.add(painting, "The painting")
    images.check_writable(painting)
    pixels = images.read(samples.painting(PAINTING)).pixels
    if run.dry_run:
        return perform(Transfer.of(photo, pixels, settings=settings), where, run)
    images.write(painting, pixels, parameters=images.mark(f"The painting {PAINTING}"))
    notes = [f"The photo is {photo}, the painting {painting}."]
    return perform(Transfer.of(photo, painting, settings=settings), where, run, notes=notes)
