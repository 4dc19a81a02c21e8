"""A run from the command line: its options, the checks before it, and the run itself."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter
from cyclopts.types import PositiveInt
from cyclopts.validators import Number

from impasto.choices import file_and_colors
from impasto.cli.options.destination import Destination
from impasto.cli.options.outputs import DryRun, Outputs, Overwrite
from impasto.cli.options.resources import group_of_run, within
from impasto.cli.terminal.byproducts import Frames, Preview, Tolerant
from impasto.cli.terminal.interruption import Interruption
from impasto.cli.terminal.keeping import KEPT_ELSEWHERE, Kept
from impasto.cli.terminal.progress import Reporter, duration, reporter, size
from impasto.cli.terminal.reports import plan_report, report, show_plan
from impasto.cli.terminal.streams import complain, put_json, shown
from impasto.errors import SettingsError
from impasto.files import is_folder
from impasto.settings import INITS, Settings

if TYPE_CHECKING:
    from impasto.runs.result import Result
    from impasto.runs.run import Event, Transfer

_OUTPUT = Group("Output", sort_key=0, help="None of these changes the picture.")
_STOPPED = 130
_LONG = 2**22  # positions from which measuring the losses may take minutes


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
    overwrite: Annotated[Overwrite, Parameter(group=_OUTPUT)] = False
    dry_run: Annotated[DryRun, Parameter(group=_OUTPUT)] = False
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
        outputs = Outputs([*inputs], overwrite=self.overwrite)
        where = Destination(path, self.quality, self.depth, not self.no_metadata, outputs)
        where.check()
        if path is not None:
            outputs.add(path, "The output")
        self._check_byproducts(where)
        return where

    def _check_byproducts(self, where: Destination) -> None:
        from impasto.images.picture import PICTURES

        outputs = where.outputs
        if self.watch is not None:
            Destination(Path(self.watch)).check()
            outputs.add(Path(self.watch), "The preview")
            if self.save_every and where.is_frame(Path(self.watch)):
                raise SettingsError(f"--save-every might overwrite the preview {self.watch}; give it another name.")
        if self.save_every:
            assert where.path is not None
            for path in filter(where.is_frame, outputs.inputs):
                raise SettingsError(f"--save-every might overwrite {path}, which the run reads; rename the output.")
            PICTURES.replace(where.path.with_name(where.frame_name(100, 10**6)), None)
            pattern = f"{where.path.with_suffix('')}_LEVEL_EVALUATION{where.path.suffix}"
            outputs.add_several(pattern, where.frames(), "--save-every")
        if self.checkpoint is not None:
            outputs.add_checkpoint(Path(self.checkpoint))


NO_OPTIONS = RunOptions()


def files_of(settings: Settings) -> list[Path]:
    """The files that settings name."""
    weights = [] if settings.weights is None else [file_and_colors(settings.weights)[0]]
    return [*weights, *(Path(name) for name in (settings.init,) if name not in INITS)]


def check_fit(transfer: "Transfer", where: Destination, options: RunOptions) -> tuple[str, ...]:
    """Raise now what saving the pictures of a prepared run would raise.

    Returns:
        Sentences on what of the photo's file there will be no room for.

    Raises:
        ImageError: if a format cannot hold the picture.
    """
    shape = transfer.levels[-1].shape
    notes = where.check(transfer.content, shape)
    if options.watch is not None:
        Destination(Path(options.watch)).check(transfer.content, shape)
    if options.dry_run and options.checkpoint is not None and is_folder(options.checkpoint):
        transfer.saver(options.checkpoint).load()
    return notes


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
    notes = (*notes, *check_fit(transfer, where, options))
    if options.dry_run:
        rehearse(transfer, options, where.outputs)
        for sentence in notes:
            complain(sentence)
        return 0
    with group_of_run() as group:
        if group.rank:
            within(transfer, options.memory, group).assist()
            return 0
        return _perform(lambda tell: within(transfer, options.memory, group, tell), where, options, until, notes)


def rehearse(transfer: "Transfer", options: RunOptions, outputs: Outputs) -> None:
    """Say what a run would do and write, as ``--dry-run`` asks."""
    from impasto.engines.group import ALONE

    plan = within(transfer, options.memory, ALONE).plan()
    if options.as_json:
        put_json(plan_report(plan, transfer, outputs.listed))
        return
    show_plan(plan)
    outputs.show()


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

        result, kept = _kept(transfer, where, options, listen, interruption)
    stopped = interruption.asked and not result.complete
    for sentence in _closing(result, where, options, kept, stopped=stopped):
        tell.say(sentence)
    if kept.trouble is not None:
        complain(kept.trouble)
        said.append(kept.trouble)
    if options.as_json:
        put_json(report(result, kept.path, said))
    return KEPT_ELSEWHERE if kept.trouble is not None else _STOPPED if stopped else 0


def _kept(
    transfer: "Transfer",
    where: Destination,
    options: RunOptions,
    listen: Callable[["Event"], bool],
    interruption: Interruption,
) -> tuple["Result", Kept]:
    """Run and save. What takes long to measure, or was stopped, is saved before it is measured and again after that."""
    early: list[Kept] = []

    def save_early(result: "Result") -> None:
        if interruption.asked or math.prod(result.tensor.shape[2:]) >= _LONG:
            early.append(where.save(result))

    try:
        result = transfer.run(listen, options.checkpoint, on_picture=save_early)
    except KeyboardInterrupt:
        if not early:
            raise
        [kept] = early
        raise KeyboardInterrupt(
            kept.trouble or f"Aborted before the losses were measured; the picture is in {where}."
        ) from None
    return result, early[0] if early and (early[0].trouble or where.path is None) else where.save(result)


_STOPPING = "Stopping after this step; the best picture so far will be saved. Ctrl-C again aborts at once."


def _listeners(
    transfer: "Transfer", where: Destination, options: RunOptions, tell: Reporter, said: list[str]
) -> list[Callable[["Event"], None]]:
    def warn(sentence: str) -> None:
        said.append(sentence)
        (complain if options.quiet else tell.say)(sentence)

    parts: list[Callable[[Event], None]] = [tell]
    if options.watch is not None:
        preview = Preview(Path(options.watch), transfer.content, where.outputs, metadata=not options.no_metadata)
        parts.append(Tolerant(preview, warn))
    if options.save_every is not None:
        parts.append(Tolerant(Frames(options.save_every, where, transfer.content), warn, again=True))
    return parts


def _closing(result: "Result", where: Destination, options: RunOptions, kept: Kept, *, stopped: bool) -> list[str]:
    """The last sentences of a run."""
    shape = tuple(result.tensor.shape[2:])
    last = result.history[-1]
    if stopped:
        place = f"; the best picture is in {where}" if kept.trouble is None else ""
        first = f"Stopped on level {last.level + 1} after {last.evaluation} evaluations{place}."
        if options.checkpoint:
            first += f" The same command goes on from the checkpoint in {options.checkpoint}."
    else:
        done = f"Wrote {where}" if kept.trouble is None else "Finished"
        first = f"{done}, {size(shape)}, after {duration(sum(result.timings.values()))}."
    found = ", ".join(f"{name.replace('_', ' ')} {shown(value)}" for name, value in result.measures.items())
    return [*result.notes, first, *([f"Measured: {found}."] if found else [])]
