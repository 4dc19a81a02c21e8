"""Pictures to try things with: bundled photos and paintings."""

from pathlib import Path

from impasto.choices import meant
from impasto.errors import SettingsError

_HOME = Path(__file__).parent


def photos() -> tuple[str, ...]:
    """The names of the bundled photos; NOTICE has their authors and licenses."""
    return _names("photos")


def photo(name: str) -> Path:
    """The file of a bundled photo, a JPEG of at most 640 pixels along its longer side.

    Raises:
        SettingsError: if there is no photo of that name.
    """
    return _file("photo", name)


def paintings() -> tuple[str, ...]:
    """The names of the bundled paintings."""
    return _names("paintings")


def painting(name: str) -> Path:
    """The file of a bundled painting, a JPEG of 640 by 512 pixels.

    Raises:
        SettingsError: if there is no painting of that name.
    """
    return _file("painting", name)


def _names(folder: str) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (_HOME / folder).glob("*.jpg")))


def _file(kind: str, name: str) -> Path:
    names = _names(f"{kind}s")
    if name not in names:
        raise SettingsError(
            f"There is no {kind} called {name!r}; choose one of {', '.join(names)}.{meant(str(name), names)}"
        )
    return _HOME / f"{kind}s" / f"{name}.jpg"


__all__ = ["painting", "paintings", "photo", "photos"]
