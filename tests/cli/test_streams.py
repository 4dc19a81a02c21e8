"""The command line in programs, shells and places with other streams than a terminal's."""

import contextlib
import io
import sys
import threading
from pathlib import Path

import pytest

from impasto.cli import app, main
from impasto.cli.terminal.streams import binary, usable

FULL = Path("/dev/full")
WORDS = ["networks"]


class Notebook(io.TextIOBase):
    """What a notebook has in the place of stdout: words can be written, and that is all."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        """Keep the words."""
        self.text += text
        return len(text)

    def fileno(self):
        """There is no file."""
        raise io.UnsupportedOperation("fileno")


class Bare:
    """The least that may stand for a stream."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        """Keep the words."""
        self.text += text

    def flush(self):
        """Nothing waits."""


@pytest.mark.parametrize("kind", [io.StringIO, Notebook, Bare])
@pytest.mark.parametrize("words", [WORDS, ["--help"], ["show", "nowhere.png"]], ids=" ".join)
def test_any_object_may_stand_for_the_streams(kind, words):
    """A notebook's, a recorder's: the words arrive, and the streams are the same afterwards."""
    out, err = kind(), kind()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
        assert (sys.stdout, sys.stderr) == (out, err)
    text = [stream.getvalue() if kind is io.StringIO else stream.text for stream in (out, err)]
    assert (code, bool(text[0])) == ((2, False) if "show" in words else (0, True))
    assert ("nowhere.png does not exist" in text[1]) == ("show" in words)


def closed():
    """A stream that was closed."""
    stream = io.TextIOWrapper(io.BytesIO())
    stream.close()
    return stream


@pytest.mark.parametrize("make", [lambda: None, closed], ids=["none", "closed"])
def test_there_need_be_no_streams(monkeypatch, make):
    """As in a program with windows alone."""
    monkeypatch.setattr(sys, "stdout", make())
    monkeypatch.setattr(sys, "stderr", make())
    assert main(WORDS) == 0
    assert main(["show", "nowhere.png"]) == 2


@pytest.mark.parametrize("make", [lambda: None, closed, io.StringIO], ids=["none", "closed", "words"])
def test_a_picture_needs_a_stream_that_takes_it(room, monkeypatch, make, fast):
    """Before anything is computed."""
    said = io.StringIO()
    monkeypatch.setattr(sys, "stdout", make())
    monkeypatch.setattr(sys, "stderr", said)
    for command in (["stylize", *fast], ["preview"]):
        assert main([command[0], "photo.png", "painting.png", "-o", "-", *command[1:]]) == 2
    assert said.getvalue().count("Standard output takes no picture here") == 2


def test_the_streams_are_left_as_they_were():
    """Names that are no text are escaped while a command runs, and no longer."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    with contextlib.redirect_stdout(stream):
        with usable():
            assert stream.errors == "backslashreplace"
            assert binary() is stream.buffer
        assert stream.errors == "strict"


def test_a_run_in_a_thread(room, fast):
    """Where Python hears no signals; the host's own are left alone."""
    codes = []
    words = ["stylize", "photo.png", "painting.png", "-o", "out.png", "--quiet", *fast]
    thread = threading.Thread(target=lambda: codes.append(main(words)))
    thread.start()
    thread.join()
    assert codes == [0]
    assert (room / "out.png").is_file()


def test_a_worker_in_a_thread_is_refused(tmp_path, capsys):
    """Nothing could end it."""
    codes = []
    thread = threading.Thread(target=lambda: codes.append(main(["worker", "--home", str(tmp_path)])))
    thread.start()
    thread.join()
    assert codes == [2]
    assert "main thread" in capsys.readouterr().err


@pytest.mark.skipif(not FULL.exists(), reason="this system has no full device")
@pytest.mark.parametrize(
    ("words", "unbuffered"), [(["--help"], ""), (["--help"], "1"), (WORDS, ""), (["show", "--json"], "1")]
)
def test_a_report_that_cannot_be_written(start, made, words, unbuffered):
    """Is told in a sentence, with exit code 1, and no traceback follows when Python ends."""
    with FULL.open("wb") as full:
        words = [*words, made] if "show" in words else words
        process = start(*words, stdout=full, env={"PYTHONUNBUFFERED": unbuffered})
        _, err = process.communicate(timeout=240)
    assert process.returncode == 1
    assert err.decode() == (
        "impasto: Standard output cannot be written (No space left on device); send it to another place.\n"
    )


class Gone(io.StringIO):
    """A stream whose disk is full or whose terminal is gone."""

    def write(self, text):
        """Fail."""
        raise OSError(28, "No space left on device")


def test_progress_that_nobody_can_read_does_not_end_the_run(room, monkeypatch, fast):
    """The picture is there all the same."""
    monkeypatch.setattr(sys, "stderr", Gone())
    assert main(["stylize", "photo.png", "painting.png", "-o", "out.png", *fast]) == 0
    assert (room / "out.png").is_file()


def commands(group=app, path=()):
    """Every command and group, by its words."""
    yield path
    for name in group:
        if not name.startswith("-"):
            yield from commands(group[name], (*path, name))


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_help_is_plain_words(call, path):
    """Without the markup of documents, of every command."""
    outcome = call(*path, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert "``" not in outcome.out
    assert not [word for word in outcome.out.split() if word.startswith((":func:", ":class:", ":meth:", ":mod:"))]


@pytest.mark.parametrize(
    "surroundings", [{"COLUMNS": "20", "TERM": "xterm"}, {"TERM": "dumb"}, {"NO_COLOR": "1"}], ids=str
)
def test_help_on_odd_terminals(call, monkeypatch, surroundings):
    """Narrow, dumb, colorless."""
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)
    outcome = call("stylize", "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert "\x1b" not in outcome.out
    assert max(map(len, outcome.out.splitlines()[2:])) <= int(surroundings.get("COLUMNS", 200))


def test_help_is_as_wide_as_the_terminal_is_now(call, monkeypatch):
    """However wide it was when this program asked before."""
    for width in (70, 40, 100):
        monkeypatch.setenv("COLUMNS", str(width))
        for words in (["--help"], ["stylize", "--help"], ["jobs"]):
            assert max(map(len, call(*words).out.splitlines())) == width, words
