"""How a job's result gets to the disk: in its place, or else wherever it can be kept."""

import tempfile
from contextlib import suppress
from pathlib import Path

from impasto import images
from impasto.errors import ImpastoError, JobError
from impasto.files import settle
from impasto.jobs.store import PREVIEW, result_name
from impasto.media.medium import small
from impasto.runs.result import Result
from impasto.tasks import parameters_text


def delivered(result: Result, folder: Path) -> str | None:
    """Write a job's result and its preview into the job's folder; what had to be left out, if anything.

    Raises:
        JobError: if the result cannot be written there; it says where it is kept instead, if that was possible.
    """
    try:
        note = _written(result, folder / result_name(result.recipe["task"]))
    except ImpastoError as error:
        raise JobError(f"The {_noun(result)} is finished, but {_kept(result, folder)} {error}") from error
    with suppress(Exception):  # the result is there, whatever becomes of a picture of it
        images.write(folder / PREVIEW, small(result.picture), metadata=False)
    settle(folder)
    return note


def _noun(result: Result) -> str:
    return "picture" if result.draw is None else "result"


def _written(result: Result, path: Path) -> str | None:
    """Write the result; without what its input's file carried, if that is what keeps it from being written."""
    try:
        return " ".join(result.save(path)) or None
    except Exception as error:  # noqa: BLE001 - whatever it is, hours of work are not thrown away for it
        if result.draw is None:
            text = parameters_text(result.recipe)
            images.write(path, result.tensor, alpha=result.alpha, recipe=result.recipe, parameters=text)
        else:
            result.save(path, metadata=False)
        return f"What the input's file says was left out of the {_noun(result)}, for it cannot be written: {error}"


def _kept(result: Result, folder: Path) -> str:
    """Write the result under another name, and say where it is."""
    name = result_name(result.recipe["task"])
    elsewhere = Path(tempfile.gettempdir()) / f"impasto-{folder.name}{''.join(Path(name).suffixes)}"
    for path in (folder / f"kept-{name}", elsewhere):
        with suppress(ImpastoError):
            _written(result, path)
            return f"it is kept as {path}, for it could not be written in its place:"
    return "it could not be kept anywhere; make room, and retry the job, which goes on from its checkpoint:"
