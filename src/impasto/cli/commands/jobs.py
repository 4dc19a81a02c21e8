"""``impasto jobs``: a queue of runs that survives crashes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Group, Parameter
from cyclopts.validators import Number

from impasto.cli.commands.worker import Database, Home
from impasto.cli.options.settings import chosen, options, words_of_tasks
from impasto.cli.terminal.streams import complain, printable, put, put_json, put_lines
from impasto.cli.terminal.watching import put_jobs, table_of, watched
from impasto.errors import ImpastoError, JobError, SettingsError
from impasto.files import is_file, is_folder
from impasto.settings import INITS, Settings, superseded
from impasto.tasks import TASKS, Task

if TYPE_CHECKING:
    from impasto.jobs import Job, Jobs

    Given = dict[str, str]
    Words = dict[str, Any]
else:
    Given = options()
    Words = words_of_tasks()

app = App(name="jobs", usage="Usage: impasto jobs COMMAND [OPTIONS]", help_epilogue="")

_WRONG = 2
_JOB = Group("Job", sort_key=0)
_PLACE = Group("Place", sort_key=-1)

Names = Annotated[list[str], Parameter(name="JOB", help="Its id, or how it begins.")]
AsJson = Annotated[bool, Parameter(name="--json", show_default=False, help="Print JSON.")]


@dataclass(frozen=True, kw_only=True)
class JobsLocation:
    """Where the jobs are."""

    home: Annotated[Home, Parameter(group=_PLACE)] = None
    database: Annotated[Database, Parameter(group=_PLACE)] = None

    def open(self) -> "Jobs":
        """The jobs."""
        from impasto.jobs import Jobs

        return Jobs.open(self.home, self.database)


Where = Annotated[JobsLocation, Parameter(name="*")]
_USUAL = JobsLocation()


@app.command(usage="Usage: impasto jobs submit CONTENT|FOLDER STYLE [STYLE ...] [OPTIONS]", help_epilogue="")
def submit(
    inputs: Annotated[
        list[Path],
        Parameter(name="INPUT", help="The photo, or a folder with one job per photo, and the paintings; or exemplars."),
    ],
    /,
    *,
    task: Annotated[
        str,
        Parameter(
            group=_JOB,
            metavar="TASK",
            choices=tuple(TASKS),
            help="What is made. impasto TASK --help tells its inputs and words.",
        ),
    ] = "stylize",
    mask: Annotated[
        tuple[Path, ...],
        Parameter(metavar="FILE", group=_JOB, help="Where each style goes; with one less, the last has the rest."),
    ] = (),
    protect: Annotated[
        Path | None, Parameter(metavar="FILE", group=_JOB, help="A mask of what stays the photo.")
    ] = None,
    preset: Annotated[
        str | None, Parameter(metavar="NAME|FILE.toml", group=_JOB, help="Settings to begin with.")
    ] = None,
    as_json: AsJson = False,
    place: Where = _USUAL,
    words: Annotated[Words | None, Parameter(name="*")] = None,
    given: Annotated[Given | None, Parameter(name="*")] = None,
) -> int:
    """Put a run into the queue, or one for every picture of a folder.

    What is in the queue already, with the same settings and files of the same content and name, is not submitted twice:
    a submission that was interrupted is continued by repeating it. impasto worker computes the jobs.
    """
    typed, kind = dict(given or {}), TASKS[task]
    start = typed.pop("init") if typed.get("init", INITS[0]) not in INITS else None
    own = {name: typed.pop(name) for name in kind.words if name in typed}
    settings = {**_read(kind, typed, preset), **own, **(words or {})}
    optional = {"init": start and [Path(start)], "masks": list(mask), "protect": protect and [protect]}
    extra = {role: files for role, files in optional.items() if files}

    jobs, made, refused = place.open(), [], []
    passed = _passed_over(kind, inputs[0])
    for title, files in _submissions(kind, inputs):
        try:
            made.append(jobs.submit_once(task, {**files, **extra}, settings, title=title))
        except ImpastoError as error:
            if len(inputs) and not is_folder(inputs[0]):
                raise
            refused.append(str(error))
            complain(str(error))
    _tell(made, refused, passed, as_json=as_json)
    return _WRONG if refused else 0


def _read(task: Task, typed: dict[str, str], preset: str | None) -> dict[str, Any]:
    """The settings that were typed, as plain data."""
    base = _plain_settings(chosen({}, preset)) if preset else {}
    kept = {name: value for name, value in base.items() if name not in superseded(typed)}
    settings = task.decide({**kept, **typed})
    return settings.model_dump(mode="json", include={*kept, *typed})


def _plain_settings(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json", exclude_unset=True)


def _submissions(task: Task, inputs: Sequence[Path]) -> Iterator[tuple[str, dict[str, list[Path]]]]:
    """For every job its title and its files."""
    first, rest = inputs[0], list(inputs[1:])
    both = "content" in task.roles and "styles" in task.roles
    role = "content" if "content" in task.roles else "styles"
    if both and not rest:
        kinds = " or ".join(task.roles["styles"].media)
        raise SettingsError(f"There is no {kinds} to take the style from; give at least one after {first}.")
    if "styles" not in task.roles and rest:
        kinds = " or ".join(task.roles[role].media)
        raise SettingsError(f"Here one {kinds} or one folder is taken; submit the others by themselves.")
    if role == "styles" and rest:
        yield first.name, {"styles": list(inputs)}
    elif is_folder(first):
        found = _named_like(task, role, first)
        if not found:
            raise SettingsError(
                f"There is nothing in {first} that {task.result} is made of; give files (a DICOM series as one NIfTI file)."
            )
        for path in found:
            yield path.relative_to(first).as_posix(), {role: [path], **({"styles": rest} if rest else {})}
    else:
        yield first.name, {role: [first], **({"styles": rest} if rest else {})}


def _named_like(task: Task, role: str, folder: Path) -> list[Path]:
    """The files of a folder that are named like what a role takes."""
    from impasto.images.folder import pictures_in
    from impasto.media import media_of, medium_of

    if "picture" in task.roles[role].media:
        return list(pictures_in(folder))
    wanted = {medium_of(name) for name in task.roles[role].media}
    files = (path for path in sorted(folder.rglob("*")) if is_file(path) and not path.name.startswith("."))
    return [path for path in files if wanted & {*media_of(path)}]


def _passed_over(task: Task, folder: Path) -> list[Path]:
    """The files of a folder that are not named like what the task takes; hidden ones are nobody's business."""
    if not is_folder(folder):
        return []
    taken = set(_named_like(task, "content" if "content" in task.roles else "styles", folder))
    files = (path for path in folder.rglob("*") if is_file(path) and not path.name.startswith("."))
    return [path for path in files if path not in taken]


