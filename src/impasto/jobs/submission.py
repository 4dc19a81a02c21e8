"""From what a user gives to what a job is: checked at once, as far as it can be without computing."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard, cast

from impasto.errors import ImageError, JobError, SettingsError
from impasto.files import Files
from impasto.settings import INITS, Settings, make

Given = bytes | Path | tuple[str, bytes | Path]
"""A file: its bytes, its path, or its name with its bytes or path."""

Input = Given | Sequence[Given]
"""A file, or several."""

_LONGEST = 120  # characters of a name
_PICTURES = Files("a picture", ImageError)


@dataclass(frozen=True)
class Task:
    """What a task takes: by role the least and the most files, and words of its own beside the settings.

    ``beside`` is what the task decides once a setting is given.
    """

    roles: Mapping[str, tuple[int, int]]
    words: frozenset[str] = frozenset()
    needed: frozenset[str] = frozenset()
    beside: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def completed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Settings with those that the task decides beside them."""
        decided = [self.beside[name] for name, value in values.items() if value is not None and name in self.beside]
        return {**{name: value for part in decided for name, value in part.items()}, **values}


_MANY = 64

TASKS = {
    "stylize": Task({"content": (1, 1), "styles": (1, _MANY), "init": (0, 1), "masks": (0, _MANY), "protect": (0, 1)}),
    "texture": Task(
        {"styles": (1, _MANY), "init": (0, 1)},
        frozenset({"shape", "tileable"}),
        beside={"style_weight": {"content_weight": 0.0}},
    ),
    "reconstruct": Task({"content": (1, 1), "init": (0, 1)}, frozenset({"layer"}), frozenset({"layer"})),
}

STEERABLE = frozenset(
    {
        "strength",
        "content_weight",
        "style_weight",
        "content_loss",
        "content_layers",
        "style_layers",
        "style_losses",
        "blend",
        "layers_per_style",
        "style_scale",
        "style_size",
        "style_scales",
        "mask_strengths",
        "smoothness",
        "sharpness",
        "photorealism",
    }
)
"""The settings that can change while a job runs: what it aims at, and neither its sizes nor its network."""


def task_of(name: str) -> Task:
    """What a task takes.

    Raises:
        JobError: if there is no such task.
    """
    if name not in TASKS:
        raise JobError(f"There is no task {name!r} for jobs; choose one of {', '.join(TASKS)}.")
    return TASKS[name]


