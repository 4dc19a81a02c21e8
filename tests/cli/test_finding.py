"""Files found by what they hold."""

import hashlib

from impasto.cli.options.finding import find
from impasto.cli.options.recipe import Input


def wanted(name, data):
    """An input of that name and content."""
    return Input(name=name, sha256=hashlib.sha256(data).hexdigest())


def test_by_content_and_not_by_name(tmp_path):
    """A renamed file is found, a namesake is not, and places are searched in order."""
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        (folder / "renamed.jpg").write_bytes(b"photo")
    (first / "photo.jpg").write_bytes(b"a namesake")
    (first / "folder.jpg").mkdir()
    photo, gone = wanted("photo.jpg", b"photo"), wanted("gone.jpg", b"gone")
    assert find([photo, gone], [first.iterdir(), second.iterdir()]) == {photo.sha256: first / "renamed.jpg"}


def test_namesakes_come_first(tmp_path, monkeypatch):
    """A folder of many pictures is not read where the file still has its name."""
    read = []
    monkeypatch.setattr("impasto.images.hash_file", lambda path: read.append(path.name) or wanted("", b"x").sha256)
    for name in ("a.png", "b.png", "z.png"):
        (tmp_path / name).write_bytes(b"x")
    find([wanted("z.png", b"x")], [tmp_path.iterdir()])
    assert read == ["z.png"]


def test_only_likely_files_are_read(tmp_path):
    """Files that are not pictures are left alone, unless the wanted file has such a name."""
    (tmp_path / "notes.txt").write_bytes(b"x")
    (tmp_path / "net.pth").write_bytes(b"y")
    assert find([wanted("a.png", b"x")], [tmp_path.iterdir()]) == {}
    assert len(find([wanted("other.pth", b"y")], [tmp_path.iterdir()])) == 1
