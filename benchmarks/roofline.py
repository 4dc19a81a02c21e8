"""Where one evaluation's time goes: per layer, forward and backward, against the machine's measured peaks.

    python benchmarks/roofline.py [--size 512] [--pool avg] [--precision auto]

Each layer's own code runs alone on data of its shape; FLOPs are counted from the shapes, bytes as each array read or
written once. The bound is the larger of FLOPs over the convolution peak and bytes over the copy bandwidth, both measured
in this session; a layer's fraction is its bound over its time. Prints a Markdown table.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from impasto import machine
from impasto.encoders import VGG19, Conv, Encoder, Pool, load
from impasto.encoders.pooling import pool_backward
from impasto.encoders.seams import Seams
from impasto.losses.gram import GramLoss
from machine_report import convolution_peak, copy_bandwidth, processor


def seconds(work: Callable[[], object], rounds: int = 7) -> float:
    """The median of a few calls after two warm-up calls."""
    times = []
    for _ in range(rounds + 2):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times[2:])


def features(channels: int, side: int, dtype: torch.dtype) -> Tensor:
    """Random features, half of them zero as after a ReLU, channels last."""
    x = torch.randn(1, channels, side, side).relu_().to(dtype)
    return x.contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class Work:
    """One line of the table: what is done, what it computes and moves, and how long that takes."""

    name: str
    flops: float
    moved: float
    seconds: float

    def row(self, peak: float, bandwidth: float) -> str:
        """As Markdown, beside its bound."""
        bound = max(self.flops / peak, self.moved / bandwidth)
        limit = "compute" if self.flops / peak > self.moved / bandwidth else "memory"
        numbers = [
            f"{self.seconds * 1e3:.2f}",
            f"{self.flops / 1e9:.1f}",
            f"{self.moved / 1e6:.0f}",
            f"{bound * 1e3:.2f}",
        ]
        return "| " + " | ".join([self.name, *numbers, limit, f"{bound / self.seconds:.0%}"]) + " |"


def convolution(encoder: Encoder, layer: Conv, side: int) -> Iterator[Work]:
    """A convolution with its ReLU, its adjoint, and the mask of the ReLU on the way down."""
    x, g = (features(count, side, encoder.dtype) for count in (layer.channels_in, layer.channels_out))
    flops = 2 * 9 * layer.channels_in * layer.channels_out * side**2
    moved = x.element_size() * (x.numel() + g.numel())
    yield Work(f"{layer.name} + ReLU", flops, moved, seconds(lambda: encoder._apply(layer, x, Seams())))
    yield Work(f"{layer.name} backward", flops, moved, seconds(lambda: encoder._convolve_transposed(layer, g)))
    out = features(layer.channels_out, side, encoder.dtype)
    mask = seconds(lambda: torch.ops.aten.threshold_backward.grad_input(out, g, 0, grad_input=out))
    yield Work(f"{layer.name} mask", 0, 3 * g.element_size() * g.numel(), mask)


def gram(layer: Conv, side: int, dtype: torch.dtype) -> Iterator[Work]:
    """A layer's Gram matrix and the gradient of its loss."""
    x, out = (features(layer.channels_out, side, dtype) for _ in range(2))
    loss = GramLoss.of(x)
    summary = loss.summarize(x)
    flops, moved = 2 * layer.channels_out**2 * side**2, x.element_size() * x.numel()
    yield Work(f"{layer.name} Gram", flops, moved, seconds(lambda: loss.summarize(x)))
    pull = seconds(lambda: loss.add_gradient(out, x, summary, side**2, 1.0))
    yield Work(f"{layer.name} Gram gradient", flops, 3 * moved, pull)


def pooling(encoder: Encoder, layer: Pool, side: int) -> Iterator[Work]:
    """A pooling to so many positions a side, and its adjoint."""
    x = features(VGG19.channels(layer.name), 2 * side, encoder.dtype)
    y = encoder._apply(layer, x, Seams())
    moved = x.element_size() * (x.numel() + y.numel())
    yield Work(layer.name, 0, moved, seconds(lambda: encoder._apply(layer, x, Seams())))
    yield Work(f"{layer.name} backward", 0, moved, seconds(lambda: pool_backward(y, x, y, encoder.pooling)))


def parts(encoder: Encoder, size: int) -> Iterator[Work]:
    """Every part of an evaluation, shallow to deep."""
    for layer in VGG19.until("conv5_1"):
        side = size // VGG19.stride(layer.name)
        if isinstance(layer, Pool):
            yield from pooling(encoder, layer, side)
            continue
        yield from convolution(encoder, layer, side)
        if layer.name.endswith("_1"):
            yield from gram(layer, side, encoder.dtype)


def main() -> None:
    """Time every layer alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--pool", choices=["avg", "max"], default="avg")
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="auto")
    options = parser.parse_args()
    torch.set_grad_enabled(False)
    machine.keep_freed_memory()
    dtype = machine.precision(options.precision, torch.device("cpu"))
    peak, bandwidth = convolution_peak(dtype), copy_bandwidth()
    stack, parameters = load("vgg19")
    encoder = Encoder(stack, parameters, pooling=options.pool, padding="zero", dtype=dtype)
    print(f"{processor()}, {torch.get_num_threads()} threads, {dtype}, {options.size}x{options.size}, {options.pool}")
    print(f"peak {peak / 1e12:.2f} TFLOP/s (3x3 convolution), {bandwidth / 1e9:.0f} GB/s (copy)\n")
    print("| work | ms | GFLOP | MB | bound ms | by | of bound |\n|---|---|---|---|---|---|---|")
    total = 0.0
    for work in parts(encoder, options.size):
        print(work.row(peak, bandwidth))
        total += work.seconds
    print(f"\nsum {total * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
