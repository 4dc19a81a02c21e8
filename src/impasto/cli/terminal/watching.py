"""Jobs on the terminal: as a table, and watched until they have ended."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from impasto.cli.terminal.progress import duration
from impasto.cli.terminal.streams import printable, put_table, tell

if TYPE_CHECKING:
    from impasto.jobs import Job, Jobs

_LOOK = 0.5  # seconds


def put_jobs(found: Sequence["Job"]) -> None:
    """Jobs as a table on stdout."""
    rows = [
        (job.id[:10], job.status.value, f"{at.share:.0%}" if at else "", _time(job.created), job.task, job.title)
        for job, at in ((job, job.progress) for job in found)
    ]
    put_table(("job", "status", "done", "submitted", "task", "title"), rows)


def table_of(job: "Job") -> Iterator[tuple[str, object]]:
    """What there is to say of where a job stands."""
    yield "id", job.id
    yield "status", f"{job.status.value}{f': {job.error}' if job.error else ''}"
    yield "task", job.task
    if job.progress is not None:
        yield "progress", progress_of(job)
    for name, moment in (("submitted", job.created), ("started", job.started), ("ended", job.finished)):
        if moment is not None:
            yield name, _time(moment)


def progress_of(job: "Job") -> str:
    """How far a job is, in words."""
    at = job.progress
    if at is None:
        return job.status.value
    level = f"level {at.level + 1}/{at.levels}  evaluation {at.evaluation}/{at.evaluations}  total {at.value:.4g}"
    return level if job.status.ended else f"{level}  {duration(at.remaining)} left"


def watched(jobs: "Jobs", identifiers: Sequence[str], *, quiet: bool) -> list["Job"]:
    """Wait until jobs have ended, with a line on stderr whenever there is news of one."""
    before: dict[str, str] = {}
    while True:
        found = jobs.wait(identifiers, 0)
        for job in found if not quiet else ():
            news = job.error or ("" if job.progress is None else progress_of(job))
            line = f"{job.id[:10]}  {job.status.value:8}  {printable(job.title)}  {news}"
            if before.get(job.id) != line:
                tell(line)
            before[job.id] = line
        if all(job.status.ended for job in found):
            return found
        time.sleep(_LOOK)


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().isoformat(" ", "seconds")[:19]
