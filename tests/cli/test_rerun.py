"""``impasto rerun``: the same picture again."""

import json
from pathlib import Path

import pytest
import torch
from PIL.PngImagePlugin import PngInfo

import impasto
from impasto import images, machine, samples


@pytest.fixture
def moved(tmp_path, monkeypatch, made, originals):
    """The made picture alone in the current folder, and its inputs deep in another under other names."""
    here, there = tmp_path / "here", tmp_path / "there" / "deeper"
    here.mkdir()
    there.mkdir(parents=True)
    (here / "made.png").write_bytes(made.read_bytes())
    for index, path in enumerate(originals):
        (there / f"{index}.png").write_bytes(path.read_bytes())
    monkeypatch.chdir(here)
    return there


def test_the_same_picture_again(call, made, room):
    """Inputs beside the picture or in the current folder are found, and every byte is the same."""
    (room / "made.png").write_bytes(made.read_bytes())
    outcome = call("rerun", "made.png")
    assert outcome.code == 0
    assert (room / "made_again.png").read_bytes() == made.read_bytes()


def test_a_picture_is_stored_as_its_options_say(call, made, room):
    """Those of any picture; one that is for something else is refused."""
    (room / "made.png").write_bytes(made.read_bytes())
    words = ("--quality", "30", "--save-every", "1", "--quiet")
    assert call("rerun", "made.png", "-o", "again.jpg", *words).code == 0
    assert (room / "again.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert list(room.glob("again_*.jpg"))
    outcome = call("rerun", "made.png", "-o", "other.png", "--no-pictures")
    assert (outcome.code, "no-pictures cannot take effect" in outcome.err) == (2, True)


def test_inputs_found_in_a_tree(call, made, moved):
    """--search finds renamed inputs anywhere below a folder."""
    assert call("rerun", "made.png", "-o", "again.png", "--search", moved.parent, "--quiet").code == 0
    assert (images.read("again.png").pixels == images.read(made).pixels).all()


def test_inputs_given(call, made, moved):
    """Files given are recognized, whatever they are called."""
    words = ("--content", moved / "0.png", "--style", moved / "1.png", "--quiet")
    assert call("rerun", "made.png", *words).code == 0
    assert (images.read("made_again.png").pixels == images.read(made).pixels).all()


def test_a_missing_input_is_named(call, moved, originals):
    """An input that is nowhere is named with the beginning of its hash and the ways to give it."""
    outcome = call("rerun", "made.png", "--content", moved / "0.png")
    assert outcome.code == 2
    assert f"style painting.png (SHA-256 {images.hash_file(originals[1])[:12]}" in outcome.err
    assert "--style FILE" in outcome.err
    assert not Path("made_again.png").exists()


def test_a_wrong_input_is_refused(call, moved):
    """A file given that had no part in the picture is not silently left aside."""
    outcome = call("rerun", "made.png", "--style", samples.photo(samples.photos()[0]), "--search", moved)
    assert outcome.code == 2
    assert "is none of the files that made.png was made from" in outcome.err


def test_a_missing_folder_is_named(call, moved):
    """A folder to search has to be there."""
    assert "nowhere" in call("rerun", "made.png", "--search", "nowhere").err


def test_the_picture_itself_is_kept(call, room, made):
    """Making a picture again does not replace it."""
    (room / "made.png").write_bytes(made.read_bytes())
    assert "would overwrite made.png" in call("rerun", "made.png", "-o", "made.png").err


def test_a_picture_without_recipe(call, room):
    """A photo cannot be made again."""
    assert "does not say how it was made" in call("rerun", "photo.png").err


def test_a_stopped_picture_again(call, room):
    """A picture that was stopped on the way is made again as it was when it was stopped."""
    values = {"size": 64, "coarsest": 32, "evaluations": (3, 9), "precision": "fp32", "device": "cpu"}
    result = impasto.stylize("photo.png", "painting.png", on_event=_is_far_enough, **values)
    assert not result.complete
    result.save("stopped.png")
    assert call("rerun", "stopped.png", "--quiet").code == 0
    assert Path("stopped_again.png").read_bytes() == Path("stopped.png").read_bytes()


def _is_far_enough(event):
    return event.level == 1 and event.evaluation >= 4


def test_what_changed_is_told(call, room, made):
    """Another version, precision or number of threads than then is told, and the precision of then is taken."""
    recipe = json.loads(call("show", made, "--json").out)["recipe"]
    del recipe["settings"]["precision"]
    usual = machine.precision("auto", torch.device("cpu"))
    other = "fp32" if usual == torch.bfloat16 else "bf16"
    recipe |= {"impasto": "0.0.1", "precision": other, "task": "stylize", "threads": 7}
    info = PngInfo()
    info.add_text("impasto", json.dumps(recipe))
    images.to_pil(images.read(made).pixels).save("old.png", pnginfo=info)
    outcome = call("rerun", "old.png")
    assert outcome.code == 0
    assert "was made by impasto 0.0.1 with torch" in outcome.err
    assert "OMP_NUM_THREADS=7 makes it the same" in outcome.err
    assert images.read_recipe("old_again.png")["precision"] == other


def test_a_beginning_from_a_file_is_found(call, room, originals):
    """A picture begun from a file finds that file by its hash, under another name."""
    (room / "start.png").write_bytes((room / "painting.png").read_bytes())
    values = {"size": 64, "coarsest": 64, "evaluations": 1, "precision": "fp32", "device": "cpu"}
    impasto.stylize("photo.png", "painting.png", init="start.png", **values).save("out.png")
    (room / "start.png").rename(room / "renamed.png")
    assert call("rerun", "out.png", "--quiet").code == 0
    assert (images.read("out_again.png").pixels == images.read("out.png").pixels).all()
