"""How long the convolutions of VGG-19 take, computed directly and with fewer multiplications (Winograd), and how exactly.

    python benchmarks/convolutions.py [--size 512] [--rounds 7]

Each kind of layer is computed both ways by turns, there and back, on random features of the size that it has in a picture
of so many pixels. Errors are root mean squares against float64, over that of the result. Prints a Markdown table of medians.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto import machine
from impasto.encoders import VGG19
from impasto.encoders.winograd import Winograd
from machine_report import processor


def seconds(works: list[Callable[[], object]], rounds: int) -> list[float]:
    """The median of each work, done by turns after one warm-up."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds + 1):
        for work, found in zip(works, times, strict=True):
            began = time.perf_counter()
            work()
            found.append(time.perf_counter() - began)
    return [statistics.median(found[1:]) for found in times]


def direct(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A convolution with its ReLU as torch computes it."""
    return nnf.conv2d(x, weight, bias, padding=1).relu_()


def error(found: Tensor, exact: Tensor) -> float:
    """Relative, root mean square."""
    return float((found - exact).norm() / exact.norm())


def main() -> None:
    """Measure every kind of layer once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    machine.keep_freed_memory()
    torch.manual_seed(0)
    print(f"{processor()}, {torch.get_num_threads()} threads, {options.size} pixels\n")
    print(
        "| channels | positions | direct ms | filtered ms | ratio | back, direct | filtered | ratio | error | filtered |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    seen = set()
    for layer in VGG19.until("conv5_1"):
        side = options.size // VGG19.stride(layer.name)
        kind = (getattr(layer, "channels_in", 3), getattr(layer, "channels_out", 0), side)
        if min(kind[:2]) < 64 or kind in seen:
            continue
        seen.add(kind)
        inputs, outputs, _ = kind
        weight = torch.randn(outputs, inputs, 3, 3) / (9 * inputs) ** 0.5
        last = weight.contiguous(memory_format=torch.channels_last)
        back = weight.flip(2, 3).transpose(0, 1).contiguous(memory_format=torch.channels_last)
        bias, kernel = torch.randn(outputs), Winograd(weight)
        x, gradient = (
            torch.randn(1, count, side, side).relu_().contiguous(memory_format=torch.channels_last)
            for count in kind[:2]
        )
        there, filtered, direct_back, filtered_back = seconds(
            [
                partial(direct, x, last, bias),
                partial(kernel.convolve, x, bias, 1, rectified=True),
                partial(nnf.conv2d, gradient, back, padding=1),
                partial(kernel.convolve_transposed, gradient, 1),
            ],
            options.rounds,
        )
        exact = nnf.conv2d(x.double(), weight.double(), bias.double(), padding=1).relu_()
        errors = (
            error(direct(x, last, bias), exact),
            error(kernel.convolve(x, bias, 1, rectified=True), exact),
        )
        numbers = [there * 1e3, filtered * 1e3, there / filtered]
        numbers += [direct_back * 1e3, filtered_back * 1e3, direct_back / filtered_back]
        cells = [f"{inputs} to {outputs}", f"{side} x {side}", *(f"{number:.2f}" for number in numbers)]
        print("| " + " | ".join([*cells, *(f"{each:.1e}" for each in errors)]) + " |", flush=True)


if __name__ == "__main__":
    with torch.no_grad():
        main()
