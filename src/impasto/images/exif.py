"""EXIF: what a stylized copy takes over from its source."""

from typing import Any

from PIL import ExifTags, Image

from impasto.images.metadata import Stamp

_BASE, _IFD = ExifTags.Base, ExifTags.IFD
DIRECTORIES = (_IFD.Exif, _IFD.GPSInfo)
"""Tags whose value is a directory of its own."""

_INCH, _CENTIMETER = 2, 3
_COMMENT_LIMIT = 16_000  # characters of two bytes: the whole EXIF of a JPEG has 64 KB

# What stays true of the copy. Everything about the storage of pixels, previews of the original, and maker notes
# (which break when moved) stay behind.
_KEPT = (
    *(
        _BASE.ImageDescription,
        _BASE.Make,
        _BASE.Model,
        _BASE.Software,
        _BASE.DateTime,
        _BASE.Artist,
        _BASE.HostComputer,
    ),
    *(_BASE.Copyright, _BASE.XPTitle, _BASE.XPComment, _BASE.XPAuthor, _BASE.XPKeywords, _BASE.XPSubject, _BASE.Rating),
)
_DROPPED_OF_PHOTO = (
    *(_BASE.MakerNote, _BASE.ExifImageWidth, _BASE.ExifImageHeight, _BASE.ExifInteroperabilityOffset, _BASE.ColorSpace),
    *(_BASE.ComponentsConfiguration, _BASE.CompressedBitsPerPixel),
)


def load_exif(data: bytes) -> Image.Exif:
    """EXIF from its bytes, or the first directory of a TIFF file; without a tag where they are damaged."""
    exif = Image.Exif()
    try:
        exif.load(data)
    except Exception:  # noqa: BLE001  # Pillow's EXIF reader raises whatever hostile bytes lead it to
        return Image.Exif()
    return exif


def descriptive(exif: Image.Exif) -> bytes | None:
    """The part of ``exif`` that describes the scene, with orientation 1.

    EXIF that is damaged counts as absent: it says nothing that the pixels need.
    """
    try:
        return _build(*_parts(exif))
    except Exception:  # noqa: BLE001  # as above
        return None


def orientation(exif: Image.Exif) -> int:
    """How the stored rows lie in the picture, 1 to 8; 1 where it is not said or nonsense."""
    try:
        value = exif.get(_BASE.Orientation, 1)
    except Exception:  # noqa: BLE001  # as above
        return 1
    return value if value in range(1, 9) else 1


def resolution(exif: Image.Exif) -> tuple[float, float] | None:
    """Pixels per inch, for formats that keep it in EXIF only; None where it is not said or nonsense."""
    try:
        unit = {_INCH: 1.0, _CENTIMETER: 2.54}[exif.get(_BASE.ResolutionUnit, _INCH)]
        return float(exif[_BASE.XResolution]) * unit, float(exif[_BASE.YResolution]) * unit
    except Exception:  # noqa: BLE001  # as above
        return None


def stamped(stamp: Stamp, *, comment: bool) -> bytes | None:
    """The EXIF of a file: the source's, the resolution and, where ``comment``, the parameters as UserComment."""
    kept, photo, place = _parts(load_exif(stamp.exif or b""))
    if stamp.dpi:
        kept |= {_BASE.XResolution: stamp.dpi[0], _BASE.YResolution: stamp.dpi[1], _BASE.ResolutionUnit: _INCH}
    if comment and stamp.parameters and len(stamp.parameters) <= _COMMENT_LIMIT:
        photo[_BASE.UserComment] = b"UNICODE\0" + stamp.parameters.encode("utf-16-be", "replace")
    return _build(kept, photo, place)


def _parts(exif: Image.Exif) -> tuple[dict[int, Any], dict[int, Any], dict[int, Any]]:
    kept = {int(tag): exif[tag] for tag in _KEPT if tag in exif}
    photo = {tag: value for tag, value in exif.get_ifd(_IFD.Exif).items() if tag not in _DROPPED_OF_PHOTO}
    return kept, photo, dict(exif.get_ifd(_IFD.GPSInfo))


def _build(kept: dict[int, Any], photo: dict[int, Any], place: dict[int, Any]) -> bytes | None:
    if not (kept or photo or place):
        return None
    exif = Image.Exif()
    exif.update({_BASE.Orientation: 1, **kept})
    for pointer, directory in zip(DIRECTORIES, (photo, place), strict=True):
        if directory:
            exif[pointer] = directory
    return exif.tobytes()
