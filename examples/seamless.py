"""The pictures of docs/preview.md and docs/controls.md that show previews and borders: python examples/seamless.py [NAME ...].

Drawn from bundled photos and paintings, and from a panorama made here, into docs/pictures.
"""

import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as nnf
from torch import Tensor

import impasto
from impasto import images, samples
from impasto.images.sheet import SheetTile, Strip, draw
from impasto.pyramid import fitted, resize
from impasto.quality import seam

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
SIZE = 256


def bundled(name: str) -> Tensor:
    """A bundled photo, or a painting, at the size of the sheets."""
    picture = images.read(samples.photo(name) if name in samples.photos() else samples.painting(name))
    return resize(picture.pixels, fitted(picture.shape, SIZE))


def save(name: str, *strips: Strip) -> None:
    """Write a sheet, and say how large it is."""
    path = FOLDER / f"{name}.jpg"
    images.write(path, draw(strips), quality=85)
    print(path, path.stat().st_size // 1024, "KB", flush=True)


def previews() -> None:
    """One pass beside the descent that it stands for."""
    photo, swirl, glass = bundled("chelsea"), bundled("swirl"), bundled("glass")
    row = {
        "photo": photo,
        "painting": swirl,
        "preview, strength 0.5": impasto.preview(photo, swirl, size=SIZE, strength=0.5).tensor,
        "preview": impasto.preview(photo, swirl, size=SIZE).tensor,
        "stylize --init preview": impasto.stylize(photo, swirl, size=SIZE, init="preview").tensor,
        "two styles, half each": impasto.preview(photo, [swirl, glass], size=SIZE).tensor,
    }
    names = list(row)
    strips = [Strip(tuple(SheetTile(row[name]) for name in part), tuple(part)) for part in (names[:3], names[3:])]
    save("preview", *strips)


def tiling() -> None:
    """Copies side by side, of a picture that does not tile and of one that does."""
    photo, painting = bundled("coffee"), bundled("swirl")
    tiles, headings = [], []
    for padding in ("reflect", "circular"):
        found = impasto.stylize(photo, painting, size=192, padding=padding).tensor
        headings.append(f"padding {padding}: seam {seam(found, 4):.2f}")
        tiles.append(SheetTile(found.repeat(1, 1, 2, 2)))
    save("tileable", Strip(tuple(tiles), tuple(headings)))


def landscape(height: int) -> Tensor:
    """A panorama of hills under a sun, (1, 3, height, 2 height): smooth on the sphere, with nothing special at its ends."""
    latitude = math.pi / 2 - (torch.arange(height) + 0.5)[:, None] / height * math.pi
    longitude = (torch.arange(2 * height) + 0.5) / height * math.pi
    hills = 0.16 * torch.sin(3 * longitude + 1) + 0.08 * torch.sin(8 * longitude) - 0.05
    up = ((latitude - hills) * 24).sigmoid()
    sun = torch.exp(-40 * ((latitude - 0.7) ** 2 + (longitude - 5.9) ** 2)) + 0.5 * (latitude / 1.6).clamp(min=0) ** 2
    sky = torch.stack([0.35 + 0.6 * sun, 0.55 + 0.35 * sun, 0.85 + 0 * sun])
    clouds = (
        0.12 * torch.cos(latitude) * torch.sin(9 * longitude + 6 * latitude) * torch.sin(4 * longitude - 11 * latitude)
    )
    fields = 0.1 * torch.cos(latitude) * torch.sin(12 * longitude) * torch.sin(14 * latitude)
    ground = torch.stack([0.45 + fields, 0.5 + 0.3 * (latitude + 1.2) / 1.6 + fields, 0.2 - fields])
    return (up * (sky + clouds) + (1 - up) * ground).clamp(0, 1)[None]


def from_above(panorama: Tensor, side: int) -> Tensor:
    """The sphere seen from above its north pole, down to 30 degrees of latitude, (1, 3, side, side)."""
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, side)] * 2, indexing="ij")
    down = (x * x + y * y).sqrt() * (60 / 180)  # of the way from pole to pole
    around = torch.atan2(y, x) / (2 * math.pi) % 1
    wide = torch.cat([panorama[..., -4:], panorama, panorama[..., :4]], 3)
    width = panorama.shape[3]
    grid = torch.stack([(around * width + 4) / (width + 8) * 2 - 1, down * 2 - 1], -1)[None]
    return nnf.grid_sample(wide, grid, align_corners=False, padding_mode="border")


def panoramas() -> None:
    """The ends of a panorama side by side, and its poles."""
    photo, painting = landscape(160), bundled("swirl")
    strips = []
    for padding in ("reflect", "equirectangular"):
        found = impasto.stylize(photo, painting, size=320, padding=padding, strength=0.6).tensor
        views = (found.roll(160, 3), from_above(found, 160), from_above(found.flip(2), 160))
        headings = (f"{padding}, the ends in the middle", "from above", "from below")
        strips.append(Strip(tuple(map(SheetTile, views)), headings))
    save("panorama", *strips)


if __name__ == "__main__":
    for sheet in sys.argv[1:] or ("previews", "tiling", "panoramas"):
        globals()[sheet]()
