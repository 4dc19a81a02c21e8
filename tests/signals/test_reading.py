"""Records from files, and a sentence for everything that is none."""

import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
import torch
from pydicom.data import get_testdata_file

from impasto import signals
from impasto.errors import MissingExtraError, SignalError


def test_dicom_waveform():
    """The 12-lead ECG of pydicom: leads, rate, unit and values as pydicom has them."""
    path = get_testdata_file("waveform_ecg.dcm")
    found = signals.read(path)
    expected = pydicom.dcmread(path).waveform_array(0)
    assert (found.rate, found.units, found.values.shape) == (1000.0, ("µV",) * 12, (12, 10000))
    assert found.leads[:4] == ("I", "II", "III", "aVR")
    assert np.allclose(found.values.numpy(), expected.T)


@pytest.mark.parametrize(
    ("text", "values", "rate", "leads"),
    [
        ("1\n2\n3\n", [[1, 2, 3]], None, ("lead 1",)),
        ("1,-2\n3,4\n5,6\n", [[1, 3, 5], [-2, 4, 6]], None, ("lead 1", "lead 2")),
        ("I;II\n1;2\n3;4\n", [[1, 3], [2, 4]], None, ("I", "II")),
        ("time\tV1\n0\t1.5\n0.004\t-2e1\n0.008\t0\n", [[1.5, -20, 0]], 250.0, ("V1",)),
        ("# words\ufeff\n\nt,V1\n0,1\n0.1,2\n", [[1, 2]], 10.0, ("V1",)),
        ("\ufeffI\r\n1\r\n2\r\n", [[1, 2]], None, ("I",)),
    ],
)
def test_csv(tmp_path, text, values, rate, leads):
    """With names or without, times or without, and any of three separators."""
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode())
    found = signals.read(path)
    assert (found.values.tolist(), found.rate, found.leads) == (values, rate, leads)
    assert signals.read(path, 77.0).rate == 77.0


@pytest.mark.parametrize("shape", [(50,), (3, 50), (50, 3)])
def test_npy(tmp_path, shape):
    """The longer axis is time."""
    values = np.random.default_rng(0).integers(-9, 9, shape).astype(np.int16)
    np.save(tmp_path / "x.npy", values)
    found = signals.read(tmp_path / "x.npy")
    assert found.values.shape == ((1, 50) if len(shape) == 1 else (3, 50))
    assert np.array_equal(found.values.numpy().reshape(-1, 50), values.T if shape == (50, 3) else np.atleast_2d(values))


def test_leads_are_chosen_by_name_or_number(tmp_path):
    """In the order they are asked for."""
    record = signals.as_record(np.arange(6).reshape(3, 2), leads=("I", "II", "V1"))
    assert record.chosen(["v1", "1"]).leads == ("V1", "I")
    assert record.chosen(["v1", "1"]).values.tolist() == [[4, 5], [0, 1]]
    with pytest.raises(SignalError, match="no lead 'V9'; it has I, II, V1"):
        record.chosen(["V9"])


def _npy(header):
    """An NPY file with a header and without values."""
    return b"\x93NUMPY\x01\x00\x76\x00" + header.ljust(117).encode() + b"\n"


