"""From samples to a sound file, at once or not at all."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from impasto.errors import SoundError
from impasto.libraries import library
from impasto.sounds import riff, tags
from impasto.sounds.reading import SOUNDFILE, SOUNDS, Sound, check_rate

FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".mp3": "MP3"}
_MOST = {"OGG": (200_000, 255)}
"""The rate and the channels that libvorbis has up to: beyond them libsndfile does not refuse but crashes the process."""
_RECIPE = 2**14  # letters, more than recipes have
_BLOCK = 2**16  # samples written at once: libvorbis has a copy of them on the stack, which overflows at 2 million
_FINE = ("PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAC_20", "ALAC_24", "ALAC_32")  # more than 16 bits per sample


def write(path: str | Path, samples: Tensor, rate: int, *, like: Sound | None = None, recipe: Any = None) -> None:
    """Write samples to a file that is either complete or untouched.

    Args:
        path: a file whose extension is one of FORMATS.
        samples: (channels, n) in [-1, 1].
        rate: samples per second.
        like: the source, whose tags come through; WAV and FLAC take 24 bits where it has more than 16, else 16.
        recipe: how the sound was made: plain data, stored as JSON in a line of the file's comment.

    Raises:
        SoundError: if the file cannot be written or the format cannot hold the sound, or samples are beyond full scale.
        MissingExtraError: without the extra ``sound``.
    """
    path = Path(path)
    if not samples.isfinite().all() or float(samples.abs().max()) > 1:
        raise SoundError("The samples are beyond full scale or not finite and would be clipped; scale them down first.")
    data = _encoded(path, samples.t().cpu().numpy(), rate, like, "" if recipe is None else json.dumps(recipe))
    SOUNDS.replace(path, data)


def check_writable(path: str | Path, rate: int, channels: int, *, like: Sound | None = None) -> None:
    """Raise now what :func:`write` would raise of a sound of so many channels: a short one is encoded with all it carries.

    Raises:
        SoundError: if the extension is unknown, the format cannot hold the rate or the channels, or the folder cannot be
            written to.
        MissingExtraError: without the extra ``sound``.
    """
    path = Path(path)
    _encoded(path, np.zeros((64, channels), dtype=np.float32), rate, like, "{}" + " " * _RECIPE)
    SOUNDS.replace(path, None)


def _encoded(path: Path, frames: Any, rate: int, like: Sound | None, recipe: str) -> bytes:
    """The file's bytes, from samples (n, channels)."""
    known, kind = library(*SOUNDFILE), FORMATS.get(path.suffix.lower())
    if kind is None:
        raise SoundError(f"{path} has no extension that says a sound format; end it in one of {', '.join(FORMATS)}.")
    channels = frames.shape[1]
    check_rate(rate, "The sound")
    fastest, most = _MOST.get(kind, (rate, channels))
    if rate > fastest or channels > most:
        raise SoundError(_not_held(kind, rate, channels, f"at most {fastest} samples per second and {most} channels"))
    fine = like is not None and like.subtype in _FINE
    subtype = ("PCM_24" if fine else "PCM_16") if kind in ("WAV", "FLAC") else None
    words, stream = _words(kind, like, recipe), io.BytesIO()
    try:
        with known.SoundFile(stream, "w", int(rate), channels, format=kind, subtype=subtype) as file:
            for word, text in words.items() if kind in ("FLAC", "OGG") else ():
                setattr(file, word, text)
            for start in range(0, len(frames), _BLOCK):
                file.write(frames[start : start + _BLOCK])
    except (known.LibsndfileError, RuntimeError, ValueError) as error:
        raise SoundError(_not_held(kind, rate, channels, str(error).rpartition(": ")[2].rstrip("."))) from None
    data = stream.getvalue()
    if kind == "WAV":
        return riff.with_info(data, {tags.INFO[word]: text for word, text in words.items()})
    return tags.with_id3(data, words) if kind == "MP3" else data


def _words(kind: str, like: Sound | None, recipe: str) -> dict[str, str]:
    """What the file will say: what its source did, and behind the comment how it was made."""
    words = {} if like is None else dict(like.tags.words)
    comment = "\n".join(text for text in (tags.without_recipe(words.pop("comment", "")), recipe) if text)
    rights = words.pop("license", "") if kind in ("WAV", "MP3") else ""  # which have no place of its own for it
    words["copyright"] = "; ".join(text for text in (words.get("copyright", ""), rights) if text)
    words["comment"] = comment
    return {word: text.replace("\0", "") for word, text in words.items() if text}


def _not_held(kind: str, rate: int, channels: int, reason: str) -> str:
    sound = f"this sound of {rate} samples per second and {channels} channel{'s' if channels != 1 else ''}"
    return f"{kind} cannot hold {sound} ({reason}); write WAV."
