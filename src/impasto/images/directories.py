"""TIFF directories, in which TIFF and EXIF keep what they say: read as they are stored, and written as they were read.

A value stays the bytes and the type that it had in its file, so that nothing is lost to an alphabet, a fraction or a type
that a library thinks it knows better. Layouts are those of TIFF 6.0 and BigTIFF.

Why not Pillow's ImageFileDirectory_v2: written again, it has ``?`` for letters beyond ASCII, 2/1 for 20/10, and nothing of
the UTF-8 of EXIF 3.0. libvips writes no EXIF into a TIFF at all, and tifffile is no package that everybody has.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from mmap import mmap
from typing import Self

import numpy as np

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL, LONG8 = 1, 2, 3, 4, 5, 7, 10, 16

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8, 129: 1}
"""Bytes of a value of each type; 129 is the UTF-8 text of EXIF 3.0."""

_WORDS = {**_SIZES, RATIONAL: 4, SRATIONAL: 4}
"""Bytes that turn around together where the byte order changes."""

_CODES = {1: "B", 3: "H", 4: "I", 5: "I", 6: "b", 8: "h", 9: "i", 10: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 18: "Q"}
_MOST = 4096  # directories in a row, beyond which a file is taken for a trap


@dataclass(frozen=True)
class DirectoryEntry:
    """What stands under a tag: the number of its type, and its values as they are stored."""

    type: int
    data: bytes | memoryview

    @property
    def count(self) -> int:
        """How many values there are."""
        return len(self.data) // _SIZES[self.type]


Directory = dict[int, DirectoryEntry]
Stored = bytes | memoryview | mmap


@dataclass(frozen=True)
class TiffLayout:
    """How the numbers of a file are stored.

    Args:
        order: ``<`` for the lowest byte first, ``>`` for the highest.
        big: whether it is a BigTIFF.
    """

    order: str
    big: bool = False

    @classmethod
    def of(cls, data: Stored) -> Self:
        """The layout that the first bytes of a file announce.

        Raises:
            ValueError: if they are not those of a TIFF.
        """
        for order, mark in (("<", b"II"), (">", b"MM")):
            for big, version in ((False, 42), (True, 43)):
                if data[:4] == mark + struct.pack(f"{order}H", version):
                    return cls(order, big)
        raise ValueError("no TIFF header")

    @property
    def header(self) -> bytes:
        """The first bytes of a file whose first directory stands right behind them."""
        mark = b"II" if self.order == "<" else b"MM"
        if self.big:
            return mark + struct.pack(f"{self.order}HHHQ", 43, 8, 0, 16)
        return mark + struct.pack(f"{self.order}HI", 42, 8)

    @property
    def _offset(self) -> str:
        return "Q" if self.big else "I"

    def first(self, data: Stored) -> int:
        """Where the first directory begins."""
        return self._number(data, 8 if self.big else 4, self._offset)

    def leading_to(self, start: int) -> bytes:
        """A header that names ``start`` as the place of the first directory."""
        return self.header[: 8 if self.big else 4] + struct.pack(f"{self.order}{self._offset}", start)

    def read(self, data: Stored, start: int) -> tuple[Directory, int]:
        """The directory at an offset, less entries that are damaged, and the offset of the next one or 0.

        Raises:
            ValueError: if there is no directory.
        """
        count_code, width = ("Q", 8) if self.big else ("H", 4)
        count = self._number(data, start, count_code)
        first = start + struct.calcsize(count_code)
        end = first + count * (4 + 2 * width)
        if start == 0 or end > len(data):
            raise ValueError("a directory is cut short")
        found: Directory = {}
        for at in range(first, end, 4 + 2 * width):
            tag, kind = struct.unpack_from(f"{self.order}HH", data, at)
            length = _SIZES.get(kind, 0) * self._number(data, at + 4, self._offset)
            value = at + 4 + width if length <= width else self._number(data, at + 4 + width, self._offset)
            if length > 0 and value + length <= len(data):
                found.setdefault(tag, DirectoryEntry(kind, memoryview(data)[value : value + length]))
        return found, self._number(data, end, self._offset) if end + width <= len(data) else 0

    def chain(self, data: Stored) -> Iterator[Directory]:
        """The directories of a file's pages.

        Raises:
            ValueError: if one of them is damaged, or they lead in a circle.
        """
        start, seen, spent = self.first(data), set[int](), 0
        while start:
            if start in seen or len(seen) > _MOST:
                raise ValueError("its directories lead in a circle")
            seen.add(start)
            directory, start = self.read(data, start)
            spent += len(directory) * 8
            if spent > len(data):
                raise ValueError("its directories lie on top of one another")
            yield directory

    def pack(self, main: Directory, nested: Mapping[int, Directory], start: int) -> bytes:
        """A directory to stand at an offset, with its values and the directories below it, which it will point to."""
        pointer = LONG8 if self.big else LONG
        below = {tag: directory for tag, directory in nested.items() if directory}
        pointers = {tag: DirectoryEntry(pointer, bytes(_SIZES[pointer])) for tag in below}
        end, behind = start + len(self._single({**main, **pointers}, start)), b""
        for tag, directory in below.items():
            pointers[tag] = DirectoryEntry(pointer, struct.pack(f"{self.order}{self._offset}", end + len(behind)))
            behind += self._single(directory, end + len(behind))
        return self._single({**main, **pointers}, start) + behind

    def _single(self, directory: Directory, start: int) -> bytes:
        """One directory and its values."""
        count_code, width = ("Q", 8) if self.big else ("H", 4)
        values_at = start + struct.calcsize(count_code) + len(directory) * (4 + 2 * width) + width
        entries, values = b"", b""
        for tag, entry in sorted(directory.items()):
            entries += struct.pack(f"{self.order}HH{self._offset}", tag, entry.type, entry.count)
            if len(entry.data) <= width:
                entries += bytes(entry.data).ljust(width, b"\0")
                continue
            entries += struct.pack(f"{self.order}{self._offset}", values_at + len(values))
            values += bytes(entry.data) + bytes(len(entry.data) % 2)
        return struct.pack(f"{self.order}{count_code}", len(directory)) + entries + bytes(width) + values

    def numbers(self, entry: DirectoryEntry | None) -> tuple[float, ...]:
        """The values of an entry of numbers; fractions as such, and none where they are not numbers."""
        if entry is None or entry.type not in _CODES:
            return ()
        words = struct.unpack(f"{self.order}{len(entry.data) // _WORDS[entry.type]}{_CODES[entry.type]}", entry.data)
        if entry.type not in (RATIONAL, SRATIONAL):
            return words
        return tuple(
            top / bottom if bottom else float("nan") for top, bottom in zip(words[::2], words[1::2], strict=True)
        )

    def rational(self, value: float) -> DirectoryEntry | None:
        """A number above zero as a fraction of two numbers of 32 bits, or None where there is none that is near."""
        limit = 2**32 - 1
        fraction = Fraction(value).limit_denominator(limit if value <= 1 else max(1, int(limit / value)))
        if not 0 < fraction.numerator <= limit:
            return None
        return DirectoryEntry(RATIONAL, struct.pack(f"{self.order}II", fraction.numerator, fraction.denominator))

    def turned(self, directory: Directory, order: str) -> Directory:
        """A directory of this byte order in another."""
        return directory if order == self.order else {tag: _turned(entry) for tag, entry in directory.items()}

    def _number(self, data: Stored, start: int, code: str) -> int:
        if start + struct.calcsize(code) > len(data):
            raise ValueError("a directory lies beyond the end")
        value: int = struct.unpack_from(f"{self.order}{code}", data, start)[0]
        return value


def _turned(entry: DirectoryEntry) -> DirectoryEntry:
    words = np.frombuffer(entry.data, np.uint8).reshape(-1, _WORDS[entry.type])
    return DirectoryEntry(entry.type, words[:, ::-1].tobytes())
