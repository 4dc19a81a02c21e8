"""What is done to bytes without knowing what they mean."""

import random
import struct
from collections.abc import Callable

ODD_INTEGERS = (0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 127, 128, 255, 256, 999, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 2**20)
LARGE_INTEGERS = (2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**63 - 1, 2**63, 2**64 - 1)


def odd_integer(rng: random.Random, bits: int = 32) -> int:
    """A number that programs stumble over, of so many bits."""
    if rng.random() < 0.2:
        return rng.getrandbits(bits)
    return rng.choice(ODD_INTEGERS + LARGE_INTEGERS) % 2**bits


def flip(rng: random.Random, data: bytearray) -> str:
    """Change single bits."""
    places = [rng.randrange(len(data)) for _ in range(rng.choice((1, 1, 2, 5, 20)))]
    for place in places:
        data[place] ^= 1 << rng.randrange(8)
    return f"bits flipped at {places}"


def early(rng: random.Random, data: bytearray) -> str:
    """Change bytes at the beginning, where what a file says of itself mostly stands."""
    places = [rng.randrange(min(len(data), 256)) for _ in range(rng.choice((1, 2, 4)))]
    for place in places:
        data[place] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    return f"bytes replaced at {places}"


def cut(rng: random.Random, data: bytearray) -> str:
    """End too early."""
    place = rng.choice((rng.randrange(len(data)), min(len(data) - 1, rng.randrange(64)), len(data) - 1))
    del data[place:]
    return f"cut at {place}"


def extend(rng: random.Random, data: bytearray) -> str:
    """Go on after the end."""
    extra = rng.choice((b"\0" * 7, b"\xff" * 100, rng.randbytes(300), bytes(data), bytes(data[-40:]), b"\0" * 100_000))
    data += extra
    return f"{len(extra)} bytes more"


def lose(rng: random.Random, data: bytearray) -> str:
    """Leave a piece out."""
    start, length = rng.randrange(len(data)), rng.choice((1, 2, 4, 13, 100))
    del data[start : start + length]
    return f"{length} bytes lost at {start}"


def repeat(rng: random.Random, data: bytearray) -> str:
    """Have a piece twice."""
    start, length = rng.randrange(len(data)), rng.choice((1, 4, 16, 200))
    data[start:start] = data[start : start + length]
    return f"{length} bytes twice at {start}"


def swap(rng: random.Random, data: bytearray) -> str:
    """Move a piece to another place."""
    length = rng.choice((2, 4, 12, 64))
    one, two = rng.randrange(len(data)), rng.randrange(len(data))
    piece = data[one : one + length]
    del data[one : one + length]
    data[two:two] = piece
    return f"{length} bytes from {one} to {two}"


def lie(rng: random.Random, data: bytearray) -> str:
    """Replace a number of 16, 32 or 64 bits by an odd one."""
    bits = rng.choice((16, 32, 32, 64))
    if len(data) < bits // 8:
        return early(rng, data)
    place = rng.randrange(min(len(data) - bits // 8 + 1, rng.choice((64, 512, len(data)))))
    order, value = rng.choice("<>"), odd_integer(rng, bits)
    struct.pack_into(order + {16: "H", 32: "I", 64: "Q"}[bits], data, place, value)
    return f"number of {bits} bits at {place}: {value}"


def blank(rng: random.Random, data: bytearray) -> str:
    """Overwrite a piece with one value, as a failing disk does."""
    start, length = rng.randrange(len(data)), rng.choice((4, 64, 512, 4096))
    end = min(len(data), start + length)
    data[start:end] = bytes([rng.choice((0, 0xFF))]) * (end - start)
    return f"{end - start} bytes blanked at {start}"


CHANGES: tuple[Callable[[random.Random, bytearray], str], ...] = (
    *(flip, flip, early, cut, extend, lose, repeat, swap, lie, lie, blank),
)


def changed(rng: random.Random, data: bytes, story: list[str], most: int = 3) -> bytes:
    """Data after one or several changes, each told in the story."""
    result = bytearray(data)
    for _ in range(rng.randint(1, most)):
        if not result:
            break
        story.append(rng.choice(CHANGES)(rng, result))
    return bytes(result)
