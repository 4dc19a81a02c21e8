"""``impasto visualize``: what the units of a network see."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Group, Parameter
from cyclopts.validators import Number

from impasto.choices import Pooling
from impasto.cli.options.destination import Destination
from impasto.cli.options.keeping import KEPT_ELSEWHERE, Kept, Way, keep
from impasto.cli.options.outputs import DryRun, Outputs, Overwrite, rehearse_folder
from impasto.cli.terminal.progress import counter
from impasto.cli.terminal.streams import complain, put_json
from impasto.errors import SettingsError

if TYPE_CHECKING:
    from torch import Tensor

    from impasto.studies.visualization import Eye, Visualization

app = App(name="visualize", usage="Usage: impasto visualize COMMAND [OPTIONS]", help_epilogue="")

_NETWORK = Group("Network", sort_key=2)
_OUTPUT = Group("Output", sort_key=1)

Folder = Annotated[str, Parameter(name="--images", metavar="FOLDER", help="The pictures, in folders below it too.")]
Layer = Annotated[str, Parameter(metavar="LAYER", help="Such as conv3_1.")]
Size = Annotated[
    int, Parameter(metavar="INT", validator=Number(gte=16, lte=8192), help="Long side that pictures are brought to.")
]
Output = Annotated[str, Parameter(name=("--output", "-o"), metavar="FILE", group=_OUTPUT, help="Where the sheet goes.")]
AsJson = Annotated[bool, Parameter(name="--json", group=_OUTPUT, show_default=False, help="Print every patch as JSON.")]
Quiet = Annotated[bool, Parameter(name=("--quiet", "-q"), group=_OUTPUT, show_default=False, help="Show no progress.")]
Evaluations = Annotated[int, Parameter(metavar="INT", validator=Number(gte=1), help="Of each preferred picture.")]
Smoothness = Annotated[float, Parameter(metavar="NUMBER", validator=Number(gte=0), help="Of preferred pictures.")]
Seed = Annotated[int, Parameter(metavar="INT", help="Of the noise that preferred pictures begin with, and of jitter.")]


@dataclass(frozen=True, kw_only=True)
class SheetOptions:
    """How a sheet is written."""

    overwrite: Annotated[Overwrite, Parameter(group=_OUTPUT)] = False
    dry_run: Annotated[DryRun, Parameter(group=_OUTPUT)] = False

    def outputs(self, output: str, images: str | None = None) -> Outputs:
        """The files that are written, after every check of their names."""
        path = Path(output)
        Destination(path).check()
        outputs = Outputs([] if images is None else [Path(images)], overwrite=self.overwrite)
        outputs.add(path, "The output")
        return outputs


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """Which network looks."""

    network: Annotated[str, Parameter(group=_NETWORK, help="By name.")] = "vgg19"
    weights: Annotated[
        str | None, Parameter(group=_NETWORK, metavar="FILE", help="A VGG-16 or VGG-19 of your own.")
    ] = None
    pooling: Annotated[Pooling, Parameter(group=_NETWORK, help="The networks were trained with max.")] = "max"
    device: Annotated[str, Parameter(group=_NETWORK, help="auto, cpu, cuda or mps.")] = "auto"

    def eye(self) -> "Eye":
        """The same for a task."""
        from impasto.studies.visualization import Eye

        return Eye(self.network, self.weights, self.pooling, self.device)


Network = Annotated[NetworkOptions, Parameter(name="*")]
_USUAL = NetworkOptions()
Sheet = Annotated[SheetOptions, Parameter(name="*")]
_PLAIN = SheetOptions()


@app.command(usage="Usage: impasto visualize patches --layer LAYER --images FOLDER -o OUT [OPTIONS]", help_epilogue="")
def patches(
    *,
    layer: Layer,
    images: Folder,
    output: Output,
    units: Annotated[str, Parameter(metavar="UNITS", help="Such as 7, 0:12 or 3,5,8:10.")] = "0:9",
    size: Size = 256,
    as_json: AsJson = False,
    quiet: Quiet = False,
    sheet: Sheet = _PLAIN,
    eye: Network = _USUAL,
) -> int:
    """Show the patches of a folder's pictures that excite units most, and what in them does."""
    outputs = sheet.outputs(output, images)
    if sheet.dry_run:
        return rehearse_folder(outputs, images, as_json=as_json)
    from impasto.studies.visualization import visualize_patches

    found = visualize_patches(images, layer, units, eye=eye.eye(), size=size, told=partial(counter, quiet=quiet))
    return _finish(found, output, outputs, as_json=as_json, quiet=quiet)


