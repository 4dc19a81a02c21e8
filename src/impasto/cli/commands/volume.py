"""``impasto volume``: solid textures, and volumes in the style of pictures and of other volumes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Group, Parameter

from impasto.cli.options.destination import Destination, Savable
from impasto.cli.options.outputs import DryRun, Outputs, Overwrite
from impasto.cli.options.running import RunOptions, files_of, perform
from impasto.cli.options.settings import options, words
from impasto.cli.terminal.keeping import Kept, Way, all_kept, bare_way, keep
from impasto.cli.terminal.streams import put_json, put_lines
from impasto.errors import SettingsError
from impasto.panels import PANELS

if TYPE_CHECKING:
    from impasto.images import Picture
    from impasto.volumes import Volume

    Given = dict[str, str]
    StyleGiven = dict[str, str]
else:
    _STYLE = ("layers_per_style", "style_losses", "blend", "smoothness")
    _SHARED = (
        *_STYLE,
        *PANELS["Network"],
        *PANELS["Descent"],
        *PANELS["Machine"],
        "style_layers",
        "noise",
        "seed",
        "init",
    )
    StyleGiven = options(*_SHARED, "style_scale", "style_size", "style_scales")
    Given = options(
        *_SHARED,
        *("size", "style_scale", "style_size", "style_scales", "strength", "content_weight", "style_weight"),
        *("content_loss", "content_layers", "sharpness"),
    )

app = App(name="volume", usage="Usage: impasto volume COMMAND [OPTIONS]", help_epilogue="")

_OUTPUT = Group("Output", sort_key=0, help="None of these changes the volume.")
_NAMES = ".nii, .nii.gz, .tif, .npy, or a new folder for a DICOM series"


@dataclass(frozen=True, kw_only=True)
class VolumeOptions:
    """What a run leaves behind and says, none of which changes the volume."""

    output: Annotated[
        str | None,
        Parameter(name=("--output", "-o"), metavar="FILE", group=_OUTPUT, help=f"Where the volume goes: {_NAMES}."),
    ] = None
    no_pictures: Annotated[
        bool,
        Parameter(group=_OUTPUT, show_default=False, help="Write no OUT_sheet.png and OUT_turning.gif beside it."),
    ] = False
    no_metadata: Annotated[
        bool,
        Parameter(
            group=_OUTPUT, show_default=False, help="Leave out how it was made, and of a DICOM series whose it is."
        ),
    ] = False
    checkpoint: Annotated[
        str | None,
        Parameter(metavar="DIR", group=_OUTPUT, help="Save the run here; the same command goes on after a crash."),
    ] = None
    overwrite: Annotated[Overwrite, Parameter(group=_OUTPUT)] = False
    dry_run: Annotated[DryRun, Parameter(group=_OUTPUT)] = False
    memory: Annotated[
        str | None,
        Parameter(
            metavar="SIZE",
            group=_OUTPUT,
            help="The most memory to use, such as 4GB; most of what is free unless given.",
        ),
    ] = None
    as_json: Annotated[
        bool, Parameter(name="--json", group=_OUTPUT, show_default=False, help="Report as JSON on standard output.")
    ] = False
    quiet: Annotated[
        bool, Parameter(name=("--quiet", "-q"), group=_OUTPUT, show_default=False, help="Show no progress.")
    ] = False

    @property
    def running(self) -> RunOptions:
        """The options that any run has."""
        return RunOptions(
            checkpoint=self.checkpoint,
            dry_run=self.dry_run,
            memory=self.memory,
            as_json=self.as_json,
            quiet=self.quiet,
        )

    def destination(self, inputs: Sequence[Path]) -> "VolumeDestination":
        """Where the volume goes, after every check that needs no volume.

        Raises:
            ImpastoError: if a name will not do.
        """
        if self.output is None:
            raise SettingsError("There is no output; add -o FILE, for example -o block.tif.")
        outputs = Outputs([*inputs], overwrite=self.overwrite)
        where = VolumeDestination(
            Path(self.output), metadata=not self.no_metadata, outputs=outputs, pictures=not self.no_pictures
        )
        where.check()
        for path in where.paths:
            outputs.add(path, "The output")
        if self.checkpoint is not None:
            outputs.add_checkpoint(Path(self.checkpoint))
        return where


_NO_OPTIONS = VolumeOptions()


@dataclass(frozen=True)
class VolumeDestination(Destination):
    """A file or folder for a volume.

    Args:
        pictures: whether a contact sheet and a turning block go beside it.
    """

    pictures: bool = True

    @property
    def paths(self) -> tuple[Path, ...]:
        """All that is written."""
        from impasto.tasks.block import picture_names
        from impasto.volumes.notes import beside_name

        assert self.path is not None
        notes = (beside_name(self.path),) if self.path.suffix.lower() == ".npy" else ()
        return (self.path, *notes, *(picture_names(self.path) if self.pictures else ()))

    def check(self, like: "Picture | None" = None, shape: tuple[int, ...] | None = None) -> tuple[str, ...]:  # noqa: ARG002
        """Raise now what :meth:`save` would raise after the run.

        Raises:
            VolumeError: if a name or its folder will not do.
        """
        from impasto import volumes
        from impasto.volumes.volume import VOLUMES

        first, *others = self.paths
        VOLUMES.check_name(first)
        volumes.check_writable(first)
        for path in others:
            VOLUMES.replace(path, None)
        return ()

    def tried(self, like: "Volume") -> list[str]:
        """Raise now what writing a volume of this kind would raise after the run; and sentences on what it will change.

        Raises:
            VolumeError: if the format cannot hold it.
        """
        from impasto import volumes

        assert self.path is not None
        volumes.check_writable(self.path, like, metadata=self.metadata)
        changed = volumes.conversion(self.path, like)
        return [] if changed is None else [changed]

    def save(self, result: Savable) -> Kept:
        """Write a finished volume; where that fails, it is kept elsewhere, at last as an array of its voxels."""
        from impasto.tasks.block import BlockResult, picture_names

        assert self.path is not None
        assert isinstance(result, BlockResult)
        suffix = ".nii.gz" if self.path.name.endswith(".nii.gz") else self.path.suffix
        ways = (
            Way(suffix, lambda path: result.save(path, metadata=self.metadata)),
            Way(".npy", lambda path: result.save(path, metadata=self.metadata)),
            bare_way(result.tensor),
        )
        kept = [keep(self.path, ways, self.outputs)]
        if self.pictures:
            for path, write in zip(picture_names(self.path), (result.save_sheet, result.save_turning), strict=True):
                kept.append(keep(path, (Way(path.suffix, write),), self.outputs))
        return all_kept(kept)


@app.command(usage="Usage: impasto volume texture STYLE [STYLE ...] -o OUT [OPTIONS]", help_epilogue="")
def texture(
    exemplars: Annotated[list[str], Parameter(name="STYLE", help="The exemplar, or several to blend.")],
    /,
    *,
    size: Annotated[str, Parameter(metavar="SIDE|WIDTHxHEIGHTxDEPTH", help="In voxels, each side at least 16.")] = "64",
    periodic: Annotated[
        bool, Parameter(show_default=False, help="Let copies side by side meet without a seam.")
    ] = False,
    axes: Annotated[
        str, Parameter(metavar="AXES", help="Across which slices are compared: 0 slices, 1 rows, 2 columns.")
    ] = "0,1,2",
    run: Annotated[VolumeOptions, Parameter(name="*")] = _NO_OPTIONS,
    given: Annotated[StyleGiven | None, Parameter(name="*")] = None,
) -> int:
    """Make a block of solid texture from a picture.

    Its slices across its axes have the picture's style statistics. Starts from noise. With --json a report is printed:
    output, width, height, depth, complete, settings, losses, levels, measures, timings, precision, device and notes.
    """
    shape, chosen = _shape(size), _places("axes", axes)
    values: dict[str, Any] = {**(given or {})}
    where = run.destination(list(map(Path, exemplars)))

    from impasto.tasks.solid import SolidTexture

    task = SolidTexture.prepared(exemplars, shape, periodic=periodic, axes=chosen, **values)
    return perform(task, where, run.running, notes=where.tried(task.sample))


@app.command(usage="Usage: impasto volume stylize CONTENT STYLE [STYLE ...] -o OUT [OPTIONS]", help_epilogue="")
def stylize(
    content: Annotated[str, Parameter(help=f"The volume: {_NAMES.replace('new folder for', 'folder with')}.")],
    styles: Annotated[list[str], Parameter(name="STYLE", help="A picture or a volume, or several to blend.")],
    /,
    *,
    depths: Annotated[
        str,
        Parameter(
            metavar="AXES",
            help="Which axes are the network's depth in turn: 0 slices, 1 rows, 2 columns. One takes a third of the time.",
        ),
    ] = "0,1,2",
    color: Annotated[
        bool, Parameter(show_default=False, help="Let a volume of intensities become one of colors.")
    ] = False,
    window: Annotated[
        str | None,
        Parameter(
            metavar="LOW,HIGH",
            allow_leading_hyphen=True,
            help="Intensities that are black and white; of 8 bits all, else the 0.5th and 99.5th percentile, unless given.",
        ),
    ] = None,
    run: Annotated[VolumeOptions, Parameter(name="*")] = _NO_OPTIONS,
    given: Annotated[Given | None, Parameter(name="*")] = None,
) -> int:
    """Bring a volume (CT, MRI, microscopy) into the style of pictures or of other volumes.

    What comes out is a picture, not data, and not for diagnosis. With --json a report is printed: output, width, height,
    depth, complete, settings, losses, levels, measures, timings, precision, device and notes.
    """
    chosen, limits = _places("depths", depths), _window(window)
    values: dict[str, Any] = {**(given or {})}
    where = run.destination([Path(name) for name in (content, *styles)])

    from impasto.tasks.volume import VolumeTransfer

    task = VolumeTransfer.prepared(content, styles, depths=chosen, color=color, window=limits, **values)
    where.outputs.also_read(files_of(task.settings))
    return perform(task, where, run.running, notes=where.tried(task.sample))


@app.command(usage="Usage: impasto volume info VOLUME [OPTIONS]", help_epilogue="")
def info(
    source: Annotated[str, Parameter(name="VOLUME", help="A file, or a folder of DICOM files.")],
    /,
    *,
    as_json: Annotated[bool, Parameter(name="--json", show_default=False, help="Print JSON.")] = False,
) -> None:
    """Describe a volume, and show how it was made if impasto made it.

    The JSON form has volume, format, width, height, depth (in voxels), spacing (millimeters
    between columns, rows and slices), affine, window, type, gray, sha256, recipe (or null) and
    caution (or null).
    """
    from impasto import volumes

    volume, notes = volumes.read(source), volumes.read_notes(source)
    depth, height, width = volume.shape
    facts: dict[str, Any] = {
        "volume": source,
        "format": volume.origin.format,
        "width": width,
        "height": height,
        "depth": depth,
        "spacing": list(reversed(volume.spacing)),
        "affine": volume.affine.tolist(),
        "window": list(volume.window),
        "type": volume.origin.dtype,
        "gray": volume.gray,
        "sha256": volume.origin.sha256,
        "recipe": None if notes is None else notes.recipe,
        "caution": None if notes is None else notes.caution,
        "notes": list(volume.origin.remarks),
    }
    if as_json:
        put_json(facts)
        return
    recipe = facts["recipe"] or {}
    put_lines(
        source,
        [
            ("voxels", f"{width}x{height}x{depth}, {volume.origin.dtype}{'' if volume.gray else ' colors'}"),
            ("spacing", " x ".join(f"{step:.4g}" for step in facts["spacing"]) + " mm"),
            ("window", " to ".join(f"{value:g}" for value in volume.window)),
            *(("made by", f"impasto {recipe.get('impasto')}, {recipe.get('task')}") for _ in recipe and [0]),
            *(("settings", _settings(recipe["settings"])) for _ in [0] if "settings" in recipe),
            *(("caution", facts["caution"]) for _ in [0] if facts["caution"]),
            *(("note", sentence) for sentence in facts["notes"]),
        ],
    )


def _settings(given: dict[str, Any]) -> str:
    return ", ".join(f"{name} {words(value)}" for name, value in given.items()) or "the defaults"


def _shape(size: str) -> tuple[int, int, int]:
    """Slices, rows and columns from ``64`` or ``96x80x64``."""
    found = re.fullmatch(r"(\d{1,4})(?:[x×](\d{1,4})[x×](\d{1,4}))?", size.strip())
    if found is None:
        raise SettingsError(
            f"The size {size!r} was given; give a side such as 64, or 96x80x64 for width, height, depth."
        )
    width, height, depth = found[1], found[2] or found[1], found[3] or found[1]
    return int(depth), int(height), int(width)


def _places(what: str, text: str) -> tuple[int, ...]:
    """Axes from ``0,1,2``."""
    if not re.fullmatch(r"\s*[0-2](\s*,\s*[0-2])*\s*", text):
        raise SettingsError(
            f"The {what} {text!r} were given; give some of 0 (slices), 1 (rows), 2 (columns), with commas."
        )
    return tuple(int(part) for part in text.split(","))


def _window(text: str | None) -> tuple[float, float] | None:
    """Two intensities from ``-1000,400``."""
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise SettingsError(f"The window {text!r} was given; give two intensities such as -1000,400.") from None
    return low, high
