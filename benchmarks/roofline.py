"""Where one evaluation's time goes: per layer, forward and backward, against the machine's measured peaks.

    python benchmarks/roofline.py [--size 512] [--pool avg] [--precision auto]

Each layer's own code runs alone on data of its shape; FLOPs are counted from the shapes, bytes as each array read or
written once. The bound is the larger of FLOPs over the convolution peak and bytes over the copy bandwidth, both measured
in this session; a layer's fraction is its bound over its time. Prints a Markdown table.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from impasto import machine
from impasto.encoders import VGG19, Conv, Encoder, load
from impasto.encoders.pooling import pool, pool_backward
from impasto.losses import GramLoss
from machine_report import convolution_peak, copy_bandwidth, processor


def seconds(work: Callable[[], object], rounds: int = 7) -> float:
    """The median of a few calls after two warm-up calls."""
    times = []
    for _ in range(rounds + 2):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times[2:])


def features(channels: int, side: int, dtype: torch.dtype) -> torch.Tensor:
    """Random features, half of them zero as after a ReLU, channels last."""
    x = torch.randn(1, channels, side, side).relu_().to(dtype)
    return x.contiguous(memory_format=torch.channels_last)


def row(name: str, took: float, flops: float, moved: float, *, peak: float, bandwidth: float) -> str:
    """One line of the table."""
    bound = max(flops / peak, moved / bandwidth)
    limit = "compute" if flops / peak > moved / bandwidth else "memory"
    cells = [name, f"{took * 1e3:.2f}", f"{flops / 1e9:.1f}", f"{moved / 1e6:.0f}", f"{bound * 1e3:.2f}", limit]
    return "| " + " | ".join([*cells, f"{bound / took:.0%}"]) + " |"


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
    width = torch.empty(0, dtype=dtype).element_size()
    peak, bandwidth = convolution_peak(dtype), copy_bandwidth()
    stack, parameters = load("vgg19")
    encoder = Encoder(stack, parameters, pooling=options.pool, padding="zero", dtype=dtype)
    print(f"{processor()}, {torch.get_num_threads()} threads, {dtype}, {options.size}x{options.size}, {options.pool}")
    print(f"peak {peak / 1e12:.2f} TFLOP/s (3x3 convolution), {bandwidth / 1e9:.0f} GB/s (copy)\n")
    print("| work | ms | GFLOP | MB | bound ms | by | of bound |\n|---|---|---|---|---|---|---|")
    total = 0.0
    for layer in VGG19.until("conv5_1"):
        side = options.size // VGG19.stride(layer.name)
        if isinstance(layer, Conv):
            x, g = features(layer.channels_in, side, dtype), features(layer.channels_out, side, dtype)
            flops = 2 * 9 * layer.channels_in * layer.channels_out * side**2
            moved = width * side**2 * (layer.channels_in + layer.channels_out)
            forward = seconds(lambda layer=layer, x=x: encoder._apply(layer, x))
            backward = seconds(lambda layer=layer, g=g: encoder._convolve_transposed(layer.name, g))
            print(row(f"{layer.name} + ReLU", forward, flops, moved, peak=peak, bandwidth=bandwidth))
            print(row(f"{layer.name} backward", backward, flops, moved, peak=peak, bandwidth=bandwidth))
            total += forward + backward
            out = features(layer.channels_out, side, dtype)
            mask = seconds(lambda g=g, out=out: torch.ops.aten.threshold_backward.grad_input(out, g, 0, grad_input=out))
            print(row(f"{layer.name} mask", mask, 0, 3 * width * g.numel(), peak=peak, bandwidth=bandwidth))
            total += mask
            if layer.name.endswith("_1"):
                loss = GramLoss.of(g)
                summary = loss.summarize(g)
                flops = 2 * layer.channels_out**2 * side**2
                gram = seconds(lambda loss=loss, g=g: loss.summarize(g))
                pull = seconds(
                    lambda loss=loss, g=g, out=out, s=summary, n=side**2: loss.add_gradient(out, g, s, n, 1.0)
                )
                print(row(f"{layer.name} Gram", gram, flops, width * g.numel(), peak=peak, bandwidth=bandwidth))
                print(
                    row(
                        f"{layer.name} Gram gradient",
                        pull,
                        flops,
                        3 * width * g.numel(),
                        peak=peak,
                        bandwidth=bandwidth,
                    )
                )
                total += gram + pull
        else:
            channels = VGG19.channels(layer.name)
            x = features(channels, 2 * side, dtype)
            y = pool(x, options.pool)
            moved = width * (x.numel() + y.numel())
            forward = seconds(lambda x=x: pool(x, options.pool))
            backward = seconds(lambda x=x, y=y: pool_backward(y, x, y, options.pool))
            print(row(layer.name, forward, 0, moved, peak=peak, bandwidth=bandwidth))
            print(row(f"{layer.name} backward", backward, 0, moved, peak=peak, bandwidth=bandwidth))
            total += forward + backward
    print(f"\nsum {total * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
