"""How steady painted videos are, and what that costs: `impasto video` against painting every frame for itself.

    python benchmarks/video.py CLIP PAINTING --out OUT [--size 384] [--frames 16] [--alone 8]

Paints so many frames of a clip, and the first few of them one by one as photos. Prints JSON:

warping error   root of the mean of (x_t - W(x_t-1))^2 over pixels where the clip's own flow can be trusted (Lai et al. 2018;
                reliability as in Ruder et al. 2016), on the frames as delivered, for ours, alone, and for the clip itself
contrast        standard deviation of painted frames over that of the clip's: the clip's own error times this is what a
                painting with that contrast would have if it followed the clip exactly
style           the style part of the objective, measured in float32, on average
seconds         of a frame that follows another, and of one painted alone

Draws OUT/strip.png, frames of ours above those painted alone, and OUT/slice.png, one row of pixels over time (x to the right,
time downwards), ours left, alone right. OUT is kept, so it can be interrupted.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from impasto import machine, videos
from impasto.runs.events import Event
from impasto.runs.pictures.stylize import Transfer
from impasto.runs.run import scores_of
from impasto.runs.videos.video import stylize_video
from impasto.videos.optical_flow import optical_flow, reliability, warped
from machine_report import report


def tensor(path: Path) -> Tensor:
    """A picture in a file."""
    return torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None].float() / 255


def part_of(clip: videos.Clip, count: int) -> videos.Clip:
    """The first frames of a clip."""
    ends = (*clip.times, clip.end)
    return replace(clip, times=clip.times[:count], end=ends[count], shots=tuple(s for s in clip.shots if s < count))


def error(frames: list[Tensor], pixels: list[Tensor]) -> float:
    """The warping error of frames, by the flow of pixels."""
    total = weight = 0.0
    for now, before, p, q in zip(frames[1:], frames, pixels[1:], pixels, strict=False):
        there = optical_flow(p, q)
        known = reliability(there, optical_flow(q, p))
        total += float(((now - warped(before, there)).square().mean(1, keepdim=True) * known).sum())
        weight += float(known.sum())
    return float((total / weight) ** 0.5)


def style_of(run: Transfer, image: Tensor) -> float:
    """The style part of a photo's objective at an image."""
    return scores_of(run.engine_at(run.levels[-1].shape), image).by_kind["style"]


def main() -> None:
    """Paint, measure and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip")
    parser.add_argument("painting")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--alone", type=int, default=8)
    parser.add_argument("--temporal-weight", type=float, default=10.0)
    parser.add_argument("--frame-evaluations", type=int, default=7)
    options = parser.parse_args()
    machine.keep_freed_memory()
    clip = part_of(videos.read(options.clip), options.frames)
    shape = videos.even(clip.shape, options.size)
    pixels = [frame for frame, _ in zip(clip.frames(shape), range(options.frames), strict=False)]
    folder = options.out / f"ours-{options.temporal_weight:g}-{options.frame_evaluations}"
    moments: dict[int, list[float]] = {}

    def noted(event: Event) -> bool:
        moments.setdefault(event.unit, []).append(time.perf_counter())
        return False

    found = stylize_video(
        clip,
        options.painting,
        size=options.size,
        frames=folder,
        temporal_weight=options.temporal_weight,
        frame_evaluations=options.frame_evaluations,
        on_event=noted,
    )
    ours = [tensor(folder / f"{index:06d}.png") for index in range(len(clip))]
    single = options.out / "alone"
    single.mkdir(parents=True, exist_ok=True)
    times, styles = [], []
    for index in range(options.alone):
        path = single / f"{index:06d}.png"
        array = (pixels[index][0] * 255).round().byte().permute(1, 2, 0).numpy()
        run = Transfer.of(array, options.painting, size=options.size)
        if not path.exists():
            began = time.perf_counter()
            run.run().save(path)
            times.append(time.perf_counter() - began)
        styles.append((style_of(run, ours[index]), style_of(run, tensor(path))))
    alone = [tensor(single / f"{index:06d}.png") for index in range(options.alone)]
    count = options.alone
    spans = [b[0] - a[0] for a, b in zip(*([moments[i] for i in sorted(moments)][n:] for n in (1, 2)), strict=False)]
    contrast = float(torch.stack([x.std() for x in ours]).mean() / torch.stack([x.std() for x in pixels]).mean())
    said: dict[str, Any] = {
        "clip": clip.name,
        "shape": list(shape),
        "frames": len(clip),
        "warping error, ours": error(ours[:count], pixels),
        "warping error, ours, all frames": error(ours, pixels),
        "warping error, alone": error(alone, pixels),
        "warping error, the clip": error(pixels[:count], pixels),
        "contrast": contrast,
        "style, ours": float(np.mean([a for a, _ in styles])),
        "style, alone": float(np.mean([b for _, b in styles])),
        "styles": styles,
        "seconds, ours": float(np.median(spans)) if spans else None,
        "seconds, alone": float(np.median(times)) if times else None,
        "settings": found.recipe["settings"],
        "machine": report(),
    }
    print(json.dumps(said, indent=1))
    strips = [torch.cat([ours[i], alone[i]], 2) for i in range(0, count, max(1, count // 4))]
    Image.fromarray((torch.cat(strips, 3)[0] * 255).round().byte().permute(1, 2, 0).numpy()).save(
        options.out / "strip.png"
    )
    row = shape[0] // 2
    slices = [
        torch.cat([x[:, :, row : row + 1].repeat_interleave(4, 2) for x in some], 2) for some in (ours[:count], alone)
    ]
    Image.fromarray((torch.cat(slices, 3)[0] * 255).round().byte().permute(1, 2, 0).numpy()).save(
        options.out / "slice.png"
    )


if __name__ == "__main__":
    with torch.no_grad():
        main()
