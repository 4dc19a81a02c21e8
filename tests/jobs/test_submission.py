"""What may be given as the files of a job."""

import os

import pytest

from impasto.errors import ImageError, JobError
from impasto.jobs import Jobs
from impasto.tasks.stylize import STYLIZE


@pytest.fixture
def opened(tmp_path):
    """No jobs yet."""
    jobs = Jobs.open(tmp_path / "home", "")
    yield jobs
    jobs.close()


def test_one_file_needs_no_list(opened, draw, tmp_path):
    """A path, bytes, or a name with bytes, as one or as several."""
    (tmp_path / "photo.png").write_bytes(draw(1))
    several = {"content": [tmp_path / "photo.png"], "styles": [draw(2)], "init": [("start.png", draw(3))]}
    single = {"content": tmp_path / "photo.png", "styles": draw(2), "init": ("start.png", draw(3)), "protect": None}
    first, second = (opened.submit("stylize", files, {}) for files in (several, single))
    assert (first.inputs, first.names) == (second.inputs, second.names)
    assert first.names == {"content": ("photo.png",), "styles": ("styles",), "init": ("start.png",)}


@pytest.mark.parametrize("wrong", ["photo.png", 5, ["photo.png"], [5], [("photo.png", 10**12)], {"a": b"x"}, [None]])
def test_what_is_no_file_is_named_by_its_type(opened, draw, wrong):
    """And costs no memory; a text is never a path."""
    with pytest.raises(JobError, match="give bytes, a Path, or a name with bytes"):
        opened.submit("stylize", {"content": wrong, "styles": draw(1)}, {})


def test_a_path_that_cannot_be_read_is_said(opened, draw, tmp_path):
    """A folder, and a name with a null character."""
    with pytest.raises(ImageError, match="is a folder but an input is needed"):
        opened.submit("stylize", {"content": tmp_path, "styles": draw(1)}, {})
    with pytest.raises(ImageError, match="cannot be read"):
        opened.submit("stylize", {"content": tmp_path / "a\0b", "styles": draw(1)}, {})


def test_names_that_are_not_utf8_are_kept_readable(opened, draw, tmp_path):
    """In titles and names, which databases and terminals take as text."""
    path = tmp_path / os.fsdecode(b"caf\xe9.png")
    path.write_bytes(draw(1))
    job = opened.submit("stylize", {"content": path, "styles": draw(2)}, {}, title=path.name)
    assert (job.title, job.names["content"]) == ("caf_.png", ("caf_.png",))
    assert opened.get(job.id) == job
    assert opened.list(search="caf_") == [job]


def test_roles_are_refused_before_any_file_is_read():
    """By their numbers alone."""
    STYLIZE.check_roles({"content": 1, "styles": 3})
    with pytest.raises(JobError, match="no input 'mask'"):
        STYLIZE.check_roles({"content": 1, "styles": 1, "mask": 1})
    with pytest.raises(JobError, match="styles of the task stylize has 0 files"):
        STYLIZE.check_roles({"content": 1})