def _tell(made: Sequence[tuple["Job", bool]], refused: Sequence[str], passed: Sequence[Path], *, as_json: bool) -> None:
    if as_json:
        put_json([{**_plain(job), "new": new} for job, new in made])
        return
    for job, new in made if len(made) < 4 else ():
        put(f"{'Submitted' if new else 'Was there already:'} {job.id}  {job.title}")
    count = sum(new for _, new in made)
    kinds = ", ".join(sorted({printable(path.suffix.lower() or path.name) for path in passed}))
    words = [
        f"{count} submitted",
        f"{len(made) - count} were there already",
        *([f"{len(refused)} refused"] if refused else []),
        *([f"{len(passed)} passed over that are of no kind that is taken ({kinds})"] if passed else []),
    ]
    put(f"{', '.join(words)}.")


@app.command(name="list", usage="Usage: impasto jobs list [OPTIONS]", help_epilogue="")
def list_(
    *,
    status: Annotated[
        tuple[Literal["queued", "running", "paused", "stopped", "done", "failed", "canceled"], ...],
        Parameter(help="Only jobs in this state; may be repeated."),
    ] = (),
    search: Annotated[str, Parameter(metavar="WORDS", help="Only jobs with these words in their title.")] = "",
    limit: Annotated[int, Parameter(metavar="INT", validator=Number(gte=1), help="At most so many.")] = 50,
    as_json: AsJson = False,
    place: Where = _USUAL,
) -> None:
    """List jobs, newest first."""
    from impasto.jobs import Status

    found = place.open().list(status=[Status(one) for one in status], search=search, limit=limit)
    if as_json:
        put_json([_plain(job) for job in found])
    elif found:
        put_jobs(found)
    else:
        put("There are no such jobs." if status or search else "There are no jobs yet.")


