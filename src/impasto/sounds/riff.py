"""The chunks of a WAV file: whether it is all there, and a place for words that soundfile has none for."""

import struct
from collections.abc import Iterator

_STREAMED = (0, 0x7FFFFFFF, 0xFFFFFFFF)  # sizes that programs write when they cannot go back to fill them in


def is_wave(data: bytes) -> bool:
    """Whether these are the bytes of a WAV file."""
    return data[:4] == b"RIFF" and data[8:12] == b"WAVE"


def missing(data: bytes) -> int:
    """How many bytes of samples a WAV file promises and does not have; 0 if it is complete or does not say."""
    for name, start, size in _chunks(data):
        if name == b"data":
            return 0 if size in _STREAMED else max(0, start + size - len(data))
    return 0


def with_comment(data: bytes, text: str) -> bytes:
    """The file with a comment (a LIST chunk of type INFO with one ICMT) behind its samples."""
    words = text.encode() + b"\0"
    words += b"\0" * (len(words) % 2)
    body = b"INFO" + b"ICMT" + struct.pack("<I", len(words)) + words
    longer = data + b"\0" * (len(data) % 2) + b"LIST" + struct.pack("<I", len(body)) + body
    return longer[:4] + struct.pack("<I", len(longer) - 8) + longer[8:]


def comment_of(data: bytes) -> str | None:
    """The comment of a WAV file, or None."""
    for name, start, size in _chunks(data):
        if name == b"LIST" and data[start : start + 8] == b"INFOICMT":
            length = int.from_bytes(data[start + 8 : start + 12], "little")
            return data[start + 12 : start + min(12 + length, size)].rstrip(b"\0").decode(errors="replace")
    return None


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start of the content, and promised size of every chunk."""
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], at + 8, size
        at += 8 + size + size % 2
