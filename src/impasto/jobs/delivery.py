"""How a job's picture gets to the disk: in its place, or else wherever it can be kept."""

import tempfile
from contextlib import suppress
from pathlib import Path

from impasto import images
from impasto.errors import ImageError, JobError
from impasto.files import settle
from impasto.jobs.reporting import small
from impasto.jobs.store import PREVIEW, RESULT
from impasto.runs.result import Result, parameters_text


def delivered(result: Result, folder: Path) -> str | None:
    """Write a job's picture and its preview into the job's folder; what had to be left out, if anything.

    Raises:
        JobError: if the picture cannot be written there; it says where the picture is kept instead, if that was possible.
    """
    try:
        note = _written(result, folder / RESULT)
    except ImageError as error:
        raise JobError(f"The picture is finished, but {_kept(result, folder)} {error}") from error
    with suppress(ImageError):
        images.write(folder / PREVIEW, small(result.tensor), metadata=False)
    settle(folder)
    return note


def _written(result: Result, path: Path) -> str | None:
    """Write the picture; without what its photo's file carried, if that is what keeps it from being written."""
    try:
        return " ".join(result.save(path)) or None
    except Exception as error:  # noqa: BLE001 - whatever it is, hours of work are not thrown away for it
        images.write(
            path, result.tensor, alpha=result.alpha, recipe=result.recipe, parameters=parameters_text(result.recipe)
        )
        return f"What the photo's file says of it was left out of the picture, for it cannot be written: {error}"


def _kept(result: Result, folder: Path) -> str:
    """Write the picture under another name, and say where it is."""
    elsewhere = Path(tempfile.gettempdir()) / f"impasto-{folder.name}.png"
    for path in (folder / f"kept-{RESULT}", elsewhere):
        with suppress(ImageError):
            _written(result, path)
            return f"it is kept as {path}, for it could not be written in its place:"
    return "it could not be kept anywhere; make room, and retry the job, which goes on from its checkpoint:"
