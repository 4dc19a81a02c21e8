"""The bundled photos and paintings."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import SettingsError
from impasto.samples import painting, paintings, photo, photos

NOTICE = Path(__file__).parents[2] / "NOTICE"


def test_there_are_photos_and_paintings():
    """The names that the demo and the documentation rely on are there."""
    assert {"astronaut", "chelsea", "coffee", "rocket"} <= set(photos())
    assert {"swirl", "marble", "glass", "woodcut"} <= set(paintings())


@pytest.mark.parametrize("path", [*map(photo, photos()), *map(painting, paintings())], ids=lambda path: path.stem)
def test_a_picture_decodes(path):
    """Each is a small RGB JPEG that decodes to the end and shows something."""
    with Image.open(path) as image:
        image.load()
        assert (image.format, image.mode) == ("JPEG", "RGB")
        assert 300 <= min(image.size) <= max(image.size) <= 640
        assert np.asarray(image).std() > 30


def test_the_pictures_keep_the_package_small():
    """All photos together stay under 400 kB, all paintings under 600."""
    assert sum(photo(name).stat().st_size for name in photos()) < 400_000
    assert sum(painting(name).stat().st_size for name in paintings()) < 600_000


@pytest.mark.parametrize("folder", ["photos", "paintings"])
def test_notice_lists_every_bundled_file(folder):
    """NOTICE names every picture file with its license, and no file that is not there."""
    home = f"src/impasto/samples/{folder}"
    bundled = {f"{home}/{path.name}" for path in (NOTICE.parent / home).iterdir()}
    lines = NOTICE.read_text(encoding="utf-8").splitlines()
    assert {line for line in lines if line.startswith(f"{home}/")} == bundled


@pytest.mark.parametrize(("ask", "kind", "names"), [(photo, "photo", photos()), (painting, "painting", paintings())])
def test_an_unknown_name_is_refused_with_the_known_ones(ask, kind, names):
    """The message lists the names and, for a slip of the pen, the one that was probably meant."""
    with pytest.raises(SettingsError, match=f"There is no {kind} called 'zzz'") as refusal:
        ask("zzz")
    assert all(name in str(refusal.value) for name in names)
    assert "Did you mean" not in str(refusal.value)
    with pytest.raises(SettingsError, match=f"Did you mean {names[0]}"):
        ask(names[0][:-1])


@pytest.mark.parametrize("name", ["../photos/chelsea", "chelsea.jpg", "", "/etc/passwd"])
@pytest.mark.parametrize("ask", [photo, painting])
def test_a_name_is_not_a_path(ask, name):
    """Only the names of pictures are accepted, not ways to other files."""
    with pytest.raises(SettingsError):
        ask(name)
