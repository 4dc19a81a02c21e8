"""Pictures: every format that is read, in many kinds, and what is done to them."""

import io
import random
import struct
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import torch
from bytewise import changed, odd_integer
from cases import READ, REFUSED, WRITTEN, FaultError, Medium, Odd, sentence_of
from containers import changed_boxes, changed_jpeg, changed_png, changed_riff, odd_text, png
from picture_seeds import SEEDS
from PIL import Image
from tags import changed_tiff, odd_exif

from impasto import images
from impasto.volumes.reading import holds_volume

LIMIT = 3_000_000
"""Pixels that a file may announce in the campaign; 400 million otherwise."""

_RECIPE = {"impasto": "0.1.0", "task": "stylize", "note": "\u00a9"}
_SUFFIXES = (".png", ".jpg", ".webp", ".tif", ".avif", ".dzi", ".jpeg", ".tiff")


@cache
def _seed(name: str) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SEEDS[name]()


def make(rng: random.Random) -> Odd:
    """A picture with something odd about it."""
    name = rng.choice(sorted(SEEDS))
    data, story = _seed(name), [name]
    way = rng.random()
    if way < 0.02:
        data = rng.choice(STRANGERS)(rng)
        story = ["no picture"]
    elif way < 0.04:
        story.append("as it is")
    elif way < 0.34:
        data = changed(rng, data, story)
    else:
        data = _structured(rng, data, story)
        if rng.random() < 0.1:
            data = changed(rng, data, story, most=1)
    suffix = rng.choice((name.partition(" ")[0].lower(), "png", "tif", "jpg", "gif", "nef", "dzi"))
    entry = rng.choice((f"photo.{suffix}", f"photo.{name.partition(' ')[0].lower()}", "photo", "J\u00f6rg \u5c71.png"))
    return Odd({entry: data}, entry, story)


def _structured(rng: random.Random, data: bytes, story: list[str]) -> bytes:
    """The file changed in the way of its format."""
    if data[:4] == b"\x89PNG":
        return changed_png(rng, data, story)
    if data[:2] == b"\xff\xd8":
        return changed_jpeg(rng, data, story)
    if data[:4] == b"RIFF":
        extra = [
            (b"EXIF", odd_exif(rng)),
            (b"XMP ", odd_text(rng)),
            (b"ICCP", rng.randbytes(150)),
            (b"VP8X", rng.randbytes(10)),
        ]
        return changed_riff(rng, data, story, extra)
    if data[:2] in (b"II", b"MM"):
        return changed_tiff(rng, data, story)
    if data[4:8] == b"ftyp":
        return changed_boxes(rng, data, story)
    return _changed_head(rng, data, story, 14 + 40 if data[:2] == b"BM" else 30)


def _changed_head(rng: random.Random, data: bytes, story: list[str], length: int) -> bytes:
    """A BMP or GIF with numbers of its header replaced."""
    result = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        place, bits = rng.randrange(2, length - 4), rng.choice((8, 16, 32))
        struct.pack_into("<" + {8: "B", 16: "H", 32: "I"}[bits], result, place, odd_integer(rng, bits))
        story.append(f"number of {bits} bits at {place}")
    return bytes(result)


def _bomb(rng: random.Random) -> bytes:
    sizes = rng.choice(((60_000, 60_000), (1, 2**31 - 1), (2**31, 2**31), (0, 5), (2000, 2000), (1700, 1700)))
    header = struct.pack(">IIBBBBB", *sizes, rng.choice((8, 16, 1)), rng.choice((0, 2, 6)), 0, 0, rng.choice((0, 1)))
    return png([(b"IHDR", header), (b"IDAT", b"x\x9c" + bytes(100)), (b"IEND", b"")])


STRANGERS: tuple[Callable[[random.Random], bytes], ...] = (
    lambda rng: b"",
    lambda rng: rng.randbytes(rng.choice((1, 12, 500))),
    lambda rng: bytes(rng.choice((1, 4096))),
    lambda rng: b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    lambda rng: b"%PDF-1.7\n" + rng.randbytes(50),
    lambda rng: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + rng.randbytes(80),
    lambda rng: b"8BPS\0\1" + rng.randbytes(40),
    lambda rng: b"PK\x03\x04" + rng.randbytes(40),
    lambda rng: b"\0\0\1\0\1\0\x10\x10\0\0\1\0 \0" + rng.randbytes(60),
    lambda rng: b"FUJIFILMCCD-RAW 0201" + rng.randbytes(80),
    lambda rng: b"IIRO\x08\0\0\0" + rng.randbytes(80),
    lambda rng: b"#?RADIANCE\n\n-Y 5 +X 5\n" + rng.randbytes(80),
    lambda rng: b"P6 9999999 9999999 255\n",
    lambda rng: (
        b"<?xml version='1.0'?><Image TileSize='254' Overlap='1' Format='png'><Size Width='9' Height='9'/></Image>"
    ),
    _bomb,
    _bomb,
)


def attempt(odd: Odd, path: Path, out: Path, rng: random.Random) -> str:
    """Look into it as ``show`` does, read it, and write what a run would make of it."""
    for look in (images.read_recipe, images.read_parameters, holds_volume, images.hash_file):
        sentence_of(look, path)
    picture, _ = sentence_of(images.read, path, max_pixels=LIMIT)
    if picture is None:
        return REFUSED
    _check(picture)
    target = out / f"result{rng.choice(_SUFFIXES)}"
    depth = rng.choice((None, None, 8, 16))
    tiny = torch.rand(1, 3, 5, 7, generator=torch.Generator().manual_seed(1))
    _, refusal = sentence_of(images.check_writable, target, like=picture, depth=depth, shape=(5, 7))
    if refusal is not None:
        return READ
    images.write(target, tiny, like=picture, depth=depth, recipe=_RECIPE, parameters="words \u00a9 \u5c71")
    if images.read_recipe(target) != _RECIPE:
        raise FaultError(f"the recipe in {target.name} is not the one that was written")
    if target.suffix != ".dzi":
        _check(back := images.read(target))
        if back.shape != (5, 7):
            raise FaultError(f"{target.name} has the size {back.shape}")
        Image.open(io.BytesIO(target.read_bytes())).load()
    return WRITTEN


def _check(picture: images.Picture) -> None:
    pixels = picture.pixels
    if not bool(torch.isfinite(pixels).all()) or float(pixels.min()) < 0 or float(pixels.max()) > 1:
        raise FaultError("pixels beyond 0 and 1")
    if not np.prod(picture.shape) <= LIMIT:
        raise FaultError(f"{picture.shape} is above the limit")


MEDIUM = Medium(make, attempt)
