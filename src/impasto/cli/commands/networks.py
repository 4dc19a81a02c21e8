"""``impasto networks``: which there are, what they are made of, and one's own normalization."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter
from cyclopts.validators import Number

from impasto.choices import Pooling, file_and_colors
from impasto.cli.commands.facts import AsJson, networks
from impasto.cli.options.keeping import KEPT_ELSEWHERE, Way, keep
from impasto.cli.options.outputs import DryRun, Outputs, Overwrite, rehearse_folder
from impasto.cli.terminal.progress import counter
from impasto.cli.terminal.progress import size as extents
from impasto.cli.terminal.streams import complain, put, put_json, put_table
from impasto.errors import NetworkError, SettingsError

if TYPE_CHECKING:
    from impasto.encoders import Stack
    from impasto.studies.normalization import Normalization

app = App(
    name="networks", usage="Usage: impasto networks [COMMAND] [OPTIONS]", help_epilogue="", default_command=networks
)

Weights = Annotated[str | None, Parameter(metavar="FILE", help="A VGG-16 or VGG-19 of your own.")]


@app.command(usage="Usage: impasto networks describe [OPTIONS]", help_epilogue="")
def describe(
    *,
    network: Annotated[str, Parameter(help="By name.")] = "vgg19",
    weights: Weights = None,
    layers: Annotated[
        str | None,
        Parameter(
            metavar="WORDS",
            help="Of a network of your own, instead: 16x5 is 16 filters 5 wide, 16x5v the same without a border, pool a "
            "pooling; such as 16x5v,32x5v.",
        ),
    ] = None,
    channels: Annotated[int, Parameter(metavar="INT", validator=Number(gte=1), help="Of the input of --layers.")] = 3,
    size: Annotated[
        str, Parameter(metavar="SIDE|AxB...", help="Of the input that shapes are given for: a side, or one per axis.")
    ] = "512",
    axes: Annotated[
        int | None,
        Parameter(
            metavar="INT", validator=Number(gte=1, lte=9), help="How many, where one side is given; 2 unless given."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Describe a network's layers: channels, stride, receptive field, and shape for an input of any number of axes.

    The JSON form is a list with, for every layer, layer, kind (convolution or pooling), channels,
    stride, receptive_field (both in positions of the input, of a picture pixels), offset (how many of them
    come before the first position's own: what convolutions without a border take away) and shape (per axis, of a
    picture height and width, 0 if the input is too small).
    """
    from impasto.encoders import IMAGE, load, stack_from_words

    if layers is not None and (weights is not None or network != "vgg19"):
        raise SettingsError("--layers describes a network of its own; leave --network and --weights out.")
    stack = stack_from_words(layers, channels) if layers is not None else load(network, weights, "caffe")[0]
    shape = _shape(size, axes)
    found = _layers(stack, shape)
    if as_json:
        put_json(found)
        return
    kinds = {1: "a signal", 2: "a picture", 3: "a volume"}
    kind = kinds.get(len(shape), f"an input of {len(shape)} axes")
    put(f"{stack.name}, for {kind} of {extents(shape)} with {stack.channels(IMAGE)} channels")
    columns = ("layer", "channels", "stride", "receptive_field", "offset")
    rows = [(*(row[name] for name in columns), extents(tuple(row["shape"]))) for row in found]
    put_table((*(name.replace("_", " ") for name in columns), "shape"), rows)


def _shape(size: str, axes: int | None) -> tuple[int, ...]:
    """The spatial shape of an input: sides are typed width first."""
    words = re.split("[x×]", size.strip())
    if not all(re.fullmatch(r"[1-9]\d{0,7}", word) for word in words):
        raise SettingsError(f"The size {size!r} was given; give a side such as 512, or one per axis such as 14x14x14.")
    sides = tuple(int(word) for word in reversed(words))
    if len(sides) == 1:
        return sides * (axes or 2)
    if axes not in (None, len(sides)):
        raise SettingsError(f"The size {size} has {len(sides)} axes and --axes says {axes}; leave one of them out.")
    return sides


