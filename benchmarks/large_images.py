"""Memory and time of large pictures under a budget.

    python benchmarks/large_images.py [--megapixels 1,4,16,64,100] [--memory 4GB] [--untiled 1,4]

For every size, in a process of its own: the targets of the usual objective (VGG-19, conv4_2 and the five style layers,
bf16 where the machine is fast at it), the painting seen as large as the picture, one evaluation in the tiles that the
budget allows, and, with ``--steps``, optimizer steps with their memory. Prints, per size, the peak resident memory, that
of images and optimizer state as the plan states it, seconds per megapixel and evaluation, and how they compare with one
evaluation of the whole at ``--untiled`` sizes. Prints JSON.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import torch

from impasto import machine
from impasto.memory.budget import bytes_of
from impasto.runs.pictures.stylize import Transfer
from machine_report import report


def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    """A photo and a painting of a megapixel, soft and colorful; what they show does not matter here."""
    generator = torch.Generator().manual_seed(0)
    coarse = [torch.rand(1, 3, 64, 64, generator=generator) for _ in range(2)]
    photo, painting = (torch.nn.functional.interpolate(x, (1000, 1000), mode="bicubic").clamp(0, 1) for x in coarse)
    return photo, painting


def worker(megapixels: float, memory: str | None, steps: int) -> None:
    """Print what one size takes."""
    machine.keep_freed_memory()
    side = round((megapixels * 1e6) ** 0.5)
    run = Transfer.of(*pictures(), size=side, coarsest=side, evaluations=max(3, steps), memory=memory or "1TB")
    layout = run.layouts[side, side]
    began = time.perf_counter()
    engine = run.targets(run.encoder).engine_at((side, side))
    ready = time.perf_counter()
    image = run.execution.resized(run.canvas.pixels, (side, side))
    times = []
    if steps:
        optimizer = run.optimizer()
        state = optimizer.init(image, engine.evaluate)
        for _ in range(steps - 1):
            state = optimizer.step(state, engine.evaluate, 1)
    for _ in range(1 if megapixels > 8 else 3):
        start = time.perf_counter()
        engine.evaluate(image)
        times.append(time.perf_counter() - start)
    positions = side * side
    print(
        json.dumps(
            {
                "side": side,
                "tiles": len(layout.tiles or (1,)),
                "box": list(layout.tiles[0].box.shape) if layout.tiles else [side, side],
                "kept": layout.keep,
                "planned cost": round(layout.cost, 3),
                "planned memory GB": round(layout.memory / 1e9, 2),
                "temporary files GB": round(layout.files / 1e9, 2),
                "image GB": round(12 * positions / 1e9, 2),
                "peak resident GB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, 2),
                "seconds for targets": round(ready - began, 1),
                "seconds": round(min(times), 2),
                "seconds per megapixel": round(min(times) / positions * 1e6, 3),
            }
        )
    )


def measured(megapixels: float, memory: str | None, steps: int) -> dict[str, float]:
    """What :func:`worker` prints, from a process of its own."""
    command = [sys.executable, __file__, "--worker", str(megapixels), "--steps", str(steps)]
    command += ["--memory", memory] if memory else []
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        raise SystemExit(f"{megapixels} megapixels: {found.stderr}")
    return dict(json.loads(found.stdout))


def main() -> None:
    """Run the workers and print what they found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", default="1,4,16,64,100")
    parser.add_argument("--untiled", default="1,4", help="sizes also taken whole, for the ratio")
    parser.add_argument("--memory", default="4GB")
    parser.add_argument("--steps", type=int, default=0, help="optimizer steps before the evaluation that is timed")
    parser.add_argument("--out", type=Path, help="also write the JSON here after every size")
    parser.add_argument("--worker", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.worker, None if options.memory == "none" else options.memory, options.steps)
        return
    found: dict[str, object] = {"budget GB": (bytes_of(options.memory) or 0) / 1e9, "machine": report()}
    whole = [measured(float(size), "none", options.steps) for size in options.untiled.split(",") if size]
    found["untiled"] = whole
    per_megapixel = min((float(row["seconds per megapixel"]) for row in whole), default=float("nan"))
    found["tiled"] = rows = []
    for size in options.megapixels.split(","):
        row = measured(float(size), options.memory, options.steps)
        rows.append({**row, "times untiled": round(float(row["seconds per megapixel"]) / per_megapixel, 2)})
        if options.out:
            options.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
