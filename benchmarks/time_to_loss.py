"""How soon a delivered loss is reached on the paper author's notebook objective: impasto against the plain recipe.

    python benchmarks/time_to_loss.py PHOTO PAINTING [--evaluations 250] [--plain 12]

Ours: the bounded, preconditioned L-BFGS on one level in the machine's best precision; after every step the loss of the
8-bit image is measured in float32, off the clock. The plain recipe: its seconds per evaluation, the median of --plain
evaluations, times the 500 that its author runs; with --plain 500 its own losses are measured too. Prints JSON lines.
"""

import argparse
import itertools
import json
import statistics
import sys
import time
from pathlib import Path

import torch
from machine_report import report
from plain_recipe import Plain
from torch import Tensor

from impasto import images, machine
from impasto.engines import Engine
from impasto.optimizers import LBFGS

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))
from gatys_notebook import notebook_encoder, notebook_engine, shorter_side

TARGETS = (957757.0, 640000.0, 480000.0, 320000.0)


def plain(content: Tensor, style: Tensor, evaluations: int, exact: Engine) -> dict[str, float]:
    """Seconds per evaluation, and the loss of the delivered image at the end."""
    parameters = exact.encoder.parameters
    weights = {**parameters.convolutions, "entry": (parameters.matrix, parameters.offset)}
    times = [time.perf_counter()]

    def listen(*_: object) -> None:
        times.append(time.perf_counter())

    result = Plain(weights, content, style, "max").run(content, evaluations, listen)
    steps = [after - before for before, after in itertools.pairwise(times)]
    delivered = exact.measure(images.quantize(result)).value
    return {"evaluations": len(steps), "seconds each": statistics.median(steps), "delivered": delivered}


def ours(content: Tensor, style: Tensor, evaluations: int, exact: Engine) -> list[tuple[int, float, float]]:
    """(evaluations, seconds, delivered loss) after every step; the clock includes building the targets."""
    began = time.perf_counter()
    dtype = machine.precision("auto", torch.device("cpu"))
    engine = notebook_engine(content, style, notebook_encoder(dtype))
    state, optimizer, paused, rows = LBFGS().init(content, engine.evaluate), LBFGS(), 0.0, []
    while state.evaluations < evaluations and not state.stalled:
        state = optimizer.step(state, engine.evaluate, evaluations - state.evaluations)
        clock = time.perf_counter()
        rows.append((state.evaluations, clock - began - paused, exact.measure(images.quantize(state.image)).value))
        paused += time.perf_counter() - clock
        if rows[-1][2] < TARGETS[-1]:
            break
    return rows


def main() -> None:
    """Measure both and print when each target was passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("painting", type=Path)
    parser.add_argument("--evaluations", type=int, default=250)
    parser.add_argument("--plain", type=int, default=12)
    parser.add_argument("--side", type=int, default=512)
    options = parser.parse_args()
    content = shorter_side(images.read(options.photo).pixels, options.side)
    style = shorter_side(images.read(options.painting).pixels, options.side)
    exact = notebook_engine(content, style, notebook_encoder())
    baseline = plain(content, style, options.plain, exact)
    print(json.dumps({"plain": baseline, "plain, 500 evaluations": 500 * baseline["seconds each"]}), flush=True)
    machine.keep_freed_memory()
    rows = ours(content, style, options.evaluations, exact)
    for target in TARGETS:
        passed = next((row for row in rows if row[2] <= target), None)
        if passed:
            ratio = 500 * baseline["seconds each"] / passed[1]
            line = {"delivered": target, "evaluations": passed[0], "seconds": passed[1], "sooner than plain": ratio}
        else:
            line = {"delivered": target, "reached": False, "best": rows[-1][2], "seconds": rows[-1][1]}
        print(json.dumps(line), flush=True)
    print(json.dumps({"machine": report()}))


if __name__ == "__main__":
    main()
