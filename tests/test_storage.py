"""Tensors in memory and in mapped files."""

import errno
import gc
import mmap
import os
from pathlib import Path

import pytest
import torch

from impasto.errors import SettingsError
from impasto.storage import MEMORY, Mapped, in_memory, temporary_folder


@pytest.fixture
def mapped(tmp_path):
    """A storage that puts everything into files of a folder."""
    return Mapped(tmp_path, worth=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_a_tensor_is_what_was_asked_for(mapped, dtype):
    """Shape, type, and values that stay, in memory or in a file."""
    for storage in (MEMORY, mapped):
        x = storage.empty((2, 3, 5), dtype)
        assert x.shape == (2, 3, 5)
        assert x.dtype == dtype
        x.copy_(torch.arange(30).view(2, 3, 5))
        storage.release()
        assert torch.equal(x.float().flatten(), torch.arange(30.0))
        assert not storage.zeros_like(x).any()
        assert storage.empty_like(x, torch.float32).dtype == torch.float32


def test_views_keep_the_pages(mapped):
    """A file lives as long as any view of it, and no longer."""
    x = mapped.empty((4, 1000), torch.float32).fill_(3)
    view = x[2]
    del x
    gc.collect()
    mapped.release()
    assert view.sum() == 3000
    assert mapped.file_count == 1
    del view
    gc.collect()
    assert mapped.file_count == 0


def test_files_have_no_name(mapped, tmp_path):
    """Nothing is left behind, even by a process that is killed."""
    x = mapped.empty((1000,), torch.float32)
    assert list(tmp_path.iterdir()) == []
    assert x.numel() == 1000


def test_released_pages_are_read_back(mapped):
    """Releasing gives pages back to the system: the process has fewer afterwards, and the same values."""
    if not hasattr(mmap, "MADV_DONTNEED"):
        pytest.skip("this system cannot release pages")
    x = mapped.empty((2**22,), torch.float32).fill_(1)
    before = _resident()
    mapped.release()
    assert before - _resident() > 12e6
    assert x.sum() == 2**22


def test_small_tensors_stay_in_memory(tmp_path):
    """A file is not worth it."""
    storage = Mapped(tmp_path)
    storage.empty((100,), torch.float32)
    assert storage.file_count == 0


def test_a_full_disk_is_told(mapped, monkeypatch):
    """When the file is made, not when a page of it is written."""

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(SettingsError, match=r"cannot take a file of 4\.0 GB \(No space left on device\).*TMPDIR"):
        mapped.empty((10**9,), torch.float32)


def _resident():
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def mounts(tmp_path):
    """A system whose folder for temporary files is in memory, and one below it on a disk."""
    table = tmp_path / "mounts"
    place = str(tmp_path).replace("\\", "\\134").replace(" ", "\\040")
    rows = [
        "/dev/sda1 / ext4 rw 0 0",
        f"tmpfs {place} tmpfs rw 0 0",
        f"/dev/sdb1 {place}/on\\040\\134\\011disk ext4 rw 0 0",
    ]
    table.write_bytes(os.fsencode("\n".join(rows)))
    return table


def test_folders_in_memory_are_known(tmp_path, mounts):
    """By the nearest place where something is mounted; nothing is known where the system does not tell."""
    assert in_memory(tmp_path / "deeper", mounts)
    assert not in_memory(tmp_path / "on \\\tdisk" / "deeper", mounts)
    assert not in_memory(Path("/"), mounts)
    assert not in_memory(tmp_path, tmp_path / "missing")


def test_files_beside_memory_are_not_put_into_it(tmp_path, mounts, monkeypatch):
    """Unless somebody chose that folder."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    assert temporary_folder(mounts) == Path("/var/tmp")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert temporary_folder(mounts) == tmp_path


@pytest.mark.parametrize(("number", "advice"), [(errno.EACCES, False), (errno.EROFS, False), (errno.ENOSPC, True)])
def test_space_is_asked_for_only_where_it_is_short(mapped, monkeypatch, number, advice):
    """A folder that may not be written to needs another folder."""

    def failing(**_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tempfile.TemporaryFile", failing)
    with pytest.raises(SettingsError, match=rf"{os.strerror(number)}\); .*set TMPDIR to another folder") as caught:
        mapped.empty((1000,), torch.float32)
    assert ("free some space" in str(caught.value)) == advice
