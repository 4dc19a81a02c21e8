"""Whole files and folders: there at once or not at all, with a sentence for every place that will not do."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from impasto.errors import ImageError
from impasto.files import (
    Files,
    held,
    is_file,
    is_folder,
    is_there,
    not_written,
    try_place,
    whole_file,
    whole_folder,
)

PICTURES = Files("a picture", ImageError)


def names(folder):
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def interrupted(manager, write):
    """Begin to write, and be interrupted."""
    with manager as target:
        write(target)
        raise KeyboardInterrupt


def test_a_file_comes_whole_and_leaves_nothing_beside_it(tmp_path):
    """The old content is there until the new one is complete; permissions stay."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    path.chmod(0o640)
    with whole_file(path) as stream:
        stream.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert names(tmp_path) == ["a.bin"]


def test_a_file_that_fails_leaves_the_old_one(tmp_path):
    """Whatever ends the block, nothing half-written stays."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        interrupted(whole_file(path), lambda stream: stream.write(b"ne"))
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_a_single_writer_finds_its_temporary_file_again(tmp_path):
    """What a killed run has left under that name is replaced, and followed nowhere if it is a link."""
    path, beside, victim = tmp_path / "a.bin", tmp_path / "a.bin.tmp", tmp_path / "victim"
    victim.write_bytes(b"mine")
    beside.symlink_to(victim)
    with whole_file(path, beside) as stream:
        stream.write(b"new")
    assert (path.read_bytes(), victim.read_bytes(), beside.exists()) == (b"new", b"mine", False)


def test_a_name_is_on_the_disk_when_the_block_has_ended(tmp_path, monkeypatch):
    """The file is synced before it gets its name, and its folder after that."""
    synced = []
    fsync = os.fsync

    def noted(descriptor):
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink() if Path("/proc/self/fd").is_dir() else None)
        fsync(descriptor)

    monkeypatch.setattr("os.fsync", noted)
    with whole_file(tmp_path / "a.bin") as stream:
        stream.write(b"new")
    assert len(synced) == 2
    assert synced[1] in (tmp_path, None)


def test_a_folder_comes_whole(tmp_path):
    """The old folder stays until the new one is filled, and comes back if that fails."""
    path = tmp_path / "a"
    for word in ("old", "new"):
        with whole_folder(path) as made:
            (made / word).touch()
    assert names(path) == ["new"]
    with pytest.raises(KeyboardInterrupt):
        interrupted(whole_folder(path), lambda made: (made / "newer").touch())
    assert names(path) == ["new"]
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("x" * 256 + ".png", "File name too long.*; choose a shorter name"),
        ("a\0b.png", "null .*; choose another place"),
        ("file/out.png", "file is not a folder; choose another place"),
        ("none/out.png", "the folder .*none does not exist; create it first"),
        ("folder", "is a folder but the name of a picture is needed; add one"),
        ("circle", "is a link that leads nowhere; choose another name"),
        ("/dev/null", "is not a regular file and is not replaced; choose another name"),
    ],
)
def test_a_place_that_will_not_do_gets_its_own_sentence(tmp_path, name, sentence):
    """Trying and writing say the same, and change nothing."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    before = names(tmp_path)
    for data in (None, b"new"):
        with pytest.raises(ImageError, match=sentence):
            PICTURES.replace(tmp_path / name, data)
    assert names(tmp_path) == before


def test_advice_fits_the_reason():
    """Nobody frees space because of a permission."""
    assert not_written("a", PermissionError(13, "Permission denied")).endswith("or change its permissions.")
    assert not_written("a", OSError(28, "No space left on device")).endswith("free some space or choose another place.")


def test_a_place_is_tried_without_a_trace(tmp_path):
    """Trying neither makes the file nor touches one that is there."""
    path = tmp_path / "a.bin"
    try_place(path)
    assert names(tmp_path) == []


def test_a_folder_is_held_by_one(tmp_path):
    """Whoever comes second is told so; the lock leaves nothing behind and ends with its block."""
    with held(tmp_path) as first, held(tmp_path) as second:
        assert (first, second) == (True, False)
    with held(tmp_path) as again:
        assert again
    assert names(tmp_path) == []


def test_the_lock_of_a_killed_process_is_gone(tmp_path):
    """No file has to be removed by hand after a crash."""
    code = "import sys, time; from impasto.files import held\nwith held(sys.argv[1]) as free: print(free, flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "True\n"
    with held(tmp_path) as free:
        assert not free
    process.kill()
    process.communicate()
    with held(tmp_path) as free:
        assert free


def test_names_that_cannot_be_are_refused(tmp_path):
    """Whether something is there or not."""
    PICTURES.check_name(tmp_path / "none" / "below.png")
    for name in ("x" * 256, "a\0b"):
        with pytest.raises(ImageError, match=r"cannot be written \("):
            PICTURES.check_name(tmp_path / name)


def test_what_is_asked_of_a_name_has_an_answer(tmp_path):
    """Also of a name that no file can have, and of one below a file or in a circle of links."""
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    questions = (is_there, is_file, is_folder)
    assert [ask(tmp_path / "file") for ask in questions] == [True, True, False]
    assert [ask(str(tmp_path)) for ask in questions] == [True, False, True]
    for name in ("none", "x" * 256, "y/" * 5000, "a\0b", "file/below", "circle", "\udcff"):
        assert not any(ask(tmp_path / name) for ask in questions)


def test_a_folder_that_somebody_else_has_filled_meanwhile_stays(tmp_path):
    """If it is not to be replaced; nothing is left beside it, wherever the folder was until then."""
    path, elsewhere = tmp_path / "a", tmp_path / "incoming"
    for word in ("first", "second"):
        with whole_folder(path, elsewhere, replacing=False) as made:
            assert made == elsewhere
            (made / word).touch()
    assert names(path) == ["first"]
    assert names(tmp_path) == ["a"]


def test_a_hash_is_that_of_the_content(tmp_path):
    """With the same sentences as reading it."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"content")
    assert PICTURES.sha256(path) == hashlib.sha256(PICTURES.contents(path)).hexdigest()
    for look in (PICTURES.sha256, PICTURES.contents):
        with pytest.raises(ImageError, match="is a folder but a picture is needed"):
            look(tmp_path)
