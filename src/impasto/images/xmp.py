"""XMP: what the source's packet says of the scene, and the recipe and parameters as properties of our own namespace."""

import hashlib
import json
import struct
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from impasto.images.metadata import Stamp

NAMESPACE = "urn:impasto:made/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DESCRIPTION, _ABOUT = f"{{{_RDF}}}Description", f"{{{_RDF}}}about"
_NOTE = "http://ns.adobe.com/xmp/note/"
_DC = "http://purl.org/dc/elements/1.1/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_PANORAMA = "http://ns.google.com/photos/1.0/panorama/"
_TIFF, _EXIF, _PHOTOSHOP = (
    "http://ns.adobe.com/tiff/1.0/",
    "http://ns.adobe.com/exif/1.0/",
    "http://ns.adobe.com/photoshop/1.0/",
)
_STANDARD = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_SEGMENT = 65_000  # bytes of a packet per JPEG segment, whose length field has 16 bits

_PREFIXES = {
    "x": "adobe:ns:meta/",
    "rdf": _RDF,
    "xmpNote": _NOTE,
    "impasto": NAMESPACE,
    "dc": _DC,
    "xmp": _XMP,
    "GPano": _PANORAMA,
    "tiff": _TIFF,
    "exif": _EXIF,
    "photoshop": _PHOTOSHOP,
    "exifEX": "http://cipa.jp/exif/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "cc": "http://creativecommons.org/ns#",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
}
for _prefix, _uri in _PREFIXES.items():
    ET.register_namespace(_prefix, _uri)

# What is not true of a copy: how the source was developed and edited, and pictures beside the picture.
_LEFT_SPACES = (
    *(NAMESPACE, _NOTE, "http://ns.adobe.com/camera-raw-settings/1.0/", "http://ns.adobe.com/xap/1.0/mm/"),
    *("http://ns.adobe.com/hdr-gain-map/1.0/", "http://ns.apple.com/HDRGainMap/1.0/"),
    *("http://ns.google.com/photos/1.0/container/", "http://ns.google.com/photos/1.0/camera/"),
    *("http://ns.google.com/photos/1.0/depthmap/", "http://ns.google.com/photos/1.0/image/"),
    *("http://ns.google.com/photos/1.0/audio/", "http://ns.google.com/photos/dd/1.0/device/"),
)
_LEFT = {
    _DC: ("format",),
    _XMP: ("Thumbnails", "MetadataDate", "ModifyDate"),
    _TIFF: (
        *("ImageWidth", "ImageLength", "BitsPerSample", "Compression", "PhotometricInterpretation", "Orientation"),
        *("SamplesPerPixel", "PlanarConfiguration", "YCbCrSubSampling", "YCbCrPositioning"),
        *("XResolution", "YResolution"),
        *("ResolutionUnit", "TransferFunction", "WhitePoint", "PrimaryChromaticities", "YCbCrCoefficients"),
        *("ReferenceBlackWhite", "NativeDigest"),
    ),
    _EXIF: (
        *("PixelXDimension", "PixelYDimension", "ColorSpace", "ComponentsConfiguration", "CompressedBitsPerPixel"),
        *("MakerNote", "NativeDigest", "SubjectArea", "SubjectLocation"),
    ),
    _PHOTOSHOP: ("ColorMode", "ICCProfile", "History", "DocumentAncestors", "TextLayers", "LegacyIPTCDigest"),
}
_LEFT_NAMES = {f"{{{uri}}}{name}" for uri, names in _LEFT.items() for name in names}

_ACROSS = ("FullPanoWidthPixels", "CroppedAreaImageWidthPixels", "CroppedAreaLeftPixels")
_DOWN = ("FullPanoHeightPixels", "CroppedAreaImageHeightPixels", "CroppedAreaTopPixels")

_DUBLIN = {
    "Title": "title",
    "Author": "creator",
    "Copyright": "rights",
    "Description": "description",
    "Comment": "description",
}
"""The properties of Dublin Core that say what a PNG says under a key."""


def descriptive(packets: Sequence[bytes]) -> bytes | None:
    """What a source's packets say of the scene, as one packet, or None where they say nothing.

    Raises:
        ValueError: if one of them is damaged.
    """
    root, rdf = _empty()
    for description in [found for packet in packets for found in _descriptions(packet)]:
        for name in [name for name in description.attrib if _is_left(name)]:
            del description.attrib[name]
        for element in [element for element in description if _is_left(element.tag)]:
            description.remove(element)
        if len(description) or set(description.attrib) - {_ABOUT}:
            rdf.append(description)
    try:
        return ET.tostring(root) if len(rdf) else None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def parameters_in(packets: Sequence[bytes]) -> str | None:
    """The parameters that impasto wrote into a source's packets, or None.

    Raises:
        ValueError: if one of them is damaged.
    """
    return next((found for packet in packets if (found := parse(packet)[1]) is not None), None)


def packet(stamp: Stamp) -> bytes | None:
    """The XMP packet of ``stamp``, or None where it has nothing to say.

    Recipe and parameters are ASCII JSON, so that neither control characters nor line ends are lost to XML.
    """
    root, rdf = _empty()
    if stamp.xmp:
        rdf.extend(list(_descriptions(stamp.xmp)))
        _scale_panorama(rdf, stamp.scale)
    ours = {"recipe": stamp.recipe, "parameters": stamp.parameters and json.dumps(stamp.parameters)}
    about = next((found.get(_ABOUT, "") for found in rdf), "")
    added = ET.Element(_DESCRIPTION, {_ABOUT: about})
    for name, text in ours.items():
        if text:
            ET.SubElement(added, f"{{{NAMESPACE}}}{name}").text = text
    for name, text in dublin_core(stamp.texts)[0].items():
        if rdf.find(f"{_DESCRIPTION}/{{{_DC}}}{name}") is None:
            added.append(_listed(name, text))
    if len(added):
        rdf.append(added)
    return ET.tostring(root) if len(rdf) else None


