"""Volumes as new DICOM series."""

import numpy as np
import pydicom
import pytest
from pydicom.data import get_charset_files, get_testdata_file

from impasto import volumes
from impasto.volumes.dicom import KEPT

WIDE = (-900, 1200)
NAMED = [path for path in get_charset_files("chr*.dcm") if "SQ" not in path]


@pytest.mark.parametrize("path", NAMED, ids=lambda path: path.rsplit("chr", 1)[-1])
def test_names_in_any_letters_survive(series, tmp_path, path, capfd):
    """Kanji, Cyrillic, umlauts: pydicom's own files of every character set."""
    template = pydicom.dcmread(path)

    def change(index, item):
        item.SpecificCharacterSet = template.get("SpecificCharacterSet")
        item.PatientName, item.StudyDescription = template.PatientName, str(template.PatientName).split("=")[0]

    before = volumes.read(series(change=change))
    volumes.write(tmp_path / "out", before)
    written = pydicom.dcmread(tmp_path / "out" / "slice00001.dcm")
    assert written.PatientName == template.PatientName
    assert written.StudyDescription == pydicom.dcmread(next((tmp_path / "series").iterdir())).StudyDescription
    assert capfd.readouterr().err == ""


def test_letters_that_no_set_was_named_for_survive(series, tmp_path):
    """Umlauts in a file that says nothing of its letters are kept as UTF-8."""
    folder = series()
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes().replace(b"Doe^Jo", "Rüd^Jö".encode("latin-1")))
    volumes.write(tmp_path / "out", volumes.read(folder))
    written = pydicom.dcmread(tmp_path / "out" / "slice00001.dcm")
    assert written.PatientName == "Rüd^Jö"
    assert written.SpecificCharacterSet == "ISO_IR 192"


def test_what_is_taken_over_is_what_it_was(series, tmp_path):
    """Values and kinds of all attributes that are kept, the odd ones of a real file among them."""
    template = pydicom.dcmread(get_testdata_file("MR_small.dcm"))

    def change(index, item):
        for name in KEPT:
            if name in template:
                item[name] = template[name]

    volumes.write(tmp_path / "out", volumes.read(series(change=change)))
    written = pydicom.dcmread(tmp_path / "out" / "slice00003.dcm")
    for name in KEPT:
        if name in template:
            assert (written[name].VR, written[name].value) == (template[name].VR, template[name].value)


@pytest.mark.parametrize("kind", ["int16", "uint16", "uint8", "int32", "int8"])
def test_whole_intensities_are_written_exactly(series, intensities, tmp_path, kind):
    """Where the window has room in 16 bits: no slope, and the type that they had."""
    low, high = (0, 120) if kind in ("uint8", "int8") else (0, 1200) if kind == "uint16" else WIDE
    stored = intensities.clip(low, high).astype(kind)
    volumes.write(tmp_path / "out", volumes.read(stored, window=(low, high)))
    item = pydicom.dcmread(tmp_path / "out" / "slice00001.dcm")
    assert float(item.RescaleSlope) == 1
    assert np.array_equal(volumes.read(tmp_path / "out", window=(low, high)).samples(), stored)


def test_units_are_those_of_the_original(series, tmp_path):
    """Hounsfield's, for computed tomography that says nothing; as said where it is."""
    volumes.write(tmp_path / "one", volumes.read(series()))
    assert pydicom.dcmread(tmp_path / "one" / "slice00001.dcm").RescaleType == "HU"

    def change(index, item):
        item.RescaleType = "OD"

    volumes.write(tmp_path / "two", volumes.read(series(change=change, name="x")))
    assert pydicom.dcmread(tmp_path / "two" / "slice00001.dcm").RescaleType == "OD"


@pytest.mark.parametrize("name", ["StudyInstanceUID", "FrameOfReferenceUID"])
def test_an_empty_number_is_made_anew(series, tmp_path, name):
    """For a file without it is none."""

    def change(index, item):
        setattr(item, name, "")

    volumes.write(tmp_path / "out", volumes.read(series(change=change)))
    assert len({pydicom.dcmread(path)[name].value for path in (tmp_path / "out").iterdir()}) == 1
    assert pydicom.dcmread(tmp_path / "out" / "slice00001.dcm")[name].value
