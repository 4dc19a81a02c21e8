"""``impasto score``: the losses of pictures that are already there."""

import json
from pathlib import Path

import pytest


def test_json_agrees_with_the_run(call, made, originals):
    """A delivered picture scores what its recipe says."""
    options = ("--device", "cpu", "--json")
    (scored,) = json.loads(call("score", *originals, made, *options).out)
    losses = json.loads(call("show", made, "--json").out)["recipe"]["losses"]
    assert (scored["image"], scored["width"], scored["height"]) == (str(made), 64, 48)
    assert scored["total"] == pytest.approx(losses["total"], rel=1e-4)
    assert scored["weighted"] == pytest.approx({name: losses[name] for name in ("content", "style")}, rel=1e-4)
    assert "style/conv5_1" in scored["layers"]


def test_table(call, made, originals):
    """Every picture gets a table with total, content, style and every layer; the photo itself has no content loss."""
    out = call("score", *originals, made, originals[0], "--style", originals[0], "--blend", "3,1").out
    assert f"{made}  64x48" in out
    rows = [line.split() for line in out.splitlines()]
    for name in ("total", "content", "style", "content/conv4_1/cosine", "style/conv1_1"):
        assert sum(row[:1] == [name] for row in rows) == 2
    assert ["content", "0"] in rows


def test_settings_have_a_say(call, made, originals):
    """Layers and weights are those given."""
    words = ("--style-layers", "conv2_1:2", "--content-weight", "0", "--style-weight", "3", "--json")
    (scored,) = json.loads(call("score", *originals, made, *words).out)
    assert set(scored["layers"]) == {"style/conv2_1"}
    assert scored["total"] == pytest.approx(3 * scored["layers"]["style/conv2_1"], rel=1e-6)


@pytest.mark.parametrize("name", ["missing.png", "painting.png"])
def test_pictures_that_do_not_belong(call, room, name):
    """A picture that is missing or of other proportions is named."""
    outcome = call("score", "photo.png", "painting.png", "photo.png", name)
    assert (outcome.code, outcome.out) == (2, "")
    assert name in outcome.err


def test_a_folder_has_a_summary(call, made, room):
    """Its pictures are measured one by one, and the last table has a line for each and their mean."""
    (room / "several").mkdir()
    for name in ("one.png", "two.png"):
        (room / "several" / name).write_bytes(made.read_bytes())
    (room / "several" / "notes.txt").write_text("no picture", encoding="utf-8")
    files = [str(Path("several", name)) for name in ("one.png", "two.png")]
    words = ("score", "photo.png", "painting.png", "several", "--device", "cpu")
    out = call(*words).out
    rows = [line.split() for line in out.splitlines()]
    summary = rows[rows.index(["picture", "total", "content", "style", "ssim", "gram", "moments"]) + 1 :]
    lines = {row[0]: row[1:] for row in summary if len(row) == 7}
    assert set(lines) == {*files, "mean"}
    assert lines["mean"] == lines[files[0]] == lines[files[1]]
    found = json.loads(call(*words, "--json").out)
    assert [set(scored["gram"]) == set(scored["moments"]) for scored in found] == [True, True]
    assert 0 < found[0]["ssim"] <= 1
