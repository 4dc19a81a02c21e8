"""Whether a small picture predicts the large one: python benchmarks/scales.py [--small 192] [--large 768] [--alone].

A bundled pair is painted large, as its preview (``preview_of``), and small for its own sake. The large picture, made as
small as the others, is compared with each, and with the photo, which says how much of the likeness is the photo's alone.
``--alone`` paints the large picture on one level too, as tools without levels do, and compares the small one with that.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from impasto import images, samples, stylize
from impasto.pyramid import resize
from impasto.quality import ssim
from impasto.runs.result import Result

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))
from paintings import paint


def correlation(one: Tensor, other: Tensor) -> float:
    """Pearson's, over all values of all colors."""
    return torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1].item()


def wavelength(picture: Tensor, photo: Tensor) -> float:
    """The mean size of what was painted over the photo, relative to the picture's long side.

    One over the mean frequency of the luminance's difference from the photo, weighed by power, in cycles per long side.
    """
    weights = torch.tensor([0.2126, 0.7152, 0.0722]).view(3, 1, 1)
    painted = ((picture - photo)[0] * weights).sum(0)
    power = torch.fft.rfft2(painted - painted.mean()).abs().square()
    height, width = painted.shape
    down = torch.fft.fftfreq(height, 1 / height)[:, None] / height
    across = torch.fft.rfftfreq(width, 1 / width)[None] / width
    frequency = (down.square() + across.square()).sqrt() * max(height, width)
    return float(power.sum() / (power * frequency).sum())


def painted(pair: tuple[str, str], **values: Any) -> tuple[Result, float]:
    """A pair, and the seconds that it took."""
    photo, painting = samples.photo(pair[0]), paint(pair[1], (1024, 1280))
    began = time.perf_counter()
    result = stylize(images.read(photo), images.read(painting), **values)
    return result, time.perf_counter() - began


def line(name: str, pair: tuple[Tensor, Tensor], photo: Tensor, found: Result | None, seconds: float) -> None:
    """One line of the table: a small picture against a large one."""
    small, large = pair
    shape = tuple(small.shape[2:])
    parts = found.delivered.by_kind if found else {"content": float("nan"), "style": float("nan")}
    made = resize(large, shape)
    strokes = (wavelength(picture, photo) for picture in (small, made)) if found else (float("nan"),) * 2
    print(
        f"| {name} | {correlation(small, made):.3f} | {ssim(small, made):.3f} | {' / '.join(f'{s:.3f}' for s in strokes)} | "
        f"{parts['content']:.4f} | {parts['style']:.4f} | {seconds:.0f} |",
        flush=True,
    )


def arguments() -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=192)
    parser.add_argument("--large", type=int, default=768)
    parser.add_argument("--photo", default="chelsea")
    parser.add_argument("--painting", default="swirl")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--save", help="A folder for the pictures.")
    return parser.parse_args()


def main() -> None:
    """Paint and print."""
    given = arguments()
    pair = (given.photo, given.painting)
    runs = {
        "large": {"size": given.large},
        "preview": {"size": given.small, "preview_of": given.large},
        "small": {"size": given.small},
        **({"alone": {"size": given.large, "coarsest": given.large}} if given.alone else {}),
    }
    found = {name: painted(pair, **values) for name, values in runs.items()}
    large, small = found["large"][0].tensor, found["small"][0].tensor
    photo = resize(images.read(samples.photo(given.photo)).pixels, tuple(small.shape[2:]))
    print(f"{given.photo} in the style of {given.painting}, at {given.small} and at {given.large}\n")
    print("| small against large | correlation | SSIM | stroke / side, small and large | content | style | seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    line("the photo", (photo, large), photo, None, 0)
    line("its preview", (found["preview"][0].tensor, large), photo, *found["preview"])
    line("painted for itself", (small, large), photo, *found["small"])
    line("the large picture", (resize(large, tuple(photo.shape[2:])), large), photo, *found["large"])
    if given.alone:
        line("painted for itself, large on one level", (small, found["alone"][0].tensor), photo, *found["alone"])
    for name, (result, _) in found.items() if given.save else ():
        result.save(f"{given.save}/{name}.png")


if __name__ == "__main__":
    main()
