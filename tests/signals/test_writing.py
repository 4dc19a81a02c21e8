"""Records to files."""

import numpy as np
import pytest

from impasto import signals
from impasto.errors import SignalError


@pytest.mark.parametrize("suffix", signals.SUFFIXES)
@pytest.mark.parametrize("rate", [None, 1e-9, 1.0, 360.0, 257.3, 1e7])
@pytest.mark.parametrize(
    ("leads", "units"),
    [
        (("I", "II"), ("mV", "mmHg")),
        (("1", "2"), ("", "")),
        (("0", "0"), ("", "")),
        (("#1", "sample"), ("", "V")),
        (("a,b", 'say "I"'), ("", "%")),
        (("P (raw)", "Größe"), ("", "µV")),
        (("1,5", "-2"), ("", "")),
    ],
)
def test_what_was_written_is_read(tmp_path, suffix, rate, *, leads, units):
    """To the last bit, with names of any kind, units and rate."""
    values = np.random.default_rng(0).normal(size=(2, 40)).astype(np.float32) + np.float32([[1e6], [0]])
    record = signals.as_record(values, rate, leads=leads, units=units)
    signals.write(tmp_path / f"x{suffix}", record, recipe={"impasto": "1"})
    found = signals.read(tmp_path / f"x{suffix}")
    assert np.array_equal(found.values.numpy(), values)
    assert (found.leads, found.units) == (leads, units)
    assert found.rate == (None if rate is None else pytest.approx(rate, rel=1e-6))
    assert signals.read_recipe(tmp_path / f"x{suffix}")["impasto"] == "1"


def test_the_words_beside_an_array_are_tried_too(tmp_path):
    """Before the run, and before the array is replaced."""
    record = signals.as_record(np.ones(3))
    signals.write(tmp_path / "x.npy", record)
    before = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy.json").unlink()
    (tmp_path / "x.npy.json").mkdir()
    for attempt in (
        lambda: signals.check_writable(tmp_path / "x.npy"),
        lambda: signals.write(tmp_path / "x.npy", signals.as_record(np.zeros(3))),
    ):
        with pytest.raises(SignalError, match=r"x.npy.json is a folder"):
            attempt()
    assert (tmp_path / "x.npy").read_bytes() == before


def test_names_that_are_no_text_are_written(tmp_path):
    """Half a letter of UTF-16 and breaks of lines do not end a run."""
    record = signals.as_record(np.ones((2, 3)), leads=("a\ud800", "b\nc"))
    for suffix in signals.SUFFIXES:
        signals.check_writable(tmp_path / f"x{suffix}", record)
        signals.write(tmp_path / f"x{suffix}", record)
    assert signals.read(tmp_path / "x.csv").leads == ("a?", "b c")
