"""How long one value and gradient takes: impasto's engine against the plain recipe.

    python benchmarks/evaluation.py [--size 512] [--pool avg] [--rounds 5]

Both evaluate the paper author's notebook objective on the same random images. They run in processes of their own, by
turns; each process warms up and reports the median of its evaluations. The floor is the FLOPs of the convolutions and
Gram products over the matrix peak measured in the same session. Prints JSON.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from impasto import machine
from impasto.choices import Pooling, Precision
from impasto.encoders import VGG19, Conv, Encoder, load
from impasto.engines import Engine
from machine_report import matrix_peak, report
from plain_recipe import Plain

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))
from gatys_notebook import notebook_engine


def plain_evaluation(pool: str, content: Tensor, style: Tensor) -> Callable[[Tensor], object]:
    """The usual recipe's value and gradient."""
    _, parameters = load("vgg19-original")
    weights = {**parameters.convolutions, "entry": (parameters.matrix, parameters.offset)}
    return Plain(weights, content, style, pool).value_and_gradient


def our_evaluation(pool: Pooling, content: Tensor, style: Tensor, precision: Precision) -> Callable[[Tensor], object]:
    """The engine's value and gradient of the same objective."""
    machine.keep_freed_memory()
    dtype = machine.precision(precision, torch.device("cpu"))
    stack, parameters = load("vgg19-original")
    encoder = Encoder(stack, parameters, pooling=pool, padding="zero", dtype=dtype)
    return Engine(encoder, notebook_engine(content, style, encoder).objective).evaluate


def worker(options: argparse.Namespace) -> None:
    """Print the median seconds of one evaluation."""
    torch.manual_seed(0)
    content, style, image = (torch.rand(1, 3, options.size, options.size) for _ in range(3))
    if options.worker == "plain":
        evaluate = plain_evaluation(options.pool, content, style)
    else:
        evaluate = our_evaluation(options.pool, content, style, options.worker)
    times = []
    for _ in range(options.evaluations + 1):
        began = time.perf_counter()
        evaluate(image)
        times.append(time.perf_counter() - began)
    print(statistics.median(times[1:]))


def flops(height: int, width: int) -> float:
    """Of one value and gradient: every convolution to conv5_1 twice, every Gram product and its derivative."""
    total = 0.0
    for layer in VGG19.until("conv5_1"):
        if isinstance(layer, Conv):
            positions = height * width / VGG19.stride(layer.name) ** 2
            total += 2 * 2 * positions * 9 * layer.channels_in * layer.channels_out
            if layer.name.endswith("_1"):
                total += 2 * 2 * positions * layer.channels_out**2
    return total


def main() -> None:
    """Run the workers by turns and print the medians, their spread and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--pool", choices=["avg", "max"], default="avg")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--evaluations", type=int, default=5, help="per process")
    parser.add_argument("--kinds", default="plain,fp32,auto", help="which to run")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options)
        return
    kinds = options.kinds.split(",")
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(options.rounds):
        for kind in kinds:
            command = [sys.executable, __file__, "--worker", kind, "--size", str(options.size), "--pool", options.pool]
            command += ["--evaluations", str(options.evaluations)]
            times[kind].append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    medians = {kind: statistics.median(values) for kind, values in times.items()}
    floor = flops(options.size, options.size) / max(matrix_peak(torch.bfloat16), matrix_peak(torch.float32))
    found = {
        "size": options.size,
        "pool": options.pool,
        "seconds": {k: {"median": medians[k], "min": min(v), "max": max(v)} for k, v in times.items()},
        "times faster than plain": {k: round(medians["plain"] / medians[k], 2) for k in kinds if "plain" in medians},
        "GFLOP": round(flops(options.size, options.size) / 1e9, 1),
        "floor seconds": round(floor, 3),
        "times the floor": {kind: round(medians[kind] / floor, 2) for kind in kinds},
        "machine": report(),
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
