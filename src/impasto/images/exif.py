"""EXIF: what a stylized copy takes over from its source, entry by entry as it was stored."""

import math
import struct
from dataclasses import dataclass, field, replace

from PIL import ExifTags

from impasto.images.directories import SHORT, UNDEFINED, Directory, DirectoryEntry, TiffLayout

_BASE, _IFD = ExifTags.Base, ExifTags.IFD
PREFIX = b"Exif\0\0"
ORIENTATION = int(_BASE.Orientation)

_INCH, _CENTIMETER = 2, 3
_UNICODE = b"UNICODE\0"
_CODE = 8  # bytes in front of a UserComment that name its alphabet

# What stays true of the copy. Everything about the storage of pixels, previews of the original, places in it that are
# counted in pixels, and maker notes (which break when moved) stay behind.
_KEPT = (
    *("DocumentName", "ImageDescription", "Make", "Model", "PageName", "Software", "DateTime", "Artist"),
    *("HostComputer", "Copyright", "XPTitle", "XPComment", "XPAuthor", "XPKeywords", "XPSubject"),
    *("Rating", "RatingPercent"),
)
_KEPT_TAGS = tuple(int(_BASE[name]) for name in _KEPT)
_DROPPED_OF_PHOTO = (
    *(_BASE.MakerNote, _BASE.ExifImageWidth, _BASE.ExifImageHeight, _BASE.ExifInteroperabilityOffset, _BASE.ColorSpace),
    *(_BASE.ComponentsConfiguration, _BASE.CompressedBitsPerPixel, _BASE.SubjectLocation),
    0x9214,  # the subject's area, to which Pillow gives the name of its location
    *(_BASE.FocalPlaneXResolution, _BASE.FocalPlaneYResolution, _BASE.FocalPlaneResolutionUnit),
)
_STORED_AS = {int(_BASE.UserComment): UNDEFINED, int(_BASE.ExifVersion): UNDEFINED}
"""Types that EXIF demands and that some programs, an earlier impasto too, write otherwise."""


@dataclass(frozen=True)
class Exif:
    """The directories of an EXIF block.

    Args:
        layout: how their numbers are stored.
        main: what is said of the picture as a file.
        photo: of how it was taken.
        place: of where.
        interoperability: of the rules it was stored by.
    """

    layout: TiffLayout = field(default_factory=lambda: TiffLayout("<"))
    main: Directory = field(default_factory=dict)
    photo: Directory = field(default_factory=dict)
    place: Directory = field(default_factory=dict)
    interoperability: Directory = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.main or self.photo or self.place)

    @property
    def nested(self) -> dict[int, Directory]:
        """The directories below the main one, by the tag that points to them."""
        return {int(_IFD.Exif): self.photo, int(_IFD.GPSInfo): self.place}

    def packed(self) -> bytes:
        r"""The block, with the prefix ``Exif\0\0``."""
        return PREFIX + self.layout.header + self.layout.pack(self.main, self.nested, len(self.layout.header))


NOTHING = Exif()
"""No EXIF."""


def parse(block: bytes | None) -> Exif:
    """The directories of a block, with or without its prefix; empty where it is damaged."""
    data = memoryview(block or b"")
    while data[: len(PREFIX)] == PREFIX:
        data = data[len(PREFIX) :]
    try:
        layout = TiffLayout.of(data)
        return of_page(data, layout, layout.read(data, layout.first(data))[0])
    except (ValueError, struct.error):
        return Exif()


def of_page(data: memoryview, layout: TiffLayout, page: Directory) -> Exif:
    """What the directory of a TIFF's page says, and those that it points to."""
    photo = _below(data, layout, page.get(_IFD.Exif))
    place = _below(data, layout, page.get(_IFD.GPSInfo))
    return Exif(layout, page, photo, place, _below(data, layout, photo.get(_IFD.Interop)))


def _below(data: memoryview, layout: TiffLayout, pointer: DirectoryEntry | None) -> Directory:
    try:
        return layout.read(data, int(layout.numbers(pointer)[0]))[0]
    except (IndexError, ValueError, struct.error):
        return {}


def descriptive(exif: Exif, ours: str | None = None) -> Exif:
    """The part of ``exif`` that describes the scene; ``ours`` are impasto's parameters, which are no comment on it."""
    main = {tag: exif.main[tag] for tag in _KEPT_TAGS if tag in exif.main}
    photo = {
        tag: DirectoryEntry(_STORED_AS.get(tag, entry.type), entry.data)
        for tag, entry in exif.photo.items()
        if tag not in _DROPPED_OF_PHOTO
    }
    comment = photo.get(_BASE.UserComment)
    if ours is not None and comment is not None and bytes(comment.data) == _as_comment(ours):
        del photo[_BASE.UserComment]
    return Exif(exif.layout, main, photo, exif.place)


