"""A run from the command line: its options, the checks before it, and the run itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter
from cyclopts.types import PositiveInt
from cyclopts.validators import Number

from impasto.cli.byproducts import Frames, Preview, Tolerant
from impasto.cli.destination import Destination, refuse_overwriting, same_file
from impasto.cli.interruption import Interruption
from impasto.cli.progress import Reporter, duration, reporter, size
from impasto.cli.reports import report
from impasto.cli.resources import group_of_run, within
from impasto.cli.streams import complain, put_json, shown
from impasto.errors import SettingsError
from impasto.settings import INITS, Settings

if TYPE_CHECKING:
    from impasto.tasks.result import Result
    from impasto.tasks.transfer import Event, Transfer

_OUTPUT = Group("Output", sort_key=0, help="None of these changes the picture.")
_STOPPED = 130


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a run leaves behind and says, none of which changes the picture."""

    output: Annotated[
        str | None,
        Parameter(
            name=("--output", "-o"),
            metavar="FILE",
            group=_OUTPUT,
            allow_leading_hyphen=True,
            help="Where the picture goes, .png, .jpg, .webp, .tif, .avif or .dzi; - writes a PNG to standard output.",
        ),
    ] = None
    quality: Annotated[
        int | None,
        Parameter(
            metavar="INT",
            group=_OUTPUT,
            validator=Number(gte=1, lte=100),
            help="1 to 100, for JPEG, WebP and AVIF; 95 unless given.",
        ),
    ] = None
    depth: Annotated[
        Literal[8, 16] | None, Parameter(group=_OUTPUT, help="Bits per sample; the photo's unless given.")
    ] = None
    no_metadata: Annotated[
        bool,
        Parameter(
            group=_OUTPUT, show_default=False, help="Leave out of the file how it was made, and the photo's EXIF."
        ),
    ] = False
    save_every: Annotated[
        PositiveInt | None,
        Parameter(metavar="N", group=_OUTPUT, help="Also write OUT_LEVEL_EVALUATION every N evaluations."),
    ] = None
    watch: Annotated[
        str | None,
        Parameter(metavar="FILE", group=_OUTPUT, help="A preview, refreshed about once a second during the run."),
    ] = None
    checkpoint: Annotated[
        str | None,
        Parameter(metavar="DIR", group=_OUTPUT, help="Save the run here; the same command goes on after a crash."),
    ] = None
    memory: Annotated[
        str | None,
        Parameter(
            metavar="AMOUNT",
            group=_OUTPUT,
            help="What each process may use, such as 4GB; larger pictures are computed in tiles. Of what is free, 70% "
            "unless given.",
        ),
    ] = None
    as_json: Annotated[
        bool, Parameter(name="--json", group=_OUTPUT, show_default=False, help="Report as JSON on standard output.")
    ] = False
    quiet: Annotated[
        bool, Parameter(name=("--quiet", "-q"), group=_OUTPUT, show_default=False, help="Show no progress.")
    ] = False

    def destination(self, inputs: Sequence[Path], usual: str | None = None) -> Destination:
        """Where the picture goes, after every check that needs no picture.

        Args:
            inputs: the files that the run reads.
            usual: the output unless given.

        Raises:
            ImpastoError: if a name will not do, or two options get in each other's way.
        """
        output = self.output or usual
        if output is None:
            raise SettingsError("There is no output; add -o FILE, for example -o out.png.")
        path = None if output == "-" else Path(output)
        if path is None and self.as_json:
            raise SettingsError("-o - and --json both want standard output; name a file for the picture.")
        if path is None and self.save_every:
            raise SettingsError("--save-every writes beside the output, but that is standard output; name a file.")
        where = Destination(path, self.quality, self.depth, not self.no_metadata)
        where.check()
        if path is not None:
            refuse_overwriting(path, inputs, "The output")
        self._check_byproducts(where, inputs)
        return where

    def _check_byproducts(self, where: Destination, inputs: Sequence[Path]) -> None:
        frames = [path for path in inputs if self.save_every and where.is_frame(path)]
        if frames:
            raise SettingsError(f"--save-every might overwrite {frames[0]}, which the run reads; rename the output.")
        if self.watch is None:
            return
        watch = Path(self.watch)
        Destination(watch).check()
        refuse_overwriting(watch, inputs, "The preview")
        if where.path is not None and same_file(watch, where.path):
            raise SettingsError(f"The preview and the output are both {watch}; give them different names.")
        if self.save_every and where.is_frame(watch):
            raise SettingsError(f"--save-every might overwrite the preview {watch}; give it another name.")