def checked(task: str, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A job's settings as they are kept (what was given), and all those in force now.

    Raises:
        JobError: if a word that the task needs is missing.
        SettingsError: if a value is wrong, or names a file.
    """
    kind = task_of(task)
    own = {name: value for name, value in values.items() if name in kind.words and value is not None}
    missing = sorted(kind.needed - own.keys())
    if missing:
        raise JobError(f"The task {task} needs {', '.join(missing)} among its settings.")
    rest = {name: value for name, value in values.items() if name not in kind.words and value is not None}
    settings = make(kind.completed(rest))
    _refuse_files(settings)
    own = {name: _own(name, value) for name, value in own.items()}
    _refuse_idle(task, settings, own)
    kept = settings.model_dump(mode="json", include=set(rest))
    return {**kept, **own}, {**settings.model_dump(mode="json"), **own}


def _refuse_files(settings: Settings) -> None:
    """A job is complete in itself: the files it needs come with it, and it reads no others."""
    if settings.init not in INITS:
        raise SettingsError(
            f"The setting init names {settings.init!r}; in a job it is one of {', '.join(INITS)}, and a picture to "
            "start from is given as the input init."
        )
    if settings.weights is not None:
        raise SettingsError("The setting weights names a file, which a job cannot use; choose a network by its name.")


def _refuse_idle(task: str, settings: Settings, own: Mapping[str, Any]) -> None:
    """Refuse what cannot take effect in the task, as its run would; a size that only the exemplar decides is left to it."""
    if task == "texture":
        from impasto.tasks import texture  # noqa: PLC0415  # imports torch

        longest = max(own.get("shape", (settings.size,)))
        texture.settings_of(settings, {}, longest, longest, tileable=own.get("tileable", False))
    elif task == "reconstruct":
        from impasto.tasks import reconstruct as reconstruction  # noqa: PLC0415  # imports torch

        reconstruction.settings_of(own["layer"], settings, {})


def _own(name: str, value: Any) -> Any:
    if name == "layer":
        return str(value)
    if name == "tileable":
        return bool(value)
    sides = [value, value] if isinstance(value, int) else list(value)
    if len(sides) != 2 or not all(isinstance(side, int) and 16 <= side <= 200_000 for side in sides):
        raise SettingsError(f"The shape {value!r} was given, but height and width from 16 to 200000 are needed.")
    return sides


def adjusted(task: str, settings: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A running job's settings with some of them changed; None gives back the default.

    Raises:
        SettingsError: if one of them cannot change while a job runs.
    """
    fixed = sorted(change.keys() - STEERABLE)
    if fixed:
        raise SettingsError(
            f"The setting {fixed[0]} cannot change while a job runs; what can is {', '.join(sorted(STEERABLE))}."
        )
    values = {**settings, **change}
    if change.get("strength") is not None:
        values = {name: value for name, value in values.items() if name not in ("content_weight", "style_weight")}
    elif change.get("content_weight") is not None or change.get("style_weight") is not None:
        values.pop("strength", None)
    task_of(task)
    return {name: value for name, value in values.items() if value is not None}


def gathered(
    task: str, inputs: Mapping[str, Input], put: Callable[[bytes], str]
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """The hashes and the names of a job's inputs by role, after each was checked and stored.

    Raises:
        JobError: if a role is unknown, or has too few or too many files.
        ImageError: if a file cannot be read or is not a picture.
    """
    given = {role: _several(files, role) for role, files in inputs.items()}
    check_roles(task, {role: len(items) for role, items in given.items()})
    named = {role: [_named(item, role) for item in items] for role, items in given.items() if items}
    for files in named.values():  # one at a time in memory: there may be many, and large ones
        for name, file in files:
            _check_picture(_content(file, name), name)
    hashes = {role: tuple(put(_content(file, name)) for name, file in files) for role, files in named.items()}
    return hashes, {role: tuple(name for name, _ in files) for role, files in named.items()}


def check_roles(task: str, counts: Mapping[str, int]) -> None:
    """Refuse files by what they are for, before any of them is read.

    Raises:
        JobError: if a role is unknown, or has too few or too many files.
    """
    roles = task_of(task).roles
    unknown = sorted(counts.keys() - roles.keys())
    if unknown:
        raise JobError(f"The task {task} has no input {unknown[0]!r}; it takes {', '.join(roles)}.")
    for role, (least, most) in roles.items():
        count = counts.get(role, 0)
        if not least <= count <= most:
            need = f"exactly {least}" if least == most else f"{least} to {most}"
            raise JobError(f"The input {role} of the task {task} has {count} files; give {need}.")


def _several(files: Input | None, role: str) -> list[Given]:
    """One file or several as a list."""
    if files is None:
        return []
    if isinstance(files, (bytes, Path)) or _is_named(files):
        return [files]
    if isinstance(files, str) or not isinstance(files, Sequence):
        raise _unlike_a_file(files, role)
    return list(cast("Sequence[Given]", files))


def _is_named(item: object) -> TypeGuard[tuple[str, bytes | Path]]:
    return (
        isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str) and isinstance(item[1], (bytes, Path))
    )


def _unlike_a_file(item: object, role: str) -> JobError:
    return JobError(f"The input {role} is a {type(item).__name__}; give bytes, a Path, or a name with bytes.")


def _content(file: bytes | Path, name: str) -> bytes:
    """The bytes of a file. Where it is stays unsaid if it goes by another name: whoever asks may be a stranger."""
    if isinstance(file, bytes):
        return file
    try:
        return _PICTURES.contents(file)
    except ImageError as error:
        if _name(str(file)) == name:
            raise
        raise ImageError(str(error).replace(str(file), name)) from None


def _named(item: Given, role: str) -> tuple[str, bytes | Path]:
    """A file with its name, without folders."""
    if isinstance(item, bytes):
        return role, item
    if _is_named(item):
        return _name(item[0]) or role, item[1]
    if not isinstance(item, Path):
        raise _unlike_a_file(item, role)
    return _name(str(item)) or role, item


def readable(text: str) -> str:
    """A text in which every letter can be shown and stored: no control characters, no halves of letters."""
    return "".join(letter if letter.isprintable() else "_" for letter in text)


def _name(path: str) -> str:
    """The last part of a path of any system, short and printable. It is only ever shown."""
    return readable(path.replace("\\", "/").rstrip("/").rpartition("/")[2])[-_LONGEST:]


def _check_picture(data: bytes, name: str) -> None:
    """Refuse now what is no picture; damage further inside is found by the worker."""
    from impasto.images.decoding import MAX_PIXELS, check_header  # noqa: PLC0415  # imports torch

    check_header(data, name, MAX_PIXELS)


def key_of(task: str, settings: Mapping[str, Any], inputs: Mapping[str, Sequence[str]], name: str = "") -> str:
    """A key by which the same submission is recognized: the same task, settings, content of the files, and name."""
    said = json.dumps(
        [task, dict(settings), {role: list(items) for role, items in inputs.items()}, name], sort_keys=True
    )
    return hashlib.sha256(said.encode()).hexdigest()
