"""Figures: what each shows, drawn small."""

import functools
import itertools
import json
from dataclasses import replace

import pytest

from impasto import images
from impasto.errors import LayerError, SettingsError
from impasto.runs.pictures.stylize import Transfer
from impasto.settings import STYLE_LAYERS
from impasto.studies.figure_sheet import Row, drawn, numbers_path
from impasto.studies.figures import FIGURES, INPUTS, figure, sketch

SIDE = 32
PAPER = {"content_loss": "squared", "pooling": "avg"}
QUICK = {"size": SIDE, "coarsest": SIDE, "evaluations": 1, "precision": "fp32", "device": "cpu"}
LETTERS = 14  # pixels, the height of the words on a sheet
SHAPES = {
    "content-layers": [5, 5],
    "style-layers": [5],
    "trade-off": [4] * 5,
    "content-layer": [2],
    "initialization": [2, 4],
    "layer-weights": [4, 4],
    "pooling": [2],
    "style-losses": [4, 4, 3],
    "blends": [5],
}
"""How many cells the rows of each figure have."""


def inputs_of(name, photo, painting):
    """What a figure takes."""
    given = {"photo": photo, "painting": painting, "second painting": photo[:, ::-1]}
    return [given[what] for what in INPUTS.get(name, ("photo", "painting"))]


