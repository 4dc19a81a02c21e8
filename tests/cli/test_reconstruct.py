"""``impasto reconstruct`` from words to a file, and again from the file."""

import json

import pytest

from impasto import images

WORDS = ("reconstruct", "photo.png", "--layer", "conv2_1", "-o", "out.png")


def test_a_picture_comes_out(call, room, fast):
    """It is a picture with measures in its file, its report and its last line, and can be shown."""
    outcome = call(*WORDS, "--json", "--seed", "3", *fast)
    assert outcome.code == 0
    measures = json.loads(outcome.out)["measures"]
    assert measures == images.read_recipe("out.png")["measures"]
    assert outcome.err.splitlines()[-1] == (
        f"Measured: feature error {measures['feature_error']:.4g}, psnr {measures['psnr']:.4g}, "
        f"ssim {measures['ssim']:.4g}."
    )
    shown = json.loads(call("show", "out.png", "--json").out)
    assert shown["command"].startswith("impasto reconstruct photo.png -o out.png --layer conv2_1 --size 64 ")
    assert shown["parameters"].startswith("photo.png, reconstructed from its features")


def test_the_same_picture_again(call, room, fast):
    """From its file, by rerun and by the command that show prints."""
    call(*WORDS, "--quiet", *fast)
    assert call("rerun", "out.png", "--quiet").code == 0
    assert (room / "out_again.png").read_bytes() == (room / "out.png").read_bytes()
    command = json.loads(call("show", "out.png", "--json").out)["command"].split()[1:]
    first = (room / "out.png").read_bytes()
    (room / "out.png").unlink()
    assert call(*command, "--quiet").code == 0
    assert (room / "out.png").read_bytes() == first


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["reconstruct", "photo.png", "-o", "out.png"], "--layer"),
        (["reconstruct", "photo.png", "--layer", "conv7_1", "-o", "out.png"], "has no layer"),
        (["reconstruct", "photo.png", "--layer", "conv2_1"], "There is no output"),
        (["reconstruct", "photo.png", "--layer", "conv2_1", "-o", "photo.png"], "would overwrite"),
        (["reconstruct", "photo.png", "--layer", "conv2_1", "-o", "out.png", "--strength", "1"], "--strength"),
    ],
)
def test_refusals(call, room, words, hint):
    """One sentence on stderr and code 2."""
    outcome = call(*words)
    assert (outcome.code, outcome.out) == (2, "")
    assert hint in outcome.err
    assert outcome.err.count("\n") == 1
