"""Files that are no medium: weights, checkpoints, presets, keys of the studio, databases of jobs, recipes in pictures."""

import io
import json
import pickle
import random
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from bytewise import changed
from calling import called
from cases import MEGABYTE, READ, REFUSED, Medium, Odd, sentence_of
from containers import odd_text

from impasto import images
from impasto.descent import Record, Snapshot
from impasto.encoders import weights
from impasto.encoders.stack import VGG19
from impasto.engines import Evaluation
from impasto.optimizers import State
from impasto.runs.checkpoint import Checkpoint, read_checkpoint
from impasto.settings import Settings, preset
from impasto.studio.access import keys_from

_VALUES: tuple[Any, ...] = (
    *(
        0,
        -1,
        1,
        2**31,
        2**63,
        1e400,
        float("nan"),
        -0.5,
        True,
        None,
        "",
        "abc",
        "\u00a9",
        "a" * 3000,
        [],
        {},
        [1, 2],
        {"conv1_1": 1},
    ),
    *(
        "conv1_1",
        "conv9_9",
        {"conv1_1": float("nan")},
        ["conv1_1", "conv1_1"],
        [[]],
        {"": ""},
        "missing.png",
        "auto",
        "1,2",
        10**400,
    ),
)


class _Call:
    """What a pickle can do when it is trusted."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (Path("owned"), "x"))


def _weights(rng: random.Random, story: list[str]) -> tuple[str, bytes]:
    names = [layer.name for layer in VGG19.convolutions][: rng.choice((1, 2, 13, 16))]
    state: dict[str, Any] = {}
    for layer in VGG19.convolutions[: len(names)]:
        shape = (layer.channels_out, layer.channels_in, 3, 3)
        full = torch.zeros(1).expand(shape) if rng.random() < 0.9 else torch.zeros(1)
        state[f"{layer.name}.weight"], state[f"{layer.name}.bias"] = full, torch.zeros(1).expand(shape[0])
    for _ in range(rng.choice((0, 1, 2))):
        key = rng.choice(sorted(state))
        state[key] = rng.choice(
            (
                torch.zeros(0),
                torch.full((3,), torch.nan),
                torch.zeros(2, dtype=torch.complex64),
                "words",
                None,
                torch.zeros(1, dtype=torch.int8),
            )
        )
        story.append(f"{key} is {str(state[key])[:40]}")
    kind = rng.choice(("pth", "pth", "safetensors", "npz"))
    stream = io.BytesIO()
    if kind == "pth":
        odd: Any = rng.choice(
            (
                state,
                state,
                {"state_dict": state},
                {"state_dict": 3},
                [state],
                state["conv1_1.bias"],
                _Call(),
                {1: 2},
                "words",
            )
        )
        torch.save(odd, stream)
        return "weights.pth", stream.getvalue() if rng.random() < 0.95 else pickle.dumps(_Call())
    plain = {
        key: value.contiguous()
        for key, value in state.items()
        if isinstance(value, torch.Tensor) and value.numel() < 40_000
    }
    if kind == "npz":
        np.savez_compressed(
            stream,
            **{key: value.numpy() for key, value in plain.items()},
            **({"o": np.array([None])} if rng.random() < 0.2 else {}),
        )
        return "weights.npz", stream.getvalue()
    data = safetensors.torch.save(plain)
    if rng.random() < 0.5:
        header = rng.choice(
            (
                b"{",
                b"{}",
                b"[]",
                b'{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}',
                odd_text(rng),
            )
        )
        data = len(header).to_bytes(8, "little") + header + bytes(8)
        story.append(f"header {header[:60]!r}")
    return "weights.safetensors", data


@cache
def _checkpoint() -> bytes:
    gradient = torch.zeros(1, 3, 4, 5)
    state = State(gradient + 0.5, Evaluation(1.0, {"a": 1.0}, {"a": 1.0}, gradient), {"pairs": [gradient]}, 3)
    record = Record(level=0, evaluation=1, value=1.0, losses={"a": 1.0}, moved=0.1)
    with tempfile.TemporaryDirectory() as folder:
        made = Checkpoint(Path(folder), {"settings": {}, "inputs": ["0"]}, 0)
        made.save(Snapshot(0, state, gradient, 1.0, (record,), 1.0), force=True)
        return made.path.read_bytes()


def _odd_checkpoint(rng: random.Random, story: list[str]) -> tuple[str, bytes]:
    plain = torch.load(io.BytesIO(_checkpoint()), weights_only=True)
    for _ in range(rng.choice((0, 1, 2))):
        place: Any = rng.choice((plain, plain, plain["point"], plain["memory"], plain["history"][0]))
        if not isinstance(place, dict) or not place:
            continue
        key = rng.choice(sorted(place))
        if rng.random() < 0.3:
            place.pop(key)
        else:
            place[key] = rng.choice((*_VALUES, torch.zeros(0), torch.full((1, 3, 4, 5), torch.nan)))
        story.append(f"{key} is odd")
        if not all(
            isinstance(plain.get(name), kind) for name, kind in (("point", dict), ("memory", dict), ("history", list))
        ):
            break
    stream = io.BytesIO()
    torch.save(plain if rng.random() < 0.9 else rng.choice((_Call(), 3, [plain])), stream)
    return "checkpoint.pt", stream.getvalue()


def _zipped(rng: random.Random, data: bytes, story: list[str]) -> bytes:
    """A zip file with a part dropped, doubled, blown up, or changed, and its checksums right."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        chosen = rng.choice(old.namelist())
        for name in old.namelist():
            part, part_name = old.read(name), name
            if name == chosen:
                way = rng.randrange(4)
                story.append(f"{name} {('missing', 'changed', 'of 80 MB', 'elsewhere')[way]}")
                if way == 0:
                    continue
                part = changed(rng, part, story) if way == 1 and part else bytes(80 * MEGABYTE) if way == 2 else part
                part_name = f"../../{name}" if way == 3 else name
            new.writestr(part_name, part)
    return stream.getvalue()