@app.command(usage="Usage: impasto jobs watch [JOB ...] [OPTIONS]", help_epilogue="")
def watch(
    names: Annotated[list[str] | None, Parameter(name="JOB", help="All that have not ended, unless given.")] = None,
    /,
    *,
    quiet: Annotated[bool, Parameter(name=("--quiet", "-q"), show_default=False, help="Only wait.")] = False,
    place: Where = _USUAL,
) -> int:
    """Show jobs until they have ended. Ctrl-C ends the watching, not the jobs.

    The exit code is 0 if there is a picture of every one of them, else 2.
    """
    from impasto.jobs import KEPT, Status

    jobs = place.open()
    waiting = [Status.QUEUED, Status.RUNNING, Status.PAUSED]
    found = [_found(jobs, name) for name in names] if names else jobs.list(status=waiting, limit=10_000)
    ended = watched(jobs, [job.id for job in found], quiet=quiet)
    return 0 if all(job.status in KEPT for job in ended) else _WRONG


@app.command(usage="Usage: impasto jobs show JOB [OPTIONS]", help_epilogue="")
def show(name: Annotated[str, Parameter(name="JOB")], /, *, as_json: AsJson = False, place: Where = _USUAL) -> None:
    """Show one job, its log and its files."""
    jobs = place.open()
    job = _found(jobs, name)
    events, result, preview = jobs.events(job.id), jobs.result(job.id), jobs.preview(job.id)
    if as_json:
        files = {"result": result and str(result), "preview": preview and str(preview)}
        put_json({**_plain(job), **files, "events": [asdict(event) for event in events]})
        return
    put_lines(
        job.title,
        [
            *table_of(job),
            *((role, ", ".join(names)) for role, names in job.names.items()),
            *job.settings.items(),
            ("result", result or "none yet"),
            ("preview", preview or "none yet"),
        ],
    )


def _each(names: Sequence[str], place: JobsLocation, what: Callable[["Jobs", str], object], done: str) -> int:
    """Do something with several jobs; every one that refuses says so."""
    jobs, refused = place.open(), 0
    for name in names:
        try:
            job = _found(jobs, name)
            what(jobs, job.id)
            put(f"{done} {job.id}  {job.title}")
        except JobError as error:
            complain(str(error))
            refused += 1
    return _WRONG if refused else 0


@app.command(usage="Usage: impasto jobs cancel JOB [JOB ...] [OPTIONS]", help_epilogue="")
def cancel(names: Names, /, *, place: Where = _USUAL) -> int:
    """End jobs without a result; running ones end within a second."""
    return _each(names, place, lambda jobs, name: jobs.cancel(name), "Canceled")


@app.command(usage="Usage: impasto jobs pause JOB [JOB ...] [OPTIONS]", help_epilogue="")
def pause(names: Names, /, *, place: Where = _USUAL) -> int:
    """Let jobs rest; running ones save where they are."""
    return _each(names, place, lambda jobs, name: jobs.pause(name), "Paused")


@app.command(usage="Usage: impasto jobs resume JOB [JOB ...] [OPTIONS]", help_epilogue="")
def resume(names: Names, /, *, place: Where = _USUAL) -> int:
    """Let paused jobs go on, to the same picture."""
    return _each(names, place, lambda jobs, name: jobs.resume(name), "Resumed")


@app.command(usage="Usage: impasto jobs stop JOB [JOB ...] [OPTIONS]", help_epilogue="")
def stop(names: Names, /, *, place: Where = _USUAL) -> int:
    """End jobs after their current step and keep their best pictures."""
    return _each(names, place, lambda jobs, name: jobs.stop(name), "Stopping")


