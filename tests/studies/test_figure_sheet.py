"""From a sketch to a sheet and its numbers."""

import json

import pytest

from impasto import images
from impasto.errors import ImageError
from impasto.studies.figure_sheet import Cell, Row, Sketch, drawn, numbers_path


@pytest.fixture
def sketch(photo, painting, prepare):
    """Two cells with different strengths."""
    inputs = {"photo": images.read(photo), "painting": images.read(painting)}

    def cell(strength):
        return Cell(
            f"s = {strength}",
            lambda: prepare(photo, painting, strength=strength, evaluations=3),
            lambda result: {"style": result.delivered.by_kind["style"], "none": None},
        )

    return Sketch("two", "Two strengths", inputs, 48, (Row((cell(0.3), cell(0.8)), "row"),))


def test_a_sheet_and_its_numbers(sketch, tmp_path):
    """Every cell is on the sheet and in the file beside it, with what was written under it and its settings."""
    figure = drawn(sketch)
    beside = figure.save(tmp_path / "two.png")
    assert beside == numbers_path(tmp_path / "two.png") == tmp_path / "two.json"
    numbers = json.loads(beside.read_text())
    assert [cell["settings"]["strength"] for cell in numbers["cells"]] == [0.3, 0.8]
    assert [cell["column"] for cell in numbers["cells"]] == ["s = 0.3", "s = 0.8"]
    first, second = (cell["numbers"]["style"] for cell in numbers["cells"])
    assert first == figure.results[0, 0].delivered.by_kind["style"]
    assert second == figure.results[0, 1].delivered.by_kind["style"]
    assert figure.complete
    sheet = images.read(tmp_path / "two.png").pixels
    assert sheet.shape[3] > 2 * 48
    assert sheet.shape[2] > 2 * 30


def test_a_listener_is_told_where_it_is_and_may_stop(sketch):
    """The figure then has the cells so far."""
    moments = []
    figure = drawn(sketch, lambda moment: moments.append(moment) or len(moments) > 1)
    assert not figure.complete
    assert list(figure.results) == [(0, 0)]
    assert (moments[0].unit, moments[0].units, moments[0].name) == (0, 2, "row s = 0.3")
    assert figure.numbers["complete"] is False


def test_numbers_that_cannot_be_written(sketch, tmp_path):
    """Get a sentence."""
    figure = drawn(sketch)
    numbers_path(tmp_path / "x.png").mkdir()
    with pytest.raises(ImageError, match=r"x\.json is a folder"):
        figure.save(tmp_path / "x.png")
