"""The options of runs, by what they make, none of which changes what is made."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from cyclopts import Group, Parameter
from cyclopts.types import PositiveInt
from cyclopts.validators import Number

from impasto.choices import file_and_colors
from impasto.cli.options.byproducts import FilmSoFar, FrameWriter, PreviewWriter, Product
from impasto.cli.options.destination import Destination
from impasto.cli.options.film import FilmWriter
from impasto.cli.options.outputs import DryRun, Outputs, Overwrite
from impasto.errors import SettingsError
from impasto.settings import INITS, Settings

if TYPE_CHECKING:
    from impasto.runs.run import Run

_PICTURES = (".png", ".webp")  # endings of videos, too
_OUTPUT = Group("Output", sort_key=0, help="None of these changes what is made.")


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
            self._check_preview(Path(self.watch), where)
            where.outputs.add(Path(self.watch), "The preview")
        if self.checkpoint is not None:
            where.outputs.add_checkpoint(Path(self.checkpoint))

    def _check_preview(self, path: Path, where: Destination) -> None:  # noqa: ARG002
        """Refuse a name that a preview cannot have."""
        Destination(path).check()

    def settled(self, where: Destination) -> Self:  # noqa: ARG002
        """With what depends on where the result goes."""
        return self

    def products(self, run: "Run", where: Destination) -> Iterator[tuple[Product, bool]]:
        """What is written on the way, and whether every failure of it is told, not the first alone."""
        if self.watch is not None:
            yield self._preview(Path(self.watch), run, where), False

    def _preview(self, path: Path, run: "Run", where: Destination) -> Product:
        """What writes the preview."""
        return PreviewWriter(path, run, where.outputs, metadata=not self.no_metadata)


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
    film: Annotated[
        str | None,
        Parameter(metavar="FILE", group=_OUTPUT, help="A film of the picture emerging: .mp4, .webm, .gif, ..."),
    ] = None

    def _stored(self, path: Path | None, outputs: Outputs, medium: str) -> Destination:
        if path is None and self.save_every:
            raise SettingsError("--save-every writes beside the output, but that is standard output; name a file.")
        return Destination(path, self.quality, self.depth, not self.no_metadata, outputs, medium)

    def _check_byproducts(self, where: Destination) -> None:
        super()._check_byproducts(where)
        if self.film is not None:
            from impasto import videos

            videos.check_name(Path(self.film))
            where.outputs.add(Path(self.film), "The film")
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

    def products(self, run: "Run", where: Destination) -> Iterator[tuple[Product, bool]]:
        """Those of any run, and frames."""
        yield from super().products(run, where)
        if self.save_every is not None:
            yield FrameWriter(self.save_every, where, run.like), True
        if self.film is not None:
            yield self.film_of(run, where), False

    def film_of(self, run: "Run", where: Destination) -> FilmWriter:
        """What writes the film of a run."""
        assert self.film is not None
        return FilmWriter(Path(self.film), run.levels[-1].shape, where.outputs, metadata=not self.no_metadata)


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
    watch: Annotated[
        str | None,
        Parameter(
            metavar="FILE",
            group=_OUTPUT,
            help="A preview, refreshed during the run: a picture of the frame that is painted, or, with the ending of a "
            "video, all that are finished.",
        ),
    ] = None
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

    def _check_preview(self, path: Path, where: Destination) -> None:
        if not _is_film(path, where):
            super()._check_preview(path, where)
            return
        from impasto import videos

        videos.check_name(path)

    def _preview(self, path: Path, run: "Run", where: Destination) -> Product:
        """A picture of the frame that is painted, or a film of what is finished."""
        if not _is_film(path, where):
            return super()._preview(path, run, where)
        assert self.checkpoint is not None
        return FilmSoFar(path, run, Path(self.checkpoint), where.outputs)

    def settled(self, where: Destination) -> Self:
        """With the folder of frames named."""
        return self if self.checkpoint is not None else replace(self, checkpoint=str(self._frames(where)))

    @staticmethod
    def _frames(where: Destination) -> Path:
        assert where.path is not None
        return where.path.with_name(f"{where.path.name}.frames")


def _is_film(path: Path, where: Destination) -> bool:
    """Whether a preview of what goes somewhere has the ending of a video, and of no picture."""
    from impasto import videos

    ending = path.suffix.lower()
    return where.medium == "video" and ending in videos.SUFFIXES and ending not in _PICTURES


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


_OWN = {"picture": ("quality", "depth", "save_every", "film"), "video": ("quality", "codec", "no_sound")}
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
