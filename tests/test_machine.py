"""Devices and precisions."""

import pytest
import torch

from impasto import machine
from impasto.errors import SettingsError

CPU = torch.device("cpu")


def test_automatic_device_is_one_that_computes():
    """Whatever it is, a tensor can be made on it."""
    assert torch.ones(2, device=machine.device("auto")).sum() == 2
    assert machine.device("cpu") == CPU


@pytest.mark.parametrize("name", ["toaster", "cuda:99", "meta", "meta:x", ""])
def test_device_that_is_not_there_gets_a_sentence(name):
    """With the name, torch's reason and a way out, on one line."""
    with pytest.raises(SettingsError, match=rf"^The device '{name}' cannot be used here: .") as caught:
        machine.device(name)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("; use auto or cpu.")


def test_precision_asked_for_is_given():
    """The processor computes both."""
    assert machine.precision("fp32", CPU) == torch.float32
    assert machine.precision("bf16", CPU) == torch.bfloat16


ZEN = {"avx2": True, "avx512_bf16": True, "cpu_name": "AMD EPYC"}
XEON = {"avx512_bf16": True, "cpu_name": "Intel Xeon"}


@pytest.mark.parametrize(
    ("can", "allowed", "dtype"),
    [
        (ZEN, "ALL", torch.bfloat16),
        (ZEN, "AVX512_CORE_BF16", torch.bfloat16),
        ({**ZEN, "avx512_bf16": False}, "ALL", torch.float32),
        (XEON, "ALL", torch.float32),
        ({**XEON, "amx_bf16": True}, "ALL", torch.bfloat16),
        ({**XEON, "amx_bf16": True}, "AVX512_CORE_BF16", torch.float32),
        ({"arm_bf16": True}, "ALL", torch.bfloat16),
        ({}, "ALL", torch.float32),
    ],
)
def test_automatic_precision_follows_the_processor(monkeypatch, can, allowed, dtype):
    """bf16 where it is fast: on Intel's processors that takes AMX."""
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", allowed)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: can)
    assert machine.precision("auto", CPU) == dtype


def test_processor_limited_by_its_user_takes_float32(monkeypatch):
    """When told to leave bf16 alone, oneDNN does not compute it fast, whatever the processor could do."""
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "avx2")
    assert machine.precision("auto", CPU) == torch.float32


def test_precision_that_the_device_lacks_is_refused(monkeypatch):
    """Found out by trying, and told with the device's name."""

    def fail(*arguments):
        raise RuntimeError("not implemented for 'BFloat16'")

    monkeypatch.setattr(torch.nn.functional, "conv2d", fail)
    with pytest.raises(SettingsError, match=r"^The device cpu does not compute in bf16; use --precision fp32\.$"):
        machine.precision("bf16", CPU)


@pytest.mark.parametrize(("able", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_automatic_precision_follows_the_accelerator(monkeypatch, able, dtype):
    """CUDA says what it can do without emulation; of others nothing is assumed."""
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda *, including_emulation: able and not including_emulation
    )
    assert machine.precision("auto", torch.device("cuda")) == dtype
    assert machine.precision("auto", torch.device("mps")) == torch.float32


def test_memory_can_be_kept_and_released():
    """As often as one likes, with the same answer; a system without the switches is left alone."""
    assert machine.keep_freed_memory() == machine.keep_freed_memory()
    machine.release_freed_memory()
    machine.synchronize(CPU)


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_are_left_alone(monkeypatch, platform):
    """Only glibc has these switches."""
    monkeypatch.setattr(machine.sys, "platform", platform)
    assert machine.keep_freed_memory.__wrapped__() is False


def test_free_memory_is_what_the_system_has():
    """Some of it, and not more than there is."""
    assert 2**20 < machine.free_memory() < 2**50


@pytest.mark.parametrize("version", [1, 2])
def test_a_containers_limit_counts(tmp_path, version):
    """The tightest of a process's own control group and those around it; caches that can be dropped count as free."""
    root, of = tmp_path / "cgroup", tmp_path / "own"
    memory = root / "memory" if version == 1 else root
    names = {
        1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        2: ("memory.max", "memory.current", "inactive_file"),
    }[version]
    of.write_text("5:cpu,memory:/a/b\n" if version == 1 else "0::/a/b\n")
    for place, limit, used, cached in [("a/b", "max", 5, 0), ("a", "1000", 700, 100), (".", "9000", 700, 0)]:
        folder = memory / place
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in zip(names, (limit, used, f"x 1\n{names[2]} {cached}"), strict=True):
            (folder / ("memory.stat" if name == names[2] else name)).write_text(str(value))
    assert sorted(machine.control_groups(root, of)) == [400, 8300]
    assert list(machine.control_groups(root, tmp_path / "missing")) == []
