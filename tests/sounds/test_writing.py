"""Sounds to files."""

import pytest
import soundfile
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


@pytest.mark.parametrize("suffix", sounds.FORMATS)
@pytest.mark.parametrize("channels", [1, 2, 8, 256, 1024, 1025])
@pytest.mark.parametrize("rate", [1, 8000, 44100, 200_000, 200_001, 384_000, 655_351, 2**31 - 1, 2**31, 2**40])
def test_any_rate_and_channels_fit_or_get_a_sentence(tmp_path, suffix, channels, rate):
    """In a process that goes on: libsndfile crashes on some that libvorbis refuses."""
    refused = None
    try:
        sounds.check_writable(tmp_path / f"x{suffix}", rate, channels)
    except SoundError as error:
        refused = str(error)
    if refused is None:
        sounds.write(tmp_path / f"x{suffix}", torch.full((channels, 100), 0.5), rate)
        found = soundfile.info(tmp_path / f"x{suffix}")
        assert (found.samplerate, found.channels) == (rate, channels)
    else:
        assert str(rate) in refused


@pytest.mark.parametrize("rate", [0, -8000, 44100.5, float("nan"), float("inf")])
def test_rates_are_whole_positive_numbers(tmp_path, rate):
    """Whether a sound is made, written, or its place tried."""
    for attempt in (
        lambda: sounds.check_writable(tmp_path / "x.wav", rate, 1),
        lambda: sounds.write(tmp_path / "x.wav", torch.zeros(1, 100), rate),
        lambda: sounds.as_sound([0.5] * 100, rate),
    ):
        with pytest.raises(SoundError, match="give a whole number from 1"):
            attempt()


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_long_sounds_are_written(tmp_path, suffix):
    """More samples than the stack holds, which libvorbis would put there at once."""
    samples = torch.zeros(1, 2_200_000)
    samples[0, ::1000] = 0.5
    sounds.write(tmp_path / f"x{suffix}", samples, 8000)
    assert soundfile.info(tmp_path / f"x{suffix}").frames == samples.shape[1]


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
