"""What a picture says of itself, in every format: nothing of it can lose the picture, and what is left out is named."""

import io
import struct
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.images import check_writable, exif, read, write, xmp
from impasto.images.directories import ASCII, DirectoryEntry, TiffLayout

KINDS = [(".png", 8), (".png", 16), (".jpg", 8), (".webp", 8), (".avif", 8), (".tif", 8), (".tif", 16), (".dzi", 8)]
HOLDS = [kind for kind in KINDS if kind[0] != ".dzi"]
every_kind = pytest.mark.parametrize(("suffix", "depth"), KINDS, ids=str)
every_holder = pytest.mark.parametrize(("suffix", "depth"), HOLDS, ids=str)


def block(order="<", main=None, photo=None, place=None):
    """An EXIF block of entries given as (type, bytes)."""
    parts = [{tag: DirectoryEntry(*entry) for tag, entry in (part or {}).items()} for part in (main, photo, place)]
    return exif.Exif(TiffLayout(order), *parts).packed()


def like(**said):
    """A gray picture that says something of itself."""
    picture = read(torch.full((3, 8, 8), 0.5))
    return replace(picture, source=replace(picture.source, name="photo.jpg", **said))


def comment_in(path):
    """The comment in a file's EXIF."""
    with Image.open(path) as image:
        return bytes(exif.parse(image.info["exif"]).photo[0x9286].data)


def rationals(*pairs, order="<"):
    """Fractions as EXIF stores them."""
    return (5, b"".join(struct.pack(f"{order}II", *pair) for pair in pairs))


PACKET = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:GPano="http://ns.google.com/photos/1.0/panorama/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" '
    'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" GPano:ProjectionType="equirectangular" '
    'GPano:FullPanoWidthPixels="16" tiff:Orientation="6" crs:Exposure2012="+1">'
    "<GPano:CroppedAreaImageHeightPixels>8</GPano:CroppedAreaImageHeightPixels>"
    '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Grüße 浮世絵</rdf:li></rdf:Alt></dc:title>'
    '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">© Jo</rdf:li></rdf:Alt></dc:rights>'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
).encode()

LONG = {
    "exif nearly full": {"exif": block(main={0x010E: (2, b"x" * 65_300 + b"\0")})},
    "exif overfull": {"exif": block(main={0x010E: (2, b"d" * 80_000 + b"\0"), 0x8298: (2, b"Jo\0")})},
    "place overfull": {"exif": block(place={0x001B: (7, b"p" * 70_000), 1: (2, b"N\0")})},
    "half full": {"exif": block(main={0x010E: (2, b"x" * 40_000 + b"\0")}, photo={0x9286: (7, b"c" * 40_000)})},
    "captions overfull": {"iptc": b"\x1c\x02\x78" + b"i" * 70_000},
    "text overfull": {"texts": (("Comment", "c" * 70_000), ("Odd key", "k" * 70_000))},
    "packet overfull": {"xmp": PACKET.replace(b"\xc2\xa9 Jo", b"r" * 200_000)},
    "profile of a megabyte": {
        "exif": block(photo={0x9286: (7, b"ASCII\0\0\0" + b"c" * 60_000)}),
        "texts": (("T", "t" * 3_000_000),),
    },
}
RESOLUTIONS = [(2e8, 2e8), (1e-9, 1.0), (0.3, 0.3), (70_000.0, 72.0), (1e12, 300.0), (4e9, 4e9), (72.5, 300.25)]
HOSTILE = {
    "no tags that Pillow knows": {"exif": block(main={0x010F: (129, "Grüße".encode()), 0x013B: (2, b"J\xf6\xa9\0")})},
    "fractions over zero": {"exif": block(photo={0x829A: rationals((0, 0)), 0x829D: rationals((1, 0))})},
    "wrong types": {"exif": block(main={0x010E: (12, bytes(8)), 0x4746: (2, b"five\0")}, place={2: (2, b"north\0")})},
    "junk": {"exif": b"Exif\0\0" + bytes(range(200))},
    "circle": {"exif": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\0\0\0\0"},
    "text of control characters": {"texts": (("Title", "a\0b\x01\ud800"), ("K" * 200, "long key"), ("日本", "x"))},
    "a packet that is none": {"xmp": b"<x:xmpmeta"},
}


@every_kind
@pytest.mark.parametrize("said", [*LONG.values(), *HOSTILE.values()], ids=[*LONG, *HOSTILE])
def test_nothing_that_a_photo_says_loses_the_picture(tmp_path, suffix, depth, said):
    """It is written in every format, and what the check announces is what the writing leaves out."""
    photo, path = like(**said), tmp_path / f"out{suffix}"
    options = {"like": photo, "depth": depth}
    announced = check_writable(path, shape=(8, 8), **options)
    assert not list(tmp_path.iterdir())
    left = write(path, photo.pixels, recipe={"a": "r" * 5000}, parameters="p" * 5000, **options)
    assert announced == left
    if suffix != ".dzi":
        assert read(path).shape == (8, 8)


@every_kind
@pytest.mark.parametrize("dpi", RESOLUTIONS, ids=str)
def test_any_resolution_is_written_or_named(tmp_path, suffix, depth, dpi):
    """What is read back is what was meant, within what a count of whole pixels rounds."""
    photo, path = like(dpi=dpi), tmp_path / f"out{suffix}"
    left = write(path, photo.pixels, like=photo, depth=depth)
    assert check_writable(path, like=photo, depth=depth) == left
    if suffix == ".dzi":
        assert "resolution" in left[0]
        return
    found = read(path).source.dpi
    if left:
        assert found is None
        assert f"a resolution of {dpi[0]:g} x {dpi[1]:g} pixels per inch" in left[0]
    else:
        assert found == pytest.approx(dpi, rel=1e-4, abs=0.02)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif"])
@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_a_resolution_of_0_over_0_is_none(tmp_path, kind, suffix):
    """Such a file becomes a picture in every format."""
    data = Image.Exif()
    data.update({0x011A: 72.0, 0x011B: 72.0, 0x0128: 2, 0x010F: "Maker"})
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, kind, exif=data, **({"dpi": (72, 72)} if kind == "TIFF" else {}))
    stored = stream.getvalue()
    seventy_two = struct.pack("<II", 72, 1)
    assert seventy_two in stored
    photo = read(stored.replace(seventy_two, bytes(8)))
    assert photo.source.dpi is None
    assert not check_writable(tmp_path / f"a{suffix}", like=photo)
    write(tmp_path / f"a{suffix}", photo.pixels, like=photo)
    assert b"Maker" in (tmp_path / f"a{suffix}").read_bytes()