def bad_files(folder):
    """Files that are no records, by what is wrong with them."""
    for name, data, words in (
        ("empty.csv", b"", "0 samples"),
        ("comment.csv", b"# nothing\n", "0 samples"),
        ("names.csv", b"I,II\n", "no line of numbers and 0 samples .it begins with 'I,II'"),
        ("time.csv", b"time\n0\n1\n", "a column of times and no lead"),
        ("ragged.csv", b"1,2.5\n3\n", "1 values in sample 2, but 2"),
        ("words.csv", b"I\n1\nx\n", "'x' in sample 2, which is not a number"),
        ("gap.csv", b"I,II\n1,2\n,4\n", "1 values that are missing or not finite, the first in lead 1 at sample 2"),
        ("nan.csv", b"1\nnan\n", "missing or not finite"),
        ("uneven.csv", b"t,I\n0,1\n1,1\n5,1\n", "not evenly spaced"),
        ("huge.csv", b"1\n1e300\n", "beyond 1e.18"),
        ("binary.csv", b"\x00\x01\x02\x03", "neither CSV, NPY nor DICOM"),
        ("cut.npy", b"\x93NUMPY\x01\x00", "cannot be read as NPY"),
        ("open.npy", _npy("("), "cannot be read as NPY"),
        ("huge.npy", _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 281474976710656)}"), "read as NPY"),
    ):
        (folder / name).write_bytes(data)
        yield folder / name, words
    for name, array, words in (
        ("none.npy", np.zeros(0), "0 samples"),
        ("cube.npy", np.zeros((2, 2, 2)), "of shape .2, 2, 2."),
        ("complex.npy", np.zeros(5, complex), "complex128 values"),
        ("nan.npy", np.array([0, np.nan]), "at sample 2"),
    ):
        np.save(folder / name, array)
        yield folder / name, words
    np.save(folder / "objects.npy", np.array([{}]), allow_pickle=True)
    yield folder / "objects.npy", "cannot be read as NPY"
    whole = (folder / "objects.npy").with_name("whole.npy")
    np.save(whole, np.zeros(1000))
    (folder / "part.npy").write_bytes(whole.read_bytes()[:500])
    yield folder / "part.npy", "cannot be read as NPY"
    data = Path(get_testdata_file("waveform_ecg.dcm")).read_bytes()
    (folder / "cut.dcm").write_bytes(data[: len(data) // 2])
    yield folder / "cut.dcm", "cannot be read as DICOM|without a waveform"
    (folder / "picture.dcm").write_bytes(Path(get_testdata_file("CT_small.dcm")).read_bytes())
    yield folder / "picture.dcm", "DICOM without a waveform"
    yield folder / "missing.csv", "does not exist"
    yield folder, "is a folder but a record is needed"


def test_damaged_files_get_their_sentence(tmp_path):
    """Each says its file, in one sentence."""
    for path, words in bad_files(tmp_path):
        with pytest.raises(SignalError, match=words) as caught:
            signals.read(path)
        assert str(path) in str(caught.value)
        assert str(caught.value).endswith(".")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_rates_are_positive(rate):
    """Or nothing."""
    with pytest.raises(SignalError, match="a rate of"):
        signals.as_record(np.ones(3), rate)


def test_without_pydicom_the_extra_is_named(monkeypatch):
    """With the command that installs it; other formats need nothing."""
    path = get_testdata_file("waveform_ecg.dcm")
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'impasto\[signal\]'"):
        signals.read(path)


def test_csv_is_written_as_it_is_read(tmp_path):
    """Names, rate and values; and whatever is in the comments stays there."""
    record = signals.as_record(torch.randn(3, 40), 360.0, leads=("I", "a,b", "V1"))
    signals.write(tmp_path / "x.csv", record, recipe={"impasto": "1"})
    found = signals.read(tmp_path / "x.csv")
    assert (found.leads, found.rate) == (record.leads, pytest.approx(360.0, abs=1e-4))
    assert torch.allclose(found.values, record.values, rtol=1e-6)
    assert signals.read_recipe(tmp_path / "x.csv") == {"impasto": "1"}
    assert (tmp_path / "x.csv").read_text().startswith(f"# {signals.CAUTION}\n")


@pytest.mark.parametrize(("name", "words"), [("x.txt", "end it in one of .csv, .npy"), ("no/x.csv", "does not exist")])
def test_what_cannot_be_written_is_found_before(tmp_path, name, words):
    """By the sentence that writing would have."""
    for write in (signals.check_writable, lambda path: signals.write(path, signals.as_record(np.ones(3)))):
        with pytest.raises(SignalError, match=words):
            write(tmp_path / name)
