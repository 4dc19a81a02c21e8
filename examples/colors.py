"""
The colors of the photo or of the painting
==========================================

.. image:: /pictures/colors.jpg

One photo and one painting with every value of ``color``, and one of them at half its strength.

By script: ``python examples/colors.py [-o docs/pictures/colors.jpg] [--size 256]``.
"""

# sphinx_gallery_thumbnail_path = "pictures/colors.jpg"

import argparse
from pathlib import Path
from typing import get_args

import impasto
from impasto import images, samples
from impasto.choices import ColorName
from impasto.images.sheet import SheetTile, Strip, draw
from impasto.pyramid import resize
from paintings import paint


def main() -> None:
    """Paint with every way of coloring and draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/pictures/colors.jpg"))
    parser.add_argument("--size", type=int, default=256)
    options = parser.parse_args()
    photo, painting = images.read(samples.photo("chelsea")), paint("swirl")
    tiles = []
    for color in get_args(ColorName):
        result = impasto.stylize(photo, painting, size=options.size, color=color)
        tiles.append(SheetTile(result.tensor, (f"--color {color}",)))
    half = impasto.stylize(photo, painting, size=options.size, color="luminance", color_strength=0.5)
    tiles.append(SheetTile(half.tensor, ("--color luminance --color-strength 0.5",)))
    shape = tuple(half.tensor.shape[2:])
    inputs = [
        SheetTile(resize(photo.pixels, shape), ("the photo",)),
        SheetTile(resize(painting, (shape[0], shape[0])), ("the painting",)),
    ]
    rows = [(*inputs, tiles[0]), tuple(tiles[1:4]), tuple(tiles[4:])]
    images.write(options.output, draw([Strip(row) for row in rows]), quality=88)


if __name__ == "__main__":
    main()
