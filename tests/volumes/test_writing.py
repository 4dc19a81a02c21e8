"""Volumes to files, and back."""

import json
from dataclasses import replace

import nibabel
import numpy as np
import pydicom
import pytest
import tifffile
import torch

from impasto import volumes
from impasto.errors import ImpastoError, VolumeError
from impasto.volumes import CAUTION, Origin, Volume
from impasto.volumes.volume import resampled_affine

NAMES = ["out.nii", "out.nii.gz", "out.tif", "out.npy", "out"]
RECIPE = {"task": "volume stylize", "impasto": "1", "settings": {"size": 64}}


@pytest.fixture
def ct(nifti):
    """A volume of intensities with a window that holds them all."""
    return volumes.read(nifti(), window=(-1000, 1200))


@pytest.fixture
def colored(affine):
    """A volume of colors that eight bits hold exactly."""
    voxels = torch.randint(0, 256, (1, 3, 4, 5, 6), generator=torch.Generator().manual_seed(0)) / 255
    return Volume(voxels, (0.0, 255.0), affine, Origin("c", None, "0" * 64, "array", gray=False))


def at_place(volume, points):
    """The intensities at points in millimeters that are centers of voxels."""
    indices = np.rint(np.linalg.inv(volume.affine) @ points).astype(int)
    return volume.samples()[indices[2], indices[1], indices[0]]


@pytest.mark.parametrize("name", NAMES)
def test_intensities_and_places_survive(ct, tmp_path, name):
    """At the same millimeters are the same intensities, in every format, and the notes are with them."""
    volumes.write(tmp_path / name, ct, recipe=RECIPE)
    again = volumes.read(tmp_path / name, window=(-1000, 1200))
    columns, rows, slices = (index.ravel() for index in np.meshgrid(range(9), range(7), range(6)))
    points = ct.affine @ np.stack([columns, rows, slices, np.ones_like(rows)])
    assert np.abs(at_place(again, points).astype(float) - ct.samples()[slices, rows, columns]).max() < 0.51
    assert again.spacing == pytest.approx(ct.spacing, rel=1e-9)
    notes = volumes.read_notes(tmp_path / name)
    assert (notes.recipe, notes.window, notes.caution) == (RECIPE, ct.window, CAUTION)


@pytest.mark.parametrize("name", NAMES)
def test_colors_survive(colored, tmp_path, name):
    """Eight bits of them, exactly."""
    volumes.write(tmp_path / name, colored)
    again = volumes.read(tmp_path / name)
    assert not again.gray
    flipped = again.voxels if np.allclose(again.affine, colored.affine) else again.voxels.flip(2)
    assert torch.equal(flipped, colored.voxels)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("name", NAMES[:4])
def test_types_survive(intensities, tmp_path, name, kind):
    """What was stored as whole numbers of some size is so again."""
    low, high = (0, 255) if kind == np.uint8 else (-1000, 1200) if kind != np.uint16 else (0, 1200)
    stored = intensities.clip(low, high).astype(kind)
    volumes.write(tmp_path / name, volumes.read(stored, window=(low, high)))
    again = volumes.read(tmp_path / name, window=(low, high))
    assert again.samples().dtype == kind
    assert np.allclose(again.samples(), stored, atol=1e-3)


def test_a_volume_of_another_size_fills_the_same_box(ct):
    """Half as many voxels are twice as large, and the corner of the box stays where it is."""
    smaller = ct.like(torch.zeros(1, 3, 3, 7, 18))
    assert smaller.spacing == pytest.approx((4.0, 1.25, 0.75))
    for corner in ((-0.5, -0.5, -0.5), (8.5, 6.5, 5.5)):
        x, y, z = corner
        there = [(x + 0.5) * 2 - 0.5, y, (z + 0.5) / 2 - 0.5]
        assert smaller.affine @ [*there, 1] == pytest.approx(ct.affine @ [x, y, z, 1])
    assert np.allclose(resampled_affine(ct.affine, (6, 7, 9), (6, 7, 9)), ct.affine)


def test_nifti_says_what_it_is(ct, tmp_path):
    """Millimeters, the codes of the original, and a caution that every viewer shows."""
    volumes.write(tmp_path / "out.nii", ct)
    image = nibabel.load(tmp_path / "out.nii")
    assert image.header.get_xyzt_units()[0] == "mm"
    assert b"not for diagnosis" in bytes(image.header["descrip"])
    assert int(image.header["sform_code"]) == int(nibabel.load(ct.origin.path).header["sform_code"])


