"""
Two styles in two places
========================

.. image:: /pictures/places.jpg

One photo, two paintings, a mask for the first, the rest for the second, and a region that stays the photo; beside it
the same paintings everywhere, and what that is worth in numbers: the style loss of both inside each region.

By script: ``python examples/places.py [FOLDER] [--size 320]``, which writes the masks too, to be used as in
``impasto stylize coffee.jpg swirl.png woodcut.png --mask cup.png --mask rest --protect drink.png``.
"""

# sphinx_gallery_thumbnail_path = "pictures/places.jpg"

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw, ImageFilter
from torch import Tensor

import impasto
from impasto import images, samples
from impasto.images.sheet import SheetTile, Strip, draw
from impasto.masks import resampled_mask
from impasto.pyramid import resize
from paintings import paint

SAUCER, RIM, DRINK = (0.128, 0.11, 0.8, 0.96), (0.285, 0.035, 0.685, 0.53), (0.345, 0.235, 0.62, 0.485)
STYLES = ("swirl", "woodcut")


def mask(path: Path, *ellipses: tuple[float, float, float, float]) -> None:
    """Paint ellipses, given as left, top, right and bottom in shares of the photo, white on black and a little soft."""
    height, width = images.read(samples.photo("coffee")).shape
    drawn = Image.new("L", (width, height), 0)
    for left, top, right, bottom in ellipses:
        ImageDraw.Draw(drawn).ellipse((left * width, top * height, right * width, bottom * height), fill=255)
    drawn.filter(ImageFilter.GaussianBlur(1.5)).save(path)


def compare(photo: Path, styles: list[Path], pictures: list[Path], where: dict[str, Any]) -> None:
    """Print the style loss of two pictures inside each region, layer by layer and weighted as in a run."""
    print(f"{'style loss':24} {'with masks':>10} {'without':>10} {'times lower':>12}")

    def row(name: str, one: float, other: float) -> None:
        print(f"{name:24} {one:10.3g} {other:10.3g} {other / one:12.1f}")

    for region, strengths in (("region1", (0.5, 0.0)), ("region2", (0.0, 0.5))):
        found = [part.scores for part in impasto.score(photo, styles, pictures, mask_strengths=strengths, **where)]
        for name, loss in found[0].losses.items():
            if name.endswith(region):
                row(name.removeprefix("style/"), loss, found[1].losses[name])
        row(f"all/{region}", *(part.by_kind["style"] for part in found))


def unchanged(picture: Tensor, photo: Path, protect: Path) -> float:
    """The largest change of a protected value, in levels of 255."""
    shape = tuple(picture.shape[2:])
    kept = resampled_mask(images.read(protect).pixels, shape) == 1
    change = (images.quantize(picture) - resize(images.read(photo).pixels, shape)).abs()
    return 255 * float(change[kept].max())


def main() -> None:
    """Paint with masks and without, compare, and draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("places"))
    parser.add_argument("--size", type=int, default=320)
    options = parser.parse_args()
    folder, photo = options.folder, samples.photo("coffee")
    folder.mkdir(parents=True, exist_ok=True)
    mask(folder / "cup.png", SAUCER, RIM)
    mask(folder / "drink.png", DRINK)
    for name in STYLES:
        images.write(folder / f"{name}.png", paint(name))
    styles = [folder / f"{name}.png" for name in STYLES]
    where = {"masks": [folder / "cup.png", "rest"], "protect": folder / "drink.png"}

    guided = impasto.stylize(photo, styles, size=options.size, **where)
    blended = impasto.stylize(photo, styles, size=options.size)
    pictures = [folder / "places.png", folder / "everywhere.png"]
    for result, path in zip((guided, blended), pictures, strict=True):
        result.save(path)
    compare(photo, styles, pictures, where)
    print(f"protected pixels change by at most {unchanged(guided.tensor, photo, folder / 'drink.png'):.2f} of 255")

    shape = tuple(guided.tensor.shape[2:])
    shown = [resize(images.read(path).pixels, shape) for path in (photo, folder / "cup.png", folder / "drink.png")]
    side = shape[1] // 2
    paintings = torch.cat([resize(images.read(path).pixels, (side, side)) for path in styles], 3)
    top = Strip(
        (SheetTile(shown[0], ("photo",)), SheetTile(shown[1], ("--mask",)), SheetTile(shown[2], ("--protect",)))
    )
    last = SheetTile(paintings, ("the styles",))
    below = Strip((SheetTile(guided.tensor, ("with masks",)), SheetTile(blended.tensor, ("without",)), last))
    images.write(folder / "places.jpg", draw([top, below]), quality=88)
    images.write(
        folder / "regions.jpg", draw([Strip(tuple(variants(photo, styles, folder, options.size)))]), quality=88
    )


def variants(photo: Path, styles: list[Path], folder: Path, size: int) -> Iterator[SheetTile]:
    """What else can be said about regions: strengths of their own, a part of a painting, and how masks are carried."""
    sky = Image.new("L", (512, 512), 0)
    sky.paste(255, (0, 0, 360, 300))
    sky.save(folder / "sky.png")
    masks = [str(folder / "cup.png"), "rest"]
    kinds: dict[str, dict[str, Any]] = {
        "--mask-strengths 0.65,0.3": {"masks": masks, "mask_strengths": (0.65, 0.3)},
        "--mask cup.png=sky.png": {"masks": [f"{folder / 'cup.png'}={folder / 'sky.png'}", "rest"]},
        "--guidance inside": {"masks": masks, "guidance": "inside"},
    }
    for words, values in kinds.items():
        yield SheetTile(impasto.stylize(photo, styles, size=size, **values).tensor, (words,))


if __name__ == "__main__":
    main()
