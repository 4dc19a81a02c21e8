"""``impasto sound`` and ``impasto signal``."""

import json
import signal

import numpy as np
import pytest
import soundfile
import torch

from impasto import images, signals, sounds

QUICK = ("--filters", "16", "--evaluations", "2")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty current folder with two short sounds and two records."""
    time = np.arange(3000) / 8000
    soundfile.write(tmp_path / "a.wav", 0.3 * np.sin(2 * np.pi * 300 * time) * (time % 0.1 < 0.05), 8000)
    soundfile.write(tmp_path / "b.flac", 0.3 * np.stack([np.sin(2 * np.pi * f * time) for f in (500, 900)], 1), 11025)
    for name, period in (("a.csv", 40), ("b.csv", 60)):
        wave = np.exp(-(((np.arange(400) + 10) % period - 10) ** 2) / 9)
        (tmp_path / name).write_text("time,II\n" + "".join(f"{k / 100},{value}\n" for k, value in enumerate(wave)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("suffix", sounds.FORMATS)
def test_sound_stylize(call, place, suffix):
    """A file of any format, with a picture beside it and a report."""
    outcome = call("sound", "stylize", "a.wav", "b.flac", "-o", f"out{suffix}", "--json", "-q", *QUICK)
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert (found["output"], found["pictures"], found["complete"]) == (f"out{suffix}", ["out.png"], True)
    assert set(found["losses"]) == {"started", "optimized", "delivered"}
    assert found["measures"]["fall"] > 1
    assert sounds.read(f"out{suffix}").samples.shape == (1, 3000)
    assert sounds.read_recipe(f"out{suffix}") == found["recipe"] == images.read_recipe("out.png")
    for path in (f"out{suffix}", "out.png"):
        told = json.loads(call("show", path, "--json").out)
        assert (told["file"], told["recipe"]) == (path, found["recipe"])
        assert "phase" in call("show", path).out
    assert "a.wav does not say how it was made" in call("show", "a.wav").err
    again = f"out_again{suffix}"
    assert call("rerun", "out.png", "--quiet", "-o", again).code == 0
    one, other = (place / name for name in (again, f"out{suffix}"))
    assert torch.equal(sounds.read(one).samples, sounds.read(other).samples)  # a stream of Ogg has a number by chance
    assert (place / "out_again.png").read_bytes() == (place / "out.png").read_bytes()
    assert "--quality cannot take effect" in call("rerun", f"out{suffix}", "--quality", "3").err


def test_sound_texture(call, place):
    """Of another length; in words."""
    outcome = call("sound", "texture", "b.flac", "-o", "out.wav", "--seconds", "0.5", "--no-picture", *QUICK)
    assert outcome.code == 0
    assert "level 2/2" in outcome.err
    assert "Wrote out.wav" in outcome.err
    assert "Measured: fall" in outcome.err
    assert sounds.read("out.wav").samples.shape == (2, 5512)
    assert not (place / "out.png").exists()


@pytest.mark.parametrize("name", ["out.csv", "out.npy"])
def test_signal_stylize(call, place, name):
    """A record with curves beside it; metadata left out leaves the caution."""
    outcome = call("signal", "stylize", "a.csv", "b.csv", "-o", name, "--no-metadata", "--json", "-q", *QUICK)
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert found["recipe"]["caution"] == signals.CAUTION
    assert signals.read(name).values.shape == (1, 400)
    assert signals.read_recipe(name) is None
    assert images.read("out.png").shape[1] > 900
    words = (place / name) if name.endswith("csv") else place / "out.npy.json"
    assert "Not for diagnosis" in words.read_text()


def test_signal_texture(call, place):
    """Of another length, of a chosen lead."""
    outcome = call("signal", "texture", "a.csv", "-o", "out.csv", "--samples", "300", "--leads", "II", *QUICK)
    assert outcome.code == 0
    assert signals.read("out.csv").values.shape == (1, 300)
    assert signals.read("out.csv").rate == pytest.approx(100, abs=1e-3)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("sound", "stylize", "a.wav", "b.flac"), "no output; add -o FILE, for example -o out.wav"),
        (("sound", "stylize", "a.wav", "b.flac", "-o", "a.wav"), "would overwrite a.wav"),
        (("sound", "stylize", "a.wav", "b.flac", "-o", "x.aac"), "end it in one of .wav"),
        (("sound", "stylize", "a.wav", "b.flac", "-o", "no/x.wav"), "folder"),
        (("sound", "stylize", "a.csv", "b.flac", "-o", "x.wav"), "a.csv cannot be read as a sound"),
        (("sound", "stylize", "a.wav", "c.wav", "-o", "x.wav"), "c.wav does not exist"),
        (("sound", "stylize", "a.wav", "b.flac", "-o", "x.wav", "--filters", "0"), "filters is 0"),
        (("sound", "stylize", "a.wav", "b.flac", "-o", "x.wav", "--strength", "2"), "strength"),
        (("sound", "stylize", "a.wav", "b.flac", "-o", "x.wav", "--size", "2"), "--size"),
        (("sound", "texture", "a.wav", "-o", "x.wav", "--phase", "content"), "no content whose phase"),
        (("sound", "stylize", "a.wav", "b.flac", "-o", ""), "no output"),
        (("signal", "stylize", "a.csv", "b.csv", "-o", "x.wav"), "end it in one of .csv, .npy"),
        (("signal", "stylize", "a.csv", "a.wav", "-o", "x.csv"), "a.wav"),
        (("signal", "texture", "a.csv", "-o", "x.csv", "--leads", "V9"), "no lead 'V9'"),
        (("signal", "texture", "a.csv", "-o", "x.csv", "--rate", "-1"), "a rate of -1"),
    ],
)
def test_refusals(call, place, words, hint):
    """One sentence, code 2, and no file."""
    before = sorted(path.name for path in place.iterdir())
    outcome = call(*words)
    assert (outcome.code, outcome.out) == (2, "")
    assert hint.partition("|")[0] in outcome.err or hint.partition("|")[2] in outcome.err
    assert outcome.err.count("\n") == 1
    assert sorted(path.name for path in place.iterdir()) == before


def test_interrupted_run_keeps_its_best(start, place):
    """Ctrl-C once: code 130, a whole sound, and a recipe that says so."""
    process = start(
        "sound", "stylize", "a.wav", "b.flac", "-o", "out.wav", "--filters", "64", "--evaluations", "100000"
    )
    for line in process.stderr:
        if b"evaluation" in line:
            process.send_signal(signal.SIGINT)
            break
    process.stderr.read()
    assert process.wait() == 130
    assert sounds.read("out.wav").samples.shape == (1, 3000)
    assert sounds.read_recipe("out.wav")["complete"] is False