def test_dicom_stays_in_its_study(series, tmp_path):
    """The patient, study and frame of reference of the original, a new series, and the caution in each slice."""
    original = volumes.read(series())
    volumes.write(tmp_path / "out", original, recipe=RECIPE)
    items = [pydicom.dcmread(file) for file in sorted((tmp_path / "out").iterdir())]
    before = original.origin.header
    assert len({item.SOPInstanceUID for item in items}) == len(items) == 6
    for item in items:
        assert item.PatientName == "Doe^Jo"
        assert item.StudyInstanceUID == before.StudyInstanceUID
        assert item.FrameOfReferenceUID == before.FrameOfReferenceUID
        assert item.SeriesInstanceUID != before.SeriesInstanceUID
        assert item.ImageType[0] == "DERIVED"
        assert "Not for diagnosis" in item.DerivationDescription
    assert [item.InstanceNumber for item in items] == list(range(1, 7))


@pytest.mark.parametrize("name", NAMES)
def test_without_metadata_the_caution_stays(series, tmp_path, name):
    """Neither the recipe nor the patient is named, but what it is not for."""
    volumes.write(tmp_path / name, volumes.read(series()), recipe=RECIPE, metadata=False)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and "series" not in path.parts]
    assert not any(b"Doe^Jo" in path.read_bytes() for path in files)
    notes = volumes.read_notes(tmp_path / name)
    assert name == "out" or notes.recipe is None
    assert name == "out" or "Not for diagnosis" in notes.caution


def test_a_long_recipe_fits_into_dicom(ct, tmp_path):
    """It is left out where the format has no room for it, and nothing else is."""
    volumes.write(tmp_path / "out", ct, recipe={"long": "x" * 20_000})
    notes = volumes.read_notes(tmp_path / "out")
    assert notes.recipe is None
    assert notes.window == ct.window


