"""The chunks of PNG files: text and profiles of any size, and what a file says of its colors.

Pillow and libvips refuse a picture whose text or profile unpacks to more than a megabyte. Here these chunks are read
apart from the pixels, and unpacked within a bound.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Any

from impasto.errors import ImageError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_KEY = "XML:com.adobe.xmp"
_RAW = "Raw profile type "  # how ImageMagick stores what PNG had no chunk for

_APART = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
_MOST = 2**26
"""Bytes that text and profile may unpack to, all together."""


def chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, memoryview]]:
    """Kind, content and all of each chunk of a file, up to the first that is cut short."""
    view, start = memoryview(data), len(SIGNATURE)
    while start + 12 <= len(data):
        end = start + 12 + int.from_bytes(view[start : start + 4], "big")
        if end > len(data):
            return
        yield bytes(view[start + 4 : start + 8]), view[start + 8 : end - 4], view[start:end]
        start = end


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk with its length and checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def bare(data: bytes) -> bytes:
    """The file without its text and color profile."""
    kept, at = [data[: len(SIGNATURE)]], len(SIGNATURE)
    for kind, _, whole in chunks(data):
        at += len(whole)
        if kind not in _APART:
            kept.append(bytes(whole))
    return b"".join([*kept, data[at:]])


def text_chunk(key: str, text: str) -> bytes:
    """Text under a key, in Latin letters where they will do."""
    name = key.encode("latin-1", "replace")[:79]
    try:
        return chunk(b"tEXt", name + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        return chunk(b"iTXt", name + b"\0\0\0\0\0" + text.encode("utf-8", "replace"))


def chunk_metadata(data: bytes, name: str) -> dict[str, Any]:
    """What the chunks say that :func:`bare` leaves out, by the names that Pillow has for it.

    These are ``icc_profile``, ``exif`` and ``iptc`` (where ImageMagick stored them), ``xmp``, ``cicp`` (four numbers), and
    ``texts``, a dict.

    Raises:
        ImageError: if text and profile unpack to more than 64 MB.
        zlib.error: if the profile is damaged.
    """
    left, texts, found = _MOST, dict[str, str](), dict[str, Any]()
    for kind, content, _ in chunks(data):
        if kind == b"cICP" and len(content) == 4:
            if not content[3]:
                raise ImageError(f"{name} stores its colors in the narrow range of video; save it as sRGB.")
            found["cicp"] = tuple(content)
        elif kind == b"iCCP":
            packed = bytes(content).partition(b"\0")[2][1:]
            found["icc_profile"] = _unpacked(packed, left, name)
            left -= len(found["icc_profile"])
        elif kind in _APART and (read := _text(kind, bytes(content), left, name)):
            left -= len(read[1])
            texts[read[0]] = read[1]
    if XMP_KEY in texts:
        found["xmp"] = texts.pop(XMP_KEY).encode("utf-8", "surrogateescape")
    for key in [key for key in texts if key.startswith(_RAW)]:
        profile = _raw_profile(texts.pop(key))
        if what := {"exif": "exif", "APP1": "exif", "iptc": "iptc"}.get(key.removeprefix(_RAW)):
            found[what] = profile
    return {**found, "texts": texts}


def _unpacked(packed: bytes, most: int, name: str) -> bytes:
    stream = zlib.decompressobj()
    plain = stream.decompress(packed, max(1, most))
    if stream.unconsumed_tail or len(plain) > most:
        raise ImageError(
            f"{name} holds text or a color profile that unpacks to more than {_MOST >> 20} MB; save it without."
        )
    return plain


def _text(kind: bytes, content: bytes, left: int, name: str) -> tuple[str, str] | None:
    """Key and text of a chunk, or None where it is damaged: text says nothing that the pixels need."""
    key, _, rest = content.partition(b"\0")
    packed, encoding = kind == b"zTXt", "utf-8" if kind == b"iTXt" else "latin-1"
    try:
        if kind == b"iTXt":
            packed = rest[0] == 1
            rest = rest[2:].split(b"\0", 2)[2]
        elif packed:
            rest = rest[1:]
        plain = _unpacked(rest, left, name) if packed else rest
        return key.decode("latin-1"), plain.decode(encoding, "surrogateescape")
    except (IndexError, zlib.error):
        return None


def _raw_profile(text: str) -> bytes:
    """ImageMagick's form: a name, a length and the bytes in hexadecimal."""
    try:
        return bytes.fromhex("".join(text.split("\n")[3:]))
    except ValueError:
        return b""
