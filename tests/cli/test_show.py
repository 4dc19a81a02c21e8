"""``impasto show``: what a picture says about itself."""

import hashlib
import json
import os
import shlex
import threading

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from impasto.cli import main


def png(path, **texts):
    """A PNG with text chunks."""
    info = PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)
    Image.new("RGB", (20, 20)).save(path, pnginfo=info)
    return path


def test_everything_is_shown(call, made, originals):
    """Inputs with their hashes, settings, versions, losses and a command line are there."""
    out = call("show", made).out
    for path in originals:
        assert f"{path.name}  SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}" in out
    for part in ("impasto 0.1.0, torch ", "fp32 on cpu", "32x24 (2), 64x48 (2): 4 evaluations", "size 64", "total "):
        assert part in out
    assert "impasto stylize photo.png painting.png -o made.png --size 64" in out


def test_the_command_is_one_that_works(call, made, room):
    """The command line shown makes the same picture, byte for byte."""
    report = json.loads(call("show", made, "--json").out)
    assert report["recipe"]["settings"]["size"] == 64
    program, *words = shlex.split(report["command"])
    assert program == "impasto"
    assert main([*words, "--quiet"]) == 0
    assert (room / "made.png").read_bytes() == made.read_bytes()


def test_pictures_of_other_programs(call, tmp_path):
    """Text that another program wrote is shown line by line, without what could move the cursor."""
    picture = png(tmp_path / "other.png", parameters="a castle\x1b[2J\nSteps: 20")
    assert call("show", picture).out == "a castle\N{REPLACEMENT CHARACTER}[2J\nSteps: 20\n"
    assert json.loads(call("show", picture, "--json").out)["recipe"] is None


@pytest.mark.parametrize(
    ("texts", "hint"),
    [
        ({}, "does not say how it was made"),
        ({"impasto": "{"}, "damaged"),
        ({"impasto": "{}"}, "cannot be understood (impasto)"),
        ({"impasto": '{"task": "embroider"}'}, "the task 'embroider'"),
    ],
)
def test_what_cannot_be_shown(call, tmp_path, texts, hint):
    """A picture without a recipe, or with one that is broken or of another kind, gets a sentence."""
    outcome = call("show", png(tmp_path / "x.png", **texts))
    assert (outcome.code, outcome.out) == (2, "")
    assert hint in outcome.err


@pytest.mark.parametrize("command", ["show", "rerun"])
def test_a_pipe_holds_no_recipe(call, tmp_path, made, command):
    """As a shell's <(...) is one: it says so, and does not call the picture damaged."""
    os.mkfifo(tmp_path / "pipe")
    feeding = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(made.read_bytes()), daemon=True)
    feeding.start()
    outcome = call(command, tmp_path / "pipe")
    assert (outcome.code, outcome.out) == (2, "")
    assert "is a pipe" in outcome.err


def test_a_hostile_recipe_is_harmless(call, tmp_path, made):
    """Names in a recipe neither reach the shell unquoted nor the terminal as control codes."""
    recipe = json.loads(call("show", made, "--json").out)["recipe"]
    recipe["inputs"]["content"]["name"] = "x; rm -rf ~ \x1b]0;boo\x07"
    recipe["inputs"]["styles"][0]["name"] = "-o"
    out = call("show", png(tmp_path / "x.png", impasto=json.dumps(recipe))).out
    command = next(line for line in out.splitlines() if line.strip().startswith("command"))
    assert "\x1b" not in out
    assert shlex.split(command)[3].startswith("x; rm -rf ~ ")
    assert shlex.split(command)[4] == "./-o"
