"""Words in sound files: title, artist, and what else says what a recording is.

libsndfile has ten of them, of which it loses long ones in WAV, gives MP3 wrong letters, and does not say what else there
is. So those of WAV, FLAC and Ogg are read here, and of ID3 the names.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from impasto.sounds import riff

WORDS = ("title", "artist", "album", "copyright", "date", "tracknumber", "genre", "license", "comment")
"""What comes through, in soundfile's words."""

_CALLED = {
    "title": ("INAM", "TIT2"),
    "artist": ("IART", "TPE1"),
    "album": ("IPRD", "TALB"),
    "copyright": ("ICOP", "TCOP"),
    "date": ("ICRD", "TDRC"),
    "tracknumber": ("ITRK", "TRCK"),
    "genre": ("IGNR", "TCON"),
    "comment": ("ICMT", "COMM"),
}
INFO = {word: name for word, (name, _) in _CALLED.items()}
"""Their names in WAV."""
FRAMES = {word: name for word, (_, name) in _CALLED.items()}
"""Their names in MP3."""

_SILENT = (
    *("ISFT", "TSSE", "TENC", "TLEN", "TYER", "TDAT", "TT2", "TP1", "TAL", "TCR", "TYE", "TRK", "TCO"),
    *("COM", "TSS"),
)
_OTHERS = {
    **dict.fromkeys(("APIC", "PIC", "metadata_block_picture", "coverart"), "a cover picture"),
    **dict.fromkeys(("USLT", "ULT", "SYLT", "lyrics"), "lyrics"),
    **dict.fromkeys(("TCOM", "TCM", "IMUS", "composer"), "its composer"),
    **dict.fromkeys(("TPE2", "TP2", "albumartist"), "the artist of its album"),
    **dict.fromkeys(("TPOS", "TPA", "discnumber"), "the number of its disc"),
    **dict.fromkeys(("CHAP", "CTOC"), "chapters"),
    "bext": "broadcast details (bext)",
    "iXML": "production details (iXML)",
    "cue ": "markers",
    "smpl": "loops",
    "id3 ": "ID3 tags",
    "ID3 ": "ID3 tags",
    "_PMX": "XMP",
    "cart": "cart details",
    "adtl": "labels of markers",
}
_COVER, _CUES = 6, 5  # kinds of FLAC's blocks


@dataclass(frozen=True)
class Tags:
    """What a file says of its sound.

    Args:
        words: by name, those of WORDS.
        others: what else there is, as a sentence names it.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()


def of_file(data: bytes, file: Any) -> Tags:
    """The tags of a file's bytes, which soundfile has open."""
    if riff.is_wave(data):
        found = riff.info(data)
        names = {name: word for word, name in INFO.items()}
        return _sorted({names.get(name, name): text for name, text in found}, riff.chunks_named(data))
    if data[:4] in (b"fLaC", b"OggS"):
        blocks = dict(_blocks(data)) if data[:4] == b"fLaC" else {4: _second_packet(data)}
        entries: dict[str, str] = {}
        for name, text in _comments(blocks.get(4, b"")):
            word = "comment" if name == "description" else name
            entries[word] = f"{entries[word]}; {text}" if word in entries else text
        kinds = [word for kind, word in ((_COVER, "APIC"), (_CUES, "cue ")) if kind in blocks]
        return _sorted(entries, kinds)
    frames = dict(_frames(data))
    rights = frames.get("TCOP", frames.get("TCR", b""))  # which libsndfile does not read
    words = {**file.copy_metadata(), **({"copyright": _frame_text(rights)} if rights else {})}
    return _sorted(words, list(frames))


def _sorted(found: Mapping[str, str], kinds: list[str]) -> Tags:
    words = {word: found[word].strip() for word in WORDS if found.get(word, "").strip()}
    known = (*WORDS, *INFO.values(), *FRAMES.values(), *_SILENT, "software", "encoder")
    others = [_OTHERS.get(name, name) for name in (*found, *kinds) if name not in known]
    return Tags(words, tuple(dict.fromkeys(others)))


def without_recipe(comment: str) -> str:
    """A comment without the line in which impasto says how a sound was made."""
    return "\n".join(line for line in comment.split("\n") if not line.startswith("{")).strip()


def recipe_in(comment: str) -> str:
    """That line, or nothing."""
    return next((line for line in reversed(comment.split("\n")) if line.startswith("{")), "")


def with_id3(data: bytes, words: Mapping[str, str]) -> bytes:
    """An MP3 with its words before it, as ID3v2.4 in UTF-8: libsndfile would have LAME take UTF-8 for Latin-1."""
    frames = b""
    for word, text in words.items():
        content = b"\x03" + (b"und\0" if word == "comment" else b"") + text.encode(errors="replace")
        frames += FRAMES[word].encode() + _syncsafe(len(content)) + b"\0\0" + content
    return b"ID3\x04\0\0" + _syncsafe(len(frames)) + frames + data if frames else data


def _syncsafe(number: int) -> bytes:
    """28 bits as four bytes of seven."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _frames(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The names and contents of ID3v2 frames before an MP3."""
    if data[:3] != b"ID3" or len(data) < 10:
        return
    size, head, at = (3, 6, 10) if data[3] == 2 else (4, 10, 10)
    end = min(len(data), 10 + _number(data[6:10], 7))
    while at + head <= end and data[at : at + size].isalnum():
        length = _number(data[at + size : at + 2 * size], 7 if data[3] == 4 else 8)
        yield data[at : at + size].decode("latin-1"), data[at + head : at + head + length]
        at += head + length


def _frame_text(content: bytes) -> str:
    """The text of a frame, whose first byte says in which letters it is."""
    letters = {1: "utf-16", 2: "utf-16-be", 3: "utf-8"}.get(content[0], "latin-1")
    return content[1:].decode(letters, errors="replace").strip("\0")


def _number(data: bytes, bits: int) -> int:
    """A number, first digit first, of which each byte has so many bits."""
    total = 0
    for byte in data:
        total = total << bits | byte
    return total


def _blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and content of FLAC's blocks before the sound."""
    at, last = 4, False
    while not last and at + 4 <= len(data):
        size = int.from_bytes(data[at + 1 : at + 4], "big")
        yield data[at] & 0x7F, data[at + 4 : at + 4 + size]
        at, last = at + 4 + size, bool(data[at] & 0x80)


def _second_packet(data: bytes) -> bytes:
    """The second packet of an Ogg file, which holds its comments, without the word that it begins with."""
    at, packets, packet = 0, 0, b""
    while data[at : at + 4] == b"OggS" and at + 27 <= len(data):
        table = data[at + 27 : at + 27 + data[at + 26]]
        at += 27 + len(table)
        for size in table:
            packet += data[at : at + size]
            at += size
            if size < 255:
                packets += 1
                if packets == 2:
                    return packet[8 if packet.startswith(b"OpusTags") else 7 :]
                packet = b""
    return b""


def _comments(block: bytes) -> Iterator[tuple[str, str]]:
    """Names in small letters and texts of a block of Vorbis comments."""
    at = 4 + int.from_bytes(block[:4], "little")
    count, at = int.from_bytes(block[at : at + 4], "little"), at + 4
    for _ in range(count):
        if at + 4 > len(block):
            return
        size = int.from_bytes(block[at : at + 4], "little")
        name, _, text = block[at + 4 : at + 4 + size].decode(errors="replace").partition("=")
        yield name.lower(), text
        at += 4 + size
