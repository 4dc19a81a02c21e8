"""The bundled photos and the way to ask for paintings."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.errors import SettingsError
from impasto.samples import SMALLEST, paint, paintings, photo, photos

NOTICE = Path(__file__).parents[2] / "NOTICE"


def test_there_are_photos_and_paintings():
    """The names that the demo and the documentation rely on are there."""
    assert {"astronaut", "chelsea", "coffee", "rocket"} <= set(photos())
    assert {"swirl", "marble", "glass", "woodcut"} <= set(paintings())


@pytest.mark.parametrize("name", photos())
def test_a_photo_decodes(name):
    """Every photo is a small RGB JPEG that decodes to the end and shows something."""
    with Image.open(photo(name)) as image:
        image.load()
        assert (image.format, image.mode) == ("JPEG", "RGB")
        assert 300 <= min(image.size) <= max(image.size) <= 640
        assert np.asarray(image).std() > 30


def test_the_photos_keep_the_package_small():
    """All photos together stay under 400 kB."""
    assert sum(photo(name).stat().st_size for name in photos()) < 400_000


def test_notice_lists_every_bundled_file():
    """NOTICE names every picture file with its license, and no file that is not there."""
    root = NOTICE.parent
    folder = photo(photos()[0]).parent
    bundled = {f"src/impasto/samples/photos/{path.name}" for path in folder.iterdir() if path.is_file()}
    lines = NOTICE.read_text(encoding="utf-8").splitlines()
    listed = {line for line in lines if line.startswith("src/impasto/samples/photos/")}
    assert listed == bundled
    assert all((root / name).is_file() for name in listed)


def test_a_painting_is_a_picture_of_the_shape_asked_for():
    """A painting is float32 RGB of (1, 3, height, width), whichever of the sides is longer."""
    picture = paint("woodcut", (40, 24), seed=3)
    assert (picture.dtype, tuple(picture.shape)) == (torch.float32, (1, 3, 40, 24))
    assert picture.is_contiguous()


@pytest.mark.parametrize(("ask", "kind", "names"), [(photo, "photo", photos()), (paint, "painting", paintings())])
def test_an_unknown_name_is_refused_with_the_known_ones(ask, kind, names):
    """The message lists the names and, for a slip of the pen, the one that was probably meant."""
    with pytest.raises(SettingsError, match=f"There is no {kind} called 'zzz'") as refusal:
        ask("zzz")
    assert all(name in str(refusal.value) for name in names)
    assert "Did you mean" not in str(refusal.value)
    with pytest.raises(SettingsError, match=f"Did you mean {names[0]}"):
        ask(names[0][:-1])


@pytest.mark.parametrize("name", ["../photos/chelsea", "chelsea.jpg", "", "/etc/passwd"])
def test_a_photo_is_not_a_path(name):
    """Only the names of photos are accepted, not ways to other files."""
    with pytest.raises(SettingsError):
        photo(name)


@pytest.mark.parametrize("shape", [(15, 64), (64, 15), (1, 1), (0, 32), (-32, 32), (32.0, 32), (32,), (32, 32, 3)])
def test_a_shape_too_small_or_of_another_kind_is_refused(shape):
    """Sides below 16 pixels and anything but two whole numbers get a sentence with the smallest size."""
    with pytest.raises(SettingsError, match=f"at least {SMALLEST} pixels"):
        paint("swirl", shape)


@pytest.mark.parametrize("seed", [-1, 0.5, "0"])
def test_a_seed_of_another_kind_is_refused(seed):
    """A seed is a whole number of at least 0."""
    with pytest.raises(SettingsError, match="at least 0"):
        paint("swirl", (32, 32), seed)
