"""Sounds to files."""

import pytest
import torch

from impasto import sounds
from impasto.errors import SoundError


@pytest.mark.parametrize("bad", [1.5, float("nan")])
def test_nothing_is_clipped_silently(tmp_path, bad):
    """Samples beyond full scale are refused, and no file is left."""
    with pytest.raises(SoundError, match="clipped"):
        sounds.write(tmp_path / "x.wav", torch.full((1, 10), bad), 8000)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "rate", "words"),
    [
        ("x.aac", 8000, "end it in one of .wav, .flac, .ogg, .mp3"),
        ("x", 8000, "end it in one of"),
        ("x.mp3", 96000, "MP3 cannot hold this sound of 96000 samples per second"),
        ("no/x.wav", 8000, "the folder .* does not exist"),
    ],
)
def test_what_cannot_be_written_is_found_before(tmp_path, name, rate, words):
    """Before the long run, by the same sentence."""
    with pytest.raises(SoundError, match=words):
        sounds.check_writable(tmp_path / name, rate, 1)
    with pytest.raises(SoundError, match=words):
        sounds.write(tmp_path / name, torch.zeros(1, 100), rate)


def test_a_failure_leaves_the_old_file(tmp_path, wav, monkeypatch):
    """Complete or untouched."""
    before = wav.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(SoundError, match="No space left"):
        sounds.write(wav, torch.zeros(1, 100), 8000)
    assert wav.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [wav.name]
