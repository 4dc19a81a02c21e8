"""Sounds: every format that is read, and what is done to them."""

import io
import random
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from bytewise import changed, odd_integer
from cases import MEGABYTE, READ, REFUSED, WRITTEN, FaultError, Medium, Odd, sentence_of
from containers import changed_ogg, changed_riff, odd_text

from impasto import sounds

_RECIPE = {"impasto": "0.1.0", "task": "sound stylize", "note": "\u00a9"}
KINDS = (
    *(
        ("WAV", subtype)
        for subtype in (
            "PCM_U8",
            "PCM_16",
            "PCM_24",
            "PCM_32",
            "FLOAT",
            "DOUBLE",
            "ULAW",
            "ALAW",
            "IMA_ADPCM",
            "MS_ADPCM",
            "GSM610",
        )
    ),
    *(("FLAC", subtype) for subtype in ("PCM_S8", "PCM_16", "PCM_24")),
    *(("OGG", subtype) for subtype in ("VORBIS", "OPUS")),
    *(("AIFF", subtype) for subtype in ("PCM_S8", "PCM_16", "PCM_24", "FLOAT", "ULAW")),
    *(
        ("MP3", "MPEG_LAYER_III"),
        ("AU", "PCM_16"),
        ("CAF", "PCM_16"),
        ("W64", "PCM_16"),
        ("RF64", "PCM_16"),
        ("VOC", "PCM_16"),
    ),
    *(
        ("NIST", "PCM_16"),
        ("IRCAM", "PCM_16"),
        ("SVX", "PCM_16"),
        ("PAF", "PCM_16"),
        ("WAVEX", "PCM_16"),
        ("SDS", "PCM_16"),
    ),
)
_SUFFIXES = {"AIFF": "aiff", "MP3": "mp3", "WAVEX": "wav", "RF64": "wav"}


@cache
def _seed(kind: str, subtype: str, channels: int, rate: int) -> bytes:
    stream = io.BytesIO()
    time = np.arange(3000)[:, None] / rate
    samples = 0.5 * np.sin(2 * np.pi * np.array([[220.0, 331.0, 440.0][:channels]]) * time)
    soundfile.write(stream, samples if channels > 1 else samples[:, 0], rate, format=kind, subtype=subtype)
    return stream.getvalue()


def _extra(rng: random.Random) -> list[tuple[bytes, bytes]]:
    number, short = struct.pack("<I", odd_integer(rng)), struct.pack("<H", odd_integer(rng, 16))
    rate = struct.pack("<I", rng.choice((0, 1, 7, 384_000, 2**31 - 1, 2**32 - 1, 44_100)))
    return [
        (
            b"fmt ",
            rng.choice((b"\1\0", b"\3\0", b"\x31\0", b"\xfe\xff", short))
            + rng.choice((b"\1\0", b"\2\0", short))
            + rate
            + number
            + short * 2,
        ),
        (b"LIST", b"INFO" + b"ICMT" + struct.pack("<I", rng.choice((5, 0, 2**31, 2**32 - 1))) + odd_text(rng)),
        (b"LIST", odd_text(rng)[:3]),
        (b"data", rng.randbytes(rng.choice((0, 1, 400)))),
        (b"fact", number),
        (b"cue ", number + rng.randbytes(24)),
        (b"smpl", rng.randbytes(36)),
        (b"id3 ", b"ID3" + rng.randbytes(30)),
        (b"COMM", rng.randbytes(18)),
        (b"SSND", number + number),
    ]


def make(rng: random.Random) -> Odd:
    """A sound with something odd about it."""
    kind, subtype = rng.choice(KINDS)
    one = ("GSM610", "MPEG_LAYER_III", "IMA_ADPCM") + (("PCM_16",) if kind in ("SVX", "SDS", "VOC") else ())
    channels = 1 if subtype in one else rng.choice((1, 1, 2, 3) if subtype != "MS_ADPCM" and kind != "SVX" else (1, 2))
    usual = (8000, 16_000, 24_000, 48_000) if subtype == "OPUS" else (8000, 22_050, 44_100, 48_000, 96_000)
    odd_rates = (
        () if kind in ("OGG", "MP3", "VOC", "PAF", "SDS", "SVX", "IRCAM") else (1, 11, 192_000, 384_000, 655_350)
    )
    rate = rng.choice((*usual, *usual, *odd_rates)) if kind != "MP3" else rng.choice((8000, 44_100))
    story = [f"{kind} of {subtype}, {channels} channels, {rate}"]
    data = _seed(kind, subtype, channels, rate)
    if rng.random() < 0.07:
        data = rng.choice(
            (b"", rng.randbytes(200), b"RIFF\0\0\0\0WAVE", b"ID3" + rng.randbytes(100), b"fLaC", b"OggS", data[:44])
        )
        story.append("next to nothing")
    elif rng.random() < 0.5:
        data = changed(rng, data, story)
    elif data[:4] in (b"RIFF", b"FORM", b"RF64"):
        data = changed_riff(rng, data, story, _extra(rng))
    elif data[:4] == b"OggS":
        data = changed_ogg(rng, data, story)
    elif rng.random() < 0.8:
        data = _head(rng, data, story)
    suffix = rng.choice((_SUFFIXES.get(kind, kind.lower()),) * 4 + ("wav", "flac", "ogg", "mp3", "xyz"))
    return Odd({f"sound.{suffix}": data}, f"sound.{suffix}", story)


def _head(rng: random.Random, data: bytes, story: list[str]) -> bytes:
    """Numbers of the header replaced."""
    result: Any = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        place, order, bits = rng.randrange(min(60, len(data) - 8)), rng.choice("<>"), rng.choice((8, 16, 32))
        struct.pack_into(order + {8: "B", 16: "H", 32: "I"}[bits], result, place, odd_integer(rng, bits))
        story.append(f"number of {bits} bits at {place}")
    return bytes(result)


def attempt(odd: Odd, path: Path, out: Path, rng: random.Random) -> str:
    """Read it, and write what a run would make of it."""
    sentence_of(sounds.read_recipe, path)
    sound, _ = sentence_of(sounds.read, path)
    if sound is None:
        return REFUSED
    if not bool(torch.isfinite(sound.samples).all()) or sound.rate <= 0 or sound.samples.shape[0] not in (1, 2):
        raise FaultError("samples that cannot be")
    target = out / f"result{rng.choice(sorted(sounds.FORMATS))}"
    channels = sound.samples.shape[0]
    _, refusal = sentence_of(sounds.check_writable, target, sound.rate, channels, like=sound)
    if refusal is not None:
        return READ
    time = torch.arange(4000) / 4000
    tiny = (0.4 * torch.sin(900 * time)).expand(channels, -1).contiguous()
    sounds.write(target, tiny, sound.rate, like=sound, recipe=_RECIPE)
    back = sounds.read(target)
    if back.rate != sound.rate or back.samples.shape[0] != channels:
        raise FaultError(f"{target.name} has a rate of {back.rate} and not {sound.rate}")
    if sounds.read_recipe(target) != _RECIPE:
        raise FaultError(f"{target.name} does not say how it was made")
    return WRITTEN


MEDIUM = Medium(make, attempt, 300 * MEGABYTE)
