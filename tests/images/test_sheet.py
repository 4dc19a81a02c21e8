"""Pictures on one sheet."""

import itertools

import pytest
import torch

from impasto.images.sheet import SheetTile, Strip, draw


def flat(color, height, width):
    """A picture of one color."""
    return torch.tensor(color).view(1, 3, 1, 1).expand(1, 3, height, width).contiguous()


RED, GREEN, BLUE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def box(sheet, color):
    """Top, left, bottom and right of the pixels of a color."""
    found = (sheet[0] == torch.tensor(color).view(3, 1, 1)).all(0).nonzero()
    top, left = found.min(0).values.tolist()
    bottom, right = found.max(0).values.tolist()
    assert len(found) == (bottom - top + 1) * (right - left + 1), "a picture is covered"
    return top, left, bottom + 1, right + 1


def ink(sheet, top, left, bottom, right):
    """Whether there are words in a part of the sheet."""
    return bool((sheet[0, :, top:bottom, left:right].amax(0) < 0.5).any())


def test_pictures_are_there_pixel_for_pixel():
    """Every picture stands uncovered, at its size, in its row and column."""
    rows = [
        Strip((SheetTile(flat(RED, 20, 30)), SheetTile(flat(GREEN, 25, 40), ("a line far wider than its picture",)))),
        Strip((None, SheetTile(flat(BLUE, 10, 12))), ("one", "two"), "a label"),
    ]
    sheet = draw(rows, "A title")
    red, green, blue = (box(sheet, color) for color in (RED, GREEN, BLUE))
    assert [(b - t, r - left) for t, left, b, r in (red, green, blue)] == [(20, 30), (25, 40), (10, 12)]
    assert red[0] == green[0]
    assert green[1] == blue[1] > red[3]
    assert blue[0] > green[2]


def test_words_are_where_they_belong():
    """The title above, headings over their picture, lines under it and the label to its left."""
    sheet = draw([Strip((SheetTile(flat(RED, 30, 60), ("under it",)),), ("over it",), "beside")], "Title")
    top, left, bottom, right = box(sheet, RED)
    assert ink(sheet, 0, 0, 32, right)
    assert ink(sheet, top - 18, left, top, right)
    assert ink(sheet, bottom, left, bottom + 22, right)
    assert ink(sheet, top, 0, bottom, left)
    bare = draw([Strip((SheetTile(flat(RED, 30, 60)),))])
    top, left, bottom, right = box(bare, RED)
    assert not ink(bare, 0, 0, top, bare.shape[3])
    assert not ink(bare, bottom, 0, bare.shape[2], bare.shape[3])


@pytest.mark.parametrize("words", ["x", "a heading of some length", "W" * 80])
def test_no_word_is_cut(words):
    """However long the words are, the sheet has room: its borders stay white."""
    tile = SheetTile(flat(RED, 8, 8), (words,))
    for strips, title in itertools.product([[Strip((tile, tile), (words, words), words)]], ["", words]):
        sheet = draw(strips, title)
        assert sheet[0, :, :, -4:].min() == sheet[0, :, -4:].min() == 1


def test_a_row_without_pictures_has_the_height_of_the_others():
    """As when a sheet is stopped before its last row."""
    sheet = draw([Strip((SheetTile(flat(RED, 20, 30)), None)), Strip((None, None))])
    whole = draw([Strip((SheetTile(flat(RED, 20, 30)), None)), Strip((SheetTile(flat(BLUE, 20, 30)), None))])
    assert sheet.shape == whole.shape
    assert box(sheet, RED) == box(whole, RED)
