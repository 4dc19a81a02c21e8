"""Peak resident memory of `impasto video` by the number of frames.

    python benchmarks/video_memory.py [--size 96] [--frames 50 1000]

Paints a camera's slow way over a bundled photo, once with each number of frames, each in a process of its own, one
evaluation a frame. Prints JSON: megabytes, and their ratio.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

import impasto
from impasto import images, samples, videos
from impasto.pyramid import resize


def clip(path: Path, count: int) -> None:
    """A film of so many frames, 160 x 96, whose view goes to and fro."""
    photo = resize(images.read(samples.photo("rocket")).pixels, (96, 320)).clamp(0, 1)
    levels = (photo[0] * 255).round().byte().permute(1, 2, 0).numpy()

    def frame(index: int) -> np.ndarray:
        at = abs((index + 160) % 320 - 160)
        return levels[:, at : at + 160].copy()

    like = videos.Stills(
        path=path,
        name=path.name,
        sha256="",
        shape=(96, 160),
        times=tuple(Fraction(index, 25) for index in range(count)),
        end=Fraction(count, 25),
        shots=(0,),
        files=(),
    )
    videos.write(path, videos.Painted(like, count, frame))


def paint(size: int, count: int) -> None:
    """Paint in this process and print its peak resident memory in megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "clip.mkv"
        clip(source, count)
        painting = samples.painting(samples.paintings()[0])
        result = impasto.stylize_video(source, painting, size=size, frame_evaluations=1, evaluations=(4,))
        result.save(Path(folder) / "out.mp4")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--frames", type=int, nargs="+", default=[50, 1000])
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        paint(options.size, options.frames[0])
        return
    found = {}
    for count in options.frames:
        words = [sys.executable, __file__, "--alone", "--size", str(options.size), "--frames", str(count)]
        found[count] = float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    print(json.dumps({"megabytes": found, "ratio": found[options.frames[-1]] / found[options.frames[0]]}, indent=1))


if __name__ == "__main__":
    with torch.no_grad():
        main()
