"""``impasto explore`` from words to a sheet whose commands work."""

import json
import shlex

import pytest

from impasto import images
from impasto.studies import explore

QUICK = ("--precision", "fp32", "--device", "cpu", "--style-layers", "conv1_1,conv2_1", "--content-layers", "conv2_2")


@pytest.fixture(autouse=True)
def _smaller(monkeypatch):
    monkeypatch.setattr(explore, "SIDE", 32)
    monkeypatch.setattr(explore, "EVALUATIONS", 2)


def test_a_sheet_over_all_axes(call, room):
    """Strengths across, scales and colors down; every cell has its command."""
    axes = ("--strengths", "0.2,0.8", "--scales", "1,2", "--colors", "style,luminance")
    outcome = call("explore", "photo.png", "painting.png", "-o", "sheet.png", "--size", "100", "--json", *axes, *QUICK)
    assert outcome.code == 0, outcome.err
    facts = json.loads(outcome.out)
    assert facts == json.loads((room / "sheet.json").read_text())
    cells = facts["cells"]
    assert len(cells) == 8
    assert cells[0]["command"].startswith("impasto stylize photo.png painting.png -o out.png --size 100 ")
    assert cells[0]["command"].endswith("--init preview --strength 0.2")
    assert cells[7]["command"].endswith("--init preview --strength 0.8 --style-scale 2.0 --color luminance")
    assert [cell["settings"]["strength"] for cell in cells[:2]] == [0.2, 0.8]
    assert cells[7]["settings"]["color"] == "luminance"
    assert images.read("sheet.png").shape[1] > 64


def test_its_commands_work(call, room):
    """As they stand in the file beside the sheet."""
    one = ("--strengths", "0.4", "--scales", "0.5", "--colors", "match")
    assert call("explore", "photo.png", "painting.png", "-o", "sheet.png", "-q", *one, *QUICK, "--size", "40").code == 0
    command = json.loads((room / "sheet.json").read_text())["cells"][0]["command"]
    outcome = call(*shlex.split(command)[1:], "--evaluations", "1", "-q")
    assert outcome.code == 0, outcome.err
    assert images.read("out.png").shape == (30, 40)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--strengths", "x"), "give numbers"),
        (("--strengths", "2"), "strength"),
        (("--colors", "mauve"), "color"),
        (("--scales", "0"), "style_scale"),
    ],
)
def test_refusals(call, room, words, sentence):
    """Before anything is drawn."""
    outcome = call("explore", "photo.png", "painting.png", "-o", "sheet.png", *words, *QUICK)
    assert outcome.code == 2
    assert sentence in outcome.err
    assert not (room / "sheet.png").exists()
