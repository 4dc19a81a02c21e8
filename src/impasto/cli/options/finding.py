"""Files found by what they hold, wherever they are now and whatever they are called."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from impasto.cli.options.recipe import Input
from impasto.errors import ImageError
from impasto.files import is_file, is_folder


def find(wanted: Sequence[Input], places: Iterable[Iterable[Path]]) -> dict[str, Path]:
    """Paths by SHA-256, for those of the wanted files that are found.

    Args:
        wanted: what to look for.
        places: files, place after place; within a place, files of a wanted name are looked at first.
    """
    missing, found = {file.sha256 for file in wanted}, dict[str, Path]()
    for path in _candidates(wanted, places):
        if not missing:
            break
        digest = _digest(path)
        if digest in missing:
            found[digest] = path
            missing.discard(digest)
    return found


def _candidates(wanted: Sequence[Input], places: Iterable[Iterable[Path]]) -> Iterator[Path]:
    """Files that might be one of those, by their names."""
    from impasto.images.folder import ENDINGS

    names = {file.name for file in wanted}
    suffixes = {*ENDINGS, *(Path(name).suffix.lower() for name in names)}
    for place in places:
        yield from sorted(
            (path for path in place if path.suffix.lower() in suffixes and is_file(path)),
            key=lambda path: (path.name not in names, path),
        )


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, or of the volume in a folder.

    Raises:
        ImpastoError: if it cannot be read.
    """
    from impasto import images, volumes

    return volumes.read(path).origin.sha256 if is_folder(path) else images.hash_file(path)


def _digest(path: Path) -> str | None:
    from impasto import images

    try:
        return images.hash_file(path)
    except ImageError:  # nobody named this file, so nobody needs to hear of it
        return None
