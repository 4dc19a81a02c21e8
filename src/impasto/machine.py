"""What this machine is good at: devices, precision, keeping freed memory; and what a caller of ours may have done to torch."""

import ctypes
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from impasto.choices import Precision
from impasto.errors import SettingsError
from impasto.libraries import KEEP_MEMORY

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # glibc's malloc.h
_ISA_WITHOUT_BF16 = {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI"}
_ISA_WITHOUT_AMX = {"AVX512_CORE_BF16", "AVX512_CORE_FP16", "AVX10_1_512"}


def device(name: str = "auto") -> torch.device:
    """The device of that name; ``auto`` takes CUDA, then Apple's MPS, then the processor.

    Raises:
        SettingsError: if torch does not know the name or cannot use the device here.
    """
    refuse_forked()
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
    """Whether the processor multiplies bfloat16 faster than float32 and oneDNN is allowed to use it.

    Read from what the processor says instead of timed, so that a busy machine decides as an idle one does and a
    resumed run decides as before. Intel's processors multiply it fast with AMX alone: without, an evaluation takes
    longer than in float32 (``benchmarks/README.md``).
    """
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA", "ALL").upper()
    if allowed in _ISA_WITHOUT_BF16:
        return False
    can = torch.cpu.get_capabilities()
    if can.get("amx_bf16", False) and allowed not in _ISA_WITHOUT_AMX:
        return True
    vectors = can.get("avx512_bf16", False) and "Intel" not in str(can.get("cpu_name"))
    return vectors or any(can.get(name, False) for name in ("bf16", "arm_bf16"))


def _probe(dtype: torch.dtype, where: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.ones(1, 128, 64, 64, dtype=dtype, device=where).contiguous(memory_format=torch.channels_last)
    weight = torch.ones(128, 128, 3, 3, dtype=dtype, device=where).contiguous(memory_format=torch.channels_last)
    return x, weight


@cache
def keep_freed_memory() -> bool:
    """Tell the C library to keep freed memory instead of returning it to the system after every tensor, if it may be told.

    Activations of tens of megabytes are allocated and freed many times per evaluation; each time, the system would
    hand out fresh pages one fault at a time, which costs about a tenth of an evaluation. Only glibc knows these
    switches; elsewhere this does nothing and returns False. They hold for the whole process and for good, so they are
    set in impasto's own processes, and where the environment variable IMPASTO_KEEP_MEMORY is 1.
    """
    if sys.platform != "linux" or not _may_keep():
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return all(mallopt(key, value) for key, value in ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1)))


def _may_keep() -> bool:
    said = os.environ.get(KEEP_MEMORY, "0")
    if said not in ("0", "1"):
        raise SettingsError(f"The environment variable {KEEP_MEMORY} is {said!r}; set it to 1 or 0, or unset it.")
    return said == "1"


def release_freed_memory() -> None:
    """Return what was kept to the system, before work of another shape begins."""
    if keep_freed_memory():
        ctypes.CDLL(None).malloc_trim(0)


def threads(where: torch.device) -> int | None:
    """How many threads compute there, which decides in which order sums are taken; None where that is not ours to say."""
    return torch.get_num_threads() if where.type == "cpu" else None


class _Fork:
    """What a child of this process inherits that it cannot use: a pool of threads that exist in its parent only."""

    threaded = False
    broken = False

    @classmethod
    def inherited(cls) -> None:
        cls.broken = cls.broken or cls.threaded


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_Fork.inherited)


def refuse_forked() -> None:
    """Say so in a child that was forked after its parent had computed with several threads: torch would wait for ever.

    Raises:
        SettingsError: in such a child.
    """
    several = torch.get_num_threads() > 1
    if _Fork.broken and several:
        raise SettingsError(
            "This process was forked from one in which impasto had computed with several threads, which it has not "
            'inherited: it would wait for them for ever. Start it by multiprocessing.get_context("spawn"), or fork '
            "before anything is computed."
        )
    _Fork.threaded = _Fork.threaded or several


@contextmanager
def undisturbed() -> Iterator[None]:
    """Compute as usual, whatever default type, device, inference mode or automatic precision the caller has set.

    All of it holds for this thread alone, so that others are not disturbed either.
    """
    refuse_forked()
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.no_grad())
        for kind in ("cpu", "cuda", "mps"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        if torch.get_default_dtype() != torch.float32:
            stack.enter_context(_UsualPrecision())
        yield


class _UsualPrecision(TorchFunctionMode):
    """Makes tensors in float32 where torch would make them in its default type, in one thread."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = dict(kwargs or {})
        if func in _DRAWN and named.get("dtype") is None:
            named["dtype"] = torch.float32
        made = func(*args, **named)
        usual = isinstance(made, torch.Tensor) and made.dtype == torch.get_default_dtype() and func not in _DOUBLES
        return made.float() if usual and not any(map(_says_type, (*args, *named.values()))) else made


_DRAWN = (torch.rand, torch.randn, torch.linspace, torch.hann_window)  # whose values depend on their type
_DOUBLES = (torch.Tensor.double,)


def _says_type(value: Any) -> bool:
    """Whether an argument decides the type of the result."""
    if isinstance(value, (list, tuple)):
        return any(map(_says_type, value))
    return isinstance(value, torch.dtype | np.ndarray) or (
        isinstance(value, torch.Tensor) and value.is_floating_point()
    )


def free_memory(where: torch.device | None = None) -> int:
    """Bytes that this process may still take: what the system has available, or what its control group leaves of it.

    Args:
        where: a CUDA device has memory of its own, and that is meant; others share the processor's.
    """
    if where is not None and where.type == "cuda":
        return torch.cuda.mem_get_info(where)[0]
    return min([_available(), *control_groups()])


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


def control_groups(root: Path = Path("/sys/fs/cgroup"), of: Path = Path("/proc/self/cgroup")) -> Iterator[int]:
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