def _preset(rng: random.Random, story: list[str]) -> tuple[str, bytes]:
    lines = []
    for _ in range(rng.randint(1, 4)):
        name = rng.choice((*Settings.model_fields, "nonsense", "\u00fc", ""))
        value = (
            json.dumps(rng.choice(_VALUES), ensure_ascii=False)
            .replace("NaN", "nan")
            .replace("Infinity", "inf")
            .replace("null", "none")
        )
        lines.append(
            rng.choice(
                (f"{name} = {value}", f"{name} = {value}", f"[{name}]", f'{name} = """', f"{name} = 1979-05-27", "= 1")
            )
        )
    text = rng.choice(("\n".join(lines), "\n".join(lines), "a = " + "[" * 3000, "a." * 4000 + "b = 1", "\x00"))
    return "preset.toml", rng.choice((b"", b"", b"", b"\xef\xbb\xbf", b"\xff\xfe")) + text.encode(
        rng.choice(("utf-8", "utf-16", "utf-8"))
    )


def _keys(rng: random.Random, story: list[str]) -> tuple[str, bytes]:
    line = rng.choice(
        (
            "name: 0123456789abcdef0123",
            "0123456789abcdef0123",
            ":",
            "a: b: c",
            "# words",
            "\u00fc: " + "k" * 30,
            "",
            "\0",
        )
    )
    return "keys.txt", (rng.choice(("", "\ufeff")) + "\n".join([line] * rng.choice((1, 2)))).encode(
        rng.choice(("utf-8", "utf-16", "latin-1")), "replace"
    )


