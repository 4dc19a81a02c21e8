"""Readers of the words of tasks: from text or plain data to plain data that jobs and recipes keep."""

import re
from collections.abc import Callable
from math import inf
from typing import Any

from impasto.choices import LARGEST
from impasto.errors import LayerError, SettingsError


def layer(value: Any) -> str:
    """The name of one layer of VGG.

    Raises:
        LayerError: if it is not one.
    """
    if re.fullmatch(r"(conv|relu)\d_\d", str(value)):
        return str(value)
    raise LayerError(f"A reconstruction is from one layer, but {value!r} was given; name one, such as conv4_2.")


def switch(value: Any) -> bool:
    """On or off.

    Raises:
        SettingsError: if it is neither.
    """
    if value in (True, False, "true", "false"):
        return value in (True, "true")
    raise SettingsError(f"{value!r} was given where only true or false is possible.")


def integer(name: str) -> Callable[[Any], int]:
    """A whole number."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,19}", str(value).strip()):
            raise SettingsError(f"The {name} {value!r} was given, but a whole number is needed.")
        return int(value)

    return read


def real(name: str) -> Callable[[Any], float]:
    """A number."""

    def read(value: Any) -> float:
        try:
            return float(value)
        except (TypeError, ValueError):
            raise SettingsError(f"The {name} {value!r} was given, but a number is needed.") from None

    return read


def numbers(name: str, example: str) -> Callable[[Any], list[float]]:
    """Two numbers, ``-1000,400``."""

    def read(value: Any) -> list[float]:
        parts = value.split(",") if isinstance(value, str) else value
        try:
            low, high = (float(part) for part in parts)
        except (TypeError, ValueError):
            raise SettingsError(f"The {name} {value!r} was given; give two numbers such as {example}.") from None
        return [low, high]

    return read


def over_time(name: str, example: str, number: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    """Something at some times in seconds, such as ``0:0.2,4:0.8``, as a mapping from the times.

    Args:
        name: what it is.
        example: of the text.
        number: reads it at one time; raises ValueError or TypeError.
    """

    def read(value: Any) -> dict[str, Any]:
        pairs = [part.split(":") for part in value.split(",")] if isinstance(value, str) else dict(value).items()
        try:
            found = {float(str(at).strip().removesuffix("s")): number(given) for at, given in pairs}
        except (TypeError, ValueError):
            found = {}
        if not found or not all(0 <= at < inf for at in found):
            raise SettingsError(f"The {name} {value!r} was given; give times in seconds and {name}, such as {example}.")
        return {f"{at:.12g}": found[at] for at in sorted(found)}

    return read


def inner_share(value: Any) -> float:
    """A number between 0 and 1, neither of them.

    Raises:
        ValueError: if it is none.
    """
    if not 0 < float(value) < 1:
        raise ValueError(value)
    return float(value)


def blend(value: Any) -> list[float]:
    """The shares of several things, ``1/0`` or [1, 0].

    Raises:
        ValueError: if they are none.
    """
    found = [float(part) for part in (value.split("/") if isinstance(value, str) else value)]
    if not all(0 <= share < inf for share in found) or not any(found):
        raise ValueError(value)
    return found


def extents(count: int, example: str, least: int = 16) -> Callable[[Any], list[int]]:
    """Extents, the last axis of text first: ``640x480`` is [480, 640], as is [480, 640]; one number stands for all."""

    def read(value: Any) -> list[int]:
        if isinstance(value, str) and re.fullmatch(r"\d{1,6}([x×]\d{1,6})*", value.strip()):
            found = [int(part) for part in reversed(re.split("[x×]", value.strip()))]
        else:
            found = list(value) if isinstance(value, (list, tuple)) else [value]
        found = found * count if len(found) == 1 else found
        if len(found) != count or not all(type(side) is int and least <= side <= LARGEST for side in found):
            raise SettingsError(f"The size {value!r} was given; give {example}, each side from {least} to {LARGEST}.")
        return found

    return read


def axes(name: str) -> Callable[[Any], list[int]]:
    """Axes of a volume, ``0,1,2``."""

    def read(value: Any) -> list[int]:
        parts = [str(part).strip() for part in (value.split(",") if isinstance(value, str) else value)]
        if not parts or not all(part in ("0", "1", "2") for part in parts):
            raise SettingsError(f"The {name} {value!r} were given; give some of 0 (slices), 1 (rows), 2 (columns).")
        return [int(part) for part in parts]

    return read


def integer_or(name: str, word: str) -> Callable[[Any], int | str]:
    """A whole number, or a word."""
    read = integer(name)
    return lambda value: word if value == word else read(value)


def one_of(name: str, choices: tuple[str, ...]) -> Callable[[Any], str]:
    """One of several words."""

    def read(value: Any) -> str:
        if value not in choices:
            raise SettingsError(f"The {name} {value!r} was given; choose one of {', '.join(choices)}.")
        return str(value)

    return read


def names(value: Any) -> list[str]:
    """``I,II`` as a list."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else list(value)
