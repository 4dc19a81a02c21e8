"""Pictures on one sheet, with words around them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from impasto.images.picture import to_pil

PAPER, INK, FAINT = (255, 255, 255), (20, 20, 20), (225, 225, 225)
_TEXT, _TITLE, _GAP = 14, 18, 12  # pixels


@dataclass(frozen=True, eq=False)
class SheetTile:
    """A picture with lines of words under it.

    Args:
        pixels: (1, 3, H, W) in [0, 1]; drawn at its own size.
        lines: under it.
    """

    pixels: Tensor
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Strip:
    """Tiles side by side.

    Args:
        tiles: left to right; None leaves a place empty.
        headings: one above each tile, or none at all.
        label: to the left of them.
    """

    tiles: tuple[SheetTile | None, ...]
    headings: tuple[str, ...] = ()
    label: str = ""


def draw(strips: Sequence[Strip], title: str = "") -> Tensor:
    """Strips below one another, in columns, on white; nothing overlaps and no word is cut.

    Columns are as wide as their widest picture or line. The font is Pillow's own, at sizes that are read at 100 %.

    Returns:
        (1, 3, H, W) in [0, 1].
    """
    columns = _widths(strips)
    usual = max((tile.pixels.shape[2] for strip in strips for tile in strip.tiles if tile), default=_TEXT)
    gutter = max((_width(strip.label) for strip in strips), default=0)
    gutter += _GAP if gutter else 0
    width = max(gutter + sum(columns) + _GAP * (len(columns) + 1), _width(title, _TITLE) + 2 * _GAP)
    top = _GAP + (_TITLE + _GAP if title else 0)
    page = Image.new("RGB", (width, top + sum(_height(strip, usual) + _GAP for strip in strips)), PAPER)
    pen = ImageDraw.Draw(page)
    if title:
        pen.text((_GAP, _GAP), title, INK, _font(_TITLE))
    for strip in strips:
        _draw_strip(page, strip, top, (gutter, *columns), usual)
        top += _height(strip, usual) + _GAP
    return torch.from_numpy(np.array(page)).permute(2, 0, 1)[None].float() / 255


def _draw_strip(page: Image.Image, strip: Strip, top: int, widths: Sequence[int], usual: int) -> None:
    """Draw a strip; ``widths`` are those of the gutter and the columns, ``usual`` is as in :func:`_picture`."""
    pen = ImageDraw.Draw(page)
    pictures = top + (_line() if strip.headings else 0)
    picture = _picture(strip, usual)
    gutter, *columns = widths
    pen.text((_GAP, pictures + picture // 2), strip.label, INK, _font(), anchor="lm")
    left = gutter + _GAP
    for index, (tile, width) in enumerate(zip(strip.tiles, columns, strict=False)):
        if strip.headings:
            pen.text((left, top), strip.headings[index], INK, _font())
        if tile is None:
            pen.rectangle((left, pictures, left + width - 1, pictures + picture - 1), outline=FAINT)
        else:
            page.paste(to_pil(tile.pixels), (left, pictures))
            for number, line in enumerate(tile.lines):
                pen.text((left, pictures + picture + 4 + number * _line()), line, INK, _font())
        left += width + _GAP


def _widths(strips: Sequence[Strip]) -> list[int]:
    """The width of each column."""
    widths = [1] * max((len(strip.tiles) for strip in strips), default=0)
    for strip in strips:
        for index, tile in enumerate(strip.tiles):
            words = [*(tile.lines if tile else ()), *strip.headings[index : index + 1]]
            widths[index] = max([widths[index], tile.pixels.shape[3] if tile else 0, *map(_width, words)])
    return widths


def _picture(strip: Strip, usual: int) -> int:
    """The height of a strip's pictures; ``usual`` where there are none yet, as when a sheet was stopped."""
    return max((tile.pixels.shape[2] for tile in strip.tiles if tile), default=usual)


def _height(strip: Strip, usual: int) -> int:
    lines = max((len(tile.lines) for tile in strip.tiles if tile), default=0)
    return _picture(strip, usual) + (4 + lines * _line() if lines else 0) + (_line() if strip.headings else 0)


def _line() -> int:
    return _TEXT + 4


def _width(text: str, size: int = _TEXT) -> int:
    return int(np.ceil(_font(size).getlength(text)))


def _font(size: int = _TEXT) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
