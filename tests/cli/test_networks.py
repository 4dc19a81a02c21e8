"""``impasto networks describe`` and ``normalize``."""

import json

import numpy as np
import pytest
import torch

from impasto.encoders import VGG16, VGG19, Encoder, load
from impasto.images import read


def test_describe(call):
    """Every layer with its geometry; deep layers of a small picture have no positions."""
    found = json.loads(call("networks", "describe", "--size", "20", "--json").out)
    assert [row["layer"] for row in found] == list(VGG19.names)
    rows = {row["layer"]: row for row in found}
    assert rows["conv5_1"] == {
        "layer": "conv5_1",
        "kind": "convolution",
        "channels": 512,
        "stride": 16,
        "receptive_field": 156,
        "offset": 0,
        "shape": [1, 1],
    }
    assert rows["pool5"]["shape"] == [0, 0]
    assert ["conv3_1", "256", "4", "24", "0", "16x16"] in [
        line.split() for line in call("networks", "describe", "--size", "64").out.splitlines()
    ]


@pytest.mark.parametrize(("stack", "depth"), [(VGG16, 4), (VGG19, 5)], ids=["vgg16", "vgg19"])
def test_describe_a_network_from_keras(call, room, stack, depth):
    """A file with keras's names and axes, as far as conv5_1: its layers are listed, and no further one."""
    state = {}
    for layer in stack.until("conv5_1"):
        if layer.name.startswith("conv"):
            name = layer.name.replace("conv", "block").replace("_", "_conv")
            state[f"{name}/kernel"] = np.zeros((3, 3, layer.channels_in, layer.channels_out), np.float32)
            state[f"{name}/bias"] = np.zeros(layer.channels_out, np.float32)
    np.savez(room / "keras.npz", **state)
    outcome = call("networks", "describe", "--weights", "keras.npz")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"{stack.name}, for a picture of 512x512")
    listed = [line.split()[0] for line in outcome.out.splitlines() if line.strip().startswith(("conv", "pool"))]
    assert listed == list(stack.names[: stack.names.index("conv5_1") + 1])
    assert sum(name.startswith("conv4") for name in listed) == depth - 1


def test_normalize(call, room):
    """The file holds a network whose features are the original's times the scales, with means of 1."""
    (room / "in").mkdir()
    for name in ("photo.png", "painting.png"):
        (room / name).rename(room / "in" / name)
    outcome = call("networks", "normalize", "--images", "in", "-o", "own.safetensors", "--size", "48", "--json", "-q")
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert (found["images"], found["size"], found["pooling"]) == (2, 48, "max")
    assert [row["layer"] for row in found["layers"]] == [layer.name for layer in VGG19.convolutions]
    assert all(row["correlation"] > 0.2 for row in found["layers"][:10])
    own, original = (
        Encoder(*network, pooling="max") for network in (load(weights="own.safetensors"), load("vgg19-original"))
    )
    silent = {row["layer"]: row["silent"] for row in found["layers"]}
    image = read(room / "in" / "photo.png").pixels
    for name in ("conv1_1", "conv3_1", "conv4_2"):
        (_, after), (_, before) = (next(encoder.features(image, (name,))) for encoder in (own, original))
        for unit in range(after.shape[1]):
            peak = before[0, unit].max()
            if peak > 0 and unit not in silent[name]:
                scale = after[0, unit].max() / peak
                assert torch.allclose(
                    after[0, unit], before[0, unit] * scale, rtol=1e-5, atol=1e-5 * float(after.max())
                )
    outcome = call("networks", "describe", "--weights", "own.safetensors")
    assert outcome.out.startswith("vgg19, for a picture of 512x512")


def test_normalize_in_words(call, room):
    """A table with the correlation per layer, and what was written; another network has nothing to compare with."""
    (room / "in").mkdir()
    (room / "photo.png").rename(room / "in" / "photo.png")
    words = ("networks", "normalize", "--images", "in", "--size", "32")
    outcome = call(*words, "-o", "own.safetensors")
    assert "pictures 1/1" in outcome.err
    assert "correlation" in outcome.out
    assert "Wrote own.safetensors, from 1 pictures at 32 pixels, with max pooling." in outcome.out
    again = call(*words, "--weights", "own.safetensors", "-o", "twice.safetensors", "-q", "--json")
    layers = json.loads(again.out)["layers"]
    assert {row["correlation"] for row in layers} == {None}
    assert all(row["median"] == pytest.approx(1, abs=1e-4) for row in layers)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--images", "missing", "-o", "x.safetensors"], "missing does not exist"),
        (["--images", "none", "-o", "x.safetensors"], "There are no pictures in none"),
        (["--images", ".", "-o", "x.pth"], "not as x.pth"),
        (["--images", ".", "-o", "missing/x.safetensors"], "missing does not exist"),
        (["--images", ".", "-o", "x.safetensors", "--network", "vgg99"], "no network 'vgg99'"),
    ],
)
def test_refusals(call, room, words, hint):
    """One sentence, code 2, and no file."""
    (room / "none").mkdir()
    outcome = call("networks", "normalize", *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert hint in outcome.err
    assert not list(room.glob("*.safetensors"))
