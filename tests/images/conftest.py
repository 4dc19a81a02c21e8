"""Pictures and profiles that several tests of the image room use."""

import io
import struct

import numpy as np
import pytest
import pyvips
import torch
from PIL import Image


def smooth(height, width):
    """Colors (H, W, 3) uint8, all inside sRGB's gamut when read as Display P3, that differ in every corner but change slowly, so that lossy formats keep them."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    planes = [90 + 70 * y, 160 - 60 * x, 90 + 40 * x + 40 * y]
    return np.stack(planes, axis=-1).round().astype(np.uint8)


@pytest.fixture
def photo():
    """An upright RGB picture (40, 56, 3) uint8."""
    return smooth(40, 56)


@pytest.fixture
def pixels():
    """The same kind of picture as float pixels that lie between the levels of a file."""
    generator = torch.Generator().manual_seed(1)
    return torch.rand(1, 3, 24, 32, generator=generator)


@pytest.fixture(scope="session")
def display_p3():
    """The ICC profile of a wide-gamut display."""
    return bytes(pyvips.Operation.call("profile_load", "p3"))


@pytest.fixture(scope="session")
def paper_cmyk():
    """The ICC profile of a printing press."""
    return bytes(pyvips.Operation.call("profile_load", "cmyk"))


@pytest.fixture(scope="session")
def linear_gray():
    """The smallest ICC profile there is for gray: light in proportion to the samples."""

    def s15(*values):
        return b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"gray\0" + bytes(78),
        b"wtpt": b"XYZ " + bytes(4) + s15(0.9642, 1, 0.8249),
        b"kTRC": b"curv" + bytes(4) + struct.pack(">I", 0) + bytes(4),
        b"cprt": b"text" + bytes(4) + b"none\0" + bytes(3),
    }
    start, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4s", start + len(body), b"test") + b"\x02\x10\0\0" + b"mntrGRAYXYZ " + bytes(12) + b"acsp"
    return (header + bytes(28) + s15(0.9642, 1, 0.8249)).ljust(128, b"\0") + table + body


@pytest.fixture(scope="session")
def encoded():
    """A function from an array or PIL image to the bytes of a file that Pillow writes."""

    def encode(array_or_image, kind="PNG", **options):
        image = array_or_image if isinstance(array_or_image, Image.Image) else Image.fromarray(array_or_image)
        stream = io.BytesIO()
        image.save(stream, kind, **options)
        return stream.getvalue()

    return encode


@pytest.fixture(scope="session")
def deep():
    """A function from (H, W, C) uint16 samples to the bytes of a 16-bit file that libvips writes."""

    def encode(samples, suffix=".png"):
        kind = "rgb16" if samples.shape[2] > 2 else "grey16"
        return pyvips.Image.new_from_array(samples, interpretation=kind).write_to_buffer(suffix)

    return encode


@pytest.fixture(scope="session")
def rgb():
    """A function from a picture to its pixels as (H, W, 3)."""
    return lambda picture: picture.pixels[0].permute(1, 2, 0).numpy()


@pytest.fixture(scope="session")
def unit():
    """A function from integer samples to the float32 values in [0, 1] that they stand for."""
    return lambda samples: samples.astype(np.float32) / np.float32(np.iinfo(samples.dtype).max)
