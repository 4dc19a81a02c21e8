"""What a busy program beside it does to a run, by how long threads that wait for others spin.

    python benchmarks/shared_machine.py PHOTO PAINTING [--size 320] [--runs 2] [--spins 4000 1000]

Runs `python -m impasto stylize` with as many threads as there are cores, in turn with the default of the OpenMP library, with
what impasto's own processes have, and with the numbers of `--spins`; first on the machine as it is, then beside a program that
never pauses. Prints JSON with seconds: medians, and their ratio to the default of the library. Leave the machine alone meanwhile.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine_report import report

BUSY = "while True: pass"


def seconds(options: argparse.Namespace, spin: str, folder: str) -> float:
    """How long one run takes; ``spin`` is a number, ``own`` or ``library``."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    }
    environment |= {"GOMP_SPINCOUNT": spin} if spin.isdigit() else {}
    start = (
        ["-m", "impasto"] if spin != "library" else ["-c", "import sys; from impasto.cli import main; sys.exit(main())"]
    )
    words = ["stylize", options.photo, options.painting, "-o", str(Path(folder) / "out.png"), "--overwrite", "-q"]
    how = ["--size", str(options.size), "--evaluations", "10,10,14", "--coarsest", "64", "--settle", "0"]
    began = time.perf_counter()
    subprocess.run([sys.executable, *start, *words, *how], env=environment, check=True)
    return time.perf_counter() - began


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo")
    parser.add_argument("painting")
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--spins", nargs="*", default=[])
    options = parser.parse_args()
    found: dict[str, object] = {"machine": report()}
    for name in ("idle", "busy"):
        beside = subprocess.Popen([sys.executable, "-c", BUSY]) if name == "busy" else None
        try:
            with tempfile.TemporaryDirectory() as folder:
                kinds = ["library", "own", *options.spins]
                taken: dict[str, list[float]] = {kind: [] for kind in kinds}
                for _ in range(options.runs):
                    for kind in kinds:
                        taken[kind].append(seconds(options, kind, folder))
        finally:
            if beside is not None:
                beside.kill()
        medians = {kind: statistics.median(values) for kind, values in taken.items()}
        found[name] = {kind: {"seconds": value, "ratio": value / medians["library"]} for kind, value in medians.items()}
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
