"""Pyramids of tiles: BigTIFF and Deep Zoom."""

import json
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import pyvips
import torch
from PIL import Image

from impasto import images
from impasto.errors import ImageError, SettingsError
from impasto.images import pyramids


@pytest.fixture
def pixels():
    """A picture of more than one tile, (1, 3, 300, 700)."""
    return torch.rand(1, 3, 300, 700, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def all_large(monkeypatch):
    """Every TIFF is worth a pyramid."""
    monkeypatch.setattr(pyramids, "LARGE", 1)


@pytest.mark.parametrize("depth", [8, 16])
def test_a_large_tiff_is_a_pyramid(all_large, tmp_path, pixels, depth):
    """BigTIFF in tiles with reductions, one picture to every reader, and the samples bit for bit."""
    path = tmp_path / "large.tif"
    images.write(path, pixels, depth=depth, recipe={"a": "ä"}, parameters="made\nso")
    assert path.read_bytes()[:4] == b"II+\0"
    found = pyvips.Image.new_from_file(str(path))
    assert found.get("n-subifds") == 2
    half = pyvips.Image.new_from_file(str(path), subifd=0)
    assert (half.width, half.height) == (350, 150)
    back = images.read(path)
    assert torch.equal(back.pixels, images.quantize(pixels, depth))
    assert images.read_recipe(path) == {"a": "ä"}
    assert images.read_parameters(path) == "made\nso"
    assert [item.name for item in tmp_path.iterdir()] == ["large.tif"]


def test_other_programs_see_one_picture(all_large, tmp_path, pixels):
    """Pillow reads the full size and no further page."""
    path = tmp_path / "large.tif"
    images.write(path, pixels)
    with Image.open(path) as found:
        assert found.size == (700, 300)
        assert getattr(found, "n_frames", 1) == 1
        assert np.array_equal(np.asarray(found), images.to_array(pixels))
    assert images.read_recipe(path) is None


def test_what_the_source_brings_is_kept(all_large, tmp_path, pixels):
    """Transparency and resolution."""
    path = tmp_path / "large.tif"
    alpha = torch.rand(1, 1, 300, 700)
    images.write(path, pixels, alpha=alpha)
    assert torch.equal(images.read(path).alpha, images.quantize(alpha))


def test_small_tiffs_stay_as_they_were(tmp_path, pixels):
    """Classic and in strips, for the oldest readers."""
    images.write(tmp_path / "small.tif", pixels)
    assert (tmp_path / "small.tif").read_bytes()[:4] == b"II*\0"


def test_deep_zoom(tmp_path, pixels):
    """A description, and tiles whose pixels are the picture's, as far as JPEG has them."""
    path = tmp_path / "scan.dzi"
    smooth = torch.nn.functional.interpolate(pixels[..., ::20, ::20], (300, 700), mode="bilinear")
    for _ in range(2):  # the second time over the first
        images.write(path, smooth, recipe={"size": 700}, quality=90)
    size = ET.fromstring(path.read_text())[0].attrib
    assert (size["Width"], size["Height"]) == ("700", "300")
    tile = images.read(tmp_path / "scan_files" / "10" / "1_0.jpg").pixels
    assert (tile - smooth[..., : tile.shape[2], 253 : 253 + tile.shape[3]]).abs().max() < 0.1
    assert json.loads((tmp_path / "scan_files" / "impasto.json").read_text()) == {"size": 700}
    assert images.read_recipe(path) == {"size": 700}
    assert sorted(item.name for item in tmp_path.iterdir()) == ["scan.dzi", "scan_files"]


def test_deep_zoom_holds_no_transparency_and_8_bits(tmp_path, pixels):
    """Its tiles are JPEG files."""
    with pytest.raises(ImageError, match="DZI cannot store the picture's transparency"):
        images.write(tmp_path / "a.dzi", pixels, alpha=torch.rand(1, 1, 300, 700))
    with pytest.raises(ImageError, match="DZI holds 8 bits"):
        images.check_writable(tmp_path / "a.dzi", depth=16)
    with pytest.raises(ImageError, match="does not exist; create it first"):
        images.check_writable(tmp_path / "no" / "a.dzi")
    with pytest.raises(SettingsError, match="quality"):
        images.write(tmp_path / "a.dzi", pixels, quality=0)
    assert not list(tmp_path.iterdir())


def test_a_failure_leaves_nothing_behind(all_large, tmp_path, pixels, monkeypatch):
    """Neither a part of the new file nor a hole where the old one was."""
    path = tmp_path / "large.tif"
    images.write(path, pixels)
    before = path.read_bytes()

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pyvips.Image, "tiffsave", fail, raising=False)
    with pytest.raises(ImageError, match=r"cannot be written .*No space left"):
        images.write(path, pixels / 2)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["large.tif"]