def upright(exif: Exif) -> bytes | None:
    """The block of ``exif`` with orientation 1, or None where it says nothing."""
    if not exif:
        return None
    one = DirectoryEntry(SHORT, struct.pack(f"{exif.layout.order}H", 1))
    # Whatever file it stood in, a block is a classic TIFF: where a BigTIFF's types do not fit, their values stay out.
    layout = TiffLayout(exif.layout.order)
    main, photo, place = (
        {tag: entry for tag, entry in part.items() if entry.type not in (16, 17, 18)}
        for part in (exif.main, exif.photo, exif.place)
    )
    return Exif(layout, {ORIENTATION: one, **main}, photo, place).packed()


def orientation(exif: Exif) -> int:
    """How the stored rows lie in the picture, 1 to 8; 1 where it is not said or nonsense."""
    value = next(iter(exif.layout.numbers(exif.main.get(ORIENTATION))), 1)
    return int(value) if value in range(1, 9) else 1


def resolution(exif: Exif) -> tuple[float, float] | None:
    """Pixels per inch, for formats that keep it in EXIF only; None where it is not said or nonsense."""
    unit = next(iter(exif.layout.numbers(exif.main.get(_BASE.ResolutionUnit))), _INCH)
    found = [exif.layout.numbers(exif.main.get(tag))[:1] for tag in (_BASE.XResolution, _BASE.YResolution)]
    if unit not in (_INCH, _CENTIMETER) or not all(found):
        return None
    scale = 2.54 if unit == _CENTIMETER else 1.0
    x, y = (values[0] * scale for values in found)
    return plausible((x, y))


def plausible(dpi: tuple[float, float] | None) -> tuple[float, float] | None:
    """A resolution if it is one: two finite numbers above zero."""
    return dpi if dpi and all(math.isfinite(value) and value > 0 for value in dpi) else None


def is_adobe_rgb(exif: Exif) -> bool:
    """Whether the colors are those of Adobe RGB by the rules of cameras (DCF 2.0): none named, and option R03."""
    space = exif.layout.numbers(exif.photo.get(_BASE.ColorSpace))
    index = exif.interoperability.get(1)
    return space == (2,) or (space == (65535,) and index is not None and bytes(index.data[:3]) == b"R03")


def stamped(block: bytes | None, dpi: tuple[float, float] | None, comment: str | None) -> Exif:
    """The EXIF of a file: the source's block, a resolution if it can be told, and a comment where the source has none."""
    kept = parse(block)
    order, main, photo = kept.layout.order, dict(kept.main), dict(kept.photo)
    known = [kept.layout.rational(value) for value in dpi or ()]
    if dpi and all(known):
        x, y = (entry for entry in known if entry)
        main |= {int(_BASE.XResolution): x, int(_BASE.YResolution): y}
        main[int(_BASE.ResolutionUnit)] = DirectoryEntry(SHORT, struct.pack(f"{order}H", _INCH))
    own = photo.get(_BASE.UserComment)
    if comment and (own is None or not bytes(own.data[_CODE:]).strip(b"\0 ")):
        photo[int(_BASE.UserComment)] = DirectoryEntry(UNDEFINED, _as_comment(comment))
    if (main or photo) and ORIENTATION not in main:
        main[ORIENTATION] = DirectoryEntry(SHORT, struct.pack(f"{order}H", 1))
    return replace(kept, main=main, photo=photo)


def _as_comment(text: str) -> bytes:
    return _UNICODE + text.encode("utf-16-be", "replace")


def shortened(exif: Exif, limit: int) -> tuple[bytes, tuple[str, ...]]:
    """The block with at most ``limit`` bytes, and the names of the largest entries, left out until it fits."""
    names: list[str] = []
    while len(block := exif.packed()) > limit:
        parts = {"main": exif.main, "photo": exif.photo, "place": exif.place}
        sizes = {(len(entry.data), part, tag) for part, entries in parts.items() for tag, entry in entries.items()}
        _, part, tag = max(sizes)
        parts[part] = {key: entry for key, entry in parts[part].items() if key != tag}
        exif = replace(exif, main=parts["main"], photo=parts["photo"], place=parts["place"])
        names.append((ExifTags.GPSTAGS if part == "place" else ExifTags.TAGS).get(tag, f"tag {tag}"))
    return block, tuple(names)
