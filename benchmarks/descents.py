"""How far a descent comes with so many evaluations: what coarser levels, the preconditioner and the memory are worth.

    python benchmarks/descents.py PHOTO PAINTING [--size 512] [--coarse 80 30] [--last 60] [--objective default]
        [--spectrum 0.4] [--history 12]

--coarse are the evaluations of the levels below the last, coarse to fine; without numbers there is only the last level.
Prints a JSON line with the lowest loss so far after some of the evaluations of the last level, in the machine's best precision.
"""

import argparse
import json

import torch

from impasto import machine
from impasto.descent import Descent
from impasto.optimizers import LBFGS
from impasto.pyramid import resize
from impasto.runs.pictures.stylize import Transfer
from pairs import default_engines, notebook_engines

MARKS = (1, 10, 20, 30, 40, 60, 80, 120, 160, 200, 240)


def curve(run: Transfer, descent: Descent) -> dict[int, float]:
    """The lowest loss of the last level by the number of evaluations made there."""
    *_, last = descent.run(resize(run.canvas.pixels, run.levels[0].shape))
    records = [record for record in last.history if record.level == len(run.levels) - 1]
    marks = [mark for mark in MARKS if mark <= run.levels[-1].evaluations]
    return {mark: min(record.value for record in records if record.evaluation <= mark) for mark in marks}


def main() -> None:
    """One descent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo")
    parser.add_argument("painting")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--coarse", type=int, nargs="*", default=[80, 30])
    parser.add_argument("--last", type=int, default=60)
    parser.add_argument("--objective", default="default", choices=["default", "notebook"])
    parser.add_argument("--spectrum", type=float, default=LBFGS.spectrum)
    parser.add_argument("--history", type=int, default=LBFGS.history)
    options = parser.parse_args()
    machine.keep_freed_memory()
    levels = {} if options.coarse else {"coarsest": options.size}
    evaluations = [*options.coarse, options.last]
    run = Transfer.of(options.photo, options.painting, size=options.size, evaluations=evaluations, **levels)
    engines = (default_engines if options.objective == "default" else notebook_engines)(run)
    optimizer = LBFGS(spectrum=options.spectrum, history=options.history)
    engine_at = engines(machine.precision("auto", torch.device("cpu")))
    print(json.dumps({**vars(options), "loss": curve(run, Descent(run.levels, engine_at, optimizer, run.lift))}))


if __name__ == "__main__":
    main()
