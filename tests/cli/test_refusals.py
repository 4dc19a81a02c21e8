"""What ``impasto stylize`` refuses: one sentence, code 2, no traceback, and an existing output untouched."""

import os
import resource
import struct
import zlib

import pytest
import torch
from PIL import Image

from impasto import images


def bomb(path):
    """A PNG whose header announces 100000 x 100000 pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IEND\xaeB`\x82")


def truncated(path):
    """The first two thirds of a JPEG."""
    Image.open("photo.png").save(path, "JPEG")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def animated(path):
    """A GIF with two frames."""
    frames = [Image.new("RGB", (64, 64), color) for color in ("red", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:])


def tiny(path):
    """A picture of one pixel."""
    Image.new("RGB", (1, 1)).save(path)


def yesterday(path):
    """A picture that impasto made, and its bytes."""
    images.write(path, torch.rand(3, 16, 16), parameters=images.mark("The picture of yesterday"))
    return path.read_bytes()


INPUTS = {
    "missing.png": lambda path: None,
    "folder": lambda path: path.mkdir(),
    "empty.png": lambda path: path.write_bytes(b""),
    "truncated.jpg": truncated,
    "text.png": lambda path: path.write_text("not a picture"),
    "bomb.png": bomb,
    "animated.gif": animated,
    "one-pixel.png": tiny,
}


@pytest.fixture
def refused(call, room):
    """A function that runs a command over an existing output, checks the refusal, and returns the sentence."""
    kept = yesterday(room / "out.png")

    def check(*words):
        before = sorted(path.name for path in room.iterdir())
        outcome = call("stylize", *words)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith("impasto: ")
        assert outcome.err.count("\n") == 1
        assert (room / "out.png").read_bytes() == kept
        assert sorted(path.name for path in room.iterdir()) == before
        return outcome.err

    return check


CASES = {(name, place) for name in INPUTS for place in ("content", "style", "init")}
CASES.remove(("one-pixel.png", "init"))  # a beginning of one pixel is a plain color, which is fine


@pytest.mark.parametrize(("name", "place"), sorted(CASES))
def test_bad_inputs(refused, room, name, place, fast):
    """An input that is no picture is named, wherever it was given."""
    INPUTS[name](room / name)
    files = {"content": "photo.png", "style": "painting.png", "init": "photo.png", place: name}
    words = (files["content"], files["style"], "-o", "out.png", "--init", files["init"], *fast)
    assert name in refused(*words)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["-o", "out.xyz"], "unknown extension"),
        (["-o", "out"], "no extension"),
        (["-o", "no/out.png"], "does not exist"),
        (["-o", "photo.png/out.png"], "photo.png is not a folder"),
        (["-o", "."], "no extension"),
        (["-o", "dir.png"], "folder"),
        (["-o", "--json"], "no extension"),
        ([], "no output"),
        (["-o", "photo.png"], "would overwrite photo.png"),
        (["-o", "link.png"], "would overwrite painting.png"),
        (["-o", "sub/../photo.png"], "would overwrite photo.png"),
        (["-o", "start.png", "--init", "start.png"], "would overwrite start.png"),
        (["-o", "-", "--json"], "both want standard output"),
        (["-o", "-", "--save-every", "2"], "--save-every"),
        (["-o", "out.png", "--quality", "90"], "lossless"),
        (["-o", "new.jpg", "--depth", "16"], "8 bits"),
        (["-o", "out.png", "--watch", "out.png"], "both out.png"),
        (["-o", "out.png", "--watch", "painting.png"], "would overwrite painting.png"),
        (["-o", "out.png", "--watch", "now.txt"], "unknown extension"),
        (["-o", "out.png", "--watch", "out_1_0004.png", "--save-every", "2"], "might overwrite the preview"),
        (["-o", "p.png", "--init", "p_2_0040.png", "--save-every", "2"], "might overwrite p_2_0040.png"),
        (["-o", "out.png", "--checkpoint", "photo.png"], "checkpoint"),
        (["-o", "out.png", "--style-layers", "conv9_9"], "conv9_9"),
        (["-o", "out.png", "--style-layers", "conv1_1:much"], "conv1_1:much"),
        (["-o", "out.png", "--content-weight", "-1", "--style-weight", "1"], "content_weight"),
        (["-o", "out.png", "--content-weight=nan", "--style-weight", "1"], "content_weight"),
        (["-o", "out.png", "--style-weight", "inf", "--content-weight", "1"], "style_weight"),
        (["-o", "out.png", "--style-weight", "1"], "content_weight"),
        (["-o", "out.png", "--strength", "1.5"], "strength"),
        (["-o", "out.png", "--strength", "0.5", "--content-weight", "1", "--style-weight", "1"], "Strength cannot"),
        (["-o", "out.png", "--blend", "1,2"], "2 shares for 1 styles"),
        (["-o", "out.png", "--rate", "0.1"], "Rate cannot take effect"),
        (["-o", "out.png", "--network", "vgg20"], "vgg20"),
        (["-o", "out.png", "--device", "abacus"], "abacus"),
        (["-o", "out.png", "--preset", "nothing"], "draft"),
        (["-o", "out.png", "--preset", "no.toml"], "no.toml"),
        (["-o", "out.png", "--weights", "no.pth"], "no.pth"),
        (["-o", "out.png", "--weights", "photo.png"], "photo.png"),
        (["-o", "out.png", "--weights", "broken.safetensors"], "broken.safetensors"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_options(refused, room, words, hint, fast):
    """An option that cannot be, or cannot take effect, is named."""
    (room / "dir.png").mkdir()
    (room / "sub").mkdir()
    (room / "link.png").symlink_to("painting.png")
    for name in ("start.png", "p_2_0040.png"):
        (room / name).write_bytes((room / "photo.png").read_bytes())
    (room / "broken.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    given = [word for index, word in enumerate(fast) if fast[index - (index % 2)] not in words]
    assert hint in refused("photo.png", "painting.png", *words, *given)


def test_transparency_needs_a_format_that_has_it(refused, room, fast):
    """A photo with transparency is not written to a format that would lose it, and that is found before the run."""
    Image.new("RGBA", (64, 64), (200, 100, 50, 128)).save("clear.png")
    assert "transparency" in refused("clear.png", "painting.png", "-o", "new.jpg", *fast)
    assert "transparency" in refused("clear.png", "painting.png", "-o", "out.png", "--watch", "now.jpg", *fast)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(refused, room, fast):
    """A folder that may not be written to is found before the run."""
    (room / "locked").mkdir(mode=0o500)
    assert "cannot be written" in refused("photo.png", "painting.png", "-o", "locked/out.png", *fast)


def test_disk_full(start, room, fast):
    """A write that fails at the end leaves the existing output and no scraps, and says so."""
    kept = yesterday(room / "out.png")
    before = sorted(path.name for path in room.iterdir())

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    process = start("stylize", "photo.png", "painting.png", "-o", "out.png", "--quiet", *fast, preexec_fn=limit)
    out, err = process.communicate(timeout=240)
    assert (process.returncode, out) == (1, b"")
    assert err.startswith(b"impasto: out.png cannot be written")
    assert err.endswith(b"it could be kept nowhere else either and is lost.\n")
    assert (room / "out.png").read_bytes() == kept
    assert sorted(path.name for path in room.iterdir()) == before