def dublin_core(texts: Sequence[tuple[str, str]]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The texts that have a property in Dublin Core, by its name, and the keys of those that have none."""
    found, left = dict[str, str](), list[str]()
    for key, text in texts:
        name = _DUBLIN.get(key, "")
        if name and found.setdefault(name, text) == text and all(_is_xml(letter) for letter in text):
            continue
        left.append(key)
    return {name: text for name, text in found.items() if all(map(_is_xml, text))}, tuple(left)


def _is_xml(letter: str) -> bool:
    return letter in "\t\n\r" or "\x20" <= letter <= "\ud7ff" or "\ue000" <= letter <= "\ufffd" or letter > "\uffff"


def _listed(name: str, text: str) -> ET.Element:
    """A property of Dublin Core: names of people in a sequence, the rest in one language."""
    element = ET.Element(f"{{{_DC}}}{name}")
    if name == "creator":
        ET.SubElement(ET.SubElement(element, f"{{{_RDF}}}Seq"), f"{{{_RDF}}}li").text = text
    else:
        language = {"{http://www.w3.org/XML/1998/namespace}lang": "x-default"}
        ET.SubElement(ET.SubElement(element, f"{{{_RDF}}}Alt"), f"{{{_RDF}}}li", language).text = text
    return element


def parse(xmp: bytes) -> tuple[str | None, str | None]:
    """The recipe's JSON and the parameters of an XMP packet, each None where absent.

    Raises:
        ValueError: If the packet is not XML or our property not JSON.
    """
    root = _parsed(xmp)
    parameters = _property(root, "parameters")
    return _property(root, "recipe"), None if parameters is None else str(json.loads(parameters))


def jpeg_segments(whole: bytes) -> bytes:
    """The APP1 segments for a packet; one above 64 KB is cut into ExtendedXMP (XMP specification, part 3)."""
    if len(whole) <= _SEGMENT:
        return _app1(_STANDARD + whole)
    digest = hashlib.md5(whole, usedforsecurity=False).hexdigest().upper()
    root, rdf = _empty()
    ET.SubElement(ET.SubElement(rdf, _DESCRIPTION, {_ABOUT: ""}), f"{{{_NOTE}}}HasExtendedXMP").text = digest
    parts = (
        _app1(_EXTENDED + digest.encode() + struct.pack(">II", len(whole), start) + whole[start : start + _SEGMENT])
        for start in range(0, len(whole), _SEGMENT)
    )
    return _app1(_STANDARD + ET.tostring(root)) + b"".join(parts)


def join_extended(payloads: Sequence[bytes]) -> bytes | None:
    """The packet spread over the ExtendedXMP among a JPEG's APP1 payloads, or None where there is none."""
    start = len(_EXTENDED) + 32  # a digest of 32 digits, then total length and offset of 4 bytes each
    parts = sorted((p[start + 4 : start + 8], p[start + 8 :]) for p in payloads if p.startswith(_EXTENDED))
    return b"".join(part for _, part in parts) or None


def _empty() -> tuple[ET.Element, ET.Element]:
    """A packet without descriptions, and the element that they go into."""
    root = ET.Element("{adobe:ns:meta/}xmpmeta")
    return root, ET.SubElement(root, f"{{{_RDF}}}RDF")


def _parsed(xmp: bytes) -> ET.Element:
    try:
        return ET.fromstring(xmp.strip(b"\0 \r\n\t"))  # noqa: S314  # expat itself bounds the growth of entities
    except ET.ParseError as error:
        raise ValueError(str(error)) from error


def _descriptions(xmp: bytes) -> Iterator[ET.Element]:
    for rdf in _parsed(xmp).iter(f"{{{_RDF}}}RDF"):
        yield from rdf.findall(_DESCRIPTION)


def _is_left(name: str) -> bool:
    return name in _LEFT_NAMES or name[1:].partition("}")[0] in _LEFT_SPACES


def _scale_panorama(rdf: ET.Element, scale: tuple[float, float]) -> None:
    """Count a panorama's size and the crop of it in the copy's pixels."""
    for names, factor in ((_ACROSS, scale[0]), (_DOWN, scale[1])):
        for key in (f"{{{_PANORAMA}}}{name}" for name in names):
            for element in rdf.iter():
                if element.tag == key:
                    element.text = _scaled(element.text or "", factor)
                elif key in element.attrib:
                    element.set(key, _scaled(element.attrib[key], factor))


def _scaled(number: str, factor: float) -> str:
    try:
        return str(round(float(number) * factor))
    except (ValueError, OverflowError):
        return number


def _property(root: ET.Element, name: str) -> str | None:
    # Other programs rewrite a property as an attribute of its description, which means the same in RDF.
    key = f"{{{NAMESPACE}}}{name}"
    found = (element.text if element.tag == key else element.get(key) for element in root.iter())
    return next((text for text in found if text is not None), None)


def _app1(payload: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload
