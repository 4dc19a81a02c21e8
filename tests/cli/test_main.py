"""The command line as a whole: help, version, exit codes, and what it does not import."""

import os
import subprocess
import sys

import pytest

import impasto
from impasto.cli import COMMANDS, main
from impasto.tasks import TASKS


def test_overview_names_every_command(call):
    """The help lists all commands and says what each does."""
    outcome = call("--help")
    assert outcome.code == 0
    flat = " ".join(outcome.out.replace("│", " ").split())
    told = {name: TASKS[name].help if name in TASKS else purpose for name, (_, _, purpose) in COMMANDS.items()}
    for name, purpose in told.items():
        assert " " in name or f" {name} {purpose}" in flat


def test_no_words_show_the_overview(call):
    """Without a command the overview comes up."""
    assert "stylize" in call().out


@pytest.mark.parametrize("name", [*COMMANDS, *(name for name in TASKS if name not in COMMANDS)])
def test_every_command_has_help(call, name):
    """Every command explains itself, beginning with how it is called."""
    outcome = call(*name.split(), "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"Usage: impasto {name} ")
    assert "Examples:" not in outcome.out


def test_version(call):
    """The version is the package's."""
    assert call("--version").out == f"impasto {impasto.__version__}\n"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["stylise"], 'Did you mean "stylize"?'),
        (["stylize", "a", "b", "-o", "c.png", "--sise", "3"], "Did you mean --size?"),
        (["stylize", "a", "b", "-o", "c.png", "--pooling", "maxx"], 'Did you mean "max"?'),
        (["stylize", "a", "b", "-o", "c.png", "--size"], "--size requires an argument"),
        (["stylize", "a", "b", "-o", "c.png", "--size", "3", "--size", "4"], "specified multiple times"),
        (["stylize", "a", "b", "-o", "c.png", "--quality", "0"], "Must be >= 1"),
        (["stylize", "a", "b", "-o", "c.png", "--quality", "good"], 'unable to convert "good" into int'),
        (["stylize", "a", "b", "-o", "c.png", "--save-every", "0"], "Must be > 0"),
        (["stylize", "a", "b", "-o", "c.png", "--depth", "12"], "Choose from: 8, 16"),
        (["stylize", "a"], "STYLE requires an argument"),
        (["stylize", "-", "b", "-o", "c.png"], "Pictures are not read from -"),
        (["explore", "a", "b", "-o", "-"], "Only single pictures go to standard output"),
        (["sound", "stylize", "a", "b", "-o", "-"], "Only single pictures go to standard output"),
        (["volume", "texture", "a", "-o", "-"], "Only single pictures go to standard output"),
        (["show"], "IMAGE requires an argument"),
        (["networks", "extra"], "impasto networks has no place for 'extra'. impasto networks --help lists"),
        (["networks", "descrbe"], "Did you mean networks describe?"),
        (["show", "a.png", "b.png"], "impasto show has no place for 'b.png'"),
        (["jobs", "list", "x"], "impasto jobs list has no place for 'x'. impasto jobs list --help lists"),
        (["jobs", "lsit"], 'Did you mean "list"?'),
    ],
)
def test_bad_words_get_one_sentence(call, words, hint):
    """What the parser refuses is one line on stderr that helps, and code 2."""
    outcome = call(*words)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("impasto: ")
    assert outcome.err.count("\n") == 1
    assert hint in outcome.err


@pytest.mark.parametrize(
    "line",
    [
        "stylize photo.png painting.png -o o.png --mask NAME",
        "stylize photo.png painting.png -o o.png --init NAME",
        "stylize photo.png painting.png -o o.png --weights NAME",
        "stylize photo.png painting.png -o o.png --preset NAME.toml",
        "score photo.png painting.png photo.png --mask NAME",
        "volume stylize NAME.npy painting.png -o o.npy",
        "volume stylize NAME painting.png -o o.npy",
        "volume info NAME",
        "neural-style -content_image photo.png -style_image NAME -output_image o.png -gpu c",
        "networks normalize --images NAME -o o.safetensors",
        "jobs submit NAME painting.png",
        "show NAME",
        "rerun NAME -o o.png",
    ],
)
def test_a_name_that_no_file_can_have_gets_a_sentence(call, room, monkeypatch, line):
    """Wherever a file is named; a few words' length of it is said, and nothing is written."""
    monkeypatch.setenv("IMPASTO_HOME", str(room / "home"))
    outcome = call(*line.replace("NAME", "n" * 300).split())
    assert outcome.code == 2
    assert "n" * 20 in outcome.err
    assert not [path for path in room.iterdir() if path.name.startswith("o.")]


@pytest.mark.parametrize("name", ["[]", '["photo.png"]', "{}"])
@pytest.mark.parametrize("line", ["stylize photo.png NAME -o out.png", "jobs submit photo.png painting.png NAME"])
def test_a_name_that_looks_like_json_is_a_name(call, room, monkeypatch, name, line):
    """Lists of files are words side by side, whatever is in the words."""
    monkeypatch.setenv("IMPASTO_HOME", str(room / "home"))
    outcome = call(*(name if word == "NAME" else word for word in line.split()))
    assert outcome.code == 2
    assert outcome.err.splitlines()[-1].startswith(f"impasto: {name} does not exist")


def test_unexpected_errors_keep_their_traceback(monkeypatch):
    """A bug is not dressed up as the user's mistake."""

    def broken(*_):
        raise RuntimeError("a bug")

    monkeypatch.setattr("impasto.images.read_recipe", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["show", __file__])


@pytest.mark.parametrize(
    ("words", "banned"),
    [
        (["--help"], ["torch", "PIL", "numpy", "pydantic", "rich.progress"]),
        (["stylize", "--help"], ["torch", "PIL", "numpy", "rich.progress"]),
        (["stylize", "a", "b", "-o", "c.png", "--size", "1"], ["torch", "PIL", "numpy"]),
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_imported_early(words, banned):
    """Help and bad settings do not wait for libraries that they do not need."""
    code = "import sys; from impasto.cli import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert not set(done.stderr.split()) & set(banned)


@pytest.mark.parametrize("words", [["--help"], ["show", "--json"]], ids=" ".join)
def test_a_reader_who_leaves_gets_no_traceback(start, made, words):
    """A closed pipe ends the program in silence."""
    reading, writing = os.pipe()
    os.close(reading)
    process = start(*words, *([made] if "show" in words else []), stdout=writing)
    os.close(writing)
    _, err = process.communicate(timeout=240)
    assert (process.returncode, err) == (1, b"")
