"""Whether impasto made a file, by what the file says of itself: what others made is not replaced unasked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def made_here(path: Path) -> bool:
    """Whether impasto made a file, or nothing is in it, so that nobody misses it if it is replaced.

    A file that cannot be read says nothing: somebody else made it.
    """
    try:
        empty = path.is_file() and path.stat().st_size == 0
    except (OSError, ValueError):
        return False
    return empty or any(_is_said(says, path) for says in _ways(path))


def _is_said(says: Callable[[Path], bool], path: Path) -> bool:
    try:
        return says(path)
    except Exception:  # noqa: BLE001  # a stranger's file can fail in any way, and is a stranger's then
        return False


def _ways(path: Path) -> list[Callable[[Path], bool]]:
    """How files of this name say it."""
    from impasto import images, sounds, videos, volumes

    suffix = path.suffix.lower()
    known: dict[str, Callable[[Path], bool]] = {
        **dict.fromkeys(sounds.FORMATS, lambda file: sounds.read_recipe(file) is not None),
        ".csv": _by_caution,
        ".npy": _by_notes,
        ".json": _by_key,
        ".safetensors": _by_header,
        ".cube": _by_title,
    }
    if suffix in known:
        return [known[suffix]]
    ways = [images.is_marked, lambda file: volumes.read_notes(file) is not None]
    return [*ways, lambda file: videos.read_recipe(file) is not None] if suffix in videos.SUFFIXES else ways


def _by_caution(path: Path) -> bool:
    """A table of a signal begins with what it is not for."""
    from impasto.signals import CAUTION

    with path.open(encoding="utf-8") as lines:
        return lines.readline().rstrip("\n") == f"# {CAUTION}"


def _by_notes(path: Path) -> bool:
    """An array has no room for words; they are in a file beside it."""
    from impasto import signals
    from impasto.volumes.notes import beside_name

    return any(_by_key(beside) for beside in (signals.beside_name(path), beside_name(path)) if beside.is_file())


def _by_key(path: Path) -> bool:
    from impasto.signals import CAUTION

    found: Any = json.loads(path.read_text(encoding="utf-8"))
    return isinstance(found, dict) and ("impasto" in found or found.get("caution") == CAUTION)


def _by_header(path: Path) -> bool:
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        return "impasto" in (file.metadata() or {})


def _by_title(path: Path) -> bool:
    """A table of colors begins with its title."""
    with path.open(encoding="utf-8") as lines:
        return lines.readline().startswith('TITLE "impasto')
