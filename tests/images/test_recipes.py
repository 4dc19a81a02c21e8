"""How a picture was made, stored in its file and read back."""

import io
import struct

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from impasto.errors import ImageError
from impasto.images import read, read_parameters, read_recipe, write
from impasto.images.xmp import NAMESPACE

FILES = [("out.png", 8), ("out.png", 16), ("out.tif", 8), ("out.tif", 16)]
FILES += [("out.jpg", 8), ("out.webp", 8), ("out.avif", 8)]
RECIPE = {"style": "Überfall 浮世絵 🖌", "weights": [1e-3, -2.5], "nested": {"none": None, "yes": True}, "<&\"'>": "]]>"}
PARAMETERS = 'Größe: 浮世絵 🖌 & <b>\r\n\tSteps: 300, "Seed": 7\x01'


@pytest.fixture(params=FILES, ids=lambda f: f"{f[0]}-{f[1]}")
def file(request, tmp_path):
    """A path and a depth to write it in."""
    return tmp_path / request.param[0], request.param[1]


def test_recipe_and_parameters_come_back(file, pixels):
    """Unicode, markup, control characters and nesting survive in every format."""
    path, depth = file
    write(path, pixels, depth=depth, recipe=RECIPE, parameters=PARAMETERS)
    assert read_recipe(path) == RECIPE
    assert read_parameters(path) == PARAMETERS


def test_100_kilobytes_come_back(file, pixels):
    """Neither is cut at the 64 KB that a segment of a JPEG holds."""
    path, depth = file
    long = {"prompt": "".join(chr(0x4E00 + i % 5000) for i in range(100_000)), "seed": 1}
    write(path, pixels, depth=depth, recipe=long, parameters="ä" * 100_000)
    assert read_recipe(path) == long
    assert read_parameters(path) == "ä" * 100_000
    with Image.open(path) as image:
        image.load()


def test_a_picture_without_a_recipe_has_none(file, pixels):
    """None is no error."""
    path, depth = file
    write(path, pixels, depth=depth)
    assert read_recipe(path) is None
    assert read_parameters(path) is None


def test_either_may_be_stored_alone(file, pixels):
    """One does not need the other."""
    path, depth = file
    write(path, pixels, depth=depth, recipe={"a": 1})
    assert (read_recipe(path), read_parameters(path)) == ({"a": 1}, None)
    write(path, pixels, depth=depth, parameters="a")
    assert (read_recipe(path), read_parameters(path)) == (None, "a")


def test_other_programs_find_the_parameters(tmp_path, pixels):
    """PNG keeps them in its text chunk, the others in the EXIF UserComment, in UTF-16 as EXIF demands."""
    write(tmp_path / "out.png", pixels, parameters=PARAMETERS, recipe={"a": 1})
    with Image.open(tmp_path / "out.png") as image:
        assert image.text == {"parameters": PARAMETERS, "impasto": '{"a": 1}'}
    for name in ("out.jpg", "out.webp", "out.avif", "out.tif"):
        write(tmp_path / name, pixels, parameters=PARAMETERS)
        with Image.open(tmp_path / name) as image:
            comment = image.getexif().get_ifd(0x8769)[0x9286]
        assert comment == b"UNICODE\0" + PARAMETERS.encode("utf-16-be"), name


def test_extended_xmp_follows_the_specification(tmp_path, pixels):
    """The main packet names the digest that every part carries, with the total length and its own offset."""
    write(tmp_path / "out.jpg", pixels, recipe={"a": "x" * 150_000})
    with Image.open(tmp_path / "out.jpg") as image:
        main = image.info["xmp"]
        parts = [data for marker, data in image.applist if data.startswith(b"http://ns.adobe.com/xmp/extension/\0")]
    digests = {part[35:67] for part in parts}
    assert len(digests) == 1
    assert b"HasExtendedXMP>" + digests.pop() in main
    offsets = [struct.unpack(">II", part[67:75]) for part in parts]
    total = sum(len(part) - 75 for part in parts)
    assert offsets == [(total, 65_000 * i) for i in range(3)]


def test_a_short_recipe_is_plain_xmp(tmp_path, pixels):
    """Programs that know nothing of ExtendedXMP find it in the standard packet."""
    write(tmp_path / "out.jpg", pixels, recipe={"a": 1})
    with Image.open(tmp_path / "out.jpg") as image:
        assert b'<impasto:recipe>{"a": 1}</impasto:recipe>' in image.info["xmp"]


def test_a_recipe_does_not_disturb_the_pixels(file, pixels):
    """The same levels are read with and without it."""
    path, depth = file
    write(path, pixels, depth=depth)
    plain = read(path).pixels
    write(path, pixels, depth=depth, recipe=RECIPE, parameters=PARAMETERS)
    assert (read(path).pixels == plain).all()


def test_text_behind_the_pixels_of_a_png_is_found(tmp_path, pixels):
    """Other programs may move the chunks to the end of the file."""
    path = tmp_path / "out.png"
    write(path, pixels, recipe={"a": 1})
    data = path.read_bytes()
    start = data.index(b"tEXtimpasto") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    iend = len(data) - 12
    path.write_bytes(data[:start] + data[end:iend] + data[start:end] + data[iend:])
    assert read_recipe(path) == {"a": 1}


def test_a_property_rewritten_as_an_attribute_is_found(tmp_path):
    """Other programs may write our XMP in RDF's shorter form."""
    packet = (
        '<?xpacket begin="" id="x"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:i="{NAMESPACE}" i:recipe="{{&quot;a&quot;: 1}}"/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )
    Image.new("RGB", (4, 4)).save(tmp_path / "out.webp", xmp=packet.encode())
    assert read_recipe(tmp_path / "out.webp") == {"a": 1}


@pytest.mark.parametrize("text", ["no json", "[1, 2]", '{"cut": ', "[" * 100_000])
def test_a_damaged_recipe_is_an_error(tmp_path, text):
    """It is not passed off as none."""
    info = PngInfo()
    info.add_text("impasto", text)
    Image.new("RGB", (4, 4)).save(tmp_path / "out.png", pnginfo=info)
    with pytest.raises(ImageError, match=r"out\.png holds an impasto recipe that is damaged"):
        read_recipe(tmp_path / "out.png")


def test_damaged_xmp_is_an_error(tmp_path):
    """A packet that is no XML cannot say whether it holds a recipe."""
    Image.new("RGB", (4, 4)).save(tmp_path / "out.webp", xmp=b"<x:xmpmeta")
    with pytest.raises(ImageError, match=r"out\.webp holds damaged metadata"):
        read_recipe(tmp_path / "out.webp")


def test_files_that_are_no_picture_are_refused(tmp_path):
    """Missing, empty and foreign files get their sentences here too."""
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").touch()
    for name, sentence in [("none.png", "does not exist"), ("text.png", "not a picture"), ("empty.png", "is empty")]:
        for consume in (read_recipe, read_parameters):
            with pytest.raises(ImageError, match=sentence):
                consume(tmp_path / name)


def test_entities_do_not_explode(tmp_path):
    """An XML bomb in a picture is refused quickly."""
    levels = "".join(f'<!ENTITY e{i + 1} "{f"&e{i};" * 10}">' for i in range(9))
    bomb = f'<!DOCTYPE x [<!ENTITY e0 "lol">{levels}]><x>&e9;</x>'
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, "WEBP", xmp=bomb.encode())
    (tmp_path / "bomb.webp").write_bytes(stream.getvalue())
    with pytest.raises(ImageError, match="damaged metadata"):
        read_recipe(tmp_path / "bomb.webp")
