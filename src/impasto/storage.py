"""Where large tensors live: in memory, or in files that the system maps into it as they are used."""

import errno
import math
import mmap
import os
import re
import tempfile
import weakref
from pathlib import Path

import torch
from torch import Tensor

from impasto.errors import SettingsError

MOUNTS = Path("/proc/mounts")
"""Where Linux tells what kind of file system each folder is on."""

_ON_DISK = Path("/var/tmp")  # noqa: S108 - files there have no name that another could have made first


class Storage:
    """Gives tensors to write into. This one keeps them in memory."""

    def empty(self, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device | str = "cpu") -> Tensor:
        """A tensor of undefined values."""
        return torch.empty(shape, dtype=dtype, device=device)

    def empty_like(self, x: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """A tensor of the shape of ``x``, and of its type unless another is given."""
        return self.empty(tuple(x.shape), dtype or x.dtype, x.device)

    def zeros_like(self, x: Tensor) -> Tensor:
        """A tensor of zeros of the shape and type of ``x``."""
        return self.empty_like(x).zero_()

    def release(self) -> None:
        """Let go of pages that are not in use just now, where that is possible without losing what they hold."""


MEMORY = Storage()
"""Everything in memory."""


class Mapped(Storage):
    """Keeps large tensors of the processor in files without a name, which go when the tensors go.

    The system reads and writes pages as they are touched and takes them back when memory is short; :meth:`release` gives
    them back at once.

    Args:
        folder: where the files are; unless given that for temporary files, or if that is in memory itself and nobody chose
            it, ``/var/tmp``, which is on a disk.
        worth: bytes below which a tensor stays in memory.
    """

    def __init__(self, folder: Path | None = None, worth: int = 2**24) -> None:
        self.folder = folder or temporary_folder()
        self.worth = worth
        self._mapped: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()

    def empty(self, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device | str = "cpu") -> Tensor:
        """A tensor of undefined values: in a file, if it is large and the processor's.

        Raises:
            SettingsError: when there is no room for the file.
        """
        size = math.prod(shape) * dtype.itemsize
        if size < self.worth or torch.device(device).type != "cpu":
            return super().empty(shape, dtype, device)
        pages = self._pages(size)
        self._mapped.add(pages)
        return torch.frombuffer(pages, dtype=dtype).view(shape)

    @property
    def file_count(self) -> int:
        """The number of files that some tensor still lives in."""
        return len(self._mapped)

    def release(self) -> None:
        """Give the pages of all files back to the system; what they hold stays in the files."""
        if hasattr(mmap, "MADV_DONTNEED"):
            for pages in list(self._mapped):
                pages.madvise(mmap.MADV_DONTNEED)

    def _pages(self, size: int) -> mmap.mmap:
        place = self.folder
        try:
            with tempfile.TemporaryFile(dir=place, buffering=0) as file:
                if hasattr(os, "posix_fallocate"):  # now, because a full disk under a mapped page ends the process
                    os.posix_fallocate(file.fileno(), 0, size)
                else:
                    file.truncate(size)
                return mmap.mmap(file.fileno(), size)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            raise SettingsError(
                f"The folder {place} cannot take a file of {size / 1e9:.1f} GB ({error.strerror}); "
                f"{'free some space, ' if full else ''}set TMPDIR to another folder, or give the run more --memory."
            ) from None


def temporary_folder(mounts: Path = MOUNTS) -> Path:
    """Where files beside memory go: where temporary files go, or to ``/var/tmp`` rather than into memory."""
    usual = Path(tempfile.gettempdir())
    chosen = any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    if not chosen and in_memory(usual, mounts) and os.access(_ON_DISK, os.W_OK) and not in_memory(_ON_DISK, mounts):
        return _ON_DISK
    return usual


def in_memory(folder: Path, mounts: Path = MOUNTS) -> bool:
    """Whether the files of a folder are in memory, as far as the system tells."""
    try:
        rows = [line.split() for line in mounts.read_bytes().splitlines()]
    except OSError:
        return False
    place = folder.resolve()
    found = [(Path(os.fsdecode(_unescaped(row[1]))), row[2]) for row in rows if len(row) > 2]
    kinds = [(len(point.parts), kind) for point, kind in found if place.is_relative_to(point)]
    return bool(kinds) and max(reversed(kinds), key=lambda pair: pair[0])[1] in (b"tmpfs", b"ramfs")


def _unescaped(name: bytes) -> bytes:
    """A name of the table of mounts, in which spaces and the like stand as three octal digits."""
    return re.sub(rb"\\([0-7]{3})", lambda digits: bytes([int(digits[1], 8) & 255]), name)
