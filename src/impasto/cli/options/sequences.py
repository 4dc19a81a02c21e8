"""A run on a sound or a signal from the command line: its options, and the run itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from cyclopts import Group, Parameter

from impasto.cli.options.outputs import DryRun, Outputs, Overwrite
from impasto.cli.terminal.interruption import Interruption
from impasto.cli.terminal.keeping import KEPT_ELSEWHERE, Kept, Way, all_kept, bare_way, keep
from impasto.cli.terminal.progress import duration, reporter
from impasto.cli.terminal.reports import scores
from impasto.cli.terminal.streams import complain, put_json, shown
from impasto.errors import SettingsError

if TYPE_CHECKING:
    from torch import Tensor

    from impasto.runs.result import Scores
    from impasto.runs.run import Event

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

    def save_picture(self, path: str | Path, *, metadata: bool = True) -> None:
        """Write a picture of it."""

    @property
    def values(self) -> "Tensor":
        """What was made, (channels or leads, n)."""


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
    overwrite: Annotated[Overwrite, Parameter(group=OUTPUT)] = False
    dry_run: Annotated[DryRun, Parameter(group=OUTPUT)] = False
    as_json: Annotated[
        bool, Parameter(name="--json", group=OUTPUT, show_default=False, help="Report as JSON on standard output.")
    ] = False
    quiet: Annotated[
        bool, Parameter(name=("--quiet", "-q"), group=OUTPUT, show_default=False, help="Show no progress.")
    ] = False

    def destination(self, inputs: Sequence[str], example: str) -> "SequenceDestination":
        """Where the result goes, after the checks that need no input.

        Raises:
            ImpastoError: if there is no output, it is one of the inputs, or a file beside it cannot be written.
        """
        if self.output is None:
            raise SettingsError(f"There is no output; add -o FILE, for example -o {example}.")
        from impasto import images, signals

        path, outputs = Path(self.output), Outputs([Path(name) for name in inputs], overwrite=self.overwrite)
        outputs.add(path, "The output")
        if path.suffix.lower() == ".npy":
            outputs.add(signals.beside_name(path), "The file of notes")
        picture = path.with_suffix(".png") if path.name not in ("", ".", "..") else path / "out.png"
        if not self.no_picture and picture != path:
            outputs.add(picture, "The picture")
            images.check_writable(picture)
        if self.checkpoint is not None:
            outputs.add_checkpoint(Path(self.checkpoint))
        return SequenceDestination(path, None if self.no_picture else picture, not self.no_metadata, outputs)


@dataclass(frozen=True)
class SequenceDestination:
    """A file for a sequence, and one for its picture.

    Args:
        path: the file.
        picture: a file beside it, or None.
        metadata: whether they say how it was made.
        outputs: the files that the command writes, these among them.
    """

    path: Path
    picture: Path | None
    metadata: bool
    outputs: Outputs

    def save(self, result: Outcome) -> Kept:
        """Write a finished sequence; where that fails, it is kept elsewhere, at last as an array of its values."""

        def save(path: Path) -> None:
            result.save(path, metadata=self.metadata)

        plainest = ".csv" if self.path.suffix.lower() in (".csv", ".npy") else ".wav"
        ways = (Way(self.path.suffix, save), Way(plainest, save), bare_way(result.values))
        kept = [keep(self.path, ways, self.outputs)]
        if self.picture is not None:
            way = Way(".png", lambda path: result.save_picture(path, metadata=self.metadata))
            kept.append(keep(self.picture, (way,), self.outputs))
        return all_kept(kept)


NO_OPTIONS = SequenceOptions()


def perform(task: Task, where: SequenceDestination, options: SequenceOptions) -> int:
    """Run, save, report, and return the exit code."""
    if options.dry_run:
        where.outputs.show(as_json=options.as_json)
        return 0
    with reporter(quiet=options.quiet) as tell, Interruption(lambda: tell.say(_STOPPING)) as interruption:

        def listen(event: "Event") -> bool:
            interruption.expect_picture()
            tell(event)
            return interruption.asked

        result: Outcome = task.run(listen, options.checkpoint)
        kept = where.save(result)
    stopped = interruption.asked and not result.complete
    for sentence in _closing(result, kept, where.path, options, stopped=stopped):
        tell.say(sentence)
    if kept.trouble is not None:
        complain(kept.trouble)
    if options.as_json:
        put_json(report(result, kept, where.picture))
    return KEPT_ELSEWHERE if kept.trouble is not None else _STOPPED if stopped else 0


def report(result: Outcome, kept: Kept, picture: Path | None) -> dict[str, Any]:
    """A finished run as plain data.

    ``output``, ``picture`` (files, or null), ``complete``, ``losses`` (by moment, see
    :func:`impasto.cli.terminal.reports.scores`), ``measures``, ``timings`` (seconds), ``notes`` and ``recipe``.
    """
    return {
        "output": None if kept.path is None else str(kept.path),
        "picture": None if picture is None else str(picture),
        "complete": result.complete,
        "losses": {name: scores(found) for name, found in result.losses.items()},
        "measures": result.measures,
        "timings": result.timings,
        "notes": [*result.notes, *([kept.trouble] if kept.trouble else [])],
        "recipe": result.recipe,
    }


def _closing(result: Outcome, kept: Kept, path: Path, options: SequenceOptions, *, stopped: bool) -> list[str]:
    """The last sentences of a run."""
    if stopped:
        place = f"; the best result is in {path}" if kept.trouble is None else ""
        first = f"Stopped after {result.recipe['evaluations']} evaluations{place}."
        if options.checkpoint:
            first += f" The same command goes on from the checkpoint in {options.checkpoint}."
    else:
        done = f"Wrote {path}" if kept.trouble is None else "Finished"
        first = f"{done}, after {duration(sum(result.timings.values()))}."
    found = ", ".join(f"{name} {shown(value)}" for name, value in result.measures.items() if value is not None)
    return [*result.notes, first, f"Measured: {found}."]


def numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that were given: those that are not None."""
    return {name: value for name, value in values.items() if value is not None}
