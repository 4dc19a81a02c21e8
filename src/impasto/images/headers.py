"""What a file says beside its pixels, from Pillow's view of it."""

from typing import Any

from PIL import Image

from impasto.images import colorimetry, iptc, png, xmp
from impasto.images import exif as exif_tags

_BMP_MOST = 2**31 / 39.3701  # a BMP's pixels per meter are a signed number, which Pillow takes for one without a sign


def exif_block(image: Image.Image) -> bytes | None:
    """The EXIF block of a file, or one made of what Pillow knows."""
    block = image.info.get("exif")
    if isinstance(block, bytes):
        return block
    try:
        return image.getexif().tobytes() if len(image.getexif()) else None
    except Exception:  # noqa: BLE001  # Pillow's EXIF reader raises whatever hostile bytes lead it to
        return None


def orientation(image: Image.Image) -> int:
    """EXIF's number of how the rows lie, as Pillow finds it in EXIF and XMP."""
    try:
        value = image.getexif().get(exif_tags.ORIENTATION, 1)
    except Exception:  # noqa: BLE001  # as above
        return 1
    return value if value in range(1, 9) else 1


def profile(info: dict[Any, Any], exif: exif_tags.Exif, channels: int, name: str) -> bytes | None:
    """The color profile, in the order of PNG's third edition: code points, profile, sRGB, gamma and chromaticities."""
    if "cicp" in info and channels != 4:
        return colorimetry.by_codes(info["cicp"], channels, name)
    if profile := info.get("icc_profile"):
        return bytes(profile)
    if "srgb" in info or channels == 4:
        return None
    if "gamma" in info or "chromaticity" in info:
        return colorimetry.by_gamma(info.get("gamma"), info.get("chromaticity"), channels)
    return colorimetry.adobe_rgb() if channels == 3 and exif_tags.is_adobe_rgb(exif) else None


def resolution(image: Image.Image, exif: exif_tags.Exif) -> tuple[float, float] | None:
    """Pixels per inch; JPEG counts whole ones, of which its EXIF knows the fractions."""
    found, told = image.info.get("dpi"), exif_tags.resolution(exif)
    if image.format in ("JPEG", "MPO") and image.info.get("jfif_unit") not in (1, 2):
        found = None  # Pillow fills in 72, or takes one side of EXIF's for both
    dpi = exif_tags.plausible((float(found[0]), float(found[1]))) if found else None
    if image.format == "BMP" and dpi and max(dpi) >= _BMP_MOST:
        return None
    if dpi and told and all(abs(one - other) <= 1 for one, other in zip(dpi, told, strict=True)):
        return told
    return dpi or told


def packets(image: Image.Image) -> tuple[bytes, ...]:
    """XMP, with what a JPEG has of it in further segments."""
    packet = image.info.get("xmp")
    if isinstance(packet, str):
        packet = packet.encode("utf-8", "replace")
    payloads = [payload for marker, payload in getattr(image, "applist", ()) if marker == "APP1"]
    return tuple(found for found in (packet, xmp.join_extended(payloads)) if found)


def captions(info: dict[Any, Any]) -> bytes | None:
    """IPTC captions."""
    found = info.get("iptc") or info.get("photoshop", {}).get(iptc.NUMBER)
    return iptc.from_resources(found) if isinstance(found, bytes) else None


def texts(image: Image.Image) -> tuple[tuple[str, str], ...]:
    """What a file says under keys, without what impasto has written."""
    texts = {str(key): str(text) for key, text in (image.info.get("texts") or getattr(image, "text", {})).items()}
    if isinstance(comment := image.info.get("comment"), bytes):
        texts.setdefault("Comment", _decoded(comment))
    ours = ("impasto", "parameters") if "impasto" in texts else ()
    return tuple((key, text) for key, text in texts.items() if key not in (*ours, png.XMP_KEY) and text)


def _decoded(comment: bytes) -> str:
    comment = comment.rstrip(b"\0")
    try:
        return comment.decode("utf-8")
    except UnicodeDecodeError:
        return comment.decode("latin-1")