def test_what_a_jpeg_has_no_room_for_is_named_and_the_rest_is_kept(tmp_path):
    """The largest entries go first, and impasto's own comment before any of the photo's."""
    photo = like(**LONG["exif overfull"])
    left = write(tmp_path / "a.jpg", photo.pixels, like=photo, parameters="made so")
    assert left == ("Left out, as a JPEG file has no room for it: EXIF ImageDescription.",)
    assert exif.parse(read(tmp_path / "a.jpg").source.exif).main[0x8298] == DirectoryEntry(ASCII, b"Jo\0")
    full = like(**LONG["exif nearly full"])
    assert write(tmp_path / "b.jpg", full.pixels, like=full, parameters="made so") == ()
    assert exif.parse(read(tmp_path / "b.jpg").source.exif).main[0x010E].count == 65_301


TEXT = "Grüße, © Jørgen, 浮世絵".encode()
SAID = {
    "main": {
        0x010E: (2, TEXT + b"\0"),
        0x8298: (2, b"\xa9 J\xf6rg\0Ed\xeftor\0"),
        0x9C9B: (1, "Tïtle\0".encode("utf-16-le")),
        0x013B: (129, TEXT),
        0x010F: (2, b"Maker\0"),
    },
    "photo": {
        0x9286: (7, b"UNICODE\0" + "Omas Garten".encode("utf-16-le")),
        0x829A: rationals((10, 500)),
        0x829D: rationals((0, 0)),
        0x9201: (10, struct.pack("<ii", -7, 3)),
        0x8827: (3, struct.pack("<H", 400)),
        0xFDE8: (2, b"a tag of nobody's\0"),
    },
    "place": {1: (2, b"N\0"), 2: rationals((48, 1), (31, 1), (1234, 100)), 0x1D: (2, b"2026:01:02\0"), 5: (1, b"\1")},
}


@every_holder
@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_comes_through_byte_for_byte(tmp_path, order, suffix, depth):
    """Alphabets, fractions, types and tags that no library knows, from cameras of either byte order."""
    turned = TiffLayout("<").turned
    parts = {
        part: turned({tag: DirectoryEntry(*e) for tag, e in entries.items()}, order) for part, entries in SAID.items()
    }
    photo = like(exif=exif.Exif(TiffLayout(order), **parts).packed())
    assert write(tmp_path / f"a{suffix}", photo.pixels, like=photo, depth=depth, parameters="ours") == ()
    back = exif.parse(read(tmp_path / f"a{suffix}").source.exif)
    for part, entries in parts.items():
        found = back.layout.turned(getattr(back, part), order)
        assert {tag: found.get(tag) for tag in entries} == entries


