"""
A painted film
==============

.. image:: /pictures/video.webp

A camera moves over a photo while a disc with another photo crosses the view, so that the motion is known exactly. The clip
is painted as `impasto video` paints any; its flow and what it takes for hidden are compared with the truth.

By script: ``python examples/moving_camera.py [--size 256] [--frames 24] [-o film.webp] [--strip strip.jpg]``.
"""

import argparse
import tempfile
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

import impasto
from impasto import images, samples
from impasto.pyramid import resize
from impasto.videos.optical_flow import optical_flow, reliability

Truth = tuple[Tensor, Tensor]
"""The exact flow from a frame to the one before, (2, H, W), and where nothing there is what the frame shows, (H, W)."""


class Scene:
    """Frames of (H, W) = (5 s / 8, s) with a camera that moves by (2, 1) pixels and a disc that moves by (-3, 0)."""

    def __init__(self, size: int, count: int) -> None:
        self.shape = 2 * (5 * size // 16), size
        self.radius = size // 8
        height, width = self.shape
        ground = resize(images.read(samples.photo("rocket")).pixels, (height + count, width + 2 * count))
        cat = images.read(samples.photo("chelsea")).pixels
        disc = resize(cat[..., 20:280, 60:320], (2 * self.radius,) * 2)
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        self.frames, self.masks = [], []
        for time in range(count):
            frame = ground[:, :, time : time + height, 2 * time : 2 * time + width].clone()
            top, left = height // 2 - self.radius, width - 3 * self.radius - 3 * time
            mask = (y - top - self.radius) ** 2 + (x - left - self.radius) ** 2 < (self.radius - 1) ** 2
            window = (..., slice(top, top + 2 * self.radius), slice(left, left + 2 * self.radius))
            inside = mask[window]
            frame[window] = torch.where(inside, disc, frame[window])
            self.frames.append((frame.clamp(0, 1) * 255).round() / 255)
            self.masks.append(mask)
        self.y, self.x = y, x

    def truth(self, time: int) -> Truth:
        """Of a frame after the first."""
        height, width = self.shape
        mask, before = self.masks[time], self.masks[time - 1]
        flow = torch.where(mask, torch.tensor([3.0, 0.0]).view(2, 1, 1), torch.tensor([2.0, 1.0]).view(2, 1, 1))
        x, y = (self.x + flow[0]).long(), (self.y + flow[1]).long()
        outside = (x >= width) | (y >= height)
        return flow, outside | (before[y.clamp(max=height - 1), x.clamp(max=width - 1)] & ~mask)


def compare(scene: Scene) -> None:
    """Print how far the flow is from the truth, and how well what was hidden is found."""
    errors, overlap, union, found, hidden, kept, seen = [], 0, 0, 0, 0, 0, 0
    for time in range(1, len(scene.frames)):
        there = optical_flow(scene.frames[time], scene.frames[time - 1])
        doubted = reliability(there, optical_flow(scene.frames[time - 1], scene.frames[time]))[0, 0] == 0
        flow, gone = scene.truth(time)
        errors.append(float((there - flow).norm(dim=0)[~gone].mean()))
        overlap, union = overlap + int((doubted & gone).sum()), union + int((doubted | gone).sum())
        found, hidden = found + int((doubted & gone).sum()), hidden + int(gone.sum())
        kept, seen = kept + int((~doubted & ~gone).sum()), seen + int((~gone).sum())
    print(f"end-point error {sum(errors) / len(errors):.3f} pixels where the frame before shows the place")
    print(f"hidden: IoU {overlap / union:.2f}, {found / hidden:.1%} of it found; {kept / seen:.1%} of the rest trusted")


def main() -> None:
    """Make the clip, compare its flow with the truth, and paint it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("-o", "--output", type=Path, default=Path("film.webp"))
    parser.add_argument("--strip", type=Path)
    options = parser.parse_args()
    scene = Scene(options.size, options.frames)
    compare(scene)
    with tempfile.TemporaryDirectory() as folder:
        for index, frame in enumerate(scene.frames):
            images.write(Path(folder) / f"{index:03d}.png", frame)
        found = impasto.stylize_video(folder, samples.painting("swirl"), size=options.size, rate=12)
        found.save(options.output)
        painted = list(found.made.frames())
    if options.strip is not None:
        rows = [
            torch.cat([torch.from_numpy(painted[i].copy()).permute(2, 0, 1)[None] / 255 for i in some], 3)
            for some in [range(0, options.frames, max(1, options.frames // 4))]
        ]
        rows.insert(0, torch.cat([scene.frames[i] for i in range(0, options.frames, max(1, options.frames // 4))], 3))
        sheet = (torch.cat(rows, 2)[0] * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
        Image.fromarray(sheet).save(options.strip, quality=90)


if __name__ == "__main__":
    main()
