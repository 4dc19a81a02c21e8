"""XMP: the recipe and parameters of a picture as properties of our own namespace."""

import hashlib
import json
import struct
from xml.etree import ElementTree as ET

from impasto.images.metadata import Stamp

NAMESPACE = "urn:impasto:made/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_NOTE = "http://ns.adobe.com/xmp/note/"
_STANDARD = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_SEGMENT = 65_000  # bytes of a packet per JPEG segment, whose length field has 16 bits

for _prefix, _uri in {"x": "adobe:ns:meta/", "rdf": _RDF, "xmpNote": _NOTE, "impasto": NAMESPACE}.items():
    ET.register_namespace(_prefix, _uri)


def packet(stamp: Stamp) -> bytes | None:
    """The XMP packet of ``stamp``, or None where it has neither recipe nor parameters.

    Both are ASCII JSON, so that neither control characters nor line ends are lost to XML.
    """
    properties = {"recipe": stamp.recipe, "parameters": stamp.parameters and json.dumps(stamp.parameters)}
    return _describe({f"{{{NAMESPACE}}}{name}": text for name, text in properties.items() if text})


def parse(xmp: bytes) -> tuple[str | None, str | None]:
    """The recipe's JSON and the parameters of an XMP packet, each None where absent.

    Raises:
        ValueError: If the packet is not XML or our property not JSON.
    """
    try:
        root = ET.fromstring(xmp.rstrip(b"\0"))  # noqa: S314  # expat itself bounds the growth of entities
    except ET.ParseError as error:
        raise ValueError(str(error)) from error
    parameters = _property(root, "parameters")
    return _property(root, "recipe"), None if parameters is None else str(json.loads(parameters))


def jpeg_segments(stamp: Stamp) -> bytes:
    """The APP1 segments for ``stamp``; a packet above 64 KB is cut into ExtendedXMP (XMP specification, part 3)."""
    whole = packet(stamp)
    if whole is None:
        return b""
    if len(whole) <= _SEGMENT:
        return _app1(_STANDARD + whole)
    digest = hashlib.md5(whole, usedforsecurity=False).hexdigest().upper()
    pointer = _describe({f"{{{_NOTE}}}HasExtendedXMP": digest}) or b""
    parts = (
        _app1(_EXTENDED + digest.encode() + struct.pack(">II", len(whole), start) + whole[start : start + _SEGMENT])
        for start in range(0, len(whole), _SEGMENT)
    )
    return _app1(_STANDARD + pointer) + b"".join(parts)


def join_extended(payloads: list[bytes]) -> bytes | None:
    """The packet spread over the ExtendedXMP among a JPEG's APP1 payloads, or None where there is none."""
    start = len(_EXTENDED) + 32  # a digest of 32 digits, then total length and offset of 4 bytes each
    parts = sorted((p[start + 4 : start + 8], p[start + 8 :]) for p in payloads if p.startswith(_EXTENDED))
    return b"".join(part for _, part in parts) or None


def _describe(properties: dict[str, str]) -> bytes | None:
    if not properties:
        return None
    root = ET.Element("{adobe:ns:meta/}xmpmeta")
    description = ET.SubElement(
        ET.SubElement(root, f"{{{_RDF}}}RDF"), f"{{{_RDF}}}Description", {f"{{{_RDF}}}about": ""}
    )
    for name, text in properties.items():
        ET.SubElement(description, name).text = text
    return ET.tostring(root)


def _property(root: ET.Element, name: str) -> str | None:
    # Other programs rewrite a property as an attribute of its description, which means the same in RDF.
    key = f"{{{NAMESPACE}}}{name}"
    found = (element.text if element.tag == key else element.get(key) for element in root.iter())
    return next((text for text in found if text is not None), None)


def _app1(payload: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload
