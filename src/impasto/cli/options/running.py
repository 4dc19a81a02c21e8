"""A run from the command line: its options, the checks before it, and the run itself."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from cyclopts import Group, Parameter
from cyclopts.types import PositiveInt
from cyclopts.validators import Number

from impasto.choices import file_and_colors
from impasto.cli.options.byproducts import BestEffortWriter, FrameWriter, PreviewWriter
from impasto.cli.options.destination import Destination
from impasto.cli.options.keeping import KEPT_ELSEWHERE, Kept
from impasto.cli.options.outputs import DryRun, Outputs, Overwrite
from impasto.cli.options.resources import group_of_run, within_budget
from impasto.cli.terminal.interruption import Interruption
from impasto.cli.terminal.progress import Reporter, duration, reporter, size
from impasto.cli.terminal.reports import plan_report, report, show_plan
from impasto.cli.terminal.streams import complain, printable, put_json
from impasto.errors import SettingsError
from impasto.files import is_folder
from impasto.settings import INITS, Settings

if TYPE_CHECKING:
    from impasto.runs.events import Event
    from impasto.runs.result import Result
    from impasto.runs.run import Run

_OUTPUT = Group("Output", sort_key=0, help="None of these changes what is made.")
_STOPPED = 130
_LONG = 2**22  # positions from which measuring the losses may take minutes


@dataclass(frozen=True, kw_only=True)
class RunOptions(ABC):
    """What a run leaves behind and says, none of which changes what is made."""

    output: Annotated[
        str | None,
        Parameter(
            name=("--output", "-o"),
            metavar="FILE",
            group=_OUTPUT,
            allow_leading_hyphen=True,
            help="Where the result goes: a sound to .wav, .flac, .ogg or .mp3, a signal to .csv or .npy, a volume to .nii, "
            ".nii.gz, .tif, .npy or a new folder for a DICOM series.",
        ),
    ] = None
    no_metadata: Annotated[
        bool,
        Parameter(
            group=_OUTPUT,
            show_default=False,
            help="Leave out of the file how it was made, and what the input's file says of it, such as EXIF.",
        ),
    ] = False
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

    def destination(
        self, inputs: Sequence[Path], usual: str | None = None, *, medium: str = "picture", example: str = "out.png"
    ) -> Destination:
        """Where the result goes, after every check that needs none.

        Args:
            inputs: the files that the run reads.
            usual: the output unless given.
            medium: what the result is.
            example: of an output, for the sentence on a missing one.

        Raises:
            ImpastoError: if a name will not do, or two options get in each other's way.
        """
        output = self.output or usual
        if output is None:
            raise SettingsError(f"There is no output; add -o FILE, for example -o {example}.")
        if output == "-" and medium != "picture":
            raise SettingsError("Only single pictures go to standard output; name a file with -o FILE.")
        path = None if output == "-" else Path(output)
        if path is None and self.as_json:
            raise SettingsError("-o - and --json both want standard output; name a file for the picture.")
        where = self._stored(path, Outputs([*inputs], overwrite=self.overwrite), medium)
        where.claim_all()
        self._check_byproducts(where)
        return where

    @abstractmethod
    def _stored(self, path: Path | None, outputs: Outputs, medium: str) -> Destination:
        """Where and how the result is stored."""

    def _check_byproducts(self, where: Destination) -> None:
        if self.watch is not None:
            Destination(Path(self.watch)).check()
            where.outputs.add(Path(self.watch), "The preview")
        if self.checkpoint is not None:
            where.outputs.add_checkpoint(Path(self.checkpoint))

    def settled(self, where: Destination) -> Self:  # noqa: ARG002
        """With what depends on where the result goes."""
        return self

    def products(self, run: "Run", where: Destination) -> Iterator[tuple[Callable[["Event"], None], bool]]:
        """What is written on the way, and whether every failure of it is told, not the first alone."""
        if self.watch is not None:
            yield PreviewWriter(Path(self.watch), run, where.outputs, metadata=not self.no_metadata), False


@dataclass(frozen=True, kw_only=True)
class PictureOptions(RunOptions):
    """Those of a run that makes a picture."""

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
    save_every: Annotated[
        PositiveInt | None,
        Parameter(metavar="N", group=_OUTPUT, help="Also write OUT_LEVEL_EVALUATION every N evaluations."),
    ] = None

    def _stored(self, path: Path | None, outputs: Outputs, medium: str) -> Destination:
        if path is None and self.save_every:
            raise SettingsError("--save-every writes beside the output, but that is standard output; name a file.")
        return Destination(path, self.quality, self.depth, not self.no_metadata, outputs, medium)

    def _check_byproducts(self, where: Destination) -> None:
        super()._check_byproducts(where)
        if not self.save_every:
            return
        from impasto.images.picture import PICTURES

        assert where.path is not None
        if self.watch is not None and where.is_frame(Path(self.watch)):
            raise SettingsError(f"--save-every might overwrite the preview {self.watch}; give it another name.")
        for path in filter(where.is_frame, where.outputs.inputs):
            raise SettingsError(f"--save-every might overwrite {path}, which the run reads; rename the output.")
        PICTURES.replace(where.path.with_name(where.frame_name(100, 10**6)), None)
        pattern = f"{where.path.with_suffix('')}_LEVEL_EVALUATION{where.path.suffix}"
        where.outputs.add_several(pattern, where.frames(), "--save-every")

    def products(self, run: "Run", where: Destination) -> Iterator[tuple[Callable[["Event"], None], bool]]:
        """Those of any run, and frames."""
        yield from super().products(run, where)
        if self.save_every is not None:
            yield FrameWriter(self.save_every, where, run.like), True


@dataclass(frozen=True, kw_only=True)
class PicturelessOptions(RunOptions):
    """Those of a run that makes something that is no picture."""

    no_pictures: Annotated[
        bool,
        Parameter(
            name=("--no-pictures", "--no-picture"),
            group=_OUTPUT,
            show_default=False,
            help="Draw no picture of the result beside it.",
        ),
    ] = False

    def _stored(self, path: Path | None, outputs: Outputs, medium: str) -> Destination:
        metadata = not self.no_metadata
        return Destination(path, metadata=metadata, outputs=outputs, medium=medium, pictures=not self.no_pictures)


@dataclass(frozen=True, kw_only=True)
class VideoOptions(RunOptions):
    """Those of a run that makes a video."""

    output: Annotated[
        str | None,
        Parameter(
            name=("--output", "-o"),
            metavar="FILE",
            group=_OUTPUT,
            allow_leading_hyphen=True,
            help="Where the video goes, .mp4, .mov, .mkv, .webm, .gif, .webp or .png; a name without an ending is a folder.",
        ),
    ] = None
    quality: Annotated[
        int | None,
        Parameter(
            metavar="INT",
            group=_OUTPUT,
            validator=Number(gte=1, lte=100),
            help="1 to 100; 90 unless given. Another one encodes again and paints nothing again.",
        ),
    ] = None
    codec: Annotated[
        Literal["h264", "hevc", "av1", "vp9"] | None,
        Parameter(group=_OUTPUT, help="How pictures are encoded; h264 unless given, and vp9 in .webm."),
    ] = None
    no_sound: Annotated[bool, Parameter(group=_OUTPUT, show_default=False, help="Leave the sound out.")] = False
    checkpoint: Annotated[
        str | None,
        Parameter(
            metavar="DIR",
            group=_OUTPUT,
            help="Where the painted frames go, each as a PNG; OUT.frames unless given. The same command goes on from them.",
        ),
    ] = None

    def _stored(self, path: Path | None, outputs: Outputs, medium: str) -> Destination:
        metadata = not self.no_metadata
        return Destination(
            path, self.quality, None, metadata, outputs, medium, codec=self.codec, sound=not self.no_sound
        )

    def _check_byproducts(self, where: Destination) -> None:
        super()._check_byproducts(where)
        if self.checkpoint is None:
            where.outputs.add_checkpoint(self._frames(where))

    def settled(self, where: Destination) -> Self:
        """With the folder of frames named."""
        return self if self.checkpoint is not None else replace(self, checkpoint=str(self._frames(where)))

    @staticmethod
    def _frames(where: Destination) -> Path:
        assert where.path is not None
        return where.path.with_name(f"{where.path.name}.frames")


@dataclass(frozen=True, kw_only=True)
class AnyOptions(VideoOptions, PictureOptions, PicturelessOptions):
    """Those of a command that makes whatever a file says was made."""

    output: Annotated[
        str | None,
        Parameter(
            name=("--output", "-o"),
            metavar="FILE",
            group=_OUTPUT,
            allow_leading_hyphen=True,
            help="Where the result goes, with an ending of its kind; - writes a PNG to standard output.",
        ),
    ] = None
    quality: Annotated[
        int | None,
        Parameter(
            metavar="INT",
            group=_OUTPUT,
            validator=Number(gte=1, lte=100),
            help="1 to 100, for JPEG, WebP, AVIF and videos; 95 unless given, and 90 of videos.",
        ),
    ] = None
    checkpoint: Annotated[
        str | None,
        Parameter(metavar="DIR", group=_OUTPUT, help="Save the run here; the same command goes on after a crash."),
    ] = None

    def _stored(self, path: Path | None, outputs: Outputs, medium: str) -> Destination:
        own = _OWN.get(medium, ("no_pictures",))
        every = dict.fromkeys(name for names in (*_OWN.values(), ("no_pictures",)) for name in names)
        given = [name for name in every if name not in own and getattr(self, name) not in (None, False)]
        if given:
            option = f"--{given[0].replace('_', '-')}"
            raise SettingsError(f"The option {option} cannot take effect, for a {medium} is made; leave it out.")
        return options_of(medium)._stored(self, path, outputs, medium)  # noqa: SLF001  # one of its own bases

    def _check_byproducts(self, where: Destination) -> None:
        options_of(where.medium)._check_byproducts(self, where)  # noqa: SLF001  # likewise

    def settled(self, where: Destination) -> Self:
        """With what is unsaid as it is usual for the kind."""
        return super().settled(where) if where.medium == "video" else self


_OWN = {"picture": ("quality", "depth", "save_every"), "video": ("quality", "codec", "no_sound")}
"""Options that only results of one kind have; others have ``no_pictures``."""


def options_of(medium: str) -> type[RunOptions]:
    """The options of a run whose result is of a medium."""
    kinds: dict[str, type[RunOptions]] = {"picture": PictureOptions, "video": VideoOptions}
    return kinds.get(medium, PicturelessOptions)


NO_PICTURE_OPTIONS, NO_OPTIONS = PictureOptions(), AnyOptions()


def files_of(settings: Settings) -> list[Path]:
    """The files that settings name."""
    weights = [] if settings.weights is None else [file_and_colors(settings.weights)[0]]
    return [*weights, *(Path(name) for name in (settings.init,) if name not in INITS)]


def check_saving(run: "Run", where: Destination, options: RunOptions) -> tuple[str, ...]:
    """Raise now what saving the results of a prepared run would raise.

    Returns:
        Sentences on what of the input's file there will be no room for.

    Raises:
        ImpastoError: if a format cannot hold the result.
    """
    notes = where.check_run(run)
    if options.watch is not None and where.medium == "picture":
        Destination(Path(options.watch)).check(run.like, run.levels[-1].shape)
    if options.dry_run and options.checkpoint is not None and is_folder(options.checkpoint):
        run.saver(options.checkpoint).load()
    return notes


def perform(
    run: "Run",
    where: Destination,
    options: RunOptions,
    *,
    until: Callable[["Event"], bool] | None = None,
    notes: Sequence[str] = (),
) -> int:
    """Run, save, report, and return the exit code.

    Args:
        run: prepared.
        where: where its picture goes.
        options: what else it leaves behind.
        until: asked at every event; True ends the run there as intended.
        notes: sentences to say at the beginning.
    """
    notes = (*notes, *check_saving(run, where, options))
    if options.dry_run:
        rehearse(run, options, where.outputs)
        for sentence in notes:
            complain(sentence)
        return 0
    with group_of_run() as group:
        if group.rank:
            within_budget(run, options.memory, group).assist()
            return 0
        return _perform(lambda tell: within_budget(run, options.memory, group, tell), where, options, until, notes)


def rehearse(run: "Run", options: RunOptions, outputs: Outputs) -> None:
    """Say what a run would do and write, as ``--dry-run`` asks."""
    from impasto.engines.group import ALONE

    plan = within_budget(run, options.memory, ALONE).plan()
    if plan is None or options.as_json:
        writes = {"writes": outputs.listed}
        put_json(
            writes if plan is None else plan_report(plan, run, outputs.listed)
        ) if options.as_json else outputs.show()
        return
    show_plan(plan)
    outputs.show()


def _perform(
    fit: Callable[[Reporter], "Run"],
    where: Destination,
    options: RunOptions,
    until: Callable[["Event"], bool] | None,
    notes: Sequence[str],
) -> int:
    """Run, save and report a run that ``fit`` makes fit its resources."""
    said = list(notes)
    with reporter(quiet=options.quiet) as tell, Interruption(lambda: tell.say(_STOPPING)) as interruption:
        run = fit(tell)
        parts = _listeners(run, where, options, tell, said)
        for sentence in notes:
            tell.say(sentence)

        def listen(event: "Event") -> bool:
            interruption.expect_picture()
            for part in parts:
                part(event)
            return interruption.asked or (until is not None and until(event))

        result, kept = _kept(run, where, options, listen, interruption)
    stopped = interruption.asked and not result.complete
    for sentence in _closing(result, where, options, kept, stopped=stopped):
        tell.say(sentence)
    if kept.trouble is not None:
        complain(kept.trouble)
        said.append(kept.trouble)
    if options.as_json:
        put_json(report(result, kept.path, said, where.beside))
    return KEPT_ELSEWHERE if kept.trouble is not None else _STOPPED if stopped else 0


def _kept(
    run: "Run",
    where: Destination,
    options: RunOptions,
    listen: Callable[["Event"], bool],
    interruption: Interruption,
) -> tuple["Result", Kept]:
    """Run and save. What takes long to measure, or was stopped, is saved before it is measured and again after that."""
    early: list[Kept] = []

    def save_early(result: "Result") -> None:
        if interruption.asked or result.tensor.numel() >= 3 * _LONG:
            early.append(where.save(result))

    try:
        result = run.run(listen, options.checkpoint, on_result=save_early)
    except KeyboardInterrupt:
        if not early:
            raise
        [kept] = early
        raise KeyboardInterrupt(
            kept.trouble or f"Aborted before the losses were measured; the picture is in {where}."
        ) from None
    return result, early[0] if early and (early[0].trouble or where.path is None) else where.save(result)


_STOPPING = "Stopping after this step; the best so far will be saved. Ctrl-C again aborts at once."


def _listeners(
    run: "Run", where: Destination, options: RunOptions, tell: Reporter, said: list[str]
) -> list[Callable[["Event"], None]]:
    def warn(sentence: str) -> None:
        said.append(sentence)
        (complain if options.quiet else tell.say)(sentence)

    products = [BestEffortWriter(product, warn, again=again) for product, again in options.products(run, where)]
    return [tell, *products]


def _closing(result: "Result", where: Destination, options: RunOptions, kept: Kept, *, stopped: bool) -> list[str]:
    """The last sentences of a run."""
    last = result.history[-1]
    if stopped:
        what = "picture" if where.medium == "picture" else "result"
        place = f"; the best {what} is in {where}" if kept.trouble is None else ""
        first = f"Stopped on level {last.level + 1} after {last.evaluation} evaluations{place}."
        if options.checkpoint:
            first += f" The same command goes on from the checkpoint in {options.checkpoint}."
    else:
        done = f"Wrote {where}" if kept.trouble is None else "Finished"
        extent = "".join(f", {size(result.tensor.shape[2:])}" for _ in result.tensor.shape[2:3])
        first = f"{done}{extent}, after {duration(sum(result.timings.values()))}."
    values = {name: value for name, value in result.measures.items() if where.medium == "picture" or value is not None}
    found = ", ".join(f"{name.replace('_', ' ')} {printable(value)}" for name, value in values.items())
    return [*result.notes, first, *([f"Measured: {found}."] if found else [])]
