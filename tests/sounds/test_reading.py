"""Sounds from files, and a sentence for everything that is none."""

import contextlib
import hashlib
import struct
import sys

import numpy as np
import pytest
import soundfile
import torch

from impasto import sounds
from impasto.errors import MissingExtraError, SoundError


@pytest.mark.parametrize("suffix", sounds.FORMATS)
@pytest.mark.parametrize("channels", [1, 2])
def test_what_was_written_is_read(tmp_path, tune, suffix, channels):
    """Every format, mono and stereo, with its recipe; lossless formats to their rounding."""
    path, samples = tmp_path / f"tune{suffix}", tune(1.0, 16000, channels)
    sounds.write(path, samples, 16000, recipe={"impasto": "x", "words": "é " * 3000})
    found = sounds.read(path)
    assert (found.rate, found.samples.shape, found.name) == (16000, samples.shape, path.name)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (found.samples - samples).abs().max() < (0.5 if suffix in (".ogg", ".mp3") else 4e-5)  # one step of 16 bits
    assert sounds.read_recipe(path) == {"impasto": "x", "words": "é " * 3000}
    assert soundfile.info(path).frames == samples.shape[1]


CODINGS = [
    (kind, coding)
    for kind in ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "VOC", "XI")
    for coding in soundfile.available_subtypes(kind)
    if not coding.startswith(("DWVW", "MPEG"))  # one cannot be sought in and says it can, one cannot be written
]


@pytest.mark.parametrize(("kind", "coding"), CODINGS)
def test_every_coding_is_read(tmp_path, kind, coding):
    """GSM and other codings of telephones among them, in which nothing can be sought."""
    samples = 0.3 * np.sin(np.arange(70_000) / 20)
    soundfile.write(tmp_path / "x", samples, 8000, format=kind, subtype=coding)
    found = sounds.read(tmp_path / "x")
    assert found.samples.shape[1] == soundfile.info(tmp_path / "x").frames
    assert found.subtype == coding
    assert np.corrcoef(found.samples[0, :70_000], samples)[0, 1] > 0.9


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\0\0\0\x20ftypM4A ", "MP4 or M4A"),
        (b"\x30\x26\xb2\x75\x8e\x66", "WMA"),
        (b"\x1a\x45\xdf\xa3", "WebM"),
        (b"#!AMR\n", "AMR"),
        (b"wvpk", "WavPack"),
        (b"\xf0\x7e\x00\x01", "a MIDI sample dump"),
    ],
)
def test_good_files_of_other_kinds_are_named(tmp_path, start, kind):
    """They are not damaged, and the sentence says what to do."""
    (tmp_path / "x.wav").write_bytes(start + bytes(200))
    with pytest.raises(SoundError, match=f"is {kind}.*, which is not read; convert it first"):
        sounds.read(tmp_path / "x.wav")


def test_24_bits_stay(tmp_path, tune):
    """Of a finer source, a file keeps 24 bits."""
    path = tmp_path / "fine.wav"
    soundfile.write(path, tune()[0].numpy(), 8000, subtype="PCM_24")
    fine = sounds.read(path)
    sounds.write(tmp_path / "again.wav", fine.samples, 8000, like=fine)
    assert soundfile.info(tmp_path / "again.wav").subtype == "PCM_24"
    assert torch.equal(sounds.read(tmp_path / "again.wav").samples, fine.samples)


def test_a_file_without_a_recipe_has_none(wav, tmp_path):
    """Whatever else is in its comment, and whatever the file is."""
    assert sounds.read_recipe(wav) is None
    (tmp_path / "x.wav").write_bytes(b"RIFF")
    assert sounds.read_recipe(tmp_path / "x.wav") is None


def damaged(path, tmp_path):
    """Files that are no sounds, by what is wrong with them, with a word of the sentence."""
    data = path.read_bytes()
    cut = tmp_path / "cut.wav"
    cut.write_bytes(data[: len(data) // 2])
    yield cut, r"cut off: \d+ bytes of its samples are missing"
    header = tmp_path / "header.wav"
    header.write_bytes(data[:30])
    yield header, "cannot be read as a sound"
    for suffix, share in ((".flac", 0.5), (".ogg", 0.5), (".mp3", 0.5), (".ogg", 0.02), (".mp3", 0.02)):
        whole, part = tmp_path / f"whole{suffix}", tmp_path / f"part{int(share * 100)}{suffix}"
        soundfile.write(whole, np.random.default_rng(0).normal(size=48000) * 0.1, 16000)
        part.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])
        yield part, "cut off|0 samples"
    words = tmp_path / "words.wav"
    words.write_text("not a sound")
    yield words, "cannot be read as a sound"
    empty = tmp_path / "empty.wav"
    empty.write_bytes(b"")
    yield empty, "cannot be read as a sound"
    none = tmp_path / "none.wav"
    soundfile.write(none, np.zeros(0), 8000)
    yield none, "has 0 samples"
    nan = tmp_path / "nan.wav"
    soundfile.write(nan, np.r_[np.zeros(80), np.nan, np.inf, np.ones(18)], 8000, subtype="FLOAT")
    yield nan, r"2 samples that are NaN or infinite, the first after 0.010 s"
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(100), 8000)
    yield silent, "is silent"
    many = tmp_path / "many.wav"
    soundfile.write(many, np.ones((100, 3)), 8000)
    yield many, "has 3 channels"
    yield tmp_path / "missing.wav", "does not exist"
    yield tmp_path, "is a folder but a sound is needed"


def test_damaged_files_get_their_sentence(wav, tmp_path):
    """Each says its file and what to do, in one sentence."""
    for path, words in damaged(wav, tmp_path):
        with pytest.raises(SoundError, match=words) as caught:
            sounds.read(path)
        assert str(path) in str(caught.value)
        assert str(caught.value).endswith(".")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0])
def test_a_streamed_file_need_not_say_its_length(wav, size):
    """Programs that write into a pipe leave the size open."""
    data = wav.read_bytes()
    at = data.index(b"data") + 4
    wav.write_bytes(data[:at] + struct.pack("<I", size) + data[at + 4 :])
    if size:
        assert sounds.read(wav).samples.shape[1] > 1000
    else:
        with pytest.raises(SoundError, match="0 samples"):
            sounds.read(wav)


def test_arrays_are_sounds_too():
    """One axis is mono; what is not a sound is refused as in files."""
    assert sounds.as_sound(np.ones(5), 8000).samples.shape == (1, 5)
    for samples, rate, words in (
        (np.ones((2, 2, 2)), 8000, "shape"),
        (np.full(5, np.nan), 8000, "NaN"),
        (np.ones(5), 0, "a rate of 0"),
        (np.zeros((1, 0)), 8000, "0 samples"),
    ):
        with pytest.raises(SoundError, match=words):
            sounds.as_sound(samples, rate)


def test_without_soundfile_the_extra_is_named(wav, monkeypatch):
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'impasto\[sound\]'"):
        sounds.read(wav)


def test_damaged_frames_are_not_talked_about(tmp_path, tune, capfd):
    """What libmpg123 prints on them goes nowhere; Python's own words on standard error still arrive."""
    sounds.write(tmp_path / "x.mp3", tune(seconds=2), 44100)
    data = bytearray((tmp_path / "x.mp3").read_bytes())
    for at in range(900, len(data) - 400, 600):
        data[at : at + 60] = bytes(60)
    (tmp_path / "x.mp3").write_bytes(data)
    with contextlib.suppress(SoundError):
        sounds.read(tmp_path / "x.mp3")
    print("afterwards", file=sys.stderr)
    assert capfd.readouterr() == ("", "afterwards\n")
