"""What a benchmark ran on, and how fast the machine is at what matters: matrix products, convolutions, copies."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch


def processor() -> str:
    """The processor's own name, with the instruction sets that matter here."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in lines.items()}
    flags = [flag for flag in fields.get("flags", "").split() if flag in {"avx2", "avx512f", "avx512_bf16", "amx_bf16"}]
    return f"{fields.get('model name', platform.processor())} ({', '.join(flags)})"


def median_seconds(work: Callable[[], object], rounds: int = 5) -> float:
    """The median time of one call after a warm-up call."""
    work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


# FLOP per second below which large products take minutes: of an emulated type, whose peak is that of small ones.
_SLOW = 2e10


def matrix_peak(dtype: torch.dtype, side: int = 2048) -> float:
    """FLOP per second of a square matrix product."""
    if side > 256 and (small := matrix_peak(dtype, 256)) < _SLOW:
        return small
    a = torch.randn(side, side).to(dtype)
    out = torch.empty(side, side, dtype=dtype)
    return 2 * side**3 / median_seconds(lambda: torch.mm(a, a, out=out))


def convolution_peak(dtype: torch.dtype, side: int = 128) -> float:
    """FLOP per second of a 3x3 convolution with 256 channels in and out on so many positions a side."""
    if side > 16 and (small := convolution_peak(dtype, 16)) < _SLOW:
        return small
    x = torch.randn(1, 256, side, side).to(dtype).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(256, 256, 3, 3).to(dtype).contiguous(memory_format=torch.channels_last)
    return 2 * 9 * 256 * 256 * side * side / median_seconds(lambda: torch.conv2d(x, weight, padding=1))


def copy_bandwidth() -> float:
    """Bytes per second read and written by a large copy."""
    a, b = torch.ones(64 << 20), torch.empty(64 << 20)
    return 2 * a.numel() * 4 / median_seconds(lambda: b.copy_(a))


def report() -> dict[str, object]:
    """Everything, as plain data."""
    with torch.no_grad():
        return {
            "processor": processor(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "isa": os.environ.get("ONEDNN_MAX_CPU_ISA", "all"),
            "fp32 matrix TFLOP/s": round(matrix_peak(torch.float32) / 1e12, 3),
            "bf16 matrix TFLOP/s": round(matrix_peak(torch.bfloat16) / 1e12, 3),
            "fp32 convolution TFLOP/s": round(convolution_peak(torch.float32) / 1e12, 3),
            "bf16 convolution TFLOP/s": round(convolution_peak(torch.bfloat16) / 1e12, 3),
            "copy GB/s": round(copy_bandwidth() / 1e9, 1),
        }


if __name__ == "__main__":
    print(json.dumps(report(), indent=1))
