"""Which files of a folder are taken for pictures."""

import pytest

from impasto.errors import ImageError
from impasto.images.folder import pictures_in


def test_pictures_below_are_found_in_order(tmp_path):
    """Whatever the case of their endings; hidden files and others are not."""
    (tmp_path / "b" / "c").mkdir(parents=True)
    for name in ("z.PNG", "a.jpg", "b/c/x.webp", "b/y.gif", "notes.txt", ".hidden.png", "b/._y.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [str(path.relative_to(tmp_path)) for path in pictures_in(tmp_path)] == [
        "a.jpg",
        "b/c/x.webp",
        "b/y.gif",
        "z.PNG",
    ]


@pytest.mark.parametrize(
    ("name", "hint"), [("empty", "There are no pictures in"), ("missing", "does not exist"), ("file", "is a file, but")]
)
def test_folders_that_will_not_do(tmp_path, name, hint):
    """The sentence names the folder and what is wrong."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(ImageError, match=f"{hint}|{name} {hint}"):
        pictures_in(tmp_path / name)