def test_files_are_complete_or_untouched(ct, tmp_path, monkeypatch):
    """A failure while writing leaves what was there, and no temporary file or folder."""
    target = tmp_path / "out.nii"
    target.write_bytes(b"before")
    monkeypatch.setattr(Volume, "samples", lambda self, kind=None: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        volumes.write(target, ct)
    assert target.read_bytes() == b"before"
    monkeypatch.undo()

    def full(self, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.write_bytes", full)
        with pytest.raises(VolumeError, match="No space left"):
            volumes.write(tmp_path / "series", ct)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.nii", "volume.nii"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("out.jpg", "end it with one of"),
        ("out.dcm", "give a folder for a DICOM series"),
        ("no/out.nii", "does not exist; create it first"),
        ("no/out", "does not exist; create it first"),
        ("full", "not an empty folder"),
    ],
)
def test_unfit_names_are_found_before_the_run(tmp_path, name, sentence):
    """Nothing is left behind by looking."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    with pytest.raises(ImpastoError, match=sentence):
        volumes.check_writable(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


KINDS = [np.int64, np.uint64, np.float16, np.float64, np.bool_, np.int8, np.dtype(">i2"), np.dtype(">f4"), np.uint32]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_every_type_is_written_or_refused_before_the_run(tmp_path, intensities, name, kind):
    """What is converted is said, and the intensities are what they were."""
    stored = (intensities.clip(0, 1200) // 10).astype(kind)
    volume = volumes.read(stored, window=None if kind == np.bool_ else (0, 120))
    volumes.check_writable(tmp_path / name, volume)
    assert list(tmp_path.iterdir()) == []
    volumes.write(tmp_path / name, volume)
    again = volumes.read(tmp_path / name, window=volume.window)
    assert again.samples() == pytest.approx(volume.samples().astype(float), abs=2e-3)
    changed = again.origin.dtype != volume.origin.dtype
    if name == "out":  # 16 bits, in which whole numbers are exact
        changed = stored.dtype.kind == "f"
    assert (volumes.conversion(tmp_path / name, volume) is not None) == changed


def test_wide_whole_numbers_beyond_32_bits_become_real_ones(tmp_path):
    """And those of 64 bits do not wrap at their end."""
    stored = np.arange(2 * 3 * 4).reshape(2, 3, 4).astype(np.uint64) * np.uint64(2**58)
    volume = volumes.read(stored, window=(0, float(2**64)))
    assert "written as float64" in volumes.conversion(tmp_path / "a.nii", volume)
    white = volume.like(torch.ones_like(volume.voxels))
    assert white.samples().min() >= 2**63
    for name in ("a.nii", "a.tif", "a.npy"):
        volumes.check_writable(tmp_path / name, volume)
        volumes.write(tmp_path / name, volume)
        assert volumes.read(tmp_path / name).samples().astype(float).max() == pytest.approx(23 * 2.0**58, rel=0.1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("where", "value"), [((0, 0), np.nan), ((1, 1), np.inf), ((0, 0), 0.0), ((1, 3), np.nan)])
def test_places_that_cannot_be_are_refused_before_the_run(ct, tmp_path, name, where, value):
    """By check and by write alike; a volume that was read has none."""
    affine = np.eye(4)
    affine[where] = value
    bad = replace(ct, affine=affine)
    for attempt in (volumes.check_writable, volumes.write):
        with pytest.raises(VolumeError, match="affine that is not one"):
            attempt(tmp_path / name, bad)
    assert not (tmp_path / name).exists()


def test_a_window_that_cannot_be_is_refused_before_the_run(ct, tmp_path):
    """Upside down, or not finite."""
    for window in ((5.0, 5.0), (0.0, np.inf), (np.nan, 1.0)):
        with pytest.raises(VolumeError, match="give a lower and a higher"):
            volumes.check_writable(tmp_path / "a.nii", replace(ct, window=window))


def test_slices_too_wide_for_dicom_are_refused_before_the_run(ct, tmp_path):
    """Its rows and columns are counted in 16 bits."""
    wide = ct.like(torch.zeros(1, 3, 1, 1, 1).expand(1, 3, 2, 2, 70_000))
    with pytest.raises(VolumeError, match="70000 x 2, but DICOM holds at most 65535"):
        volumes.check_writable(tmp_path / "out", wide)
    volumes.check_writable(tmp_path / "out.nii", wide)


def test_what_a_library_refuses_is_said_before_the_run(ct, tmp_path, monkeypatch):
    """Whatever it is, in a sentence."""
    monkeypatch.setattr(nibabel.Nifti1Image, "to_bytes", lambda self: 1 / 0)
    with pytest.raises(VolumeError, match=r"cannot be written to .*out\.nii \(division by zero\)"):
        volumes.check_writable(tmp_path / "out.nii", ct)


def test_a_series_goes_where_a_link_leads(ct, tmp_path):
    """To a folder that is not there yet, as files do; where that cannot be, it is said before the run."""
    (tmp_path / "out").symlink_to(tmp_path / "there")
    volumes.check_writable(tmp_path / "out", ct)
    volumes.write(tmp_path / "out", ct)
    assert len(list((tmp_path / "there").iterdir())) == 6
    assert (tmp_path / "out").is_symlink()
    (tmp_path / "far").symlink_to(tmp_path / "no" / "there")
    with pytest.raises(VolumeError, match="does not exist; create it first"):
        volumes.check_writable(tmp_path / "far", ct)
    (tmp_path / "round").symlink_to(tmp_path / "round")
    with pytest.raises(VolumeError, match="is there already and not an empty folder"):
        volumes.check_writable(tmp_path / "round", ct)


@pytest.mark.parametrize("name", ["x" * 256, "x" * 256 + ".nii", "a\0b", "a\0b.npy", "file/out", "file/out.tif"])
def test_names_that_no_file_can_have_get_a_sentence(ct, tmp_path, name):
    """Too long, with a null character, in a file."""
    (tmp_path / "file").touch()
    with pytest.raises(VolumeError):
        volumes.check_writable(tmp_path / name, ct)
    with pytest.raises(VolumeError):
        volumes.read(tmp_path / name)


def test_notes_that_cannot_be_written_are_found_before_the_run(ct, tmp_path):
    """Beside an array, where a folder has their name."""
    (tmp_path / "out.json").mkdir()
    with pytest.raises(VolumeError, match="is a folder"):
        volumes.check_writable(tmp_path / "out.npy", ct)


def test_an_empty_folder_is_filled(ct, tmp_path):
    """One that is there already, but has nothing in it."""
    (tmp_path / "out").mkdir()
    volumes.write(tmp_path / "out", ct)
    assert len(list((tmp_path / "out").iterdir())) == 6


def test_notes_of_others_are_none(nifti, series, tmp_path, intensities):
    """Volumes that impasto did not write, and notes that are not its own."""
    tifffile.imwrite(tmp_path / "a.tif", intensities.astype(np.uint8), photometric="minisblack")
    np.save(tmp_path / "a.npy", intensities)
    assert volumes.read_notes(tmp_path / "a.npy") is None
    (tmp_path / "a.json").write_text(json.dumps({"impasto": {"recipe": 3}}))
    for source in (nifti(), series(), tmp_path / "a.tif", tmp_path / "a.npy"):
        assert volumes.read_notes(source) is None
    (tmp_path / "a.json").write_bytes(b"\xff\xfe")
    with pytest.raises(VolumeError, match=r"a\.json, which belongs to a\.npy, cannot be read"):
        volumes.read(tmp_path / "a.npy")
