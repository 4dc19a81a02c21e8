"""How long one value and gradient takes: impasto's engine against the plain recipe, alternately, in one process.

    python benchmarks/evaluation.py [--size 512] [--pool avg] [--rounds 7]

Both evaluate the same objective (the paper author's notebook's) on the same random image; the floor is the
convolutions' and Gram products' FLOPs over the bf16 matrix peak measured in the same session. Prints JSON.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import torch
from plain_recipe import Plain

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))
from gatys_notebook import notebook_engine
from machine_report import matrix_peak, report

from impasto import machine
from impasto.encoders import VGG19, Conv, Encoder, load
from impasto.engines import Engine


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
    """Time both alternately and print the medians, their spread and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--pool", choices=["avg", "max"], default="avg")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="auto")
    options = parser.parse_args()
    torch.manual_seed(0)
    content, style, image = (torch.rand(1, 3, options.size, options.size) for _ in range(3))
    _, parameters = load("vgg19-original")
    weights = {**parameters.convolutions, "entry": (parameters.matrix, parameters.offset)}
    plain = Plain(weights, content, style, options.pool)
    dtype = machine.precision(options.precision, torch.device("cpu"))
    base = notebook_engine(content, style, dtype)
    encoder = Encoder(base.encoder.stack, base.encoder.parameters, pooling=options.pool, dtype=dtype)
    ours = Engine(encoder, base.objective)
    baseline = []
    mine = []
    for index in range(options.rounds + 1):
        began = time.perf_counter()
        plain.value_and_gradient(image)
        middle = time.perf_counter()
        ours.evaluate(image)
        if index:  # the first round warms up
            baseline.append(middle - began)
            mine.append(time.perf_counter() - middle)
    peak = max(matrix_peak(torch.bfloat16), matrix_peak(torch.float32))
    floor = flops(options.size, options.size) / peak
    print(
        json.dumps(
            {
                "size": options.size,
                "pool": options.pool,
                "precision": str(dtype),
                "plain": summary(baseline),
                "impasto": summary(mine),
                "ratio": round(statistics.median(baseline) / statistics.median(mine), 2),
                "GFLOP": round(flops(options.size, options.size) / 1e9, 1),
                "floor": round(floor, 3),
                "over floor": round(statistics.median(mine) / floor, 2),
                "machine": report(),
            },
            indent=1,
        )
    )


def summary(times: list[float]) -> dict[str, float]:
    """Median, least and most, in seconds."""
    return {"median": round(statistics.median(times), 4), "min": round(min(times), 4), "max": round(max(times), 4)}


if __name__ == "__main__":
    main()
