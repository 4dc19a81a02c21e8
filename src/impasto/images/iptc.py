"""IPTC's captions and credits, which JPEG and TIFF hold: taken over as the bytes that they are.

They stand among Photoshop's image resources (Adobe Photoshop File Formats Specification): each one is ``8BIM``, a number,
a name, a length and its bytes, filled up to an even number.
"""

import struct

_MARK, NUMBER = b"8BIM", 0x0404
_HEADER = b"Photoshop 3.0\0"
SEGMENT_LIMIT = 65_533 - len(_HEADER) - 12 - 1
"""The most bytes that fit into a JPEG."""


def from_resources(data: bytes) -> bytes | None:
    """The captions among image resources, or None; data that does not begin with one is taken for captions."""
    if not data.startswith(_MARK):
        return data or None
    at = 0
    while data[at : at + 4] == _MARK and at + 12 <= len(data):
        number = int.from_bytes(data[at + 4 : at + 6], "big")
        at += 6 + (data[at + 6] + 2) // 2 * 2  # the name and its length, filled up
        size = int.from_bytes(data[at : at + 4], "big")
        if number == NUMBER:
            return data[at + 4 : at + 4 + size] or None
        at += 4 + (size + 1) // 2 * 2
    return None


def jpeg_segment(captions: bytes) -> bytes:
    """The APP13 segment that holds them."""
    resource = _MARK + struct.pack(">HHI", NUMBER, 0, len(captions)) + captions + bytes(len(captions) % 2)
    payload = _HEADER + resource
    return b"\xff\xed" + struct.pack(">H", len(payload) + 2) + payload
