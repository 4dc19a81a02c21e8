"""Whether a small picture predicts the large one: python benchmarks/scales.py [--small 192] [--large 768] [--alone].

A bundled pair is painted at both sizes. The large picture, made as small as the preview, is compared with it, and with
the photo, which says how much of the likeness is the photo's alone. ``--alone`` paints the large picture on one level
too, as tools without levels do.
"""

import argparse
import time

import torch
from torch import Tensor

from impasto import images, samples, stylize
from impasto.pyramid import resize
from impasto.quality import ssim
from impasto.tasks.result import Result


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
    return (power.sum() / (power * frequency).sum()).item()


def painted(size: int, pair: tuple[str, str], **values: object) -> tuple[Result, float]:
    """A pair at a size, and the seconds that it took."""
    photo, painting = samples.photo(pair[0]), samples.paint(pair[1], (1024, 1280))
    began = time.perf_counter()
    result = stylize(images.read(photo), images.read(painting), size=size, **values)
    return result, time.perf_counter() - began


def report(name: str, result: Result, preview: Tensor, photo: Tensor, seconds: float) -> None:
    """One line of the table."""
    small = resize(result.tensor, tuple(preview.shape[2:]))
    parts = result.delivered.by_kind
    print(
        f"| {name} | {correlation(small, preview):.3f} | {ssim(small, preview):.3f} | {wavelength(small, photo):.4f} | "
        f"{parts['content']:.4f} | {parts['style']:.4f} | {seconds:.0f} |",
        flush=True,
    )


def main() -> None:
    """Paint and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=192)
    parser.add_argument("--large", type=int, default=768)
    parser.add_argument("--photo", default="chelsea")
    parser.add_argument("--painting", default="swirl")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--save", help="A folder for the pictures.")
    given = parser.parse_args()
    pair = (given.photo, given.painting)
    preview, seconds = painted(given.small, pair)
    photo = resize(images.read(samples.photo(given.photo)).pixels, tuple(preview.tensor.shape[2:]))
    print(f"{given.photo} in the style of {given.painting}, at {given.small} and at {given.large}\n")
    print("| picture | correlation with the preview | SSIM | stroke / side | content | style | seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    print(f"| the photo | {correlation(photo, preview.tensor):.3f} | {ssim(photo, preview.tensor):.3f} |  |  |  |  |")
    report(f"preview, {given.small}", preview, preview.tensor, photo, seconds)
    runs = {f"{given.large}": {}, **({f"{given.large}, one level": {"coarsest": given.large}} if given.alone else {})}
    for name, values in runs.items():
        result, seconds = painted(given.large, pair, **values)
        report(name, result, preview.tensor, photo, seconds)
        if given.save:
            result.save(f"{given.save}/{name.replace(', ', '-').replace(' ', '-')}.png")
    if given.save:
        preview.save(f"{given.save}/preview.png")


if __name__ == "__main__":
    main()
