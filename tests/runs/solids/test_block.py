"""What results that are volumes show and leave behind."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from impasto import volumes
from impasto.errors import SettingsError
from impasto.media import medium_of
from impasto.runs.solids.block import Block, contact_sheet, grayed
from impasto.runs.solids.solid import synthesize_block
from impasto.runs.solids.volume import style_of

QUICK = {"style_layers": {"conv1_1": 1.0}, "evaluations": 1, "precision": "fp32", "device": "cpu"}


@pytest.fixture(scope="module")
def made(bundled):
    """A block of noise, nearly."""
    return synthesize_block(bundled("marble", (32, 32)), (16, 18, 20), **QUICK)


def test_pictures_for_people(made, tmp_path):
    """A contact sheet and a turning block, beside the volume."""
    made.save(tmp_path / "block.nii.gz", pictures=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["block.nii.gz", "block_sheet.png", "block_turning.gif"]
    with Image.open(tmp_path / "block_turning.gif") as turning:
        assert turning.n_frames == 36
        assert turning.info["loop"] == 0
    with Image.open(tmp_path / "block_sheet.png") as sheet:
        assert sheet.size == made.pil.size


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a.tif", "a"), ("a.nii.gz", "a"), ("a.b.npy", "a.b"), ("series", "series"), ("a.b.nii.gz", "a.b")],
)
def test_names_of_the_pictures(tmp_path, name, stem):
    """Beside the volume, by its name without its ending."""
    assert [path.name for path in medium_of("volume").beside(tmp_path / name)] == [
        f"{stem}_sheet.png",
        f"{stem}_turning.gif",
    ]


def test_a_notebook_shows_the_sheet(made):
    """As a picture."""
    assert Image.open(io.BytesIO(made._repr_png_())).size == made.pil.size
    assert repr(made).startswith("Result(20 x 18 x 16, ")


def test_streams_and_options_are_refused(made, tmp_path):
    """A volume is a file or a folder, and has no quality."""
    with pytest.raises(SettingsError, match="Only pictures go to streams"):
        made.save(io.BytesIO())
    with pytest.raises(SettingsError, match="Only pictures go to streams"):
        made.save(tmp_path / "a.nii", quality=3)


def test_the_sheet_shows_what_it_names():
    """The named slice is on it, enlarged by a whole number."""
    for index, there in ((2, True), (4, False)):  # slice 3 of 16 is the first on the sheet
        array = np.zeros((16, 16, 16), np.uint8)
        array[index] = 200
        sheet = contact_sheet(volumes.read(array), (), "")
        bright = (sheet[0, 0] - 200 / 255).abs() < 1e-3
        assert (bright.sum() >= 128 * 128) == there


def test_patients_stand_upright(tmp_path):
    """The front and the top of a volume that says where they are lie above."""
    array = np.zeros((16, 16, 16), np.uint8)
    array[12:] = 255  # the top
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    upright = volumes.Volume(volumes.read(array).voxels, (0, 255), affine, volumes.Origin("a", None, "0", "NIfTI"))
    other = volumes.Volume(upright.voxels, (0, 255), affine, volumes.Origin("a", None, "0", "TIFF"))
    one, two = (contact_sheet(volume, (), "") for volume in (upright, other))
    assert not torch.equal(one, two)
    row = one.shape[2] - 100  # within the last strip, slices across columns
    assert one[0, 0, row - 20 : row, 20:120].mean() > two[0, 0, row - 20 : row, 20:120].mean()


def test_a_block_is_a_picture_of_three_extents():
    """With what a transfer asks of its photo."""
    block = Block.of(volumes.read(np.arange(24, dtype=np.int16).reshape(2, 3, 4)))
    assert block.shape == (2, 3, 4)
    assert block.pixels.shape == (1, 3, 2, 3, 4)
    assert (block.source.depth, block.source.gray) == (16, True)


def test_luminance_takes_the_place_of_colors():
    """Of pictures and volumes."""
    picture = style_of(torch.tensor([0.0, 1.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 4, 5))
    assert torch.allclose(grayed(picture).pixels, torch.full((1, 3, 4, 5), 0.7152))