def _recipe(rng: random.Random, story: list[str]) -> tuple[str, bytes]:
    file = {"name": "photo.png", "sha256": "0" * 64}
    recipe: dict[str, Any] = {
        "impasto": "0.1.0", "torch": "2.6", "task": "stylize", "settings": {"size": 32}, "in_force": {"size": 32}, "precision": "fp32",
        "inputs": {"content": file, "styles": [file]}, "device": "cpu", "levels": [[4, 5, 6]], "evaluations": 6, "complete": True, "losses": {"a": 1.0},
    }  # fmt: skip
    for _ in range(rng.randint(0, 3)):
        place = rng.choice((recipe, recipe, recipe.get("settings"), recipe.get("inputs"), file))
        if isinstance(place, dict) and place:
            key = rng.choice((*place, "masks", "size", "content_layers", "adjusted"))
            place[key] = rng.choice(
                (*_VALUES, "texture", "reconstruct", "sound stylize", "signal x", "../../etc/passwd", "\x1b[2J", "-o")
            )
            story.append(f"{key} is {str(place[key])[:60]!r}")
    stream = io.BytesIO()
    kind = rng.choice(("PNG", "JPEG", "WEBP", "TIFF", "AVIF"))
    texts = {"recipe": recipe, "parameters": rng.choice((None, "words\n\x1b[2J", "Steps: 1", "\u00a9" * 99))}
    images.write(stream, torch.full((1, 3, 6, 7), 0.5), format=kind, **texts)
    return f"picture.{kind.lower()}", stream.getvalue()


_MAKERS: dict[str, Callable[[random.Random, list[str]], tuple[str, bytes]]] = {
    "weights": _weights, "checkpoint": _odd_checkpoint, "preset": _preset, "keys": _keys, "recipe": _recipe, "database": lambda rng, story: ("jobs.db", _database(rng))
}  # fmt: skip


def _database(rng: random.Random) -> bytes:
    return rng.choice(
        (b"SQLite format 3\0" + bytes(84) + rng.randbytes(4000), b"SQLite format 3\0", b"words", bytes(4096), b"\0")
    )


def make(rng: random.Random) -> Odd:
    """A file with something odd about it; its kind is the first word of the story."""
    kind = rng.choice(sorted(_MAKERS))
    story: list[str] = []
    name, data = _MAKERS[kind](rng, story)
    if data[:2] == b"PK" and rng.random() < 0.35:
        data = _zipped(rng, data, story)
    elif data and rng.random() < 0.35:
        data = changed(rng, data, story)
    return Odd({name: data}, name, [kind, *story])


def attempt(odd: Odd, path: Path, out: Path, rng: random.Random) -> str:
    """Read it as what it is."""
    kind = odd.story[0].split(";")[0]
    if kind == "recipe":
        codes = [called(["show", str(path)]).code, called(["show", "--json", str(path)]).code]
        codes.append(called(["rerun", str(path), "-o", str(out / "again.png"), "-q"]).code)
        return REFUSED if codes[0] else READ
    if kind == "database":
        home = out / "home"
        home.mkdir()
        for name in _database_names(out):
            (home / name).write_bytes(path.read_bytes())
        return REFUSED if called(["jobs", "list", "--home", str(home)]).code else READ
    readers: dict[str, Callable[[Path], Any]] = {
        "weights": weights.load_file, "checkpoint": read_checkpoint, "preset": lambda file: preset(str(file)), "keys": keys_from
    }  # fmt: skip
    _, refusal = sentence_of(readers[kind], path)
    if Path("owned").exists():
        raise AssertionError("a pickle was obeyed")
    return READ if refusal is None else REFUSED


@cache
def _database_names(out: Path) -> tuple[str, ...]:
    """What a fresh home calls its database."""
    fresh = out / "fresh"
    called(["jobs", "list", "--home", str(fresh)])
    return tuple(
        path.name for path in fresh.iterdir() if (path.is_file() and "sqlite" in path.name) or path.suffix == ".db"
    )


MEDIUM = Medium(make, attempt)
