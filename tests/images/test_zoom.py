"""Tiles of huge pictures."""

import numpy as np
import pytest
from PIL import Image

from impasto.errors import ImageError
from impasto.images.zoom import TILE, cut_tiles


def test_the_last_level_is_the_picture(tmp_path):
    """Its tiles, side by side, are the picture; each level before has half of it; blank ones are there as well."""
    ramp = np.zeros((700, 1300, 3), dtype=np.uint8)
    ramp[..., 0] = np.linspace(0, 255, 1300)
    ramp[..., 1] = np.linspace(0, 255, 700)[:, None]
    ramp[512:, :512] = 255
    Image.fromarray(ramp).save(tmp_path / "big.png")
    assert cut_tiles(tmp_path / "big.png", tmp_path / "tiles") == (700, 1300)
    assert {path.name for path in (tmp_path / "tiles").iterdir() if path.is_dir()} == {"0", "1", "2"}
    joined = np.zeros((2 * TILE, 3 * TILE, 3), dtype=np.uint8)
    for row in range(2):
        for column in range(3):
            tile = np.asarray(Image.open(tmp_path / "tiles" / "2" / str(row) / f"{column}.jpg").convert("RGB"))
            joined[row * TILE : row * TILE + TILE, column * TILE : column * TILE + TILE] = tile
    difference = np.abs(joined[:700, :1300].astype(int) - ramp)
    assert difference.mean() < 1.5
    assert (tmp_path / "tiles" / "0" / "0" / "0.jpg").is_file()


def test_tiles_are_cut_once(tmp_path):
    """What is there is taken, even when the picture is gone."""
    Image.new("RGB", (30, 20)).save(tmp_path / "small.png")
    cut_tiles(tmp_path / "small.png", tmp_path / "tiles")
    (tmp_path / "small.png").unlink()
    assert cut_tiles(tmp_path / "small.png", tmp_path / "tiles") == (20, 30)


def test_a_broken_picture_leaves_nothing(tmp_path):
    """Neither half a folder nor a temporary one."""
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    with pytest.raises(ImageError):
        cut_tiles(tmp_path / "bad.png", tmp_path / "tiles")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.png"]
