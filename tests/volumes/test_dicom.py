"""Which files of a folder are a series."""

import io
import shutil
import warnings
import zlib

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import DeflatedExplicitVRLittleEndian

from impasto import volumes
from impasto.errors import VolumeError
from impasto.volumes import dicom

WIDE = (-900, 1200)


@pytest.mark.parametrize("name", ["000.dcm", "IM0", "a.IMA", "a.1"])
def test_an_empty_slice_is_named(series, name):
    """What a broken copy leaves behind is not dropped in silence."""
    folder = series()
    for path in sorted(folder.iterdir()):
        path.rename(path.with_suffix(".1" if name == "a.1" else ".dcm"))
    (folder / name).write_bytes(b"")
    with pytest.raises(VolumeError, match=f"{name} is empty.*copy it again"):
        volumes.read(folder)


def test_other_files_are_passed_over_and_named(series, intensities):
    """Texts, reports without pictures; what systems leave in folders is not worth a word."""
    folder = series()
    (folder / "README.txt").write_text("From the hospital. " * 20)
    shutil.copy(get_testdata_file("reportsi.dcm"), folder / "report.dcm")
    for name in (".DS_Store", "DICOMDIR", "Thumbs.db"):
        (folder / name).write_bytes(b"x" * 200)
    volume = volumes.read(folder, window=WIDE)
    assert np.array_equal(volume.samples(), intensities)
    assert "passed over: README.txt, report.dcm (2 in all)" in volume.origin.remarks[0]


def test_a_damaged_slice_is_named(series):
    """By its file, when its ending says that it is one."""
    folder = series()
    (folder / "000.dcm").write_bytes(b"nonsense" * 40)
    with pytest.raises(VolumeError, match=r"000\.dcm cannot be read as DICOM"):
        volumes.read(folder)


def test_a_deflated_data_set(series, intensities, monkeypatch):
    """Is inflated, but not if it holds more than any volume does."""
    folder = series()
    for path in folder.iterdir():
        item = pydicom.dcmread(path)
        item.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        pydicom.dcmwrite(path, item, enforce_file_format=True)
    assert np.array_equal(volumes.read(folder, window=WIDE).samples(), intensities)
    path = folder / "000.dcm"
    stream = io.BytesIO(path.read_bytes())
    head = 132 + 12 + pydicom.dcmread(path).file_meta.FileMetaInformationGroupLength
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = b"".join(deflate.compress(bytes(2**20)) for _ in range(3)) + deflate.flush()
    path.write_bytes(stream.getvalue()[:head] + bomb)
    monkeypatch.setattr(pydicom, "dcmread", None)  # nothing inflates it
    monkeypatch.setattr(dicom, "MAX_INFLATED", 2**21)
    with pytest.raises(VolumeError, match="more than 2,097,152 bytes when inflated"):
        volumes.read(path)


@pytest.mark.parametrize(
    "change", [{"PatientSex": "unknown!"}, {"StudyDate": "2020.31.31"}, {"StudyInstanceUID": "1.02.3"}]
)
def test_no_words_of_a_library_on_standard_error(series, tmp_path, capfd, change):
    """Neither in reading nor in writing values that are against the rules."""
    folder = series()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in folder.iterdir():
            item = pydicom.dcmread(path)
            for name, value in change.items():
                setattr(item, name, value)
            pydicom.dcmwrite(path, item)
    volumes.write(tmp_path / "out", volumes.read(folder))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        written = pydicom.dcmread(tmp_path / "out" / "slice00001.dcm")
        for name, value in change.items():
            assert written[name].value == value
    assert capfd.readouterr().err == ""
