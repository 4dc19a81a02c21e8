"""From a sound file to samples."""

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from impasto.errors import SoundError
from impasto.files import Files, wordless
from impasto.libraries import library
from impasto.sounds import riff, tags
from impasto.sounds.tags import Tags

SOUNDS = Files("a sound", SoundError)
SOUNDFILE = "soundfile", "A sound", "sound"
"""The library that knows the formats, what needs it, and the extra that it comes with."""
_SLACK = 2400  # samples that an MP3's own count may be off by
_BLOCK = 2**16  # samples that are read at once where not all can be
_FASTEST = 2**31 - 1  # samples per second that files and libsndfile can say
_QUIET = (b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS")
_SDS = b"\xf0\x7e"  # on whose damages libsndfile prints into the standard output, where a picture may be going
_FOREIGN = (
    (_SDS, 0, "a MIDI sample dump"),
    (b"ftyp", 4, "MP4 or M4A (AAC)"),
    (b"\x30\x26\xb2\x75", 0, "WMA"),
    (b"\x1a\x45\xdf\xa3", 0, "WebM or Matroska"),
    (b"#!AMR", 0, "AMR"),
    (b"\xff\xf1", 0, "AAC"),
    (b"\xff\xf9", 0, "AAC"),
    (b"wvpk", 0, "WavPack"),
    (b"MAC ", 0, "Monkey's Audio"),
    (b"DSD ", 0, "DSD"),
)
"""First bytes, where they stand, and the kind of files that people have and libsndfile does not read."""


@dataclass(frozen=True, eq=False)
class Sound:
    """A sound in memory.

    Args:
        samples: (channels, n) float32, 1 or 2 channels; full scale is 1.
        rate: samples per second.
        name: of its file without folders, or "array".
        sha256: hex digest of the file's bytes, or of the samples'.
        subtype: how the file stored samples, in soundfile's words (``PCM_16``), or "".
        tags: what the file says of it.
    """

    samples: Tensor
    rate: int
    name: str
    sha256: str
    subtype: str = ""
    tags: Tags = field(default_factory=Tags)

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.samples.shape[1] / self.rate


def read(path: str | Path) -> Sound:
    """Read a WAV, FLAC, Ogg or MP3 file, or another that soundfile knows.

    Raises:
        SoundError: if it does not exist, is no sound, is cut off or empty, has NaN samples or more than two channels.
        MissingExtraError: without the extra ``sound``.
    """
    known, data = library(*SOUNDFILE), SOUNDS.contents(path)
    if riff.is_wave(data) and riff.missing(data):
        raise SoundError(f"{path} is cut off: {riff.missing(data)} bytes of its samples are missing; copy it again.")
    if data[:4] == b"OggS" and _ends_within_page(data):
        raise SoundError(f"{path} is cut off: its last page is incomplete; copy it again.")
    try:
        with _opened(known, data) as file:
            promised, rate, subtype, words = file.frames, file.samplerate, file.subtype, tags.of_file(data, file)
            samples = file.read(dtype="float32", always_2d=True) if file.seekable() else _to_the_end(file)
    except (known.LibsndfileError, RuntimeError, ValueError, TypeError, MemoryError) as error:  # memory: for lies
        raise SoundError(_unreadable(path, data, error)) from None
    if 0 < promised < 2**62 and len(samples) < promised - _SLACK:
        raise SoundError(f"{path} is cut off after {len(samples)} of {promised} samples; copy it again.")
    checked = _checked(samples.T, rate, str(path))
    return Sound(checked, rate, Path(path).name, hashlib.sha256(data).hexdigest(), subtype, words)


@contextmanager
def _opened(known: Any, data: bytes) -> Iterator[Any]:
    """The file as libsndfile sees it, without the words that it prints on damaged ones where a command says its own."""
    if data[:2] == _SDS:
        raise ValueError("a MIDI sample dump")
    with nullcontext() if data[:4] in _QUIET else wordless(), known.SoundFile(_Stream(data)) as file:
        yield file


def _to_the_end(file: Any) -> Any:
    """The samples of a coding in which libsndfile cannot seek, such as GSM: soundfile must be told how many to read."""
    blocks = []
    while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
        blocks.append(block)
    return np.concatenate(blocks) if blocks else np.zeros((0, file.channels), dtype=np.float32)


def _unreadable(path: str | Path, data: bytes, error: Exception) -> str:
    """The sentence on a file that libsndfile does not read."""
    for start, at, kind in _FOREIGN:
        if data[at : at + len(start)] == start:
            return f"{path} is {kind}, which is not read; convert it first, such as by: ffmpeg -i FILE out.wav."
    reason = str(error).rpartition(": ")[2].rstrip(".")
    return (
        f"{path} cannot be read as a sound ({reason}): it is cut off, damaged, no sound, or of an unknown coding; give a "
        "complete WAV, FLAC, Ogg or MP3 file."
    )


def as_sound(samples: Any, rate: int, name: str = "array") -> Sound:
    """A sound from an array or tensor of samples, (n,) or (channels, n), full scale being 1.

    Raises:
        SoundError: for another shape, NaN samples, or a rate that is not a whole positive number.
    """
    array = np.atleast_2d(np.asarray(samples, dtype=np.float32))
    checked = _checked(array, rate, "The sound")
    return Sound(checked, int(rate), name, hashlib.sha256(array.tobytes()).hexdigest())


def read_recipe(path: str | Path) -> dict[str, Any] | None:
    """What impasto wrote into a sound about how it was made, or None.

    Raises:
        SoundError: if the file cannot be read.
    """
    known, data = library(*SOUNDFILE), SOUNDS.contents(path)
    try:
        with _opened(known, data) as file:
            text = tags.recipe_in(tags.of_file(data, file).words.get("comment", ""))
        recipe = json.loads(text) if text else None
    except (known.LibsndfileError, RuntimeError, ValueError):  # RuntimeError: also of nested lists
        return None
    return recipe if isinstance(recipe, dict) and "impasto" in recipe else None


class _Stream(io.BytesIO):
    """Bytes in which a damaged file may lead nowhere: libsndfile then seeks to before the beginning."""

    def seek(self, offset: int, whence: int = 0) -> int:
        return super().seek(max(0, offset) if whence == 0 else offset, whence)


def _ends_within_page(data: bytes) -> bool:
    """Whether an Ogg file's last page is shorter than its own table of segments says."""
    at = data.rfind(b"OggS")
    table = data[at + 27 : at + 27 + data[at + 26]] if at + 26 < len(data) else b""
    return at + 26 >= len(data) or at + 27 + data[at + 26] + sum(table) > len(data)


def check_rate(rate: float, what: str) -> None:
    """Refuse a sampling rate that no sound can have; ``what`` is what sentences call the sound.

    Raises:
        SoundError: if it is not a whole positive number, or beyond 31 bits.
    """
    if not (1 <= rate <= _FASTEST and rate == int(rate)):
        raise SoundError(f"{what} has a rate of {rate} samples per second; give a whole number from 1 to {_FASTEST}.")


def _checked(samples: Any, rate: int, what: str) -> Tensor:
    """Samples (channels, n) that can be worked on; ``what`` is what sentences call them."""
    if samples.ndim != 2:
        raise SoundError(f"Samples of shape {samples.shape} were given, but (n,) or (channels, n) is needed.")
    channels, count = samples.shape
    check_rate(rate, what)
    if count == 0:
        raise SoundError(f"{what} has 0 samples; give a sound that lasts.")
    if channels not in (1, 2):
        raise SoundError(f"{what} has {channels} channels, but one or two are needed; mix it down to stereo.")
    bad = ~np.isfinite(samples)
    if bad.any():
        first = int(bad.any(axis=0).argmax())
        raise SoundError(
            f"{what} has {int(bad.sum())} samples that are NaN or infinite, the first after {first / rate:.3f} s; "
            "repair or cut them."
        )
    if not samples.any():
        raise SoundError(f"{what} is silent: every sample is 0; give a sound that can be heard.")
    return torch.from_numpy(np.ascontiguousarray(samples))