NO_OPTIONS = RunOptions()


def files_of(settings: Settings) -> list[Path]:
    """The files that settings name."""
    named = [settings.weights, None if settings.init in INITS else settings.init]
    return [Path(name) for name in named if name is not None]


def check_fit(transfer: "Transfer", where: Destination, options: RunOptions) -> None:
    """Raise now what saving the pictures of a prepared run would raise.

    Raises:
        ImageError: if a format cannot hold the picture.
    """
    shape = transfer.levels[-1].shape
    where.check(transfer.content, shape)
    if options.watch is not None:
        Destination(Path(options.watch)).check(transfer.content, shape)


def perform(
    transfer: "Transfer",
    where: Destination,
    options: RunOptions,
    *,
    until: Callable[["Event"], bool] | None = None,
    notes: Sequence[str] = (),
) -> int:
    """Run, save, report, and return the exit code.

    Args:
        transfer: the run, prepared.
        where: where its picture goes.
        options: what else it leaves behind.
        until: asked at every event; True ends the run there as intended.
        notes: sentences to say at the beginning.
    """
    check_fit(transfer, where, options)
    with group_of_run() as group:
        if group.rank:
            within(transfer, options.memory, group).assist()
            return 0
        return _perform(lambda tell: within(transfer, options.memory, group, tell), where, options, until, notes)


def _perform(
    fit: Callable[[Reporter], "Transfer"],
    where: Destination,
    options: RunOptions,
    until: Callable[["Event"], bool] | None,
    notes: Sequence[str],
) -> int:
    """Run, save and report a run that ``fit`` makes fit its resources."""
    said = list(notes)
    with reporter(quiet=options.quiet) as tell, Interruption(lambda: tell.say(_STOPPING)) as interruption:
        transfer = fit(tell)
        parts = _listeners(transfer, where, options, tell, said)
        for sentence in notes:
            tell.say(sentence)

        def listen(event: "Event") -> bool:
            interruption.expect_picture()
            for part in parts:
                part(event)
            return interruption.asked or (until is not None and until(event))

        result = transfer.run(listen, options.checkpoint)
        where.save(result)
    stopped = interruption.asked and not result.complete
    for sentence in _closing(result, where, options, stopped=stopped):
        tell.say(sentence)
    if options.as_json:
        put_json(report(result, where.path, said))
    return _STOPPED if stopped else 0


_STOPPING = "Stopping after this step; the best picture so far will be saved. Ctrl-C again aborts at once."


def _listeners(
    transfer: "Transfer", where: Destination, options: RunOptions, tell: Reporter, said: list[str]
) -> list[Callable[["Event"], None]]:
    def warn(sentence: str) -> None:
        said.append(sentence)
        (complain if options.quiet else tell.say)(sentence)

    parts: list[Callable[[Event], None]] = [tell]
    if options.watch is not None:
        parts.append(Tolerant(Preview(Path(options.watch), transfer.content), warn))
    if options.save_every is not None:
        parts.append(Tolerant(Frames(options.save_every, where, transfer.content), warn))
    return parts


def _closing(result: "Result", where: Destination, options: RunOptions, *, stopped: bool) -> list[str]:
    """The last sentences of a run."""
    shape = tuple(result.tensor.shape[2:])
    last = result.history[-1]
    if stopped:
        first = (
            f"Stopped on level {last.level + 1} after {last.evaluation} evaluations; the best picture is in {where}."
        )
        if options.checkpoint:
            first += f" The same command goes on from the checkpoint in {options.checkpoint}."
    else:
        first = f"Wrote {where}, {size(shape)}, after {duration(sum(result.timings.values()))}."
    found = ", ".join(f"{name.replace('_', ' ')} {shown(value)}" for name, value in result.measures.items())
    return [*result.notes, first, *([f"Measured: {found}."] if found else [])]
