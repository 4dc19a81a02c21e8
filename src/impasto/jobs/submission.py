"""From what a user gives to what a job is: checked at once, as far as it can be without computing."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard, cast

from impasto.errors import ImageError, JobError, SettingsError
from impasto.files import Files
from impasto.panels import PANELS
from impasto.settings import INITS, Settings
from impasto.tasks import task_of
from impasto.tasks.task import Role

Given = bytes | Path | tuple[str, bytes | Path]
"""A file: its bytes, its path, or its name with its bytes or path."""

Input = Given | Sequence[Given]
"""A file, or several."""

_LONGEST = 120  # characters of a name
_KINDS = {"volume": (".nii", ".nii.gz", ".dcm"), "video": (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")}
_FILES = Files("an input", ImageError)


STEERABLE = frozenset({*PANELS["Balance"], "style_scale", "style_size", "style_scales", "mask_strengths"})
"""The settings that can change while a job runs: what it aims at, and neither its sizes nor its network."""


def checked(task: str, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A job's settings as they are kept (what was given), and all those in force now.

    Raises:
        JobError: if there is no such task.
        SettingsError: if a value is missing, wrong or without a say, or names a file.
    """
    kind = task_of(task)
    words, rest = kind.split(values)
    settings = kind.decide(rest)
    _refuse_files(settings)
    kept = settings.model_dump(mode="json", include=set(rest))
    return {**kept, **words}, {**settings.model_dump(mode="json"), **words}


def _refuse_files(settings: Settings) -> None:
    """A job is complete in itself: the files it needs come with it, and it reads no others."""
    if settings.init not in INITS:
        raise SettingsError(
            f"The setting init names {settings.init!r}; in a job it is one of {', '.join(INITS)}, and a picture to "
            "start from is given as the input init."
        )
    if settings.weights is not None:
        raise SettingsError("The setting weights names a file, which a job cannot use; choose a network by its name.")


def adjusted(task: str, settings: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A running job's settings with some of them changed; None gives back the default.

    Raises:
        SettingsError: if one of them cannot change while a job runs.
    """
    steerable = STEERABLE & task_of(task).settings
    fixed = sorted(change.keys() - steerable)
    if fixed:
        raise SettingsError(
            f"The setting {fixed[0]} cannot change while a job runs; what can is {', '.join(sorted(steerable))}."
        )
    values = {**settings, **change}
    if change.get("strength") is not None:
        values = {name: value for name, value in values.items() if name not in ("content_weight", "style_weight")}
    elif change.get("content_weight") is not None or change.get("style_weight") is not None:
        values.pop("strength", None)
    return {name: value for name, value in values.items() if value is not None}


def gathered(
    task: str, inputs: Mapping[str, Input], put: Callable[[bytes], str]
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """The hashes and the names of a job's inputs by role, after each was checked and stored.

    Raises:
        JobError: if a role is unknown, or has too few or too many files.
        ImpastoError: if a file cannot be read or is not of its kind.
    """
    given = {role: _several(files, role) for role, files in inputs.items()}
    kind = task_of(task)
    kind.check_roles({role: len(items) for role, items in given.items()})
    named = {role: [_named(item, role) for item in items] for role, items in given.items() if items}
    for role, files in named.items():  # one at a time in memory: there may be many, and large ones
        for name, file in files:
            _check_input(kind.roles[role], _content(file, name), name)
    hashes = {role: tuple(put(_content(file, name)) for name, file in files) for role, files in named.items()}
    return hashes, {role: tuple(name for name, _ in files) for role, files in named.items()}


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
        return _FILES.contents(file)
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


def _check_input(role: Role, data: bytes, name: str) -> None:
    """Refuse now what is not of the kind that is needed; damage further inside is found by the worker."""
    from impasto.media import medium_of  # noqa: PLC0415  # imports torch

    if "picture" not in role.media and name.lower().endswith(".npy"):
        raise JobError(
            f"{name} is an array, whose rate or place stands in a file beside it; give a file that says its own."
        )
    told = (kind for kind in role.media[1:] if name.lower().endswith(_KINDS[kind]))
    medium_of(next(told, role.media[0])).check_input(data, name)


def key_of(task: str, settings: Mapping[str, Any], inputs: Mapping[str, Sequence[str]], name: str = "") -> str:
    """A key by which the same submission is recognized: the same task, settings, content of the files, and name."""
    said = json.dumps(
        [task, dict(settings), {role: list(items) for role, items in inputs.items()}, name], sort_keys=True
    )
    return hashlib.sha256(said.encode()).hexdigest()
