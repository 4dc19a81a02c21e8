"""Command lines: every command and option of the real program, with values that nobody expects."""

import io
import json
import os
import random
import re
import stat
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import get_args

import numpy as np
from calling import called
from cases import READ, REFUSED, WRITTEN, FaultError, Medium, Odd, digest_of
from cyclopts import App
from PIL import Image

from impasto.cli import app
from impasto.jobs import queue  # noqa: F401 - what takes seconds is no command's; and stopped by Ctrl-C, it stays half done
from impasto.runs import run as transfer  # noqa: F401
from impasto.studio import server  # noqa: F401

_RUN = "--size 32 --evaluations 1 -q"
BASES = {
    "stylize": f"photo.png painting.png -o new.png {_RUN}",
    "preview": "photo.png painting.png -o new.png --size 32",
    "explore": "photo.png painting.png -o new.png --size 32 --strengths 0.5 -q",
    "demo": f"-o new.png {_RUN}",
    "reconstruct": f"photo.png --layer conv1_2 -o new.png {_RUN}",
    "texture": "painting.png --size 32 --evaluations 1 -o new.png -q",
    "video": f"clip.gif painting.png -o new.mp4 --frame-evaluations 1 {_RUN}",
    "volume texture": "painting.png --size 16 --evaluations 1 -o new.npy -q",
    "volume stylize": "volume.npy painting.png --evaluations 1 -o new.npy -q",
    "volume info": "volume.npy",
    "neural-style": "-content_image photo.png -style_image painting.png -output_image new.png -image_size 32 -num_iterations 1 -gpu c",
    "figure": "pooling photo.png painting.png -o new.png --size 32 -q",
    "sound stylize": "tune.wav tune.wav -o new.wav --evaluations 1 --filters 16 -q",
    "sound texture": "tune.wav --seconds 0.3 -o new.wav --evaluations 1 --filters 16 -q",
    "signal stylize": "record.csv record.csv -o new.csv --evaluations 1 -q",
    "signal texture": "record.csv -o new.csv --evaluations 1 -q",
    "lut": "painting.png photo.png -o new.cube --points 5 -q",
    "show": "photo.png",
    "rerun": "photo.png -o new.png -q",
    "score": "photo.png painting.png photo.png",
    "networks describe": "--layers 8x5,pool",
    "networks normalize": "--images pictures -o new.safetensors --size 32",
    "visualize patches": "--layer conv1_1 --images pictures -o new.png --units 0 --size 32",
    "visualize unit": "--layer conv1_1 --unit 3 -o new.png --evaluations 1 -q",
    "visualize network": "--images pictures -o new.png --layers conv1_1 --units 0 --size 32 --evaluations 1 -q",
    "jobs submit": "photo.png painting.png --size 32 --evaluations 1",
    "jobs list": "", "jobs watch": "-q", "jobs show": "abc", "jobs cancel": "abc", "jobs pause": "abc", "jobs resume": "abc",
    "jobs stop": "abc", "jobs retry": "abc", "jobs delete": "abc", "jobs adjust": "abc --strength 0.5",
    "jobs more": "abc --evaluations 2", "jobs save": "-o results", "jobs prune": "",
    "worker": "--device cpu",
    "studio": "--no-browser --port 0 --workers 0",
    "completion": "bash",
    "info": "",
}  # fmt: skip
"""A line that each command takes, with the files of :func:`surroundings`."""