def _layers(stack: "Stack", shape: tuple[int, ...]) -> list[dict[str, Any]]:
    from impasto.encoders import Conv

    return [
        {
            "layer": layer.name,
            "kind": "convolution" if isinstance(layer, Conv) else "pooling",
            "channels": stack.channels(layer.name),
            "stride": stack.stride(layer.name),
            "receptive_field": stack.receptive_field(layer.name),
            "offset": stack.offset(layer.name),
            "shape": list(stack.lengths(layer.name, shape)),
        }
        for layer in stack
    ]


@app.command(usage="Usage: impasto networks normalize --images FOLDER -o FILE.safetensors [OPTIONS]", help_epilogue="")
def normalize(
    *,
    images: Annotated[str, Parameter(metavar="FOLDER", help="The pictures, in folders below it too.")],
    output: Annotated[
        str, Parameter(name=("--output", "-o"), metavar="FILE", help="A .safetensors file, for --weights.")
    ],
    network: Annotated[str, Parameter(help="What is normalized, by name.")] = "vgg19-original",
    weights: Weights = None,
    size: Annotated[
        int,
        Parameter(metavar="INT", validator=Number(gte=16, lte=8192), help="Long side that pictures are brought to."),
    ] = 256,
    pooling: Annotated[Pooling, Parameter(help="With which means are taken; the shipped network's with max.")] = "max",
    device: Annotated[str, Parameter(help="auto, cpu, cuda or mps.")] = "auto",
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    quiet: Annotated[bool, Parameter(name=("--quiet", "-q"), show_default=False, help="Show no progress.")] = False,
) -> int:
    """Rescale a network so that every filter's mean activation over a folder of pictures is 1.

    The JSON form has output, images (how many), skipped (sentences), size, pooling and layers, a
    list with layer, filters, silent (filters that never fired and keep their scale), least, median
    and greatest (of the scales) and correlation (of the scales' logarithms with those of the network that
    impasto comes with, or null).
    """
    outputs = _outputs(Path(output), weights, overwrite=overwrite)
    if dry_run:
        return rehearse_folder(outputs, images, as_json=as_json)
    from impasto.studies.normalization import normalize as compute

    tell = counter("pictures", quiet=quiet)
    found = compute(images, network=network, weights=weights, size=size, pooling=pooling, device=device, progress=tell)
    kept = keep(Path(output), (Way(".safetensors", found.save),), outputs)
    if as_json:
        put_json(_report(found, None if kept.path is None else str(kept.path)))
    else:
        _show(found, None if kept.trouble else output)
    if kept.trouble is not None:
        complain(kept.trouble)
        return KEPT_ELSEWHERE
    return 0


def _outputs(output: Path, weights: str | None, *, overwrite: bool) -> Outputs:
    """The file that is written; refused now if saving would be refused after the work."""
    from impasto.encoders.weights import WEIGHTS

    if output.suffix != ".safetensors":
        raise NetworkError(f"Weights are written as .safetensors, not as {output.name}; choose another name.")
    WEIGHTS.replace(output, None)
    outputs = Outputs([] if weights is None else [file_and_colors(weights)[0]], overwrite=overwrite)
    outputs.add(output, "The output")
    return outputs


def _report(found: "Normalization", output: str | None) -> dict[str, Any]:
    layers = [
        {
            "layer": name,
            "filters": len(scales),
            "silent": found.silent.get(name, []),
            "least": float(scales.min()),
            "median": float(scales.median()),
            "greatest": float(scales.max()),
            "correlation": found.shipped.get(name),
        }
        for name, scales in found.scales.items()
    ]
    seen = {"images": found.images, "skipped": list(found.skipped)}
    return {"output": output, **seen, "size": found.size, "pooling": found.pooling, "layers": layers}


def _show(found: "Normalization", output: str | None) -> None:
    for sentence in found.skipped:
        complain(f"Left out: {sentence}")
    rows = []
    for layer in _report(found, output)["layers"]:
        alike = "" if layer["correlation"] is None else layer["correlation"]
        rows.append((layer["layer"], layer["filters"], len(layer["silent"]), layer["median"], alike))
    put_table(("layer", "filters", "silent", "median scale", "correlation with the shipped scales"), rows)
    done = "Finished" if output is None else f"Wrote {output}"
    put(f"{done}, from {found.images} pictures at {found.size} pixels, with {found.pooling} pooling.")
