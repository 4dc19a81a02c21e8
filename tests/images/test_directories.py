"""TIFF directories: what is read is written, in every layout."""

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import TiffImagePlugin

from impasto.images.directories import ASCII, LONG, RATIONAL, SHORT, DirectoryEntry, TiffLayout

LAYOUTS = [TiffLayout(order, big) for order in "<>" for big in (False, True)]
every_layout = pytest.mark.parametrize("layout", LAYOUTS, ids=str)
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8, 12: 8, 129: 1}

entries = st.builds(
    lambda kind, count, fill: DirectoryEntry(kind, (fill * SIZES[kind] * count)[: SIZES[kind] * count]),
    st.sampled_from(sorted(SIZES)),
    st.integers(1, 9),
    st.binary(min_size=1, max_size=3),
)


@every_layout
@settings(max_examples=25, deadline=None)
@given(
    main=st.dictionaries(st.integers(1, 0x7FFF), entries, max_size=5),
    below=st.dictionaries(st.integers(1, 0xFFFF), entries, min_size=1, max_size=4),
)
def test_what_is_written_is_read(layout, main, below):
    """Tags, types and bytes, with a directory below; and a change of byte order back and forth changes nothing."""
    data = layout.header + layout.pack(main, {0x8769: below}, len(layout.header))
    assert TiffLayout.of(data) == layout
    found, following = layout.read(data, layout.first(data))
    pointer = int(layout.numbers(found.pop(0x8769))[0])
    assert (found, following) == (main, 0)
    assert layout.read(data, pointer)[0] == below
    other = TiffLayout(">" if layout.order == "<" else "<")
    assert other.turned(layout.turned(main, other.order), layout.order) == main


@pytest.mark.parametrize("layout", LAYOUTS[:3], ids=str)  # Pillow knows no BigTIFF of the highest byte first
def test_another_library_reads_it(layout):
    """Pillow finds numbers, fractions and text."""
    main = {
        256: DirectoryEntry(LONG, struct.pack(f"{layout.order}I", 70_000)),
        258: DirectoryEntry(SHORT, struct.pack(f"{layout.order}5H", 1, 2, 3, 4, 5)),
        270: DirectoryEntry(ASCII, b"some words\0"),
        282: DirectoryEntry(RATIONAL, struct.pack(f"{layout.order}II", 300, 7)),
    }
    data = layout.header + layout.pack(main, {}, len(layout.header))
    directory = TiffImagePlugin.ImageFileDirectory_v2(data[:16] if layout.big else data[:8])
    with io.BytesIO(data) as stream:
        stream.seek(layout.first(data))
        directory.load(stream)
        assert (directory[256], directory[258], directory[270]) == (70_000, (1, 2, 3, 4, 5), "some words")
        assert float(directory[282]) == pytest.approx(300 / 7)


@pytest.mark.parametrize("value", [72, 72.5, 300.1, 1 / 3, 1e-9, 2.5e8, 4_294_967_295])
def test_fractions_are_near(value):
    """Over the range of two numbers of 32 bits."""
    layout = TiffLayout("<")
    assert layout.numbers(layout.rational(value))[0] == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("value", [1e12, 1e-12])
def test_what_is_beyond_fractions_is_none(value):
    """It is not stored as something else."""
    assert TiffLayout("<").rational(value) is None


def test_damaged_entries_are_left_out():
    """Values beyond the end and types that nobody knows; the rest is read."""
    layout = TiffLayout("<")
    good = {271: DirectoryEntry(ASCII, b"Maker of pictures\0")}
    data = bytearray(layout.header + layout.pack({**good, 270: DirectoryEntry(ASCII, b"long enough\0")}, {}, 8))
    beyond, strange = bytearray(data), bytearray(data)
    beyond[18:22] = struct.pack("<I", 10**6)
    strange[12:14] = struct.pack("<H", 77)
    assert layout.read(bytes(data), 8)[0].keys() == {270, 271}
    for damaged in (beyond, strange):
        assert layout.read(bytes(damaged), 8)[0] == good


@pytest.mark.parametrize("data", [b"", b"II", b"II*\0", b"II*\0\xff\0\0\0", b"II*\0\x08\0\0\0\xff\xff"])
def test_what_is_no_directory_is_an_error(data):
    """Of a kind that callers know."""
    with pytest.raises((ValueError, struct.error)):
        TiffLayout.of(data).read(data, TiffLayout.of(data).first(data))
