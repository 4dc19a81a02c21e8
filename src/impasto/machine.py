"""What this machine is good at: devices, precision, and keeping freed memory for the next evaluation."""

import ctypes
import os
import sys
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import torch

from impasto.choices import Precision
from impasto.errors import SettingsError

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # glibc's malloc.h
_ISA_WITHOUT_BF16 = {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI"}


def device(name: str = "auto") -> torch.device:
    """The device of that name; ``auto`` takes CUDA, then Apple's MPS, then the processor.

    Raises:
        SettingsError: if torch does not know the name or cannot use the device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        found = torch.device(name)
        torch.zeros(1, device=found).item()  # devices may exist that do not compute
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = textwrap.shorten(str(error).strip().splitlines()[0].rstrip("."), 120, placeholder=" ...")
        raise SettingsError(f"The device {name!r} cannot be used here: {reason}; use auto or cpu.") from None
    return found


def precision(choice: Precision, where: torch.device) -> torch.dtype:
    """The precision of features and convolutions: ``auto`` takes bfloat16 where the device multiplies it natively.

    Raises:
        SettingsError: if bf16 is asked for on a device that does not compute with it.
    """
    if choice == "fp32":
        return torch.float32
    if choice == "bf16":
        try:
            torch.nn.functional.conv2d(*_probe(torch.bfloat16, where))
        except RuntimeError:
            raise SettingsError(f"The device {where} does not compute in bf16; use --precision fp32.") from None
        return torch.bfloat16
    if where.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    return torch.bfloat16 if where.type == "cpu" and _bf16_is_fast() else torch.float32


def _bf16_is_fast() -> bool:
    """Whether the processor multiplies bfloat16 natively and oneDNN is allowed to use it.

    Read from what the processor says instead of timed, so that a busy machine decides as an idle one does and a
    resumed run decides as before.
    """
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA", "ALL").upper()
    if allowed in _ISA_WITHOUT_BF16:
        return False
    if hasattr(torch.cpu, "get_capabilities"):
        can = torch.cpu.get_capabilities()
        return any(can.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16", "arm_bf16"))
    return bool(torch.cpu._is_avx512_bf16_supported())  # noqa: SLF001 - torch before get_capabilities


def _probe(dtype: torch.dtype, where: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.ones(1, 128, 64, 64, dtype=dtype, device=where).contiguous(memory_format=torch.channels_last)
    weight = torch.ones(128, 128, 3, 3, dtype=dtype, device=where).contiguous(memory_format=torch.channels_last)
    return x, weight


@cache
def keep_freed_memory() -> bool:
    """Tell the C library to keep freed memory instead of returning it to the system after every tensor.

    Activations of tens of megabytes are allocated and freed many times per evaluation; each time, the system would
    hand out fresh pages one fault at a time, which costs about a tenth of an evaluation. Only glibc knows these
    switches; elsewhere this does nothing and returns False.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return all(mallopt(key, value) for key, value in ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1)))


def release_freed_memory() -> None:
    """Return what was kept to the system, before work of another shape begins."""
    if keep_freed_memory():
        ctypes.CDLL(None).malloc_trim(0)


def free_memory(where: torch.device | None = None) -> int:
    """Bytes that this process may still take: what the system has available, or what its control group leaves of it.

    Args:
        where: a CUDA device has memory of its own, and that is meant; others share the processor's.
    """
    if where is not None and where.type == "cuda":
        return torch.cuda.mem_get_info(where)[0]
    return min([_available(), *_control_groups()])


def _available() -> int:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2  # nobody says how much of it is free
    return 4 * 2**30


def _control_groups(root: Path = Path("/sys/fs/cgroup"), of: Path = Path("/proc/self/cgroup")) -> Iterator[int]:
    """What each limit of this process's control groups leaves, of version 2 and 1, from its own group up."""
    try:
        rows = [line.split(":", 2) for line in of.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return
    for _, controllers, group in rows:
        if controllers == "":
            yield from _left(root, group, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _left(root / "memory", group, *names)


def _left(root: Path, group: str, limit: str, usage: str, reclaimable: str) -> Iterator[int]:
    for place in (root / group.lstrip("/"), *(root / group.lstrip("/")).parents):
        try:
            most = int((place / limit).read_text(encoding="ascii"))  # "max" is no limit
            used = int((place / usage).read_text(encoding="ascii"))
            rows = dict(line.split() for line in (place / "memory.stat").read_text(encoding="ascii").splitlines())
            yield max(0, most - used + int(rows.get(reclaimable, 0)))
        except (OSError, ValueError):
            pass
        if place == root:
            return


def synchronize(where: torch.device) -> None:
    """Wait until the device has done what it was asked to, so that a clock read next is meaningful."""
    if where.type == "cuda":
        torch.cuda.synchronize(where)
