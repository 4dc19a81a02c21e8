"""Tables in the forms that people and programs write them in."""

import gzip
import re

import numpy as np
import pytest

from impasto import signals
from impasto.errors import SignalError


@pytest.fixture
def read(tmp_path):
    """A function that reads what a file with that text or those bytes holds."""

    def made(content, rate=None):
        path = tmp_path / "x.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return signals.read(path, rate)

    return made


APPLE = (
    'Name,A B\nDate of Birth,"Jan 1, 1970"\nClassification,Sinus Rhythm\nSymptoms,\nDevice,"Watch4,2"\n'
    "Sample Rate,512 hertz\n\n\nLead,Lead I\nUnit,µV\n\n"
)
RDSAMP = (
    "'Elapsed time','MLII','ABP'\n'hh:mm:ss.mmm','mV','mmHg'\n"
    "'0:00.000',-0.1,70\n'0:00.004',-0.2,71\n'0:00.008',-0.3,72\n"
)
DATED = "'Time and date','ABP'\n'hh:mm:ss.mmm dd/mm/yyyy','mmHg'\n'[00:00:00.000 01/02/2000]',70\n'[00:00:00.008 01/02/2000]',71\n"


@pytest.mark.parametrize(
    ("text", "leads", "units", "rate", "values"),
    [
        (
            "'sample #','MLII','V5'\n0,995,1011\n1,995,1009\n",
            ("MLII", "V5"),
            ("", ""),
            None,
            [[995, 995], [1011, 1009]],
        ),
        (RDSAMP, ("MLII", "ABP"), ("mV", "mmHg"), 250.0, [[-0.1, -0.2, -0.3], [70, 71, 72]]),
        (DATED, ("ABP",), ("mmHg",), 125.0, [[70, 71]]),
        (",I,II\n0,0.1,0.2\n1,0.3,0.4\n", ("I", "II"), ("", ""), None, [[0.1, 0.3], [0.2, 0.4]]),
        (",0,1\n0,0.1,0.2\n1,0.3,0.4\n", ("0", "1"), ("", ""), None, [[0.1, 0.3], [0.2, 0.4]]),
        ('"V1" "V2"\n"1" 0.5 0.7\n"2" 0.6 0.3\n', ("V1", "V2"), ("", ""), None, [[0.5, 0.6], [0.7, 0.3]]),
        ("0,1\n0.1,0.2\n0.3,0.4\n", ("0", "1"), ("", ""), None, [[0.1, 0.3], [0.2, 0.4]]),
        ("1,2,3\n500,600,700\n501,602,703\n", ("1", "2", "3"), ("",) * 3, None, [[500, 501], [600, 602], [700, 703]]),
        ("sample,time,V1\n0,0,1\n1,0.5,2\n", ("V1",), ("",), 2.0, [[1, 2]]),
        ("0,1.5\n1,2.5\n2,3.5\n3,3\n", ("lead 1",), ("",), None, [[1.5, 2.5, 3.5, 3]]),
        ("0,07\n-0,12\n0,3\n5\n", ("lead 1",), ("",), None, [[0.07, -0.12, 0.3, 5]]),
        ("ECG (mV)\n1,5\n2,5\n", ("ECG",), ("mV",), None, [[1.5, 2.5]]),
        ("Zeit;EKG\r\n0,004;1,5\r\n0,008;2\r\n0,012;-1\r\n", ("EKG",), ("",), 250.0, [[1.5, 2, -1]]),
        ("I\tII\n1,5\t2\n", ("I", "II"), ("", ""), None, [[1.5], [2]]),
        ("1,5 2,5\n", ("lead 1", "lead 2"), ("", ""), None, [[1.5], [2.5]]),
        (APPLE + "-24,543\n-17,021\n5\n", ("I",), ("µV",), 512.0, [[-24.543, -17.021, 5]]),
        (APPLE + "-24.543\n-17.021\n5\n", ("I",), ("µV",), 512.0, [[-24.543, -17.021, 5]]),
        ("0.0 1.5\n  0.1   2.5\n", ("lead 1", "lead 2"), ("", ""), None, [[0, 0.1], [1.5, 2.5]]),
        ("# I II\n1.0e+00 2.0e+00\n3.0 4.0\n", ("I", "II"), ("", ""), None, [[1, 3], [2, 4]]),
        ("# fs: 360 Hz\nI\n1\n2\n", ("I",), ("",), 360.0, [[1, 2]]),
        ("% sampling rate = 2 kHz\nI\n1\n2\n", ("I",), ("",), 2000.0, [[1, 2]]),
        ("time,ECG,ABP\ns,mV,mmHg\n0,1,70\n0.01,2,71\n", ("ECG", "ABP"), ("mV", "mmHg"), 100.0, [[1, 2], [70, 71]]),
        ("Time (ms),ECG [uV],aVR (raw)\n0,1,2\n4,2,3\n", ("ECG", "aVR (raw)"), ("uV", ""), 250.0, [[1, 2], [2, 3]]),
        ("I,II,\n1,2,\n3,4,\n", ("I", "II"), ("", ""), None, [[1, 3], [2, 4]]),
        ("I\r1\r2\r", ("I",), ("",), None, [[1, 2]]),
        ("sep=;\nI;II\n1;2\n", ("I", "II"), ("", ""), None, [[1], [2]]),
        ('"I","II"\n"1.5","2"\n', ("I", "II"), ("", ""), None, [[1.5], [2]]),
        ("a|b\n1|2\n", ("a", "b"), ("", ""), None, [[1], [2]]),
        ("a ; b\n 1,5 ; 2,5\n", ("a", "b"), ("", ""), None, [[1.5], [2.5]]),
        ("I\n\u22121\n2\n", ("I",), ("",), None, [[-1, 2]]),
        ("I\tII\r\n1,5\t2\r\n".encode("utf-16"), ("I", "II"), ("", ""), None, [[1.5], [2]]),
        ("Zeit;Größe\n0;1,5\n0,1;2\n".encode("latin-1"), ("Größe",), ("",), 10.0, [[1.5, 2]]),
        (gzip.compress(b"I,II\n1,2\n", mtime=0), ("I", "II"), ("", ""), None, [[1], [2]]),
    ],
)
def test_forms(read, text, leads, *, units, rate, values):
    """Separators, decimal marks, quotes, encodings, names, units, index columns and words above, as programs write them."""
    found = read(text)
    assert (found.leads, found.units, found.rate) == (leads, units, rate)
    assert np.array_equal(found.values.numpy(), np.array(values, dtype=np.float32))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("'sample #',I\n0,5\n1,6\n", "first column of .* counts samples and was left out"),
        ("0,1\n0.1,0.2\n0.3,0.4\n", "first line of .*, 0,1, was taken for names"),
        ("0\n0.1\n0.2\n", "first line of .*, 0, was taken for a sample"),
        (APPLE + "-24.5\n-17.02\n", "What else stands in comments and above the samples of .* does not come through"),
        ("# patient 7\nI\n1\n2\n", "What else stands in comments"),
        ("time,I\n0,5\n4,6\n8,6\n", "0.25 samples per second; if its times are not seconds, name their unit"),
    ],
)
def test_what_was_understood_is_said(read, text, words):
    """Where a person might have meant something else."""
    assert any(re.search(words, note) for note in read(text).notes)


