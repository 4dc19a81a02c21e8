"""A folder's pictures, one after the other."""

import pytest

from impasto import images
from impasto.errors import ImageError
from impasto.studies.scanning import Scan


@pytest.fixture
def folder(tmp_path, picture):
    """Three pictures, one of them narrow, and a file that is none."""
    for name, shape in (("a.png", (24, 32)), ("b.png", (4, 64)), ("c.png", (32, 20))):
        images.write(tmp_path / name, picture(*shape))
    (tmp_path / "d.png").write_bytes(b"not a picture")
    return tmp_path


def test_every_picture_at_one_size(folder):
    """In the order of their names, the long side as asked for, with a word on how far it is."""
    told = []
    found = dict(Scan(folder, 16).each(lambda done, of: told.append((done, of))))
    assert {index: tuple(pixels.shape[2:]) for index, pixels in found.items()} == {0: (12, 16), 1: (1, 16), 2: (16, 10)}
    assert told[0] == (0, 4)
    assert told[-1] == (4, 4)


def test_what_cannot_be_used_is_left_out_with_a_sentence(folder):
    """Too narrow for the layer, or no picture; the others are still read."""
    scan = Scan(folder, 16, least=4)
    assert [index for index, _ in scan.each()] == [0, 2]
    assert "would be seen at 16 x 1 pixels" in scan.skipped[0]
    assert "d.png" in scan.skipped[1]


def test_nothing_left_is_an_error(folder):
    """It quotes the first reason."""
    with pytest.raises(ImageError, match=r"No picture in .* could be used; the first: .*a\.png"):
        list(Scan(folder, 16, least=100).each())
