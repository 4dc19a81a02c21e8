"""Files made of pieces: taken apart, changed piece by piece with checksums and lengths put right or left wrong, put together."""

import random
import struct
import zlib
from functools import cache

from bytewise import changed, odd_integer
from tags import odd_exif

Pieces = list[tuple[bytes, bytes]]
"""Names and contents."""

_PNG = b"\x89PNG\r\n\x1a\n"


def shuffled(rng: random.Random, pieces: Pieces, story: list[str]) -> None:
    """Drop, double, move or change a piece."""
    place = rng.randrange(len(pieces))
    name, data = pieces[place]
    match rng.randrange(6):
        case 0:
            pieces.pop(place)
            story.append(f"{name!r} is missing")
        case 1:
            pieces.insert(rng.randrange(len(pieces) + 1), pieces[place])
            story.append(f"{name!r} is twice")
        case 2:
            pieces.insert(rng.randrange(len(pieces)), pieces.pop(place))
            story.append(f"{name!r} is elsewhere")
        case 3:
            pieces[place] = (rng.choice(pieces)[0], data)
            story.append(f"{name!r} bears another name")
        case _:
            pieces[place] = (name, changed(rng, data, story) if data else rng.randbytes(9))
            story.append(f"{name!r} is changed")


@cache
def bomb(megabytes: int, *, twice: bool = False) -> bytes:
    """Zeros, packed; perhaps packed again."""
    plain = zlib.compress(bytes(megabytes * 2**20), 9)
    return zlib.compress(plain, 9) if twice else plain


def odd_text(rng: random.Random) -> bytes:
    """What texts hold that were not written with care."""
    return rng.choice(
        (
            *(
                b"",
                b"plain",
                b"\xff\xfe\xfd",
                "\u00a9 J\u00f6rg".encode(),
                "\u00a9".encode("latin-1"),
                b"\0",
                b"a" * 70_000,
            ),
            *(b"{", b'{"impasto": ', b"[" * 5000, b'{"impasto": "0.1.0"}', b"null", b'{"impasto": NaN}', b"\x1b[2J"),
        )
    )


def png_pieces(data: bytes) -> Pieces:
    """The chunks of a PNG."""
    pieces, place = [], 8
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        pieces.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    return pieces


def png(pieces: Pieces, rng: random.Random | None = None) -> bytes:
    """A PNG of chunks; with ``rng``, a length or a checksum may be wrong."""
    parts = [_PNG]
    for name, data in pieces:
        length, check = len(data), zlib.crc32(name + data)
        if rng and rng.random() < 0.005:
            length = odd_integer(rng)
        if rng and rng.random() < 0.005:
            check ^= 1
        parts.append(struct.pack(">I", length) + name + data + struct.pack(">I", check))
    return b"".join(parts)


def odd_chunk(rng: random.Random) -> tuple[bytes, bytes]:
    """A chunk that may stand in any PNG, with something odd in it."""
    number = struct.pack(">I", odd_integer(rng))
    text, key = odd_text(rng), rng.choice((b"impasto", b"parameters", b"Title", b"Copyright", b"", b"k" * 90, b"\xe4"))
    packed = rng.choice((zlib.compress(text), bomb(60), bomb(60, twice=True), zlib.compress(text)[:-3], b"", text))
    return rng.choice(
        (
            (b"gAMA", number),
            (b"cHRM", b"".join(struct.pack(">I", odd_integer(rng)) for _ in range(rng.choice((8, 8, 7, 0))))),
            (b"cICP", bytes(rng.randrange(256) for _ in range(rng.choice((4, 4, 3, 0))))),
            (b"cICP", bytes((rng.choice((1, 9, 12)), rng.choice((13, 16, 18, 8)), 0, rng.choice((0, 1))))),
            (b"sRGB", bytes([rng.choice((0, 3, 4, 255))])),
            (b"sBIT", bytes(rng.choice((0, 1, 8, 16, 255)) for _ in range(rng.randrange(6)))),
            (b"pHYs", number + struct.pack(">IB", odd_integer(rng), rng.choice((0, 1, 2, 255)))),
            (b"pHYs", number),
            (b"tRNS", rng.randbytes(rng.choice((0, 1, 2, 6, 256, 300)))),
            (b"PLTE", rng.randbytes(rng.choice((0, 3, 4, 768, 771)))),
            (b"bKGD", rng.randbytes(rng.choice((0, 1, 2, 6)))),
            (b"hIST", rng.randbytes(6)),
            (b"tIME", rng.randbytes(7)),
            (b"eXIf", odd_exif(rng)),
            (b"eXIf", odd_exif(rng)),
            (b"iCCP", b"name\0\0" + packed),
            (b"iCCP", key + b"\0" + packed),
            (b"tEXt", key + b"\0" + text),
            (b"zTXt", key + b"\0" + rng.choice((b"\0", b"\1", b"")) + packed),
            (
                b"iTXt",
                key
                + b"\0"
                + rng.choice((b"\0\0", b"\1\0", b"\1\1", b"\2\0", b""))
                + b"en\0k\0"
                + rng.choice((text, packed)),
            ),
            (b"acTL", number + b"\0\0\0\0"),
            (b"fcTL", number * 6),
            (b"fdAT", number + b"\0" * 20),
            (b"IDAT", bomb(60)),
            (b"IEND", b""),
            (b"abcd", rng.randbytes(5)),
            (b"ABCD", rng.randbytes(5)),
        )
    )


