"""Results of jobs as files in a folder of their user's, for ``impasto jobs save``."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from impasto.errors import JobError
from impasto.files import not_written, whole_file

if TYPE_CHECKING:
    from impasto.jobs import Job, Jobs

_LONGEST = 200  # bytes of a name, to which an id and an ending are added


def copied(jobs: "Jobs", job: "Job", folder: Path) -> bool:
    """Copy a job's result under its title, or under its title and id if another file has that; False if it is there.

    A copy that was cut short is completed.

    Raises:
        JobError: if there is no result, or it cannot be written.
    """
    result = jobs.result(job.id)
    if result is None:
        raise JobError(f"The job {job.id} is {job.status} and has no result.")
    *parents, name = _parts(job.title)
    kind = "".join(result.suffixes)
    try:
        data = result.read_bytes()
        for target in (folder.joinpath(*parents, f"{name}{end}{kind}") for end in ("", f"_{job.id}")):
            there = target.read_bytes() if target.is_file() else None
            if there == data:
                return False
            if data.startswith(there or b"") and not target.is_dir():
                _put(target, data)
                return True
    except OSError as error:
        where = folder.joinpath(*parents, f"{name}{kind}")
        raise JobError(f"The result of the job {job.id} is not copied: {not_written(where, error)}") from error
    raise JobError(f"The result of the job {job.id} is not copied: {target} is there already; choose another folder.")


def _put(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as stream:
        stream.write(data)


def _parts(title: str) -> list[str]:
    """The folders and the name, without ending, that a title stands for: inside the folder, whatever it says."""
    from impasto.images.folder import ENDINGS
    from impasto.media import ENDINGS as OTHERS

    named = [_name(part) for part in title.split("/") if part.strip() not in ("", ".", "..")] or ["picture"]
    stem, ending = os.path.splitext(named[-1].removesuffix(".gz"))  # noqa: PTH122 - a Path would take it for more
    return [*named[:-1], stem if ending.lower() in {*ENDINGS, *OTHERS} and stem else named[-1]]


def _name(part: str) -> str:
    """A part of a title as the name of a file: short, and of letters that can be seen."""
    seen = "".join(letter if letter.isprintable() and letter not in '\\:*?"<>|' else "_" for letter in part)
    return seen.encode()[:_LONGEST].decode(errors="ignore")
