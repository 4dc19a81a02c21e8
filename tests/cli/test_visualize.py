"""``impasto visualize``: sheets from a tiny folder, and sentences for what will not do."""

import json

import pytest
from PIL import Image

QUICK = ("--device", "cpu", "--quiet")


@pytest.fixture
def folder(room):
    """The current folder with two small pictures in ``in``."""
    (room / "in").mkdir()
    for name in ("photo.png", "painting.png"):
        (room / name).rename(room / "in" / name)
    return room


def test_patches(call, folder):
    """A sheet, and every patch in JSON with its picture."""
    words = ("patches", "--layer", "relu2_1", "--units", "0:3", "--images", "in", "--size", "48")
    outcome = call("visualize", *words, "-o", "sheet.png", "--json", *QUICK)
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert (found["images"], found["skipped"], found["output"]) == (2, [], "sheet.png")
    assert {patch["unit"] for patch in found["patches"]} <= {0, 1, 2}
    for patch in found["patches"]:
        assert patch["layer"] == "conv2_1"
        assert patch["activation"] > 0
        assert [b - a for a, b in zip(patch["start"], patch["stop"], strict=True)] == [10, 10]
    with Image.open(folder / "sheet.png") as sheet:
        assert sheet.width > 6 * 3 * 64


def test_progress_and_what_is_left_out(call, folder):
    """Without --quiet the pictures are counted and a broken one is named."""
    (folder / "in" / "broken.png").write_bytes(b"no picture")
    words = ("patches", "--layer", "conv1_1", "--units", "1", "--images", "in", "--size", "32", "-o", "sheet.png")
    outcome = call("visualize", *words, "--device", "cpu")
    assert outcome.code == 0
    assert "pictures 3/3" in outcome.err
    assert "Left out: in/broken.png" in outcome.err


@pytest.mark.parametrize(("extra", "side"), [((), 10), (("--channel", "--size", "32"), 32)])
def test_unit(call, folder, extra, side):
    """The picture that a unit, or a whole channel, likes best."""
    words = ("unit", "--layer", "conv2_1", "--unit", "7", "-o", "unit.png", "--evaluations", "4")
    assert call("visualize", *words, *extra, *QUICK).code == 0
    with Image.open(folder / "unit.png") as picture:
        assert picture.size == (side, side)


def test_network(call, folder):
    """One sheet over layers."""
    words = ("network", "--images", "in", "--layers", "conv1_1,conv2_1", "--units", "0:2", "--size", "32")
    outcome = call("visualize", *words, "--evaluations", "3", "-o", "net.png", "--json", *QUICK)
    assert outcome.code == 0
    assert {patch["layer"] for patch in json.loads(outcome.out)["patches"]} == {"conv1_1", "conv2_1"}
    with Image.open(folder / "net.png") as sheet:
        assert sheet.height > 2 * 3 * 48


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["patches", "--layer", "conv9_1", "--images", "in"], "has no layer 'conv9_1'"),
        (["patches", "--layer", "image", "--images", "in"], "not a layer with units"),
        (["patches", "--layer", "conv1_1", "--units", "60:70", "--images", "in"], "conv1_1 has no unit 64"),
        (["patches", "--layer", "conv1_1", "--units", "few", "--images", "in"], "does not name units"),
        (["patches", "--layer", "conv1_1", "--images", "out"], "The folder out does not exist"),
        (["patches", "--layer", "conv1_1", "--images", "."], "could be used"),
        (["unit", "--layer", "conv1_1", "--unit", "64"], "conv1_1 has no unit 64"),
        (["unit", "--layer", "pool1", "--unit", "3"], "pool1 is not a convolution"),
        (["unit", "--layer", "conv1_1", "--unit", "3", "--size", "64"], "takes effect with --channel"),
        (["network", "--images", "in", "--layers", "conv1_1,pool1"], "pool1 is not a convolution"),
        (["network", "--images", "in", "--network", "vgg99"], "no network 'vgg99'"),
    ],
)
def test_refusals(call, folder, words, hint):
    """One sentence, code 2, and no file."""
    if "." in words:
        for path in (folder / "in").iterdir():
            path.write_bytes(b"no picture")
    outcome = call("visualize", *words, "-o", "sheet.png")
    assert outcome.code == 2
    assert hint in outcome.err
    assert not (folder / "sheet.png").exists()


def test_a_sheet_that_cannot_be_written_is_refused_at_once(call, folder):
    """Before any picture is looked at."""
    outcome = call("visualize", "patches", "--layer", "conv1_1", "--images", "in", "-o", "missing/sheet.png")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "missing" in outcome.err
