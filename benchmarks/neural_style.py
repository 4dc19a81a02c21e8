"""neural-style's optimizer and ours on neural-style's objective: what the floats have, and what the file has.

    python benchmarks/neural_style.py PHOTO PAINTING [--size 512] [--evaluations 500] [--precision auto]
        [--only impasto] [--exponents 0.4 0.1]

Theirs is torch.optim.LBFGS as neural-style-pt sets it: pixels from 0 to 256 without bounds, 100 pairs, no line search, no
tolerance; it takes the values and gradients of this package's objective, whose weights are theirs, and its best picture.
Ours is the run of ``impasto neural-style``, whose preconditioner's exponent falls from the first of ``--exponents`` to the second;
its lowest loss on the way, in the run's precision, is printed too. Both begin with the same image. Losses in their scale, in float32. JSON lines.
"""

import argparse
import json
from collections.abc import Callable
from unittest.mock import patch

import torch
from torch import Tensor

from impasto import images, machine
from impasto.runs.pictures.neural_style import painting
from impasto.runs.pictures.neural_style.flags import Flags
from impasto.runs.pictures.neural_style.objective import RANGE
from impasto.runs.pictures.neural_style.painting import Painting

MARKS = (50, 100, 200, 300, 400, 500)


def ours(run: Painting) -> Tensor:
    """The picture that ours finds, having printed the way there."""
    lowest: dict[int, float] = {}
    for moment in run.run():
        for mark in MARKS:
            if moment.evaluation <= mark:
                lowest[mark] = min(moment.losses.total, lowest.get(mark, float("inf")))
    print(
        json.dumps({mark: round(value) for mark, value in lowest.items() if mark <= run.flags.num_iterations}),
        flush=True,
    )
    return moment.image


def theirs(run: Painting, evaluations: int) -> Tensor:
    """The best picture that their optimizer sees, unbounded."""
    engine = run.target.engine(run.encoder())
    pixels = (run.start() * RANGE).requires_grad_()
    best, lowest = pixels.detach() / RANGE, float("inf")
    optimizer = torch.optim.LBFGS(
        [pixels], max_iter=evaluations, max_eval=evaluations, history_size=100, tolerance_change=-1, tolerance_grad=-1
    )

    def closure() -> float:
        nonlocal best, lowest
        image = pixels.detach() / RANGE
        found = engine.evaluate(image)
        assert found.gradient is not None
        total = run.target.losses(engine, found).total
        pixels.grad = found.gradient * (total / found.value / RANGE)  # their sum is ours times a factor
        if total < lowest:
            best, lowest = image.clone(), total
        return total

    optimizer.step(closure)
    return best


def main() -> None:
    """Run both and measure what they found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo")
    parser.add_argument("painting")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--evaluations", type=int, default=500)
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16"])
    parser.add_argument("--exponents", type=float, nargs=2, default=painting._SPECTRUM)
    parser.add_argument("--only", choices=["impasto", "torch.optim.LBFGS"])
    options = parser.parse_args()
    machine.keep_freed_memory()
    common = {"image_size": options.size, "num_iterations": options.evaluations, "precision": options.precision}
    pair = {"content_image": options.photo, "style_image": (options.painting,)}
    run = Painting.of(Flags(**pair, **common, seed=1, device="cpu"))
    kinds: dict[str, Callable[[], Tensor]] = {
        "impasto": lambda: ours(run),
        "torch.optim.LBFGS": lambda: theirs(run, options.evaluations),
    }
    for name, paint in kinds.items():
        if options.only not in (None, name):
            continue
        with patch.object(painting, "_SPECTRUM", tuple(options.exponents)):
            image = paint()
        floats, saved = run.losses(image, images.quantize(image.clamp(0, 1)))
        line = {"optimizer": name, "floats": round(floats.total), "as saved": round(saved.total)}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
