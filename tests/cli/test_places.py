"""``--mask`` and ``--protect``: from the command line to the file and back."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto import images


@pytest.fixture
def masked(room):
    """The current folder, with masks of the left half of the photo and of the painting, and of what stays."""
    for name, of, share in [("left", "photo", 0.5), ("there", "painting", 0.3), ("keep", "photo", 0.2)]:
        values = np.zeros(images.read(f"{of}.png").shape, np.uint8)
        values[:, : round(share * values.shape[1])] = 255
        Image.fromarray(values).save(f"{name}.png")
    Image.effect_noise((64, 48), 90).convert("RGB").save("other.png")
    return room


WORDS = ("--mask", "left.png=there.png", "--mask", "rest", "--protect", "keep.png", "--mask-strengths", "0.6,0.4")


@pytest.fixture
def painted(call, masked, fast):
    """A picture made with masks."""
    outcome = call("stylize", "photo.png", "painting.png", "other.png", "-o", "out.png", *WORDS, *fast)
    assert outcome.code == 0, outcome.err
    return masked / "out.png"


def test_the_same_picture_again(call, painted):
    """Rerun finds the masks by their hashes, under other names."""
    for name in ("left", "there", "keep"):
        Path(f"{name}.png").rename(f"moved-{name}.png")
    assert call("rerun", "out.png", "--quiet").code == 0
    assert (images.read("out_again.png").pixels == images.read(painted).pixels).all()


def test_a_missing_mask_is_named(call, painted):
    """With the way to give it."""
    Path("keep.png").unlink()
    outcome = call("rerun", "out.png")
    assert outcome.code == 2
    assert "mask keep.png" in outcome.err


def test_the_command_is_told(call, painted):
    """What show prints makes the picture again, byte for byte."""
    recipe = json.loads(call("show", "out.png", "--json").out)["recipe"]
    assert recipe["inputs"]["masks"][1] == {"photo": "rest", "painting": None}
    line = next(line for line in call("show", "out.png").out.splitlines() if "impasto stylize" in line)
    words = shlex.split(line[line.index("impasto stylize") :])
    assert words[words.index("--mask") + 1] == "left.png=there.png"
    words[words.index("-o") + 1] = "second.png"
    assert call(*words[1:], "--quiet").code == 0
    assert (images.read("second.png").pixels == images.read("out.png").pixels).all()


def test_losses_are_scored_by_region(call, painted, fast):
    """The same losses that the run reported."""
    words = ("photo.png", "painting.png", "out.png", "--style", "other.png", "--json", *WORDS)
    (found,) = json.loads(call("score", *words).out)
    reported = images.read_recipe(painted)["losses"]
    assert found["total"] == pytest.approx(reported["total"], rel=1e-4)
    assert {f"style/conv4_1/region{n}" for n in (1, 2)} <= set(found["layers"])


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--mask", "left.png"], "1 masks for 2 styles"),
        (["--mask", "left.png", "--mask", "nowhere.png"], "nowhere.png"),
        (["--mask", "left.png=nowhere.png", "--mask", "rest"], "nowhere.png"),
        (["--mask", "rest", "--mask", "there.png"], "proportions"),
        (["--mask-strengths", "0.5,0.5"], "0 masks"),
        (["--guidance", "inside"], "without masks"),
        (["--color-strength", "0.5"], "Color_strength cannot"),
        (["--color", "sepia"], "sepia"),
    ],
)
def test_what_cannot_be_is_refused(call, masked, fast, words, hint):
    """One sentence and code 2."""
    outcome = call("stylize", "photo.png", "painting.png", "other.png", "-o", "out.png", *words, *fast)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert hint in outcome.err
    assert not Path("out.png").exists()


@pytest.mark.parametrize("name", ["left.png", "there.png", "keep.png"])
def test_masks_are_not_overwritten(call, masked, fast, name):
    """An output that is a mask of the run is refused."""
    outcome = call("stylize", "photo.png", "painting.png", "other.png", "-o", name, *WORDS, *fast)
    assert outcome.code == 2
    assert f"would overwrite {name}" in outcome.err


def test_color_strength_of_a_preset_gives_way(call, masked, fast):
    """A color given over a preset's replaces its strength too."""
    Path("own.toml").write_text('color = "match"\ncolor_strength = 0.5\n')
    outcome = call(
        "stylize", "photo.png", "painting.png", "-o", "out.png", "--preset", "own.toml", "--color", "style", *fast
    )
    assert outcome.code == 0, outcome.err