@pytest.mark.parametrize("text", ["# I II\n1.5 2\n3 4\n", "# fs: 360 Hz\nI\n1\n2\n", RDSAMP, "I,II\n1,2\n"])
def test_what_is_plain_needs_no_words(read, text):
    """Names, units and rates are read, and nothing is left."""
    assert read(text).notes == ()


def test_what_impasto_wrote_needs_no_words(tmp_path):
    """Its comments are about the record that it made."""
    signals.write(tmp_path / "x.csv", signals.as_record(np.ones((2, 3)), 10.0), recipe={"impasto": "1"})
    assert signals.read(tmp_path / "x.csv").notes == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2\n3,4\n", "'1,2', which may be one number with a decimal comma or two numbers"),
        ("time,V1\n0,004,1,5\n0,008,1,6\n", "2 names and 4 values in a sample.*semicolons"),
        ('"I","II"\n"1,234",2\n"998",3\n', "'1,234' .*not a number.*commas"),
        ("I;II\n1 234,5;2\n1 235,5;3\n", "'1 234,5' in line 2, .* for the mark within it"),
        ("I;II\n1.5;2,5\n2.5;3,5\n", "'2,5' in line 2, .*commas"),
        ("I,II\n1,2\nNA,4\n", "1 values that are missing .* lead 1 at sample 2"),
        ("1,2,3\n3,4\n", "2 values in sample 1, but 3"),
        ("I,type\n1,N\n2,V\n", "'N' in line 2, which is not a number"),
        ("I\n1\n2\nTotal 3\n", "'Total 3' in sample 3, which is not a number"),
        ("when,V1\n12:00:01,4\n12:00:02,5\n", "'12:00:01' in sample 1, which looks like a time; call that column time"),
        ("time;I\n01.02.2020 12:00;1\n01.02.2020 12:01;2\n", "give seconds, or dates such as 2026-01-31"),
        ("\n".join(f"{place / 250},{place % 3}.5" for place in range(9)), "without a name that rises evenly"),
        ("hello world\nfoo\n", "no line of numbers"),
        (b"PK\x03\x04rest", "a workbook or another ZIP, which is not read; save it as CSV"),
        (gzip.compress(b"I\n1\n2\n" * 90, mtime=0)[:-30], "cannot be unpacked"),
    ],
)
def test_what_cannot_be_understood_gets_a_sentence(read, text, words):
    """Or has two meanings."""
    with pytest.raises(SignalError, match=words):
        read(text)