_SUBMIT = ("jobs", "submit", "photo.png", "painting.png", "--size", "32", "--evaluations", "1")
_RARE = ("demo", "figure", "studio", "worker", "info", "networks normalize")
_ENDLESS = ("studio", "worker", "jobs watch")
_NUMBERS = (
    "0",
    "-1",
    "1",
    "2",
    "32",
    "1.5",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "1e-320",
    "2147483648",
    "9223372036854775808",
    "-0",
    "1_0",
    "0x10",
    "\u0663",
    "\u00bd",
)
_TEXTS = (
    "",
    " ",
    "abc",
    "\U0001f3a8",
    "a" * 5000,
    "\0",
    "a\0b",
    "\udcff",
    "-",
    "--",
    "None",
    "true",
    "[]",
    "{}",
    "%s",
    "$HOME",
    "a\nb",
    "\x1b[31m",
    "~",
    "'",
    "*",
)
_LISTS = (
    ",",
    "1,2",
    "1,,2",
    "conv1_1",
    "conv4_1,conv4_1",
    "conv1_1:nan",
    "conv1_1:-1",
    "conv9_9",
    "relu1_1",
    "gram:0",
    "gram,swd:1",
    "x:y:z",
    "1/2",
    "32x32",
    "0x0",
    "auto",
)
_FILES = (
    *(
        "photo.png",
        "painting.png",
        "missing.png",
        "pictures",
        "empty.png",
        "text.png",
        "tune.wav",
        "volume.npy",
        "record.csv",
        "clip.gif",
    ),
    *(
        "link.png",
        "theirs.png",
        "readme",
        "preset.toml",
        "cut.png",
        "no/such/folder/x.png",
        "photo.png/x",
        ".",
        "\u5c71 \u00fc.png",
    ),
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "pipe", "device", "/proc/self/mem", "/etc/hostname")
_OUTPUTS = (
    *(
        "new.png",
        "new.jpg",
        "new.tif",
        "new.webp",
        "new.avif",
        "new.dzi",
        "page.dzi",
        "new.nii.gz",
        "new.npy",
        "new.wav",
        "new.csv",
        "new.mp4",
        "new.gif",
    ),
    *(
        "new",
        "new.xyz",
        "theirs.png",
        "theirs.json",
        "photo.png",
        "painting.png",
        "pictures",
        "pipe",
        "device",
        "no/such/x.png",
        "",
    ),
    *(
        "link.png",
        "a" * 300 + ".png",
        "\u5c71.png",
        "\udcff.png",
        "photo.png/x.png",
        "new\0.png",
        "-",
        ".png",
        "..png",
        "PHOTO.PNG",
    ),
)
_WRITES = {"--output", "-o", "--watch", "--checkpoint", "--home", "--save-every", "--database", "--key-file"}


@dataclass(frozen=True)
class Option:
    """An option of a command: its names, whether it takes a value, and the words that it chooses from."""

    names: tuple[str, ...]
    takes: bool
    choices: tuple[str, ...]


def _leaves(group: App, path: tuple[str, ...] = ()) -> Iterator[tuple[str, App]]:
    for name in group:
        if name.startswith("-"):
            continue
        inner = group[name]
        if any(not other.startswith("-") for other in inner):
            yield from _leaves(inner, (*path, name))
        else:
            yield " ".join((*path, name)), inner


@cache
def commands() -> dict[str, tuple[Option, ...]]:
    """Every command of the program with its options."""
    found = {}
    for name, leaf in _leaves(app):
        options = []
        for argument in leaf.assemble_argument_collection():
            names = tuple(word for word in argument.names if word.startswith("-") and not word.startswith("--no-no"))
            if names and argument.parse is not False:
                choices = tuple(
                    str(word)
                    for part in (argument.hint, *get_args(argument.hint))
                    for word in get_args(part)
                    if isinstance(word, (str, int))
                )
                options.append(
                    Option(names, argument.hint is not bool, choices or tuple(argument.parameter.choices or ()))
                )
        found[name] = tuple(options)
    assert set(found) == set(BASES), f"commands without a line in BASES, or gone: {set(found) ^ set(BASES)}"
    return found


@cache
def _flags() -> tuple[str, ...]:
    """neural-style's flags, which it reads itself."""
    from impasto.cli.commands.neural_style.arguments import help_text

    return tuple(sorted(set(re.findall(r"^  (-[a-z_]+)", help_text(), re.MULTILINE))))


@cache
def surroundings() -> dict[str, bytes]:
    """The files of the folder in which command lines are called."""
    noise = np.random.default_rng(0)

    def png(*shape: int) -> bytes:
        stream = io.BytesIO()
        Image.fromarray(noise.integers(0, 255, shape, dtype=np.uint8)).save(stream, "PNG")
        return stream.getvalue()

    sound, volume, clip = io.BytesIO(), io.BytesIO(), io.BytesIO()
    frames = [Image.fromarray(noise.integers(0, 255, (20, 32, 3), dtype=np.uint8)) for _ in range(3)]
    frames[0].save(clip, "GIF", save_all=True, append_images=frames[1:], duration=40)
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes((np.sin(np.arange(6000) / 9) * 9000).astype("<i2").tobytes())
    np.save(volume, noise.integers(0, 255, (8, 8, 8), dtype=np.uint8))
    lines = [f"{number / 250:.3f},{np.sin(number / 9):.4f},{np.cos(number / 5):.4f}" for number in range(500)]
    photo = png(36, 40, 3)
    return {
        "photo.png": photo, "painting.png": png(33, 32, 3), "mask.png": png(36, 40), "theirs.png": png(9, 9, 3),
        "theirs.json": b"{}", "empty.png": b"", "text.png": b"not a picture", "cut.png": photo[:-300], "readme": b"words",
        "tune.wav": sound.getvalue(), "volume.npy": volume.getvalue(), "record.csv": "\n".join(["time,I,II", *lines]).encode(),
        "preset.toml": b"size = 32\nevaluations = 1\n", "pictures/one.png": png(34, 34, 3), "pictures/two.png": png(40, 33, 3),
        "pictures/notes.txt": b"words", "page.dzi": b"<p>", "page_files/page.html": b"a saved page", "\u5c71 \u00fc.png": photo,
        "results/song": b"mine", "new_files/mine.txt": b"mine", "clip.gif": clip.getvalue(),
    }  # fmt: skip