@every_holder
def test_packets_come_through(tmp_path, suffix, depth):
    """Panorama, title and rights stay, counted in the copy's pixels; what was true of the source's storage does not."""
    photo = like(xmp=xmp.descriptive([PACKET]))
    path = tmp_path / f"a{suffix}"
    assert write(path, torch.rand(1, 3, 16, 24), like=photo, depth=depth, recipe={"a": 1}) == ()
    packet = read(path).source.xmp.decode()
    assert 'GPano:ProjectionType="equirectangular"' in packet
    assert 'GPano:FullPanoWidthPixels="48"' in packet
    assert "<GPano:CroppedAreaImageHeightPixels>16<" in packet
    assert "Gr&#252;&#223;e" in packet
    assert "&#169; Jo" in packet
    assert "Exposure" not in packet
    assert "Orientation" not in packet


@pytest.mark.parametrize(
    ("suffix", "held"), [(".jpg", True), (".tif", True), (".png", False), (".webp", False), (".avif", False)]
)
def test_captions_come_through_or_are_named(tmp_path, suffix, held):
    """JPEG and TIFF hold them."""
    captions = b"\x1c\x02\x05\x00\x05Title\x1c\x02\x74\x00\x04\xa9 Jo"
    photo = like(iptc=captions)
    left = write(tmp_path / f"a{suffix}", photo.pixels, like=photo)
    assert read(tmp_path / f"a{suffix}").source.iptc == (captions if held else None)
    assert left == (() if held else (f"Left out, as a {left[0].split()[4]} file has no room for it: IPTC captions.",))


@every_holder
def test_texts_come_through_or_are_named(tmp_path, suffix, depth):
    """As themselves in PNG, as Dublin Core elsewhere; a key without a property there is named."""
    texts = (("Title", "Grüße"), ("Author", "Jo"), ("Copyright", "© Jo"), ("Comment", "浮世絵"), ("workflow", "{}"))
    photo, path = like(texts=texts), tmp_path / f"a{suffix}"
    left = write(path, photo.pixels, like=photo, depth=depth, recipe={"a": 1}, parameters="ours")
    source = read(path).source
    if suffix == ".png":
        assert (left, source.texts) == ((), texts)
        return
    assert left[0].endswith("no room for it: the text workflow.")
    for part in ("title", "creator", "rights", "description", "Gr&#252;&#223;e", "&#169; Jo", "&#28014;"):
        assert part in source.xmp.decode()
    assert dict(source.texts).get("Comment") == ("浮世絵" if suffix == ".jpg" else None)


@every_kind
def test_what_a_photo_says_can_be_left_out(tmp_path, suffix, depth):
    """Without the original's EXIF, neither its packet nor its captions nor its texts are written, nor noted."""
    photo = like(exif=block(main=SAID["main"]), xmp=PACKET, iptc=b"\x1c\x02 secret", texts=(("Title", "secret"),))
    for options in ({"original_exif": False}, {"metadata": False}):
        path = tmp_path / f"a{suffix}"
        assert check_writable(path, like=photo, depth=depth, **options) == ()
        assert write(path, photo.pixels, like=photo, depth=depth, **options) == ()
        data = path.read_bytes()
        assert not any(word in data for word in (b"secret", b"Maker", b"GPano"))


def test_a_comment_of_the_photo_is_kept_and_one_of_impasto_replaced(tmp_path):
    """A person's comment is not the place for our parameters; an earlier picture's are not those of this one."""
    write(tmp_path / "first.jpg", torch.rand(1, 3, 8, 8), parameters="first")
    first = read(tmp_path / "first.jpg")
    write(tmp_path / "second.jpg", first.pixels, like=first, parameters="second")
    assert comment_in(tmp_path / "second.jpg") == b"UNICODE\0" + "second".encode("utf-16-be")
    person = like(exif=block(photo={0x9286: (7, b"ASCII\0\0\0Grandma")}))
    write(tmp_path / "third.jpg", person.pixels, like=person, parameters="third")
    assert comment_in(tmp_path / "third.jpg") == b"ASCII\0\0\0Grandma"


def test_pixels_are_the_same_with_and_without_words(tmp_path):
    """Metadata is beside the picture."""
    pixels = torch.rand(1, 3, 8, 8)
    photo = like(exif=block(**SAID), xmp=xmp.descriptive([PACKET]), iptc=b"\x1c\x02 captions", texts=(("Title", "t"),))
    for suffix, depth in HOLDS:
        write(tmp_path / f"a{suffix}", pixels, like=photo, depth=depth, recipe={}, parameters="p")
        write(tmp_path / f"b{suffix}", pixels, depth=depth)
        assert np.array_equal(*(read(tmp_path / f"{name}{suffix}").pixels for name in "ab"))
