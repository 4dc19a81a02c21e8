"""
The picture on the first page
=============================

.. image:: /pictures/demo.png

A bundled photo, a bundled painting, and the one in the style of the other, at the defaults.

By script: ``python examples/demo_picture.py [-o docs/pictures/demo.png]``.
"""

# sphinx_gallery_thumbnail_path = "pictures/demo.png"

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import impasto
from impasto import images, samples
from impasto.cli.commands.demo import PAINTING, PHOTO


def main() -> None:
    """Stylize at the defaults and put the three side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/pictures/demo.png"))
    options = parser.parse_args()
    painting = samples.painting(PAINTING)
    result = impasto.stylize(samples.photo(PHOTO), painting)
    height = result.array.shape[0] // 2 - 4
    column = [images.to_array(images.read(path).pixels) for path in (samples.photo(PHOTO), painting)]
    small = [
        Image.fromarray(pixels).resize((round(pixels.shape[1] * height / pixels.shape[0]), height)) for pixels in column
    ]
    width = max(picture.width for picture in small)
    sheet = Image.new("RGB", (width + 8 + result.array.shape[1], result.array.shape[0]), "white")
    for row, picture in enumerate(small):
        sheet.paste(picture, ((width - picture.width) // 2, row * (height + 8)))
    sheet.paste(Image.fromarray(np.ascontiguousarray(result.array)), (width + 8, 0))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(options.output)


if __name__ == "__main__":
    main()