def _value(rng: random.Random, option: Option) -> str:
    if _WRITES & set(option.names):
        return rng.choice(_OUTPUTS)
    if option.choices and rng.random() < 0.4:
        return rng.choice(option.choices)
    return rng.choice(rng.choice((_NUMBERS, _NUMBERS, _NUMBERS, _TEXTS, _LISTS, _FILES, _FILES + _DEVICES)))


def make(rng: random.Random) -> Odd:
    """A command line with something odd about it."""
    names = [name for name in sorted(commands()) if name not in _RARE or rng.random() < 0.15]
    name = rng.choice((*names, "stylize", "texture", "sound stylize", "volume stylize"))
    words = BASES[name].split()
    changes = [_changed(rng, name, words) for _ in range(rng.choice((0, 1, 1, 1, 2, 3)))]
    line = [*name.split(), *words]
    if rng.random() < 0.04:
        line = rng.choice(
            (
                [],
                ["--help"],
                ["--version"],
                [name],
                [*name.split(), "--help"],
                ["impasto", *line],
                [rng.choice(_TEXTS), *line],
            )
        )
    if "studio" in line and "--no-browser" not in line:
        line = [*line, "--no-browser"]
    return Odd({}, "", [repr(line)[:300], *changes], line)


def _changed(rng: random.Random, name: str, words: list[str]) -> str:
    """Change a command line in one way."""
    options = [option for option in commands()[name] if "--port" not in option.names]
    match rng.randrange(10):
        case 0 if words:
            place = rng.randrange(len(words))
            kept = words[place - 1] in _WRITES or words[place - 1] == "-output_image"
            words[place] = rng.choice(_OUTPUTS if kept else (*_FILES, *_DEVICES[:3], *_DEVICES[6:], *_TEXTS))
            return "another word"
        case 1 if words:
            words.pop(rng.randrange(len(words)))
            return "a word less"
        case 2:
            words.insert(
                rng.randrange(len(words) + 1),
                rng.choice((*_TEXTS, *_FILES, "--help", "--no-such", "-x", "--siez", "---", "-qqq", "--=", "@x")),
            )
            return "a word more"
        case 3 if words:
            words.append(rng.choice(words))
            return "a word twice"
    if name == "neural-style":
        words += [rng.choice(_flags()), rng.choice(rng.choice((_NUMBERS, _FILES, _LISTS, _TEXTS)))]
        return "a flag"
    if options:
        option = rng.choice(options)
        word = rng.choice(option.names)
        if not option.takes:
            words.append(word if rng.random() < 0.9 else f"{word}={rng.choice(_TEXTS)}")
        elif rng.random() < 0.1:
            words.append(word)
        elif rng.random() < 0.5 or not word.startswith("--"):
            words += [word, _value(rng, option)]
        else:
            words.append(f"{word}={_value(rng, option)}")
    return "an option"


def lay(folder: Path) -> None:
    """Make the surroundings in a folder."""
    for name, data in surroundings().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "link.png").symlink_to("nowhere.png")
    os.mkfifo(folder / "pipe")
    try:
        os.mknod(folder / "device", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except OSError:
        (folder / "device").mkdir()


def attempt(odd: Odd, path: Path, out: Path, rng: random.Random) -> str:
    """Call it in a folder of files that it may read, but not change."""
    os.environ.update({"IMPASTO_HOME": str(out / "home"), "HOME": str(out)})
    folder = out / "place"
    folder.mkdir()
    lay(folder)
    os.chdir(folder)
    words = odd.words
    if words[:1] == ["jobs"] and "abc" in words and rng.random() < 0.8:
        made = json.loads(called([*_SUBMIT, "--json"]).out)
        words = [made[0]["id"] if word == "abc" else word for word in words]
    before = digest_of(folder)
    endless = any(odd.words[: len(name.split())] == name.split() for name in _ENDLESS)
    found = called(words, 1.5 if endless else 6.0, sleeps=endless)
    after = digest_of(folder)
    lost = {name: what for name, what in before.items() if after.get(name) != what}
    if lost and not any(word.startswith("--overwrite") for word in odd.words):
        raise FaultError(f"changed or gone: {sorted(lost)}; it said {found.err[-300:]}")
    left = [name for name in after if ".tmp" in name or name.startswith(".impasto-")]
    if left:
        raise FaultError(f"left behind: {left}")
    return REFUSED if found.code == 2 else WRITTEN if set(after) - set(before) else READ


MEDIUM = Medium(make, attempt, 1500 * 2**20)