@app.command(usage="Usage: impasto jobs retry JOB [JOB ...] [OPTIONS]", help_epilogue="")
def retry(names: Names, /, *, place: Where = _USUAL) -> int:
    """Put failed or canceled jobs back into the queue."""
    return _each(names, place, lambda jobs, name: jobs.retry(name), "Queued again")


@app.command(usage="Usage: impasto jobs delete JOB [JOB ...] [OPTIONS]", help_epilogue="")
def delete(names: Names, /, *, place: Where = _USUAL) -> int:
    """Forget jobs and remove their files."""
    return _each(names, place, lambda jobs, name: jobs.delete(name), "Deleted")


@app.command(usage="Usage: impasto jobs adjust JOB [OPTIONS]", help_epilogue="")
def adjust(
    name: Annotated[str, Parameter(name="JOB")],
    /,
    *,
    place: Where = _USUAL,
    given: Annotated[Given | None, Parameter(name="*")] = None,
) -> None:
    """Change what a job aims at while it runs, such as --strength; it goes on from the picture it has."""
    if not given:
        raise SettingsError("There is nothing to change; give a setting, such as --strength 0.7.")
    jobs = place.open()
    job = jobs.adjust(_found(jobs, name).id, given)
    put(f"Adjusted {job.id}  {job.title}")


@app.command(usage="Usage: impasto jobs more JOB [OPTIONS]", help_epilogue="")
def more(
    name: Annotated[str, Parameter(name="JOB")],
    /,
    *,
    evaluations: Annotated[int, Parameter(metavar="INT", validator=Number(gte=1), help="So many more.")] = 50,
    place: Where = _USUAL,
) -> None:
    """Submit a job that goes on from another one's result."""
    jobs = place.open()
    job = jobs.more(_found(jobs, name).id, evaluations)
    put(f"Submitted {job.id}  {job.title}")


@app.command(usage="Usage: impasto jobs save [JOB ...] -o FOLDER [OPTIONS]", help_epilogue="")
def save(
    names: Annotated[list[str] | None, Parameter(name="JOB", help="All that have a result, unless given.")] = None,
    /,
    *,
    output: Annotated[Path, Parameter(name=("--output", "-o"), metavar="FOLDER", help="Made if it is missing.")],
    place: Where = _USUAL,
) -> int:
    """Copy results into a folder, under the names of the photos; repeating it copies only what is new.

    What cannot be copied is said, and the others are copied all the same; the exit code is 2 then.
    """
    from impasto.cli.terminal.results import copied
    from impasto.jobs import KEPT

    jobs = place.open()
    wanted = names or [job.id for job in jobs.list(status=KEPT, limit=100_000)]
    new = refused = 0
    for name in wanted:
        try:
            new += copied(jobs, _found(jobs, name), output)
        except JobError as error:
            complain(str(error))
            refused += 1
    put(f"Copied {new} of {len(wanted)} results into {output}{f'; {refused} could not be copied' if refused else ''}.")
    return _WRONG if refused else 0


@app.command(usage="Usage: impasto jobs prune [OPTIONS]", help_epilogue="")
def prune(
    *,
    older_than: Annotated[
        float, Parameter(metavar="DAYS", validator=Number(gte=0), help="Since they ended, in days.")
    ] = 30.0,
    place: Where = _USUAL,
) -> None:
    """Delete jobs that ended long ago, with their pictures, and files that belong to no job."""
    put(f"Deleted {place.open().prune(older_than)} jobs.")


def _found(jobs: "Jobs", name: str) -> "Job":
    """The job whose id is, or begins with, a word."""
    matches = [job for job in jobs.list(limit=100_000) if job.id.startswith(name)] if len(name) < 24 else []
    if len(matches) > 1:
        raise JobError(f"{len(matches)} jobs begin with {name!r}; give more of the id.")
    return matches[0] if matches else jobs.get(name)


def _plain(job: "Job") -> dict[str, Any]:
    """A job as it is printed."""
    return asdict(job)
