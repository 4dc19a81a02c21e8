"""TIFF directories, which EXIF is made of too: read, changed entry by entry, and built from odd ones."""

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from bytewise import odd_integer

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of a value by type: byte, text, short, long, fraction, and so on."""

PICTURE_TAGS = (
    *(
        254,
        255,
        256,
        257,
        258,
        259,
        262,
        263,
        266,
        273,
        274,
        277,
        278,
        279,
        280,
        281,
        282,
        283,
        284,
        285,
        290,
        292,
        296,
    ),
    *(
        301,
        305,
        306,
        317,
        318,
        319,
        320,
        321,
        322,
        323,
        324,
        325,
        330,
        332,
        338,
        339,
        340,
        347,
        512,
        513,
        514,
        529,
        530,
    ),
    *(531, 532, 700, 33432, 33723, 34377, 34665, 34675, 34853, 37724, 40965, 50706, 51022),
)
TEXTS = (269, 270, 271, 272, 305, 306, 315, 316, 33432, 36867, 37510, 42036, 40091, 40092, 700)
EXIF_TAGS = (
    33434,
    33437,
    34850,
    34855,
    36864,
    37121,
    37377,
    37380,
    37386,
    37500,
    37510,
    40960,
    40961,
    40962,
    40965,
    41486,
    42034,
)
_WORDS = (
    b"\0",
    b"plain\0",
    b"no end",
    "\u00a9 J\u00f6rg M\u00fcller\0".encode(),
    "\u00a9 J\u00f6rg\0".encode("latin-1"),
    "\u5c71\u7530\0".encode("shift-jis"),
    b"\xff\xfe\xfd\0",
    b"two\0words\0",
    b"a" * 300,
    b"x" * 65_300,
    b"ASCII\0\0\0comment",
    b"UNICODE\0" + "caf\u00e9".encode("utf-16-le"),
    b"UNICODE\0\xd8\0\xd8",
    b"\x1b[31mred\x07\0",
)


@dataclass
class Entry:
    """One line of a directory; ``value`` is packed, and ``count`` and ``offset`` may lie."""

    tag: int
    kind: int
    count: int
    value: bytes
    offset: int | None = None


def odd_value(rng: random.Random, order: str, tag: int) -> Entry:
    """An entry of any type with a value of that type that programs stumble over."""
    kind = (
        rng.choice((*SIZES, 2, 2, 3, 4, 5, 10, 12, 0, 14, 99, 65535))
        if tag not in TEXTS
        else rng.choice((2, 2, 2, 7, 1, 3, 12))
    )
    if kind in (1, 2, 6, 7) and rng.random() < 0.8:
        value = rng.choice(_WORDS)
        return Entry(tag, kind, len(value), value)
    count = rng.choice((0, 1, 1, 1, 2, 3, 4, 16, 256))
    parts = []
    for _ in range(count):
        match kind:
            case 5 | 10:
                pair = rng.choice(((0, 0), (1, 0), (0, 1), (72, 1), (2**31, 1), (1, 2**31), (200_000_000, 1), (300, 7)))
                parts.append(struct.pack(f"{order}II", *pair))
            case 11:
                parts.append(struct.pack(f"{order}f", rng.choice((0.0, -1.0, float("nan"), float("inf"), 1e30))))
            case 12:
                parts.append(struct.pack(f"{order}d", rng.choice((0.0, -1.0, float("nan"), float("-inf"), 1e300))))
            case _:
                size = SIZES.get(kind, 4)
                letter = {1: "B", 2: "H", 4: "I", 8: "Q"}[size]
                parts.append(struct.pack(order + letter, odd_integer(rng, size * 8)))
    return Entry(tag, kind, count, b"".join(parts))


def lying(rng: random.Random, entry: Entry) -> Entry:
    """The entry with a wrong type, count or place."""
    match rng.randrange(4):
        case 0:
            entry.count = odd_integer(rng)
        case 1:
            entry.kind = rng.choice((*SIZES, 0, 19, 4096))
        case 2:
            entry.offset = odd_integer(rng)
        case _:
            entry.value = entry.value[: len(entry.value) // 2]
    return entry


def packed(
    entries: Sequence[Entry], order: str = "<", *, big: bool = False, following: int = 0, start: int = -1
) -> bytes:
    """A TIFF of one directory; what does not fit into its lines stands behind them."""
    head = 16 if big else 8
    start = head if start < 0 else start
    line, room = (20, 8) if big else (12, 4)
    letter, count_letter = ("Q", "Q") if big else ("I", "H")
    behind = start + struct.calcsize(count_letter) + line * len(entries) + room
    mark = b"II" if order == "<" else b"MM"
    header = mark + (struct.pack(f"{order}HHHQ", 43, 8, 0, start) if big else struct.pack(f"{order}HI", 42, start))
    directory, heap = struct.pack(order + {"Q": "Q", "H": "H"}[count_letter], len(entries)), b""
    for entry in entries:
        if entry.offset is None and len(entry.value) <= room:
            field = entry.value.ljust(room, b"\0")
        else:
            place = behind + len(heap) if entry.offset is None else entry.offset
            field = struct.pack(order + letter, place % 2 ** (8 * room))
            heap += entry.value + b"\0" * (len(entry.value) % 2)
        counted = entry.count % 2 ** (64 if big else 32)
        directory += struct.pack(f"{order}HH{letter}", entry.tag, entry.kind % 65536, counted) + field
    return header.ljust(start, b"\0") + directory + struct.pack(order + letter, following) + heap


def odd_exif(rng: random.Random) -> bytes:
    """EXIF without its prefix, with odd entries, perhaps in directories that lead in circles."""
    order = rng.choice("<>")
    tags = rng.sample((*TEXTS, *EXIF_TAGS, 274, 282, 283, 296, 34665, 34853, 40965, 513, 514), rng.randint(1, 8))
    entries = [odd_value(rng, order, tag) for tag in sorted(tags)]
    if rng.random() < 0.3:
        entries.append(Entry(34665, 4, 1, struct.pack(f"{order}I", rng.choice((8, 0, 10, 2**31, 14)))))  # 8: itself
    if rng.random() < 0.3:
        entries.append(Entry(282, 5, 1, struct.pack(f"{order}II", *rng.choice(((0, 0), (72, 1), (200_000_000, 1))))))
        entries.append(Entry(283, 5, 1, struct.pack(f"{order}II", *rng.choice(((0, 0), (72, 1), (1, 2**31))))))
    if rng.random() < 0.3:
        lying(rng, rng.choice(entries))
    return packed(entries, order, following=rng.choice((0, 0, 0, 8, 2**31, 12)))


def changed_tiff(rng: random.Random, data: bytes, story: list[str]) -> bytes:  # noqa: C901 - one case for each change
    """A TIFF file with entries of its first directory changed, dropped, doubled, added, or led astray."""
    found = _directory(data)
    if found is None:
        return data
    order, big, entries, following = found
    for _ in range(rng.randint(1, 4)):
        if not entries:
            break
        match rng.randrange(12):
            case 0:
                entry = rng.choice(entries)
                entry.value = struct.pack(f"{order}Q", odd_integer(rng, 64))[: max(1, len(entry.value))]
                story.append(f"tag {entry.tag} has an odd value")
            case 1:
                story.append(f"tag {lying(rng, rng.choice(entries)).tag} lies")
            case 2:
                story.append(f"tag {entries.pop(rng.randrange(len(entries))).tag} is missing")
            case 3:
                entries.append(rng.choice(entries))
                story.append("a tag is twice")
            case 4:
                rng.shuffle(entries)
                story.append("tags out of order")
            case 5:
                following = rng.choice((0, len(data), 8, 4, 2**31, odd_integer(rng)))
                story.append(f"the next directory is at {following}")
            case _:
                entries.append(
                    odd_value(
                        rng, order, rng.choice(rng.choice((PICTURE_TAGS, TEXTS, TEXTS, (282, 283, 296, 34665, 274))))
                    )
                )
                story.append(f"tag {entries[-1].tag} of type {entries[-1].kind} is odd")
    if rng.random() < 0.7:
        entries.sort(key=lambda entry: entry.tag)
    start = len(data) + len(data) % 2
    whole = packed(entries, order, big=big, following=following, start=start)
    head = 16 if big else 8
    return whole[:head] + data[head:].ljust(start - head, b"\0") + whole[start:]


def _directory(data: bytes) -> tuple[str, bool, list[Entry], int] | None:
    order = "<" if data[:2] == b"II" else ">"
    try:
        big = struct.unpack_from(f"{order}H", data, 2)[0] == 43
        letter, line, room = ("Q", 20, 8) if big else ("I", 12, 4)
        start = struct.unpack_from(order + letter, data, 8 if big else 4)[0]
        (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, start)
        place, entries = start + (8 if big else 2), []
        for number in range(count):
            tag, kind, length = struct.unpack_from(f"{order}HH{letter}", data, place + number * line)
            size, at = SIZES.get(kind, 1) * length, place + (number + 1) * line - room
            if size > room:
                at = struct.unpack_from(order + letter, data, at)[0]
            entries.append(Entry(tag, kind, length, data[at : at + size]))
        (following,) = struct.unpack_from(order + letter, data, place + count * line)
    except struct.error:
        return None
    return order, big, entries, following
