"""How soon a delivered loss is reached on the paper author's notebook objective: impasto against the plain recipe.

    python benchmarks/time_to_loss.py PHOTO PAINTING [--evaluations 250] [--plain 12]

Ours: the bounded, preconditioned L-BFGS in the machine's best precision, from coarse to fine (--coarse evaluations on the
levels below the last; none for one level, as in the paper); after every step on the last level the loss of the 8-bit image
is measured in float32, off the clock. The plain recipe: its seconds per evaluation, the median of --plain
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
from torch import Tensor

from impasto import images, machine
from impasto.engines import Engine
from impasto.optimizers import LBFGS
from impasto.pyramid import resize
from machine_report import report
from plain_recipe import Plain

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


def ours(
    content: Tensor, style: Tensor, evaluations: int, exact: Engine, coarse: list[int]
) -> list[tuple[int, float, float]]:
    """(evaluations on the last level, seconds, delivered loss) after every step there; the clock includes the targets."""
    began = time.perf_counter()
    encoder, optimizer = notebook_encoder(machine.precision("auto", torch.device("cpu"))), LBFGS()
    image = content
    for depth, count in enumerate([*coarse, evaluations]):
        factor = 2 ** (len(coarse) - depth)
        photo, painting = (resize(x, scaled(x, factor)) for x in (content, style))
        engine = notebook_engine(photo, painting, encoder)
        image = photo if depth == 0 else lifted(image, photo)
        state, paused, rows = optimizer.init(image, engine.evaluate), 0.0, []
        while state.evaluations < count and not state.stalled:
            state = optimizer.step(state, engine.evaluate, count - state.evaluations)
            if factor > 1:
                continue
            clock = time.perf_counter()
            delivered = exact.measure(images.quantize(state.image)).value
            rows.append((state.evaluations, clock - began - paused, delivered))
            paused += time.perf_counter() - clock
            if delivered < TARGETS[-1]:
                break
        image = state.image
    return rows


def scaled(image: Tensor, factor: int) -> tuple[int, ...]:
    """The image's spatial shape divided by a factor."""
    return tuple(round(side / factor) for side in image.shape[2:])


def lifted(image: Tensor, photo: Tensor) -> Tensor:
    """The image at the photo's size, with the detail that the photo has there and the level below had not."""
    shape, below = tuple(photo.shape[2:]), tuple(image.shape[2:])
    return (resize(image, shape) + photo - resize(resize(photo, below), shape)).clamp_(0, 1)


def main() -> None:
    """Measure both and print when each target was passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("painting", type=Path)
    parser.add_argument("--evaluations", type=int, default=250)
    parser.add_argument("--plain", type=int, default=12)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--coarse", type=int, nargs="*", default=[40, 10], help="evaluations per coarser level")
    options = parser.parse_args()
    content = shorter_side(images.read(options.photo).pixels, options.side)
    style = shorter_side(images.read(options.painting).pixels, options.side)
    exact = notebook_engine(content, style, notebook_encoder())
    baseline = plain(content, style, options.plain, exact)
    print(json.dumps({"plain": baseline, "plain, 500 evaluations": 500 * baseline["seconds each"]}), flush=True)
    machine.keep_freed_memory()
    rows = ours(content, style, options.evaluations, exact, options.coarse)
    for target in TARGETS:
        passed = next((row for row in rows if row[2] <= target), None)
        if passed:
            ratio = 500 * baseline["seconds each"] / passed[1]
            line = {"delivered": target, "evaluations": passed[0], "seconds": passed[1], "sooner than plain": ratio}
        else:
            line = {"delivered": target, "reached": False, "best": rows[-1][2], "seconds": rows[-1][1]}
        print(json.dumps(line), flush=True)
    print(json.dumps({"coarse": options.coarse, "machine": report()}))


if __name__ == "__main__":
    main()
