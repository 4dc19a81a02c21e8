"""``impasto volume`` from words to files."""

import json

import nibabel
import numpy as np
import pytest

from impasto import volumes

FAST = ("--evaluations", "1", "--precision", "fp32", "--device", "cpu", "--style-layers", "conv1_1,conv2_1")
CONTENT = ("--content-layers", "conv2_1")
TEXTURE = ("volume", "texture", "painting.png", "-o", "block.tif", "--size", "16", *FAST)
STYLIZE = ("volume", "stylize", "scan.nii", "painting.png", "-o", "out.nii.gz", *FAST, *CONTENT)


@pytest.fixture
def scan(room):
    """A NIfTI file in the current folder: float32, columns 18, rows 17, slices 16."""
    z, y, x = np.mgrid[:16, :17, :18]
    samples = np.swapaxes((x + 10 * np.sin(y / 2) + z).astype(np.float32), 0, 2)
    nibabel.save(nibabel.Nifti1Image(samples, np.diag([1.0, 2.0, 3.0, 1.0])), room / "scan.nii")
    return room / "scan.nii"


def test_a_block_comes_out(call, room):
    """With its pictures beside it, a report, and what it says of itself."""
    outcome = call(*TEXTURE, "--json", "--axes", "0,2")
    assert outcome.code == 0
    report = json.loads(outcome.out)
    assert (report["width"], report["height"], report["depth"]) == (16, 16, 16)
    assert report["levels"][-1]["depth"] == 16
    assert set(report["measures"]) == {"noise", "fall", "fall_diagonal"}
    names = {path.name for path in room.iterdir()}
    assert {"block.tif", "block_sheet.png", "block_turning.gif"} <= names
    facts = json.loads(call("volume", "info", "block.tif", "--json").out)
    assert facts["recipe"]["axes"] == [0, 2]
    assert facts["recipe"]["inputs"]["styles"][0]["name"] == "painting.png"
    assert (facts["gray"], facts["depth"]) == (False, 16)
    shown = call("volume", "info", "block.tif").out
    assert "16x16x16" in shown
    assert "Not for diagnosis" in shown


def test_width_height_and_depth(call, room):
    """In that order, and no pictures if none are wanted."""
    words = [word if word != "16" else "20x18x16" for word in TEXTURE]
    assert call(*words, "--quiet", "--no-pictures").code == 0
    assert volumes.read("block.tif").shape == (16, 18, 20)
    assert not (room / "block_sheet.png").exists()


def test_a_scan_comes_out(call, scan, room):
    """In its place, of its type, from its window."""
    assert call(*STYLIZE, "--window=-5,30", "--depths", "0,1", "--quiet", "--no-pictures").code == 0
    before, after = volumes.read(scan), volumes.read("out.nii.gz")
    assert np.array_equal(before.affine, after.affine)
    assert after.origin.dtype == "float32"
    notes = volumes.read_notes("out.nii.gz")
    assert notes.window == (-5.0, 30.0)
    assert notes.recipe["depths"] == [0, 1]
    info = call("volume", "info", "scan.nii").out
    assert "18x17x16, float32" in info
    assert "made by" not in info


def test_a_series_comes_out(call, scan, room):
    """A folder, which must not have anything in it."""
    words = [word if word != "out.nii.gz" else "out" for word in STYLIZE]
    assert call(*words, "--quiet", "--no-pictures", "--color").code == 0
    assert len(list((room / "out").glob("*.dcm"))) == 16
    again = call(*words, "--quiet")
    assert again.code == 2
    assert "not an empty folder" in again.err


@pytest.mark.parametrize("name", ["out.nii.gz", "out.tif", "out.npy", "out"])
def test_whole_numbers_of_64_bits_come_out(call, scan, room, name):
    """Which is how numpy counts; what a format changes in them is said at the beginning."""
    np.save(room / "scan.npy", np.arange(16**3).reshape(16, 16, 16))
    words = [{"out.nii.gz": name, "scan.nii": "scan.npy"}.get(word, word) for word in STYLIZE]
    outcome = call(*words, "--no-pictures", "--depths", "0")
    assert outcome.code == 0
    assert ("written as int32" in outcome.err) == (name in ("out.nii.gz", "out.tif"))
    assert volumes.read(room / name).shape == (16, 16, 16)


def test_what_was_assumed_in_reading_is_said(call, scan, room):
    """At the end of a run, and by ``info``."""
    mask = np.zeros((16, 16, 16), bool)
    mask[4:9] = True
    np.save(room / "mask.npy", mask)
    words = [{"out.nii.gz": "out.npy", "scan.nii": "mask.npy"}.get(word, word) for word in STYLIZE]
    assert "truth values of mask.npy" in call(*words, "--no-pictures", "--depths", "0").err
    assert "truth values of mask.npy" in json.loads(call("volume", "info", "mask.npy", "--json").out)["notes"][0]
    assert "truth values of mask.npy" in call("volume", "info", "mask.npy").out


def test_what_a_format_refuses_is_said_before_the_run(call, scan, room, monkeypatch):
    """Nothing is computed, and nothing written."""
    monkeypatch.setattr(nibabel.Nifti1Image, "to_bytes", lambda self: 1 / 0)
    outcome = call(*STYLIZE)
    assert outcome.code == 2
    assert "cannot be written to out.nii.gz" in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("volume", "texture", "painting.png", "--size", "16"), "add -o FILE"),
        ((*TEXTURE, "--axes", "0,3"), "give some of 0"),
        ((*TEXTURE[:3], "-o", "block.tif", "--size", "8"), "each side from 16"),
        ((*TEXTURE[:3], "-o", "block.tif", "--size", "1x2"), "96x80x64"),
        ((*TEXTURE[:3], "-o", "block.xyz"), "end it with one of"),
        ((*STYLIZE, "--window", "3"), "two numbers such as"),
        ((*STYLIZE, "--depths", "x"), "give some of 0"),
        (("volume", "stylize", "flat.nii", "painting.png", "-o", "out.nii"), "2 axes"),
        (("volume", "stylize", "holes.nii", "painting.png", "-o", "out.nii"), "NaN"),
        (("volume", "stylize", "scan.nii", "painting.png", "-o", "scan.nii"), "would overwrite"),
        (("volume", "stylize", "no.nii", "painting.png", "-o", "out.nii"), "does not exist"),
        (("volume", "info", "painting.png"), "no kind of volume"),
    ],
)
def test_refusals(call, scan, room, words, hint):
    """One sentence on stderr and code 2, and nothing written."""
    nibabel.save(nibabel.Nifti1Image(np.zeros((5, 6)), np.eye(4)), room / "flat.nii")
    nibabel.save(nibabel.Nifti1Image(np.full((5, 6, 7), np.nan), np.eye(4)), room / "holes.nii")
    before = sorted(path.name for path in room.iterdir())
    outcome = call(*words)
    assert (outcome.code, outcome.out) == (2, "")
    assert hint in outcome.err
    assert outcome.err.count("\n") == 1
    assert sorted(path.name for path in room.iterdir()) == before
