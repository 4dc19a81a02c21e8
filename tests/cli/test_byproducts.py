"""Pictures that a run writes on its way."""

from types import SimpleNamespace

import pytest
import torch
from PIL import ExifTags, Image, PngImagePlugin

from impasto import images
from impasto.cli.options.byproducts import BestEffortWriter, FrameWriter, PreviewWriter
from impasto.cli.options.destination import Destination
from impasto.errors import ImageError
from impasto.tasks.stylize import STYLIZE

EXIF = Image.Exif()
EXIF[ExifTags.Base.Artist] = "Somebody"
TEXT = PngImagePlugin.PngInfo()
TEXT.add_text("Title", "Somewhere")


@pytest.fixture
def like(originals):
    """The photo."""
    return images.read(originals[0])


@pytest.fixture
def run(like):
    """A run that makes a picture like the photo."""
    return SimpleNamespace(task=STYLIZE, like=like)


def event(level, evaluation, value=0.5):
    """An event with an image of one gray."""
    return SimpleNamespace(level=level, evaluation=evaluation, image=torch.full((1, 3, 6, 8), value))


def test_preview_comes_about_once_a_second(tmp_path, run):
    """The file holds the latest picture of an interval, and writing waits for the next."""
    now, path = [0.0], tmp_path / "now.png"
    preview = PreviewWriter(path, run, clock=lambda: now[0])
    shades = []
    for at, value in [(0, 0.0), (0.5, 0.2), (1.1, 0.4), (2.0, 0.6), (2.2, 1.0)]:
        now[0] = at
        preview(event(0, 1, value))
        shades.append(round(images.read(path).pixels[0, 0, 0, 0].item(), 1))
    assert shades == [0.0, 0.0, 0.4, 0.4, 1.0]


def test_preview_waits_longer_where_writing_is_slow(tmp_path, run, monkeypatch):
    """A picture that takes three seconds to write is not written every second."""
    now, writes = [0.0], []

    def slow(*_, **__):
        writes.append(now[0])
        now[0] += 3

    monkeypatch.setattr("impasto.images.write", slow)
    preview = PreviewWriter(tmp_path / "now.png", run, clock=lambda: now[0])
    while now[0] < 70:
        preview(event(0, 1))
        now[0] += 1
    assert writes == [0.0, 63.0]


def test_frames_are_due_every_so_many_evaluations(tmp_path, like):
    """A frame is written when its number is reached or passed, and counting begins anew on every level."""
    frames = FrameWriter(10, Destination(tmp_path / "out.png"), like)
    for at in [(0, 1), (0, 9), (0, 11), (0, 12), (0, 35), (0, 40), (1, 12), (1, 13)]:
        frames(event(*at))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["out_1_0011.png", "out_1_0035.png", "out_1_0040.png", "out_2_0012.png"]


def test_a_failure_is_told_once():
    """The run goes on, and hears of it one time; other errors are not swallowed."""

    def failing(number):
        raise ImageError("No room.") if number else KeyError

    told = []
    tolerant = BestEffortWriter(failing, told.append)
    tolerant(1)
    tolerant(1)
    assert told == ["No room. The run goes on without it."]
    with pytest.raises(KeyError):
        tolerant(0)


def test_a_preview_says_that_it_is_ours_and_nothing_of_the_photo(tmp_path):
    """The photo's EXIF, XMP and texts are for the picture; without metadata it says nothing at all."""
    photo = tmp_path / "photo.png"
    Image.new("RGB", (8, 6)).save(photo, exif=EXIF, pnginfo=TEXT)
    like = images.read(photo)
    assert like.source.exif
    assert like.source.texts
    for metadata in (True, False):
        path = tmp_path / f"now-{metadata}.png"
        PreviewWriter(path, SimpleNamespace(task=STYLIZE, like=like), metadata=metadata)(event(0, 1))
        with Image.open(path) as picture:
            assert not picture.getexif().get_ifd(ExifTags.IFD.Exif)
            assert ExifTags.Base.Artist not in picture.getexif()
            assert set(picture.text) == ({"parameters"} if metadata else set())