def odd_header(rng: random.Random, header: bytes) -> bytes:
    """A PNG's first chunk with one of its numbers replaced."""
    width, height, *rest = struct.unpack(">IIBBBBB", header.ljust(13, b"\0")[:13])
    place = rng.randrange(7)
    if place < 2:
        value = rng.choice((0, 1, width + 1, 3000, 65_535, odd_integer(rng)))
        sizes = (value, height) if place else (width, value)
        return struct.pack(">IIBBBBB", *sizes, *rest)
    rest[place - 2] = rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 255))
    return struct.pack(">IIBBBBB", width, height, *rest)


def changed_png(rng: random.Random, data: bytes, story: list[str]) -> bytes:
    """A PNG with chunks changed, added, dropped and out of order."""
    pieces = png_pieces(data)
    for _ in range(rng.randint(1, 3)):
        if not pieces:
            break
        choice = rng.randrange(5)
        if choice == 0 and pieces[0][0] == b"IHDR":
            pieces[0] = (b"IHDR", odd_header(rng, pieces[0][1]))
            story.append(f"header {pieces[0][1].hex()}")
        elif choice <= 3:
            piece = odd_chunk(rng)
            pieces.insert(rng.choice((1, 1, 1, len(pieces), rng.randrange(len(pieces) + 1))), piece)
            story.append(f"a chunk {piece[0]!r} of {len(piece[1])} bytes: {piece[1][:24]!r}")
        else:
            shuffled(rng, pieces, story)
    return png(pieces, rng)


