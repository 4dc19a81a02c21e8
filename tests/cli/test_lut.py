"""``impasto lut`` from words to a file."""

import pytest

from impasto.studies.color_table import ColorTable


def test_a_table_is_written(call, room):
    """Of as many points as asked for; the sentence says so."""
    outcome = call("lut", "painting.png", "photo.png", "-o", "style.cube", "--points", "17")
    assert outcome.code == 0
    assert "Wrote style.cube, 17 x 17 x 17 colors." in outcome.err
    assert ColorTable.read("style.cube").points == 17
    before = (room / "style.cube").read_bytes()
    outcome = call("lut", "painting.png", "-o", "style.cube", "-q", "--method", "histogram")
    assert (outcome.code, outcome.err) == (0, "")
    assert (room / "style.cube").read_bytes() != before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("painting.png",), "missing"),
        (("painting.png", "-o", "a.png"), "ends in .cube"),
        (("none.png", "-o", "a.cube"), "none.png does not exist"),
        (("painting.png", "-o", "a.cube", "--points", "1000"), "1000 points"),
        (("painting.png", "-o", "nowhere/a.cube"), "nowhere"),
    ],
)
def test_what_is_wrong_is_said(call, room, words, sentence):
    """In a sentence, before anything is written."""
    outcome = call("lut", *words)
    assert outcome.code == 2
    assert sentence in outcome.err
    assert not list(room.glob("*.cube"))
