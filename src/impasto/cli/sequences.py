"""A run on a sound or a signal from the command line: its options, and the run itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from cyclopts import Group, Parameter

from impasto.cli.destination import refuse_overwriting
from impasto.cli.interruption import Interruption
from impasto.cli.progress import duration, reporter
from impasto.cli.reports import scores
from impasto.cli.streams import put_json, shown
from impasto.errors import SettingsError

if TYPE_CHECKING:
    from impasto.tasks.result import Scores
    from impasto.tasks.transfer import Event

OUTPUT = Group("Output", sort_key=0, help="None of these changes the result.")
_STOPPED = 130
_STOPPING = "Stopping after this step; the best result so far will be saved. Ctrl-C again aborts at once."

SHARED = ("strength", "content_weight", "style_weight", "style_losses", "blend")
DESCENT = ("evaluations", "optimizer", "rate", "history", "seed", "device")
"""Settings of pictures that sequences have too, as options."""


class Outcome(Protocol):
    """What a task on a sequence returns."""

    recipe: dict[str, Any]
    losses: "dict[str, Scores]"
    measures: dict[str, float | None]
    timings: dict[str, float]
    complete: bool
    notes: tuple[str, ...]

    def save(self, path: str | Path, *, metadata: bool = True) -> None:
        """Write the sequence."""

    def save_picture(self, path: str | Path) -> None:
        """Write a picture of it."""


class Task(Protocol):
    """A task on a sequence, prepared."""

    def run(self, on_event: "Callable[[Event], object] | None" = None, checkpoint: str | Path | None = None) -> Any:
        """Do it."""


@dataclass(frozen=True, kw_only=True)
class SequenceOptions:
    """What a run on a sequence leaves behind and says, none of which changes the result."""

    output: Annotated[
        str | None, Parameter(name=("--output", "-o"), metavar="FILE", group=OUTPUT, help="Where the result goes.")
    ] = None
    no_picture: Annotated[
        bool, Parameter(group=OUTPUT, show_default=False, help="Draw no picture (OUT.png) beside the output.")
    ] = False
    no_metadata: Annotated[
        bool, Parameter(group=OUTPUT, show_default=False, help="Leave out of the file how it was made.")
    ] = False
    checkpoint: Annotated[
        str | None,
        Parameter(metavar="DIR", group=OUTPUT, help="Save the run here; the same command goes on after a crash."),
    ] = None
    as_json: Annotated[
        bool, Parameter(name="--json", group=OUTPUT, show_default=False, help="Report as JSON on standard output.")
    ] = False
    quiet: Annotated[
        bool, Parameter(name=("--quiet", "-q"), group=OUTPUT, show_default=False, help="Show no progress.")
    ] = False

    def path(self, inputs: Sequence[str], example: str) -> Path:
        """Where the result goes, after the checks that need no input.

        Raises:
            ImpastoError: if there is no output, it is one of the inputs, or the picture cannot be written beside it.
        """
        if self.output is None:
            raise SettingsError(f"There is no output; add -o FILE, for example -o {example}.")
        path, read = Path(self.output), [Path(name) for name in inputs]
        refuse_overwriting(path, read, "The output")
        if not self.no_picture:
            from impasto import images

            refuse_overwriting(self.picture(path), read, "The picture")
            if path.name not in ("", ".", ".."):
                images.check_writable(self.picture(path))
        return path

    def picture(self, path: Path) -> Path:
        """Where the picture beside an output goes."""
        return path.with_suffix(".png") if path.name not in ("", ".", "..") else path / "out.png"


NO_OPTIONS = SequenceOptions()


def perform(task: Task, path: Path, options: SequenceOptions) -> int:
    """Run, save, report, and return the exit code."""
    with reporter(quiet=options.quiet) as tell, Interruption(lambda: tell.say(_STOPPING)) as interruption:

        def listen(event: "Event") -> bool:
            interruption.expect_picture()
            tell(event)
            return interruption.asked

        result: Outcome = task.run(listen, options.checkpoint)
        result.save(path, metadata=not options.no_metadata)
        if not options.no_picture:
            result.save_picture(options.picture(path))
    stopped = interruption.asked and not result.complete
    for sentence in _closing(result, path, options, stopped=stopped):
        tell.say(sentence)
    if options.as_json:
        put_json(report(result, path, None if options.no_picture else options.picture(path)))
    return _STOPPED if stopped else 0


def report(result: Outcome, output: Path, picture: Path | None) -> dict[str, Any]:
    """A finished run as plain data.

    ``output``, ``picture`` (files, or null), ``complete``, ``losses`` (by moment, see
    :func:`impasto.cli.reports.scores`), ``measures``, ``timings`` (seconds), ``notes`` and ``recipe``.
    """
    return {
        "output": str(output),
        "picture": None if picture is None else str(picture),
        "complete": result.complete,
        "losses": {name: scores(found) for name, found in result.losses.items()},
        "measures": result.measures,
        "timings": result.timings,
        "notes": list(result.notes),
        "recipe": result.recipe,
    }


def _closing(result: Outcome, path: Path, options: SequenceOptions, *, stopped: bool) -> list[str]:
    """The last sentences of a run."""
    if stopped:
        first = f"Stopped after {result.recipe['evaluations']} evaluations; the best result is in {path}."
        if options.checkpoint:
            first += f" The same command goes on from the checkpoint in {options.checkpoint}."
    else:
        first = f"Wrote {path}, after {duration(sum(result.timings.values()))}."
    found = ", ".join(f"{name} {shown(value)}" for name, value in result.measures.items() if value is not None)
    return [*result.notes, first, f"Measured: {found}."]


def numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that were given: those that are not None."""
    return {name: value for name, value in values.items() if value is not None}
