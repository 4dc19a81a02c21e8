"""TIFF files: which of their pages is the picture, and what its samples mean."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from impasto.errors import ImageError
from impasto.images.directories import Directory, TiffLayout

_SUBFILE, _OLD_SUBFILE, _WIDTH, _HEIGHT, _PHOTOMETRIC = 254, 255, 256, 257, 262
_BELOW, _EXTRA, _DNG = 330, 338, 50706
_WHITE, _PRIMARIES = 318, 319
_REDUCED, _MASK = 1, 4
_MOST_BELOW = 256  # subdirectories of a page that are looked at

_MOSAICS = {32803, 34892}
"""Photometric interpretations of a sensor's samples: color filter array, linear raw."""

_SPACES = {4: "a mask", 8: "CIELAB", 9: "ICC Lab", 10: "ITU Lab", 32844: "LogL", 32845: "LogLuv"}
ALPHA, PREMULTIPLIED = 2, 1
"""Kinds of extra samples that are transparency."""


@dataclass(frozen=True)
class Page:
    """The directory that describes a picture, and where it stands.

    Args:
        number: of the page.
        below: the number of the subdirectory of it, or None for the page itself.
        directory: what it says; of a subdirectory, with what the page says beside it.
    """

    number: int
    below: int | None
    directory: Directory


def picture_of(data: memoryview, layout: TiffLayout, name: str) -> Page:
    """The one picture in a file, beside which there may be reductions of it and masks.

    Raises:
        ImageError: if it is a RAW photo, holds several pictures, or colors without a way to RGB.
        ValueError: if it is damaged.
    """
    pages = [Page(number, None, directory) for number, directory in enumerate(layout.chain(data))]
    below = [found for page in pages for found in _below(data, layout, page)]
    directories = [page.directory for page in (*pages, *below)]
    spaces = {space for directory in directories for space in layout.numbers(directory.get(_PHOTOMETRIC))}
    if bytes(data[8:10]) == b"CR" or spaces & _MOSAICS or any(_DNG in directory for directory in directories):
        raise ImageError(raw_photo(name))
    full = [page for page in pages if _is_full(layout, page)] or [page for page in below if _is_full(layout, page)]
    if not full and len(pages) == 1:
        full = pages
    if _is_pyramid([size_of(layout, page) for page in full]):
        full = full[:1]
    if len(full) != 1:
        raise ImageError(
            f"{name} holds {len(full) or len(pages)} frames or pages but one picture is needed; extract the one you want."
        )
    space = next(iter(layout.numbers(full[0].directory.get(_PHOTOMETRIC))), None)
    if space in _SPACES:
        raise ImageError(
            f"{name} stores its colors as {_SPACES[int(space)]}; save it as RGB with 8 or 16 bits per sample."
        )
    return full[0]


def raw_photo(name: str) -> str:
    """The sentence on a sensor's unprocessed samples."""
    return (
        f"{name} is a RAW photo, a camera's samples before they are a picture; develop it, and export it as JPEG, PNG or "
        "TIFF."
    )


def extra_samples(layout: TiffLayout, page: Page) -> tuple[int, ...]:
    """What the channels beyond the colors are, in TIFF's numbers."""
    return tuple(int(kind) for kind in layout.numbers(page.directory.get(_EXTRA)))


def chromaticities(layout: TiffLayout, page: Page) -> tuple[float, ...] | None:
    """White, red, green and blue, x and y each, or None where they are not said."""
    found = layout.numbers(page.directory.get(_WHITE)) + layout.numbers(page.directory.get(_PRIMARIES))
    return found if len(found) == 8 else None


def _below(data: memoryview, layout: TiffLayout, page: Page) -> Iterator[Page]:
    for number, start in enumerate(layout.numbers(page.directory.get(_BELOW))[:_MOST_BELOW]):
        try:
            directory, _ = layout.read(data, int(start))
        except ValueError:
            continue
        beside = {tag: entry for tag, entry in page.directory.items() if tag not in (_SUBFILE, _OLD_SUBFILE, _EXTRA)}
        yield Page(page.number, number, {**beside, **directory})


def _is_full(layout: TiffLayout, page: Page) -> bool:
    """Whether a page is neither a reduction of another nor a mask."""
    kind = next(iter(layout.numbers(page.directory.get(_SUBFILE))), 0)
    old = next(iter(layout.numbers(page.directory.get(_OLD_SUBFILE))), 1)
    return not int(kind) & (_REDUCED | _MASK) and old != 2


def size_of(layout: TiffLayout, page: Page) -> tuple[int, int]:
    """Width and height."""
    sides = [next(iter(layout.numbers(page.directory.get(tag))), 0) for tag in (_WIDTH, _HEIGHT)]
    return int(sides[0]), int(sides[1])


def _is_pyramid(shapes: Sequence[tuple[int, int]]) -> bool:
    """Whether each picture after the first is the first one halved so many times, more often than the one before."""
    times = 0
    for shape in shapes[1:]:
        times += 1
        while max(shapes[0]) >> times > max(shape) + 1:
            times += 1
        if any(abs(whole / 2**times - side) > 1 for whole, side in zip(shapes[0], shape, strict=True)):
            return False
    return len(shapes) > 1
