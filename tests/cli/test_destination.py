"""Names of files that a run writes."""

from pathlib import Path

import pytest

from impasto.cli.options.destination import Destination
from impasto.cli.options.outputs import refuse_overwriting, same_file
from impasto.errors import SettingsError


def test_frames_have_names_of_their_own(tmp_path):
    """A frame's name says level and evaluation, and is recognized; other names are not."""
    where = Destination(tmp_path / "out.v2.png")
    assert where.frame_name(2, 40) == "out.v2_2_0040.png"
    assert where.is_frame(tmp_path / "sub" / ".." / "out.v2_2_0040.png")
    for name in ("out.v2.png", "out_v2_2_0040.png", "out.v2_2_40.png", "out.v2_2_0040.jpg", "sub/out.v2_2_0040.png"):
        assert not where.is_frame(tmp_path / name)
    assert not Destination(None).is_frame(tmp_path / "out_1_0001.png")


def test_one_file_under_two_names(tmp_path):
    """Links, dots and hard links are seen through, for files that exist and files that do not yet."""
    (tmp_path / "a").write_text("")
    (tmp_path / "soft").symlink_to(tmp_path / "a")
    (tmp_path / "hard").hardlink_to(tmp_path / "a")
    (tmp_path / "folder").symlink_to(tmp_path)
    for one, other in [("a", "soft"), ("a", "hard"), ("new", "folder/new"), ("new", "sub/../new")]:
        assert same_file(tmp_path / one, tmp_path / other)
    assert not same_file(tmp_path / "a", tmp_path / "b")


def test_inputs_are_not_overwritten(tmp_path):
    """The refusal names the option and the file."""
    with pytest.raises(SettingsError, match=r"^The output x\.png would overwrite x\.png"):
        refuse_overwriting(Path("x.png"), [Path("y.png"), Path("x.png")], "The output")
    refuse_overwriting(Path("z.png"), [Path("y.png")], "The output")


def test_a_picture_does_not_go_to_a_terminal(monkeypatch):
    """Bytes on a terminal help nobody."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with pytest.raises(SettingsError, match="terminal"):
        Destination(None).check()