@pytest.fixture(scope="module")
def figures(photo, painting):
    """A function from a name to a figure, which is drawn once."""
    return functools.cache(lambda name: figure(name, *inputs_of(name, photo, painting), **QUICK))


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_a_sheet_and_its_numbers(name, figures, tmp_path):
    """The sheet holds all pictures and words, the file beside it every cell with numbers, losses and settings."""
    found = figures(name)
    beside = found.save(tmp_path / "figure.png")
    assert beside == numbers_path(tmp_path / "figure.png")
    facts = json.loads(beside.read_text())
    assert facts == json.loads(json.dumps(found.numbers))
    assert (facts["figure"], facts["complete"], list(facts["inputs"])) == (
        name, True, list(INPUTS.get(name, ("photo", "painting"))))  # fmt: skip
    assert len(facts["cells"]) == sum(SHAPES[name])
    assert all(cell["column"] and cell["numbers"] and cell["losses"] and cell["settings"] for cell in facts["cells"])
    assert len({(cell["row"], cell["column"]) for cell in facts["cells"]}) == len(facts["cells"])
    height, width = images.read(tmp_path / "figure.png").shape
    assert width >= max(SHAPES[name]) * SIDE * min(1, 60 / 64)
    assert height >= (len(SHAPES[name]) + 1) * (SIDE * 3 // 4 + 2 * LETTERS)


@pytest.mark.parametrize("name", FIGURES)
def test_bundled_pictures_stand_in(name):
    """Every figure can be sketched from nothing."""
    plan = sketch(name, **QUICK)
    assert [len(row.cells) for row in plan.rows] == SHAPES[name]
    assert plan.name == name
    assert {picture.source.name for picture in plan.inputs.values()} <= {"chelsea.jpg", "swirl.jpg", "glass.jpg"}


def test_content_layers_lose_the_pixels_with_depth(photo):
    """In the numbers under the pictures, as in the paper."""
    plan = sketch("content-layers", photo, **{**QUICK, "evaluations": 25})
    found = drawn(replace(plan, rows=plan.rows[1:]))
    values = [found.results[0, column].measures["psnr"] for column in range(5)]
    assert values == sorted(values, reverse=True)


def test_trade_off_goes_from_style_to_content(photo, painting):
    """A content a thousand times heavier has less than half the loss, and style more.

    Only the ends of a row are so far apart that it does not matter how far their descents have come.
    """
    plan = sketch("trade-off", photo, painting, **{**QUICK, "size": 32, "coarsest": 32, "evaluations": 150})
    ends = Row((plan.rows[0].cells[0], plan.rows[0].cells[-1]), plan.rows[0].label)
    light, heavy = (cell["numbers"] for cell in drawn(replace(plan, rows=(ends,))).numbers["cells"])
    assert heavy["content"] < 0.5 * light["content"]
    assert heavy["style"] > 1.1 * light["style"]


def test_trade_off_minimizes_what_its_labels_say(figures):
    """The total is alpha / beta times the content loss, plus the style loss."""
    found = figures("trade-off")
    for cell in found.numbers["cells"]:
        ratio = float(cell["column"].split()[-1])
        assert cell["total"] == pytest.approx(ratio * cell["numbers"]["content"] + cell["numbers"]["style"], rel=1e-6)
    layers = [list(cell["losses"])[1:] for cell in found.numbers["cells"][::4]]
    assert layers == [[f"style/{layer}" for layer in STYLE_LAYERS[: count + 1]] for count in range(5)]


def test_the_initialization_figure_starts_where_it_says(figures):
    """After one evaluation the pictures are the photo, the painting and four different noises."""
    found = figures("initialization")
    photo_, style = (found.results[0, column].tensor for column in (0, 1))
    run = found.results[0, 0]
    assert (photo_ - images.read(run.pil).pixels).abs().max() < 0.01
    noises = [found.results[1, column].tensor for column in range(4)]
    means = [abs(x.mean() - 0.5) for x in noises]
    assert max(means) < 0.02
    assert not any((a == b).all() for a, b in itertools.pairwise(noises))
    assert not (photo_ == style).all()


@pytest.mark.parametrize(("count", "rows"), [(2, [5]), (3, [1, 2, 3, 4]), (4, [4, 4, 4, 4])])
def test_blends_go_from_style_to_style_in_equal_steps(photo, painting, other_painting, count, rows):
    """In a row, a triangle or a square; each painting alone has a corner, and shares add up to 1."""
    paintings = [painting, other_painting, photo, photo[::-1]][:count]
    plan = sketch("blends", photo, *paintings, **QUICK)
    assert [len(row.cells) for row in plan.rows] == rows
    runs = [[cell.prepare() for cell in row.cells] for row in plan.rows]
    assert all(len(run.styles) == count for row in runs for run in row)
    shares = [[run.settings.blend for run in row] for row in runs]
    assert all(sum(blend) == pytest.approx(1) for row in shares for blend in row)
    corners = [shares[0][0], shares[0][-1], shares[-1][0], shares[-1][-1]]
    alone = [tuple(float(other == own) for other in range(count)) for own in range(count)]
    assert {blend for blend in corners if 1 in blend} == set(alone)
    for row in shares:
        steps = [[b - a for a, b in zip(*pair, strict=True)] for pair in itertools.pairwise(row)]
        assert all(step == pytest.approx(steps[0]) for step in steps)
    headings = [cell.heading for row in plan.rows for cell in row.cells]
    assert len(set(headings)) == len(headings)


def test_blends_show_their_shares(photo, painting, other_painting):
    """The ends of the row are the pictures of each style alone."""
    found = figure("blends", photo, painting, other_painting, **{**QUICK, "evaluations": 3})
    alone = [
        Transfer.of(photo, style, **QUICK | PAPER | {"evaluations": 3}).run().tensor
        for style in (painting, other_painting)
    ]
    assert found.results[0, 0].tensor.equal(alone[0])
    assert found.results[0, 4].tensor.equal(alone[1])
    assert [cell["settings"]["blend"] for cell in found.numbers["cells"]][1] == [0.75, 0.25]


def test_a_listener_follows_and_stops(photo, painting):
    """It hears which cell is at work; when it stops, the cells so far are on the sheet and the rest is empty."""
    heard = []

    def listen(moment):
        heard.append((moment.unit, moment.units, moment.name))
        return moment.unit == 1 and moment.evaluation >= 2

    found = drawn(sketch("content-layer", photo, painting, **{**QUICK, "evaluations": 5}), listen)
    assert dict.fromkeys(heard) == dict.fromkeys([(0, 2, "conv2_2"), (1, 2, "conv4_2")])
    assert not found.complete
    assert not found.numbers["complete"]
    assert sorted(found.results) == [(0, 0), (0, 1)]
    early = drawn(sketch("content-layer", photo, painting, **{**QUICK, "evaluations": 5}), lambda moment: True)
    assert sorted(early.results) == [(0, 0)]
    assert early.sheet.shape[3] <= found.sheet.shape[3]


@pytest.mark.parametrize(
    ("name", "inputs", "values", "sentence"),
    [
        ("trade-of", 0, {}, "Did you mean trade-off"),
        ("style-layers", 2, {}, "takes a painting, but 2 pictures came"),
        (
            "blends",
            6,
            {},
            "takes a photo and a painting and a second painting and a third painting and a fourth painting",
        ),
        ("blends", 0, {"blend": (1, 2)}, "blend is decided by this figure"),
        ("pooling", 0, {"pooling": "max"}, "pooling is decided by this figure"),
        ("pooling", 0, {"noise": 7}, "less than or equal to 1"),
        ("trade-off", 0, {"size": 16}, "too small for conv5_1"),
    ],
)
def test_bad_requests_get_a_sentence(photo, name, inputs, values, sentence):
    """Before anything is computed."""
    with pytest.raises((SettingsError, LayerError), match=sentence):
        sketch(name, *[photo] * inputs, **{**QUICK, **values})
