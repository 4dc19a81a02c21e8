"""Every medium by its one face: what it reads, tries, writes and shows."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

from impasto.errors import ImpastoError
from impasto.images import Picture, Source
from impasto.media import MEDIA, media_of, medium_of, recipe_of_file
from impasto.signals import as_record
from impasto.sounds import as_sound
from impasto.videos import Painted, Stills
from impasto.volumes.volume import Origin, Volume

RECIPE = {
    "impasto": "0",
    "torch": "0",
    "settings": {},
    "seed": 0,
    "precision": "fp32",
    "device": "cpu",
    "task": "stylize",
    "inputs": {"content": {"name": "a"}, "styles": [{"name": "b"}]},
}


def picture():
    """Pixels, and the photo that they are like."""
    pixels = torch.linspace(0, 1, 3 * 8 * 9).view(1, 3, 8, 9)
    return pixels, Picture(pixels, None, Source("a.png", None, "0" * 64, "PNG", 8, gray=False))


def sound():
    """A tone."""
    found = as_sound(torch.sin(torch.arange(4000) / 9)[None] / 2, 8000)
    return found, found


def signal():
    """A wave of two leads."""
    found = as_record(torch.sin(torch.arange(200) / 9).expand(2, -1).clone(), 100.0)
    return found, found


def volume():
    """A ramp."""
    voxels = torch.linspace(0, 1, 8 * 9 * 10).view(1, 1, 8, 9, 10).expand(1, 3, -1, -1, -1)
    found = Volume(voxels, (0.0, 255.0), np.eye(4), Origin("a", None, "0" * 64, "array", gray=True))
    return found, found


def video():
    """Four frames, painted gray, of a clip that is a folder of pictures."""
    from fractions import Fraction

    folder = Path(tempfile.mkdtemp())
    files = tuple(folder / f"{index}.png" for index in range(4))
    times = tuple(Fraction(index, 25) for index in range(4))
    like = Stills(
        path=folder, name="a", sha256="0" * 64, shape=(8, 10), times=times, end=Fraction(4, 25), shots=(0,), files=files
    )
    return Painted(like, 4, lambda index: np.full((8, 10, 3), 60 * index, np.uint8)), like


MADE = {"picture": picture, "video": video, "sound": sound, "signal": signal, "volume": volume}
every_medium = pytest.mark.parametrize("name", MEDIA)


@every_medium
def test_what_is_written_is_read_with_its_recipe(tmp_path, name):
    """Under the name that a job gives a result, after it was tried."""
    medium, (made, like) = medium_of(name), MADE[name]()
    path = tmp_path / MEDIA[name][1]
    medium.check_name(path)
    medium.check(path, like, (8, 10))
    assert not list(tmp_path.iterdir())
    medium.write(path, made, like, RECIPE)
    assert medium in media_of(path)
    assert recipe_of_file(path) == medium.read_recipe(path) == RECIPE
    again = medium.read(path)
    if name == "video":
        assert (len(again), again.shape) == (4, (8, 10))
    else:
        values = again.pixels if name == "picture" else again
        assert medium.array(values).shape == medium.array(made).shape
    medium.check_input(path.read_bytes(), path.name)


@every_medium
def test_metadata_may_be_left_out(tmp_path, name):
    """Then nothing says how it was made."""
    medium, (made, like) = medium_of(name), MADE[name]()
    path = tmp_path / MEDIA[name][1]
    medium.write(path, made, like, RECIPE, metadata=False)
    assert medium.read_recipe(path) is None


@every_medium
def test_what_is_something_else_is_refused(name):
    """By a sentence that names it as its user does."""
    with pytest.raises(ImpastoError, match="mine"):
        medium_of(name).check_input(b"no such thing", f"mine{MEDIA[name][1].removeprefix('result')}")


@every_medium
def test_a_name_that_cannot_be_is_refused_before_anything_is_read(tmp_path, name):
    """A folder that is not there, and an ending that says nothing."""
    for path in (tmp_path / "no" / MEDIA[name][1], tmp_path / "result.what"):
        with pytest.raises(ImpastoError):
            medium_of(name).check_name(path)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("picture", (1, 3, 700, 300)),
        ("sound", (2, 129, 40)),
        ("sound", (1, 1, 900)),
        ("signal", (1, 5, 300)),
        ("volume", (1, 3, 9, 20, 30)),
    ],
)
def test_a_preview_is_a_small_picture(name, shape):
    """Of whatever a descent is on."""
    shown = medium_of(name).preview(torch.rand(shape))
    assert shown.shape[:2] == (1, 3)
    assert max(shown.shape[2:]) <= 1000
    assert 0 <= shown.min() <= shown.max() <= 1
