"""What of a picture's metadata fits into a file of a format, and what is left out of it."""

from dataclasses import dataclass

from impasto.images import exif, iptc, xmp
from impasto.images.exif import NOTHING, Exif
from impasto.images.metadata import Stamp

_JPEG_SEGMENT = 65_533
_COMMENT_LIMIT = 16_000  # characters of two bytes: the whole EXIF of a JPEG has 64 KB
_PHYS = 0.0254, 2**31 - 1  # meters to the inch, and the most pixels per meter that a PNG counts
_JFIF = 65_535  # the most pixels per inch that a JPEG counts outside its EXIF

BARE = ("DZI",)
"""Formats that hold a color profile and a recipe alone."""


@dataclass(frozen=True)
class Blocks:
    r"""Metadata as a file holds it, each None or empty where there is none.

    Args:
        exif: to be packed, for TIFF.
        exif_block: packed, with the prefix ``Exif\0\0``, for all others.
        xmp: the packet; none for PNG's recipe, which has text chunks.
        iptc: captions.
        texts: keys and texts.
        dpi: a resolution that the format counts outside of EXIF.
        left: what the format has no room for, in words.
    """

    exif: Exif = NOTHING
    exif_block: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()
    dpi: tuple[float, float] | None = None
    left: tuple[str, ...] = ()


def fit(stamp: Stamp, format: str) -> Blocks:  # noqa: A002  # Pillow's word for it
    """The metadata of ``stamp`` for a file of ``format``, a key of FORMATS or ``DZI``."""
    if format in BARE:
        known = {"EXIF": stamp.exif, "XMP": stamp.xmp, "IPTC captions": stamp.iptc, "its resolution": stamp.dpi}
        said = (words for words, value in known.items() if value)
        return Blocks(left=(*said, *(f"the text {key}" for key, _ in stamp.texts)))
    described, block, left = _exif(stamp, format)
    dpi = stamp.dpi if stamp.dpi and _counts(format, stamp.dpi) else None
    if stamp.dpi and not dpi and exif.resolution(described) is None:
        left += (f"a resolution of {stamp.dpi[0]:g} x {stamp.dpi[1]:g} pixels per inch",)
    texts, unread = _texts(stamp, format)
    room = {"TIFF": len(stamp.iptc or b""), "JPEG": iptc.SEGMENT_LIMIT}.get(format, 0)
    captions = stamp.iptc if len(stamp.iptc or b"") <= room else None
    if stamp.iptc and not captions:
        left += ("IPTC captions",)
    packet = xmp.packet(Stamp(xmp=stamp.xmp, scale=stamp.scale) if format == "PNG" else stamp)
    return Blocks(described, block, packet, captions, texts, dpi, left + unread)


def _exif(stamp: Stamp, format: str) -> tuple[Exif, bytes | None, tuple[str, ...]]:  # noqa: A002
    comment = stamp.parameters if format != "PNG" and len(stamp.parameters or "") <= _COMMENT_LIMIT else None
    # PNG has a chunk for a resolution; what that cannot count is told in EXIF.
    dpi = None if format == "PNG" and stamp.dpi and _counts(format, stamp.dpi) else stamp.dpi
    described = exif.stamped(stamp.exif, dpi, comment)
    if format == "JPEG" and len(described.packed()) > _JPEG_SEGMENT:
        described = exif.stamped(stamp.exif, dpi, None)  # the comment is in XMP, too
    if not described:
        return described, None, ()
    if format != "JPEG":
        return described, described.packed(), ()
    block, names = exif.shortened(described, _JPEG_SEGMENT)
    return exif.parse(block), block, tuple(f"EXIF {name}" for name in names)


def _counts(format: str, dpi: tuple[float, float]) -> bool:  # noqa: A002
    """Whether a format counts a resolution outside of EXIF."""
    if format == "PNG":
        return all(1 <= round(value / _PHYS[0]) <= _PHYS[1] for value in dpi)
    return format == "JPEG" and all(1 <= round(value) <= _JFIF for value in dpi)


def _texts(stamp: Stamp, format: str) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:  # noqa: A002
    """The texts that a format holds as such, and words for those that it holds in no way."""
    if format == "PNG":
        taken = {key for key, text in (("impasto", stamp.recipe), ("parameters", stamp.parameters)) if text}
        ours = (("parameters", stamp.parameters), ("impasto", stamp.recipe))
        kept = tuple((key, text) for key, text in stamp.texts if key not in taken)
        left = tuple(f"the text {key}" for key, _ in stamp.texts if key in taken)
        return kept + tuple((key, text) for key, text in ours if text), left
    unread = xmp.dublin_core(stamp.texts)[1]
    comment = dict(stamp.texts).get("Comment", "")
    if format != "JPEG" or not comment or len(comment.encode("utf-8", "replace")) > _JPEG_SEGMENT:
        return (), tuple(f"the text {key}" for key in unread)
    return (("Comment", comment),), tuple(f"the text {key}" for key in unread if key != "Comment")
