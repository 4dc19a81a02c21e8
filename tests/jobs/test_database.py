"""Where the jobs are: homes of any name, databases that cannot be used, and users without a home."""

import os
import pwd
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from impasto.errors import JobError
from impasto.jobs import Jobs
from impasto.jobs.queue import Queue


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch):
    monkeypatch.delenv("IMPASTO_DATABASE", raising=False)


@pytest.mark.parametrize("name", ["q%20x", "q%3Fx", "q?mode=ro", "q#x", "q@x:y", "ä ö", os.fsdecode(b"\xff")])
def test_a_home_of_any_name_is_that_home(tmp_path, ask, name):
    """No letter of a path is taken for a part of a URL: another folder's jobs are never seen, let alone pruned."""
    other = Jobs.open(tmp_path / "q x")
    kept = other.submit(*ask(1))
    jobs = Jobs.open(tmp_path / name)
    assert (tmp_path / name / "jobs.db").is_file()
    assert jobs.list() == []
    job = jobs.submit(*ask(2))
    jobs.prune(0)
    again = Jobs.open(tmp_path / name, jobs.database)  # as worker processes are told
    assert again.list() == [job]
    assert other.list() == [kept]
    for opened in (other, jobs, again):
        opened.close()


def test_a_database_without_an_encoding_keeps_all_letters(request, tmp_path, ask):
    """PostgreSQL makes such ones in the C locale: words come back as words all the same."""
    psycopg = pytest.importorskip("psycopg")
    folder = request.getfixturevalue("cluster")
    with psycopg.connect(f"host={folder} user=impasto dbname=postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE bytes ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    jobs = Jobs.open(tmp_path, f"postgresql://impasto@/bytes?host={folder}")
    job = jobs.submit(*ask(), title="Bäume 木")
    assert [(other.id, other.title) for other in jobs.list()] == [(job.id, "Bäume 木")]
    jobs.close()


def no_database(folder):
    """A file that is none."""
    (folder / "jobs.db").write_text("This is a letter, not a database. " * 40)


def a_folder(folder):
    """A folder in its place."""
    (folder / "jobs.db").mkdir()


def damaged(folder):
    """A database of which a page is lost."""
    Jobs.open(folder).close()
    data = bytearray((folder / "jobs.db").read_bytes())
    data[4096 : 4096 * 3] = b"\xff" * (4096 * 2)
    (folder / "jobs.db").write_bytes(data)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [(no_database, "is no SQLite database"), (a_folder, "cannot be opened"), (damaged, "damaged")],
)
def test_a_database_that_cannot_be_used_is_named(tmp_path, make, sentence):
    """With what is wrong, and its file as it was."""
    make(tmp_path)
    with pytest.raises(JobError, match=sentence) as caught:
        Jobs.open(tmp_path).list()
    assert str(tmp_path / "jobs.db") in str(caught.value)
    assert (tmp_path / "jobs.db").exists()


@pytest.mark.parametrize(
    "ask_for",
    [
        lambda jobs: jobs.get("\udcff"),
        lambda jobs: jobs.get("a\0b"),
        lambda jobs: jobs.pause("\udcff"),
        lambda jobs: jobs.list(search="a \udcff"),
        lambda jobs: jobs.list(limit=2**63),
        lambda jobs: jobs.wait(["\ud800"]),
    ],
)
def test_what_no_database_takes_is_refused(jobs, ask, ask_for):
    """Halves of letters, the letter zero and numbers of more than 64 bits; jobs go on as before."""
    job = jobs.submit(*ask())
    with pytest.raises(JobError, match=r"takes no such word or number|There is no job") as caught:
        ask_for(jobs)
    assert type(caught.value) is JobError  # a database that cannot be used would be asked again and again
    assert jobs.list() == [job]


def test_a_missing_folder_is_named(tmp_path):
    """Of a SQLite file given as a URL."""
    with pytest.raises(JobError, match="cannot be opened; check that its folder exists"):
        Jobs.open(tmp_path, f"sqlite:///{tmp_path}/none/jobs.db")


def test_a_database_that_may_only_be_read_is_named(tmp_path, ask):
    """When something is to be written."""
    Jobs.open(tmp_path).close()
    with pytest.raises(JobError, match="may not be written to by this user"):
        Jobs.open(tmp_path, f"sqlite:///file:{tmp_path}/jobs.db?mode=ro&uri=true").submit(*ask())


def test_a_database_that_another_program_holds_is_named(tmp_path):
    """After the time that one waits for it."""
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as other:
        other.execute("CREATE TABLE mine (x)")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JobError, match="another program holds it"):
            Queue(tmp_path / "jobs.db", patience=0.01)


def test_an_old_sqlite_is_said(tmp_path, monkeypatch):
    """Instead of a syntax error at the first job."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(JobError, match=r"jobs need 3\.35 or newer"):
        Jobs.open(tmp_path)


@pytest.mark.parametrize("home", [None, "~/jobs"])
def test_a_user_without_a_home_is_told_what_to_give(monkeypatch, home):
    """As in containers, whose user has a number and no name."""

    def nobody(number):
        raise KeyError(number)

    for name in ("HOME", "IMPASTO_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    with pytest.raises(JobError, match=r"has no home .* --home or by IMPASTO_HOME"):
        Jobs.open(home)


@pytest.mark.parametrize("home", ["a\0b", "file/below"])
def test_a_home_that_cannot_be_made_is_said(tmp_path, home):
    """Whatever the reason."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(JobError, match=r"The folder of the jobs, .* cannot be made"):
        Jobs.open(tmp_path / home)


def test_a_worker_finds_a_home_of_any_name(tmp_path, monkeypatch):
    """It is told the folder, not a URL made of it."""
    home = tmp_path / "q%20x?y"
    monkeypatch.setenv("IMPASTO_DATABASE", "")
    code = "import sys; from impasto.jobs import Jobs; print(Jobs.open(sys.argv[1]).database == '')"
    found = subprocess.run([sys.executable, "-c", code, str(home)], capture_output=True, text=True, check=True)
    assert found.stdout == "True\n"
    assert (home / "jobs.db").is_file()