@app.command(usage="Usage: impasto visualize unit --layer LAYER --unit UNIT -o OUT [OPTIONS]", help_epilogue="")
def unit(
    *,
    layer: Layer,
    number: Annotated[int, Parameter(name="--unit", metavar="UNIT", validator=Number(gte=0), help="Its channel.")],
    output: Output,
    channel: Annotated[
        bool, Parameter(show_default=False, help="The whole channel's mean instead of the unit in the center.")
    ] = False,
    size: Annotated[
        int | None,
        Parameter(metavar="INT", validator=Number(gte=16, lte=4096), help="With --channel: side, 128 unless given."),
    ] = None,
    evaluations: Evaluations = 48,
    smoothness: Smoothness = 1.25,
    seed: Seed = 0,
    quiet: Quiet = False,
    sheet: Sheet = _PLAIN,
    eye: Network = _USUAL,
) -> int:
    """Make the picture that a unit or a channel likes best."""
    if size is not None and not channel:
        raise SettingsError("The picture of a unit has the size of what it sees; --size takes effect with --channel.")
    outputs = sheet.outputs(output)
    if sheet.dry_run:
        outputs.show()
        return 0
    from impasto.studies.preferred import Preference
    from impasto.studies.visualization import visualize_unit

    how = Preference(
        whole=channel, evaluations=evaluations, smoothness=smoothness, seed=seed, size=size or Preference.size
    )
    tell = counter(f"{layer} unit {number}", quiet=quiet)
    return _told_of(_save(output, visualize_unit(layer, number, eye=eye.eye(), how=how, progress=tell), outputs))


@app.command(usage="Usage: impasto visualize network --images FOLDER -o OUT [OPTIONS]", help_epilogue="")
def network(
    *,
    images: Folder,
    output: Output,
    layers: Annotated[
        str, Parameter(metavar="LAYERS", help="Convolutions, shallow to deep.")
    ] = "conv1_1,conv2_1,conv3_1,conv4_1,conv5_1",
    units: Annotated[str, Parameter(metavar="UNITS", help="Of every layer.")] = "0:3",
    size: Size = 256,
    evaluations: Evaluations = 48,
    smoothness: Smoothness = 1.25,
    seed: Seed = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
    sheet: Sheet = _PLAIN,
    eye: Network = _USUAL,
) -> int:
    """Show on one sheet how edges grow into parts, layer by layer."""
    outputs = sheet.outputs(output, images)
    if sheet.dry_run:
        return rehearse_folder(outputs, images, as_json=as_json)
    from impasto.studies.preferred import Preference
    from impasto.studies.visualization import visualize_network

    how = Preference(evaluations=evaluations, smoothness=smoothness, seed=seed)
    told = partial(counter, quiet=quiet)
    found = visualize_network(images, layers.split(","), units, eye=eye.eye(), how=how, size=size, told=told)
    return _finish(found, output, outputs, as_json=as_json, quiet=quiet)


def _save(output: str, pixels: "Tensor", outputs: Outputs) -> Kept:
    from impasto import images

    def write(path: Path) -> None:
        images.write(path, pixels, parameters=images.mark("What a network sees"))

    path = Path(output)
    return keep(path, (Way(path.suffix, write), Way(".png", write)), outputs)


def _told_of(kept: Kept) -> int:
    """The exit code, after what is to be said of where a sheet is."""
    if kept.trouble is None:
        return 0
    complain(kept.trouble)
    return KEPT_ELSEWHERE


def _finish(found: "Visualization", output: str, outputs: Outputs, *, as_json: bool, quiet: bool) -> int:
    kept = _save(output, found.sheet, outputs)
    for sentence in () if quiet else found.skipped:
        complain(f"Left out: {sentence}")
    if as_json:
        place = None if kept.path is None else str(kept.path)
        put_json({"output": place, "images": found.images, "skipped": list(found.skipped), "patches": found.numbers})
    return _told_of(kept)
