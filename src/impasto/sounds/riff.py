"""The chunks of a WAV file: whether it is all there, and its words.

libsndfile would write the words, but it reads back none of more than 2 kB, and recipes are longer. Those of FLAC and Ogg are
its own.
"""

import struct
from collections.abc import Iterator, Mapping

_STREAMED = (0, 0x7FFFFFFF, 0xFFFFFFFF)  # sizes that programs write when they cannot go back to fill them in
_DESCRIPTIVE = ("bext", "iXML", "cue ", "smpl", "id3 ", "ID3 ", "_PMX", "cart")


def is_wave(data: bytes) -> bool:
    """Whether these are the bytes of a WAV file."""
    return data[:4] == b"RIFF" and data[8:12] == b"WAVE"


def missing(data: bytes) -> int:
    """How many bytes of samples a WAV file promises and does not have; 0 if it is complete or does not say."""
    for name, start, size in _chunks(data):
        if name == b"data":
            return 0 if size in _STREAMED else max(0, start + size - len(data))
    return 0


def with_info(data: bytes, words: Mapping[str, str]) -> bytes:
    """The file with words by their names, such as ICMT, in a LIST chunk of type INFO behind its samples."""
    if not words:
        return data
    body = b"INFO"
    for name, text in words.items():
        content = text.encode(errors="replace") + b"\0"
        body += name.encode() + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
    longer = data + b"\0" * (len(data) % 2) + b"LIST" + struct.pack("<I", len(body)) + body
    return longer[:4] + struct.pack("<I", len(longer) - 8) + longer[8:]


def info(data: bytes) -> Iterator[tuple[str, str]]:
    """Names and texts of its words; WAV does not say in which letters, so UTF-8, else those of Windows."""
    for name, start, size in _chunks(data):
        if name == b"LIST" and data[start : start + 4] == b"INFO":
            for word, place, length in _chunks(data[start : start + size], 4):
                content = data[start + place : start + place + length].split(b"\0")[0]
                yield word.decode("latin-1"), _text(content)


def chunks_named(data: bytes) -> list[str]:
    """The names of chunks that describe the sound and are not words."""
    lists = ["adtl" for name, start, _ in _chunks(data) if name == b"LIST" and data[start : start + 4] == b"adtl"]
    names = [name.decode("latin-1") for name, _, _ in _chunks(data)]
    return [name for name in names if name in _DESCRIPTIVE] + lists


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _chunks(data: bytes, at: int = 12) -> Iterator[tuple[bytes, int, int]]:
    """Name, start of the content, and promised size of every chunk."""
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], at + 8, size
        at += 8 + size + size % 2
