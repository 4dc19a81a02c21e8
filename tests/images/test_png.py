"""PNG's text and profiles of any size, within a bound."""

import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.errors import ImageError
from impasto.images import read, read_parameters, read_recipe, write


def chunk(kind, content):
    """A chunk."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_chunks(data, *chunks):
    """A PNG with chunks behind its header."""
    return data[:33] + b"".join(chunk(*each) for each in chunks) + data[33:]


def large(profile):
    """The profile with three megabytes behind it that nobody can compress."""
    noise = np.random.default_rng(0).integers(0, 256, 3_000_000).astype(np.uint8).tobytes()
    return struct.pack(">I", len(profile) + len(noise)) + profile[4:] + noise


@pytest.fixture(params=[8, 16])
def plain(request, photo, encoded, deep):
    """A PNG of 8 or 16 bits."""
    return encoded(photo) if request.param == 8 else deep(photo.astype(np.uint16) * 257)


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"tEXt"])
def test_text_of_megabytes_is_read(plain, kind):
    """Compressed or not."""
    text = b"long " * 600_000
    packed = zlib.compress(text)
    content = {b"zTXt": b"Title\0\0" + packed, b"iTXt": b"Title\0\1\0\0\0" + packed, b"tEXt": b"Title\0" + text}[kind]
    assert read(with_chunks(plain, (kind, content))).source.texts == (("Title", text.decode()),)


def test_a_profile_of_megabytes_is_read_and_written(tmp_path, photo, encoded, display_p3):
    """What impasto writes from a JPEG that carries one, it reads again."""
    profile = large(display_p3)
    picture = read(encoded(photo, "JPEG", icc_profile=profile))
    for depth in (8, 16):
        write(tmp_path / "a.png", picture.pixels, like=picture, depth=depth, recipe={"a": "b" * 2_000_000})
        back = read(tmp_path / "a.png")
        assert back.source.icc == profile
        assert (back.pixels - picture.pixels).abs().max() < 2.5 / 255
        assert len(read_recipe(tmp_path / "a.png")["a"]) == 2_000_000


@pytest.fixture(scope="module")
def half_a_bomb():
    """40 MB in a few kilobytes."""
    return zlib.compress(bytes(40 << 20), level=1)


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_what_unpacks_without_end_is_refused(photo, encoded, kind, half_a_bomb):
    """A bomb in two chunks has a sentence."""
    head = {b"zTXt": b"T\0\0", b"iTXt": b"T\0\1\0\0\0", b"iCCP": b"T\0\0"}[kind]
    with pytest.raises(ImageError, match="unpacks to more than 64 MB; save it without"):
        read(with_chunks(encoded(photo), (kind, head + half_a_bomb), (kind, head + half_a_bomb)))


def test_damaged_text_says_nothing_and_a_damaged_profile_is_damage(plain):
    """Pixels need no text."""
    assert read(with_chunks(plain, (b"zTXt", b"Title\0\0junk"), (b"iTXt", b"Title\0"))).source.texts == ()
    with pytest.raises(ImageError, match="damaged"):
        read(with_chunks(plain, (b"iCCP", b"name\0\0junk")))


def test_captions_and_exif_that_imagemagick_stored_as_text_are_found(plain):
    """In hexadecimal, behind a name and a length."""

    def raw(data):
        return f"\nname\n{len(data):8d}\n{data.hex()}\n".encode()

    exif = Image.Exif()
    exif[0x010F] = "Maker"
    data = with_chunks(
        plain,
        (b"tEXt", b"Raw profile type iptc\0" + raw(b"\x1c\x02\x05\0\1T")),
        (b"tEXt", b"Raw profile type exif\0" + raw(exif.tobytes())),
    )
    source = read(data).source
    assert source.iptc == b"\x1c\x02\x05\0\1T"
    assert b"Maker" in source.exif
    assert source.texts == ()


def test_text_behind_the_pixels_is_found(tmp_path):
    """Without decoding them."""
    write(tmp_path / "a.png", torch.rand(1, 3, 8, 8))
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[:-12] + chunk(b"tEXt", b"parameters\0hello") + data[-12:])
    assert read_parameters(tmp_path / "a.png") == "hello"