@pytest.mark.parametrize("rate", [250, 257.3, 360, 1000, 128])
@pytest.mark.parametrize("decimals", [3, 4, 9])
@pytest.mark.parametrize("cut", [True, False], ids=["cut", "rounded"])
def test_times_are_even_as_far_as_they_were_written(read, rate, decimals, cut):
    """Few decimals, rounded or cut, give the rate within what they say; a missing sample is found all the same."""

    def table(skipped):
        places = [place for place in range(2000) if place != skipped]
        exact = [place / rate for place in places]
        written = [int(time * 10**decimals + 1e-6) / 10**decimals if cut else time for time in exact]
        return "time,I\n" + "\n".join(
            f"{time:.{decimals}f},{place % 7}" for time, place in zip(written, places, strict=True)
        )

    assert read(table(None)).rate == pytest.approx(rate, rel=10**-decimals / (1999 / rate), abs=1e-6)
    with pytest.raises(SignalError, match="not evenly spaced"):
        read(table(700))
    assert read(table(700), 99.0).rate == 99.0


@pytest.mark.parametrize(
    ("name", "cells", "rate"),
    [
        ("time", ["2020-01-01T23:59:59.996", "2020-01-02T00:00:00.000", "2020-01-02T00:00:00.004"], 250),
        ("timestamp", ["1600000000000", "1600000000004", "1600000000008"], 250),
        ("timestamp", ["1600000000.000", "1600000000.004", "1600000000.008"], 250),
        ("t_us", ["0", "4000", "8000"], 250),
        ("time", ["0:00:59.996", "0:01:00.000", "0:01:00.004"], 250),
        ("seconds", ["0e0", "4e-3", "8e-3"], 250),
    ],
)
def test_times_of_clocks_and_calendars(read, name, cells, rate):
    """In the unit that their name or their size says."""
    assert read(f"{name},I\n" + "".join(f"{cell},1.5\n" for cell in cells)).rate == rate


def test_units_and_names_come_back(tmp_path):
    """From CSV, and from NPY with what stands beside it."""
    record = signals.as_record(
        np.random.default_rng(0).normal(size=(2, 9)), 360.0, leads=("I", "P (raw)"), units=("mV", "mmHg")
    )
    for suffix in signals.SUFFIXES:
        signals.write(tmp_path / f"x{suffix}", record)
        found = signals.read(tmp_path / f"x{suffix}")
        assert (found.leads, found.units, found.rate) == (record.leads, record.units, 360.0)
