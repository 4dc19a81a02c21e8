"""IPTC captions among Photoshop's image resources."""

import io
import struct

import pytest
import tifffile
from PIL import Image

from impasto.images import iptc, read

CAPTIONS = b"\x1c\x02\x05\x00\x05Title"


def resource(number, data, name=b""):
    """An image resource."""
    called = bytes([len(name)]) + name
    return (
        b"8BIM" + struct.pack(">H", number) + called + bytes(len(called) % 2) + struct.pack(">I", len(data)) + data
    ) + bytes(len(data) % 2)


@pytest.mark.parametrize("name", [b"", b"a", b"ab"])
def test_captions_are_found_behind_other_resources(name):
    """Names and contents of odd length are filled up."""
    data = resource(0x03ED, b"odd", name) + resource(0x0404, CAPTIONS, name) + resource(0x040F, b"icc")
    assert iptc.from_resources(data) == CAPTIONS


def test_without_captions_there_are_none():
    """Also in resources that are cut short."""
    for data in (b"", resource(0x03ED, b"x"), b"8BIM", b"8BIM\x04\x04\0\0", resource(0x03ED, b"odd")[:-3]):
        assert iptc.from_resources(data) is None


def test_a_jpeg_and_a_tiff_of_photoshop_are_read():
    """One in a segment, the other under two tags."""
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "JPEG")
    jpeg = stream.getvalue()
    assert read(jpeg[:2] + iptc.jpeg_segment(CAPTIONS) + jpeg[2:]).source.iptc == CAPTIONS
    for tag, data in ((33723, CAPTIONS), (34377, resource(0x0404, CAPTIONS))):
        stream = io.BytesIO()
        extra = [(tag, 7, len(data), data, True)]
        tifffile.imwrite(stream, read(jpeg).pixels[0, 0].numpy().astype("uint8"), extratags=extra)
        assert read(stream.getvalue()).source.iptc == CAPTIONS


def test_pillow_reads_what_is_written():
    """Another reader finds the captions in the segment."""
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "JPEG")
    jpeg = stream.getvalue()
    with Image.open(io.BytesIO(jpeg[:2] + iptc.jpeg_segment(CAPTIONS) + jpeg[2:])) as image:
        assert image.info["photoshop"][0x0404] == CAPTIONS
