"""``impasto figure`` from words to two files."""

import json
import re

import pytest

from impasto import images
from impasto.cli.commands.figure import figure
from impasto.studies.figures import FIGURES

FAST = ("--size", "48", "--evaluations", "1", "--precision", "fp32", "--device", "cpu")


def test_a_sheet_and_its_numbers(call, room):
    """Two files, of which the numbers are also printed; the cells are told as they are begun."""
    outcome = call("figure", "content-layer", "photo.png", "painting.png", "-o", "out.png", "--json", *FAST)
    assert outcome.code == 0
    facts = json.loads(outcome.out)
    assert facts == json.loads((room / "out.json").read_text())
    assert [facts["inputs"][what]["name"] for what in ("photo", "painting")] == ["photo.png", "painting.png"]
    assert images.read("out.png").shape[1] > 96
    lines = outcome.err.splitlines()
    assert [line for line in lines if re.match(r"\d/2  ", line)] == ["1/2  conv2_2", "2/2  conv4_2"]
    assert lines[-1].startswith("Wrote out.png and out.json, after ")


def test_settings_reach_the_cells(call, room):
    """Those that the figure leaves open."""
    words = ("style-layers", "painting.png", "-o", "out.png", "--seed", "5", "--quiet")
    assert call("figure", *words, *FAST).code == 0
    facts = json.loads((room / "out.json").read_text())
    assert all(cell["settings"]["seed"] == 5 for cell in facts["cells"])


def test_help_names_every_figure(call):
    """So that nobody has to guess."""
    out = " ".join(call("figure", "--help").out.replace("│", " ").split())
    assert all(name in out for name in FIGURES)
    assert figure.__doc__


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("pooling",), "name the picture with -o FILE"),
        (("pooling", "--output=-"), "name the picture with -o FILE"),
        (("poling", "-o", "out.png"), "Did you mean pooling"),
        (("pooling", "photo.png", "-o", "photo.png"), "would overwrite"),
        (("pooling", "photo.png", "painting.png", "photo.png", "-o", "out.png"), "3 pictures came"),
        (("pooling", "missing.png", "-o", "out.png"), "missing.png"),
    ],
)
def test_refusals(call, room, words, hint):
    """One sentence on stderr and code 2, and nothing is written."""
    outcome = call("figure", *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert hint in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (room / "out.png").exists()
