"""``impasto texture`` from words to a file, and again from the file."""

import json

import pytest

from impasto import images

FAST = ("--coarsest", "32", "--evaluations", "2", "--precision", "fp32", "--device", "cpu", "--up-to", "conv3_1")
WORDS = ("texture", "painting.png", "-o", "out.png")


def test_a_picture_comes_out(call, room):
    """Of the asked size, with measures in its file and its report, and it can be shown."""
    outcome = call(*WORDS, "--size", "96x64", "--tileable", "--json", *FAST)
    assert outcome.code == 0
    report = json.loads(outcome.out)
    recipe = images.read_recipe("out.png")
    assert (report["width"], report["height"]) == (96, 64)
    assert report["measures"] == recipe["measures"]
    assert list(recipe["settings"]["style_layers"]) == ["conv1_1", "conv2_1", "conv3_1"]
    assert recipe["settings"]["padding"] == "circular"
    shown = json.loads(call("show", "out.png", "--json").out)
    assert shown["command"].startswith("impasto texture painting.png -o out.png --size 96x64 ")
    assert shown["parameters"].startswith("A texture in the style of painting.png")


def test_the_same_picture_again(call, room):
    """From its file, by rerun and by the command that show prints."""
    call(*WORDS, "--size", "64x32", "--tileable", "--quiet", *FAST)
    assert call("rerun", "out.png", "--quiet").code == 0
    first = (room / "out.png").read_bytes()
    assert (room / "out_again.png").read_bytes() == first
    command = json.loads(call("show", "out.png", "--json").out)["command"].split()[1:]
    (room / "out.png").unlink()
    assert call(*command, "--quiet").code == 0
    assert (room / "out.png").read_bytes() == first


@pytest.mark.parametrize(
    ("size", "shape"), [((), (64, 64)), (("--size", "48"), (48, 48)), (("--size", "40x48"), (48, 40))]
)
def test_sizes(call, room, size, shape):
    """The exemplar's unless given, a square by its side, or width by height."""
    assert call(*WORDS, *size, "--quiet", *FAST).code == 0
    assert images.read("out.png").shape == shape


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ((*WORDS, "--size", "big"), "640x480"),
        ((*WORDS, "--size", "50", "--tileable"), "multiples of 16"),
        ((*WORDS, "--up-to", "conv3_4"), "go up to one of"),
        ((*WORDS, "--up-to", "conv3_1", "--style-layers", "conv1_1"), "give one of them"),
        (("texture", "painting.png", "-o", "painting.png"), "would overwrite"),
        (("texture", "-o", "out.png"), "STYLE requires an argument"),
    ],
)
def test_refusals(call, room, words, hint):
    """One sentence on stderr and code 2."""
    outcome = call(*words)
    assert (outcome.code, outcome.out) == (2, "")
    assert hint in outcome.err
    assert outcome.err.count("\n") == 1
