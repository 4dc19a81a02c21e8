"""Memory of ``impasto visualize patches`` against the number of pictures: one pass, flat?

    python benchmarks/patches.py [--layer conv4_1] [--counts 60 240] [--size 192] [--sheet OUT.png]

Folders are filled with crops of the bundled photos; every count runs in a process of its own. Prints JSON lines with the seconds and the peak resident memory.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from impasto import images, samples
from machine_report import report


def fill(folder: Path, count: int, size: int) -> None:
    """``count`` pictures, the same for the same count."""
    draw = random.Random(0)
    photos = [images.read(samples.photo(name)).pixels for name in samples.photos()]
    for index in range(count):
        photo = photos[index % len(photos)]
        side = draw.randint(size, min(photo.shape[2:]))
        top, left = (draw.randint(0, length - side) for length in photo.shape[2:])
        images.write(folder / f"{index:04}.jpg", photo[..., top : top + side, left : left + side])


def scan(folder: Path, layer: str, size: int, sheet: str) -> None:
    """What a process of its own does."""
    from impasto.studies.visualization import visualize_patches

    began = time.perf_counter()
    found = visualize_patches(folder, layer, "0:12", size=size)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = {"pictures": found.images, "seconds": round(time.perf_counter() - began, 1), "peak MB": round(peak)}
    print(json.dumps(line), flush=True)
    if sheet:
        images.write(sheet, found.sheet)


def main() -> None:
    """Fill folders and scan them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layer", default="conv4_1")
    parser.add_argument("--counts", type=int, nargs="+", default=[60, 240])
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--sheet", default="")
    parser.add_argument("--scan", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.scan:
        scan(options.scan, options.layer, options.size, options.sheet)
        return
    for count in options.counts:
        with tempfile.TemporaryDirectory() as folder:
            fill(Path(folder), count, options.size)
            words = ["--scan", folder, "--layer", options.layer, "--size", str(options.size), "--sheet", options.sheet]
            subprocess.run([sys.executable, __file__, *words], check=True)
    print(json.dumps({"machine": report()}))


if __name__ == "__main__":
    main()
