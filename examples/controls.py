"""The pictures of docs/controls.md that show losses, scales and several styles: python examples/controls.py [NAME ...].

Drawn from bundled photos and paintings into docs/pictures, each a sheet of runs that differ in one setting.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from impasto import images, samples
from impasto.images import Picture
from impasto.studies.figure_sheet import Row, Sketch, drawn
from impasto.studies.figures import Materials

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
SIZE = 160


def materials(photo: str, *paintings: str) -> Materials:
    """Bundled pictures by their names; a painting that is no painting is a photo."""
    roles = ("painting", "second painting")
    inputs: dict[str, Picture] = {"photo": images.read(samples.photo(photo))}
    for role, name in zip(roles, paintings, strict=False):
        picture = images.read(samples.photo(name) if name in samples.photos() else samples.painting(name))
        inputs[role] = replace(picture, source=replace(picture.source, name=name))
    return Materials(inputs, SIZE, {})


def sheet(title: str, given: Materials, *rows: Mapping[str, Mapping[str, Any]]) -> Sketch:
    """Rows of runs by their headings, each with its own settings."""
    cells = [Row(tuple(given.stylized(heading, own) for heading, own in row.items())) for row in rows]
    return Sketch("", title, given.inputs, given.size, tuple(cells))


def strength() -> Sketch:
    """From the photo to the style."""
    row = {f"strength {s}": {"strength": s} for s in (0.2, 0.5, 0.8)}
    return sheet("How much style", materials("chelsea", "swirl"), row)


def strokes() -> Sketch:
    """Small and large strokes, relative and in pixels."""
    scales = {f"style_scale {scale:g}": {"style_scale": scale} for scale in (0.5, 1.0, 2.0)}
    pixels = {
        f"style_size {side}, size {size}": {"size": size, "style_size": side}
        for side, size in ((160, 80), (160, 160), (160, 240))
    }
    given = materials("coffee", "swirl")
    return sheet("The size of strokes, relative to the picture and in pixels", given, scales, pixels)


def own_layers() -> Sketch:
    """Structures of one painting and texture of another."""
    deep, shallow = "conv4_1,conv5_1", "conv1_1,conv2_1,conv3_1"
    row: dict[str, dict[str, Any]] = {
        "swirl alone": {"blend": (1, 0)},
        "glass alone": {"blend": (0, 1)},
        "blended": {"blend": (1, 1)},
        "deep swirl, shallow glass": {"layers_per_style": f"{deep}/{shallow}"},
        "shallow swirl, deep glass": {"layers_per_style": f"{shallow}/{deep}"},
    }
    return sheet("Layers of their own for two styles", materials("chelsea", "swirl", "glass"), row)


def style_losses() -> Sketch:
    """What of the style is compared: losses of the distribution, and of patches."""
    patches = {"style_losses": "patches", "style_layers": "conv3_1,conv4_1"}
    row: dict[str, dict[str, Any]] = {
        "gram": {},
        "wasserstein": {"style_losses": "wasserstein"},
        "histogram": {"style_losses": "histogram"},
        "patches": patches,
        "patches, strength 0.8": {**patches, "strength": 0.8},
        "gram,patches": {"style_losses": "gram,patches", "style_layers": "conv2_1,conv3_1,conv4_1,conv5_1"},
    }
    return sheet("What of the style is compared", materials("chelsea", "swirl"), row)


def preview() -> Sketch:
    """A small picture for its own sake, and as the preview of a large one."""
    row = {
        "size 128": {"size": 128},
        "size 128, preview_of 512": {"size": 128, "preview_of": 512},
        "size 512": {"size": 512},
    }
    return sheet("A preview and what it is a preview of", materials("chelsea", "swirl"), row)


def lines() -> Sketch:
    """Smoothness and sharpness."""
    smooth = {f"smoothness {weight:g}": {"smoothness": weight} for weight in (0, 1, 10)}
    sharp = {f"sharpness {weight:g}": {"sharpness": weight} for weight in (0, 0.3, 3)}
    return sheet("Total variation, and the photo's Laplacian", materials("astronaut", "swirl"), smooth, sharp)


def photorealism() -> Sketch:
    """From a painting to a recolored photo."""
    row = {f"photorealism {weight:g}": {"photorealism": weight} for weight in (0, 0.3, 3, 30)}
    return sheet("The matting Laplacian: colors of the style, shapes of the photo", materials("chelsea", "glass"), row)


def photo_to_photo() -> Sketch:
    """The light of one photo on another."""
    row = {f"photorealism {weight:g}": {"photorealism": weight} for weight in (0, 3, 30)}
    return sheet("The style of a photo on a photo", materials("coffee", "rocket"), row)


SHEETS: dict[str, Callable[[], Sketch]] = {
    "strength": strength,
    "strokes": strokes,
    "own-layers": own_layers,
    "preview": preview,
    "losses": style_losses,
    "lines": lines,
    "photorealism": photorealism,
    "photo-to-photo": photo_to_photo,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or SHEETS:
        path = FOLDER / f"controls-{name}.jpg"
        images.write(path, drawn(SHEETS[name]()).sheet, quality=85)
        print(path, path.stat().st_size // 1024, "KB", flush=True)
