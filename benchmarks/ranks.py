"""How much faster several processes evaluate one picture, and that they find the same.

    python benchmarks/ranks.py [--size 1024] [--processes 2] [--evaluations 3] [--rounds 3]

Evaluates the usual objective at a square size with one process and with several on this machine, each with one thread, by
turns. Prints the medians, their ratio, and how far the gradient of several is from that of one. Prints JSON.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from impasto import machine
from impasto.engines.ranks import DONE, process_group
from impasto.memory.budget import Budget
from impasto.runs.pictures.stylize import Transfer
from large_images import pictures
from machine_report import report


def worker(options: argparse.Namespace) -> None:
    """One process of a group, or the only one; the first prints the median seconds of an evaluation."""
    torch.set_num_threads(1)
    machine.keep_freed_memory()
    with process_group() as group:
        shape = (options.size, options.size)
        run = Transfer.of(*pictures(), size=options.size, coarsest=options.size, precision=options.precision)
        run = run.within(Budget(options.memory, group))
        if group.rank:
            run.assist()
            return
        engine = run.targets(run.encoder).engine_at(shape)
        image = torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(1))
        times = []
        for _ in range(options.evaluations + 1):
            began = time.perf_counter()
            found = engine.evaluate(image)
            times.append(time.perf_counter() - began)
        group.announce(DONE)
        torch.save({"value": found.value, "gradient": found.gradient}, options.worker)
        print(json.dumps({"seconds": statistics.median(times[1:]), "cost": run.layouts[shape].cost}))


def timed(options: argparse.Namespace, processes: int, folder: Path) -> dict[str, float]:
    """What the first process of a group of so many prints."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, __file__, "--worker", str(folder / f"{processes}.pt"), "--size", str(options.size)]
    command += ["--evaluations", str(options.evaluations), "--precision", options.precision]
    command += ["--memory", str(options.memory)]
    common = {**os.environ, "OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    common |= {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes)}
    group = [
        subprocess.Popen(command, env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank)}, stdout=subprocess.PIPE)
        for rank in range(processes)
    ]
    printed = [process.communicate()[0] for process in group]
    if any(process.returncode for process in group):
        raise SystemExit("a process failed")
    return dict(json.loads(printed[0]))


def main() -> None:
    """Run the groups by turns and print what they found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--evaluations", type=int, default=3, help="per process")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--memory", type=float, default=8e9, help="bytes per process")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options)
        return
    counts = (1, options.processes)
    rows: dict[int, list[dict[str, float]]] = {count: [] for count in counts}
    with tempfile.TemporaryDirectory() as name:
        for _ in range(options.rounds):
            for count in counts:
                rows[count].append(timed(options, count, Path(name)))
        one, many = (torch.load(Path(name) / f"{count}.pt") for count in counts)
    medians = {count: statistics.median(row["seconds"] for row in rows[count]) for count in counts}
    difference = (one["gradient"] - many["gradient"]).norm() / one["gradient"].norm()
    found = {
        "size": options.size,
        "precision": options.precision,
        "seconds": {
            count: {"median": medians[count], "all": [row["seconds"] for row in rows[count]]} for count in counts
        },
        "times faster": round(medians[1] / medians[options.processes], 3),
        "planned times faster": round(1 / rows[options.processes][0]["cost"], 3),
        "relative difference of value": abs(many["value"] / one["value"] - 1),
        "relative difference of gradient": difference.item(),
        "machine": report(),
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