def jpeg_pieces(data: bytes) -> tuple[Pieces, bytes]:
    """The segments of a JPEG before its scan, by marker, and the scan with all that follows."""
    pieces, place = [], 2
    while place + 4 <= len(data) and data[place] == 0xFF and data[place + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", data, place + 2)
        pieces.append((data[place + 1 : place + 2], data[place + 4 : place + 2 + length]))
        place += 2 + length
    return pieces, data[place:]


def jpeg(pieces: Pieces, scan: bytes, rng: random.Random | None = None) -> bytes:
    """A JPEG of segments; with ``rng``, a length may be wrong."""
    parts = [b"\xff\xd8"]
    for marker, data in pieces:
        length = min(65_535, len(data) + 2)
        if rng and rng.random() < 0.03:
            length = odd_integer(rng, 16)
        parts.append(b"\xff" + marker + struct.pack(">H", length) + data[:65_533])
    return b"".join(parts) + scan


def odd_segment(rng: random.Random) -> tuple[bytes, bytes]:
    """A segment with something odd in it."""
    short = struct.pack(">H", odd_integer(rng, 16))
    xmp = b"http://ns.adobe.com/xap/1.0/\0"
    extended = (
        b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + struct.pack(">II", odd_integer(rng), odd_integer(rng))
    )
    entity = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&b;'
    return rng.choice(
        (
            (b"\xe1", b"Exif\0\0" + odd_exif(rng)),
            (b"\xe1", b"Exif\0\0" + odd_exif(rng)),
            (b"\xe1", b"Exif\0\0" + odd_exif(rng)),
            (b"\xe1", b"Exif\0"),
            (b"\xe1", xmp + rng.choice((b"", b"<x", entity, b"<a>" * 3000, odd_text(rng)))),
            (b"\xe1", extended + odd_text(rng)),
            (
                b"\xe2",
                b"ICC_PROFILE\0" + bytes((rng.choice((0, 1, 2, 255)), rng.choice((0, 1, 2, 255)))) + rng.randbytes(200),
            ),
            (b"\xe2", b"MPF\0" + odd_exif(rng)),
            (
                b"\xe0",
                b"JFIF\0\1\1" + bytes([rng.choice((0, 1, 2, 7))]) + short + short + rng.choice((b"\0\0", b"\xff\xff")),
            ),
            (b"\xe0", b"JFIF"),
            (b"\xed", b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", odd_integer(rng)) + odd_text(rng)),
            (b"\xed", b"Photoshop 3.0\0" + b"8BIM\x03\xed\0\0\0\0\0\x10" + rng.randbytes(rng.choice((3, 16)))),
            (b"\xee", b"Adobe\0d\0\0\0\0" + bytes([rng.choice((0, 1, 2, 3))])),
            (b"\xfe", odd_text(rng)),
            (b"\xdd", short),
            (b"\xdb", rng.randbytes(65)),
            (b"\xc4", rng.randbytes(30)),
            (b"\xc0", b"\x08" + short + short + b"\x03\x01\x22\0\x02\x11\1\x03\x11\1"),
            (b"\xd0", b""),
        )
    )


def changed_jpeg(rng: random.Random, data: bytes, story: list[str]) -> bytes:
    """A JPEG with segments changed, added, dropped and out of order, or a damaged scan."""
    pieces, scan = jpeg_pieces(data)
    for _ in range(rng.randint(1, 3)):
        if not pieces:
            break
        match rng.randrange(6):
            case 0:
                frames = [
                    at for at, (name, _) in enumerate(pieces) if name in (b"\xc0", b"\xc1", b"\xc2") and len(_) > 8
                ]
                if frames:
                    frame = bytearray(pieces[frames[0]][1])
                    at = rng.randrange(len(frame))
                    frame[at] = rng.choice((0, 1, 2, 3, 4, 8, 12, 16, 0x41, 0xFF))
                    pieces[frames[0]] = (pieces[frames[0]][0], bytes(frame))
                    story.append(f"frame header {frame.hex()}")
            case 1 | 2 | 3:
                piece = odd_segment(rng)
                pieces.insert(rng.choice((0, 1, rng.randrange(len(pieces) + 1))), piece)
                story.append(f"a segment {piece[0]!r} of {len(piece[1])} bytes: {piece[1][:40]!r}")
            case 4:
                shuffled(rng, pieces, story)
            case _:
                scan = rng.choice(
                    (scan[:-2], scan + scan, changed(rng, scan, story), scan[: len(scan) // 2] + b"\xff\xd9")
                )
                story.append("the scan is changed")
    return jpeg(pieces, scan, rng)


def riff_pieces(data: bytes, order: str = "<") -> Pieces:
    """The chunks of a RIFF or AIFF file."""
    pieces, place = [], 12
    while place + 8 <= len(data):
        (length,) = struct.unpack_from(f"{order}I", data, place + 4)
        pieces.append((data[place : place + 4], data[place + 8 : place + 8 + length]))
        place += 8 + length + length % 2
    return pieces


def riff(head: bytes, pieces: Pieces, order: str = "<", rng: random.Random | None = None) -> bytes:
    """A file of chunks whose first 12 bytes are ``head``; with ``rng``, lengths may be wrong."""
    parts = []
    for name, data in pieces:
        length = odd_integer(rng) if rng and rng.random() < 0.05 else len(data)
        parts.append(name + struct.pack(f"{order}I", length) + data + b"\0" * (len(data) % 2))
    body = head[8:12] + b"".join(parts)
    whole = odd_integer(rng) if rng and rng.random() < 0.05 else len(body)
    return head[:4] + struct.pack(f"{order}I", whole) + body


def changed_riff(rng: random.Random, data: bytes, story: list[str], extra: Pieces = ()) -> bytes:
    """A RIFF or AIFF file with chunks changed, added, dropped and out of order."""
    order = ">" if data[:4] == b"FORM" else "<"
    pieces = riff_pieces(data, order)
    for _ in range(rng.randint(1, 3)):
        if extra and rng.random() < 0.5:
            piece = rng.choice(extra)
            pieces.insert(rng.randrange(len(pieces) + 1), piece)
            story.append(f"a chunk {piece[0]!r} of {len(piece[1])} bytes: {piece[1][:24]!r}")
        elif pieces:
            shuffled(rng, pieces, story)
    return riff(data[:12], pieces, order, rng)


def boxes(data: bytes) -> Pieces:
    """The boxes of an ISO media file such as AVIF."""
    pieces, place = [], 0
    while place + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        length = length if length >= 8 else len(data) - place
        pieces.append((data[place + 4 : place + 8], data[place + 8 : place + length]))
        place += length
    return pieces


def boxed(pieces: Pieces, rng: random.Random | None = None) -> bytes:
    """A file of boxes; with ``rng``, lengths may be wrong."""
    parts = []
    for name, data in pieces:
        length = odd_integer(rng) if rng and rng.random() < 0.04 else len(data) + 8
        parts.append(struct.pack(">I", length) + name + data)
    return b"".join(parts)


def changed_boxes(rng: random.Random, data: bytes, story: list[str], depth: int = 0) -> bytes:
    """A file of boxes with boxes changed, dropped, doubled and out of order, at any depth."""
    pieces = boxes(data)
    if not pieces:
        return changed(rng, data, story)
    inner = [
        at
        for at, (name, _) in enumerate(pieces)
        if name in (b"meta", b"iprp", b"ipco", b"iinf", b"moov", b"trak", b"dinf")
    ]
    if inner and depth < 4 and rng.random() < 0.7:
        at = rng.choice(inner)
        name, content = pieces[at]
        head = {b"meta": 4, b"iinf": 6}.get(name, 0)
        pieces[at] = (name, content[:head] + changed_boxes(rng, content[head:], story, depth + 1))
    else:
        shuffled(rng, pieces, story)
    return boxed(pieces, rng)


def _ogg_checksum(page: bytes) -> int:
    register = 0
    for byte in page:
        register = (register << 8 & 0xFFFFFFFF) ^ _OGG[register >> 24 ^ byte]
    return register


def _ogg_table() -> list[int]:
    table = []
    for number in range(256):
        register = number << 24
        for _ in range(8):
            register = register << 1 ^ (0x04C11DB7 if register & 0x80000000 else 0)
        table.append(register & 0xFFFFFFFF)
    return table


_OGG = _ogg_table()


def changed_ogg(rng: random.Random, data: bytes, story: list[str]) -> bytes:
    """An Ogg file with pages changed, dropped, doubled and out of order, and their checksums put right."""
    pages = [bytearray(b"OggS" + part) for part in data.split(b"OggS")[1:]]
    for _ in range(rng.randint(1, 3)):
        if not pages:
            break
        place = rng.randrange(len(pages))
        match rng.randrange(4):
            case 0:
                pages.pop(place)
                story.append(f"page {place} is missing")
            case 1:
                pages.insert(rng.randrange(len(pages)), bytearray(pages[place]))
                story.append(f"page {place} is twice")
            case _:
                page = pages[place]
                at = rng.choice(
                    (rng.randrange(4, min(27, len(page))), rng.randrange(4, len(page)), min(len(page) - 1, 40))
                )
                page[at] = rng.choice((0, 1, 0x7F, 0xFF, rng.randrange(256)))
                story.append(f"page {place} has {page[at]} at {at}")
    for page in pages:
        page[22:26] = bytes(4)
        page[22:26] = struct.pack("<I", _ogg_checksum(bytes(page)))
    return b"".join(map(bytes, pages))
