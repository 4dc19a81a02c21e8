"""Volumes from files and arrays."""

import gzip
import hashlib
import os

import numpy as np
import pytest
import tifffile

from impasto import libraries, volumes
from impasto.errors import MissingExtraError, VolumeError
from impasto.volumes.reading import holds_volume


@pytest.mark.parametrize("name", ["volume.nii", "volume.nii.gz"])
def test_nifti(nifti, intensities, affine, name):
    """Axes in the order slices, rows, columns; affine, spacing and type as in the file."""
    path = nifti(name=name)
    volume = volumes.read(path, window=(-900, 1200))
    assert volume.shape == (6, 7, 9)
    assert np.array_equal(volume.samples(), intensities)
    assert np.array_equal(volume.affine, affine)
    assert volume.spacing == (2.0, 1.25, 1.5)
    assert (volume.origin.name, volume.origin.dtype, volume.gray) == (name, "int16", True)
    assert volume.origin.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_dicom(series, intensities):
    """In the order of places, in Hounsfield units, with axes to the right, front and top."""
    volume = volumes.read(series(), window=(-900, 1200))
    assert np.array_equal(volume.samples(), intensities)
    assert volume.spacing == pytest.approx((2.0, 1.25, 1.5))
    assert volume.affine @ [3, 2, 1, 1] == pytest.approx([-(-40 + 3 * 1.5), -(-50 + 2 * 1.25), 7 + 2, 1])


def test_dicom_slices_are_sorted_by_place_along_a_tilted_normal(series, intensities):
    """A gantry that is tilted, and files in any order."""

    def tilt(index, item):
        item.ImageOrientationPatient = [1, 0, 0, 0, 0.8, 0.6]
        item.ImagePositionPatient = [0, -0.6 * 3 * index, 0.8 * 3 * index]

    volume = volumes.read(series(change=tilt), window=(-900, 1200))
    assert np.array_equal(volume.samples(), intensities)
    assert volume.spacing == pytest.approx((3.0, 1.25, 1.5))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_tiff_stacks(tmp_path, kind):
    """Of pages, with the type of their samples."""
    stack = np.random.default_rng(0).integers(0, 255, (5, 6, 7)).astype(kind)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack")
    volume = volumes.read(tmp_path / "a.tif", window=(0, 255))
    assert np.array_equal(volume.samples(), stack)
    assert volume.spacing == (1, 1, 1)


def test_spacing_from_imagej_and_ome(tmp_path):
    """In micrometers there, in millimeters here."""
    stack = np.random.default_rng(0).integers(0, 255, (5, 6, 7)).astype(np.uint8)
    tifffile.imwrite(
        tmp_path / "a.tif", stack, imagej=True, resolution=(2, 4), metadata={"spacing": 3, "unit": "um", "axes": "ZYX"}
    )
    assert volumes.read(tmp_path / "a.tif").spacing == pytest.approx((3e-3, 0.25e-3, 0.5e-3))
    sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 250.0, "PhysicalSizeYUnit": "nm", "axes": "ZYX"}
    tifffile.imwrite(tmp_path / "b.ome.tif", stack, ome=True, metadata=sizes)
    assert volumes.read(tmp_path / "b.ome.tif").spacing == pytest.approx((0.5e-3, 0.25e-3, 0.5e-3))


def test_color_stacks(tmp_path):
    """Of a TIFF and of an array, without the opacity."""
    stack = np.random.default_rng(0).integers(0, 255, (5, 6, 7, 4)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="rgb", extrasamples=["unassalpha"])
    for source in (tmp_path / "a.tif", stack[..., :3]):
        volume = volumes.read(source)
        assert not volume.gray
        assert np.array_equal(volume.samples(), stack[..., :3])


def test_arrays_and_npy(tmp_path, intensities):
    """An array in memory and in a file are one volume."""
    np.save(tmp_path / "a.npy", intensities)
    one, other = volumes.read(intensities), volumes.read(tmp_path / "a.npy")
    assert np.array_equal(one.samples(), other.samples())
    assert one.window == other.window == pytest.approx(np.percentile(intensities, (0.5, 99.5)))
    assert np.array_equal(one.affine, np.eye(4))


def test_the_window_is_black_and_white(intensities):
    """And what lies beyond is cut off; eight bits are taken as they are."""
    volume = volumes.read(intensities, window=(-500, 500))
    assert volume.voxels.min() == 0
    assert volume.voxels.max() == 1
    assert np.array_equal(volume.samples(), intensities.clip(-500, 500))
    assert volumes.read(np.full((2, 2, 2), 7, np.uint8)).window == (0, 255)


def test_truth_values_are_intensities():
    """A mask is a volume, too; it comes out as 0 and 255, which is said."""
    mask = np.zeros((3, 3, 3), bool)
    mask[1] = True
    volume = volumes.read(mask)
    assert volume.samples().dtype == np.uint8
    assert "truth values" in volume.origin.remarks[0]


@pytest.mark.parametrize("kind", ["float16", "float64", "int64", "uint64", "int8", ">i2", ">f8"])
def test_types_are_remembered(intensities, tmp_path, kind):
    """In either order of bytes, and of any width."""
    stored = (intensities.clip(0, 1200) // 10).astype(kind)
    np.save(tmp_path / "a.npy", stored)
    volume = volumes.read(tmp_path / "a.npy", window=(0, 120))
    assert volume.origin.dtype == stored.dtype.name
    assert volume.samples() == pytest.approx(stored.astype(float), abs=0.05)


BAD_ARRAYS = [
    (np.zeros((4, 5), np.uint8), "slices x rows x columns"),
    (np.zeros((4, 5, 6, 2), np.uint8), "slices x rows x columns"),
    (np.zeros((0, 5, 6), np.uint8), "is empty"),
    (np.zeros((1, 5, 6), np.uint8), "a picture and no volume"),
    (np.zeros((4, 5, 6), complex), "whole or real numbers"),
    (np.full((4, 5, 6), np.nan, np.float32), "120 voxels that are NaN"),
    (np.full((4, 5, 6), 3.5), "the value 3.5 everywhere"),
    (np.full((4, 5, 6, 3), 3.5), "8 or 16 bits or values"),
    (np.linspace(-1, 1, 120).reshape(4, 5, 6) * 1.7e308, "more than can be computed with"),
    (np.zeros((4, 5, 6), "M8[s]"), "whole or real numbers"),
    (np.full((4, 5, 6), None), "whole or real numbers"),
]


@pytest.mark.parametrize(("array", "sentence"), BAD_ARRAYS)
def test_bad_arrays_get_a_sentence(array, sentence):
    """One each."""
    with pytest.raises(VolumeError, match=sentence):
        volumes.read(array)


def test_bad_nifti_files_get_a_sentence(nifti, intensities, tmp_path, affine):
    """Two-dimensional, a series in time, NaN, cut short, not NIfTI, zipped badly."""
    rng = np.random.default_rng(0)
    with pytest.raises(VolumeError, match=r"has 2 axes \(5 x 6\) and so is no volume"):
        volumes.read(nifti(rng.random((5, 6))))
    with pytest.raises(VolumeError, match=r"has 4 axes \(3 x 4 x 5 x 2\).*save one of them"):
        volumes.read(nifti(rng.random((3, 4, 5, 2))))
    with pytest.raises(VolumeError, match="1 voxels that are NaN"):
        volumes.read(nifti(np.where(intensities == intensities[1, 1, 1], np.nan, intensities)))
    whole = nifti().read_bytes()
    for data in (whole[:-100], whole[:200], b"nonsense", b""):
        (tmp_path / "bad.nii").write_bytes(data)
        with pytest.raises(VolumeError, match=r"cannot be read as NIfTI .* damaged or cut short"):
            volumes.read(tmp_path / "bad.nii")
    (tmp_path / "bad.nii.gz").write_bytes(gzip.compress(whole)[:-40])
    with pytest.raises(VolumeError, match="damaged or cut short"):
        volumes.read(tmp_path / "bad.nii.gz")


def test_bad_dicom_series_get_a_sentence(series, tmp_path, intensities):
    """Mixed sizes, two series, a gap, a truncated picture, no picture, an empty folder."""

    def wide(index, item):
        if index == 2:
            item.Columns, item.PixelData = 8, item.PixelData[: 8 * 7 * 2]

    with pytest.raises(VolumeError, match=r"different sizes \(8 x 7, 9 x 7\)"):
        volumes.read(series(change=wide, name="mixed"))

    def other(index, item):
        if index == 2:
            item.SeriesInstanceUID = "1.2.3"

    with pytest.raises(VolumeError, match="slices of 2 series"):
        volumes.read(series(change=other, name="two"))

    def gap(index, item):
        item.ImagePositionPatient = [0, 0, 2.0 * index + (3 if index > 3 else 0)]

    with pytest.raises(VolumeError, match="2 to 5 mm apart"):
        volumes.read(series(change=gap, name="gap"))

    def short(index, item):
        item.PixelData = item.PixelData[:-30]

    with pytest.raises(VolumeError, match="damaged or of an unusual kind"):
        volumes.read(series(change=short, name="short"))

    def blind(index, item):
        del item.PixelData

    folder = series(change=blind, name="blind")
    with pytest.raises(VolumeError, match="holds no DICOM slices"):
        volumes.read(folder)
    with pytest.raises(VolumeError, match="DICOM without a picture"):
        volumes.read(folder / "000.dcm")
    (tmp_path / "empty").mkdir()
    with pytest.raises(VolumeError, match="holds no DICOM slices"):
        volumes.read(tmp_path / "empty")
    (tmp_path / "bad.dcm").write_bytes(b"DICM")
    with pytest.raises(VolumeError, match="cannot be read as DICOM"):
        volumes.read(tmp_path / "bad.dcm")


def test_bad_tiff_files_get_a_sentence(tmp_path):
    """One page, mixed sizes, several channels, cut short, not TIFF."""
    rng = np.random.default_rng(0)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, rng.integers(0, 255, (6, 7)).astype(np.uint8))
    with pytest.raises(VolumeError, match="has 2 axes"):
        volumes.read(path)
    with tifffile.TiffWriter(path) as file:
        for side in (6, 7):
            file.write(rng.integers(0, 255, (2, side, 7)).astype(np.uint8), photometric="minisblack")
    with pytest.raises(VolumeError, match="2 stacks of different shapes"):
        volumes.read(path)
    tifffile.imwrite(path, rng.integers(0, 255, (5, 2, 6, 7)).astype(np.uint8), imagej=True, metadata={"axes": "ZCYX"})
    with pytest.raises(VolumeError, match=r"has 4 axes \(ZCYX, 5 x 2 x 6 x 7\)"):
        volumes.read(path)
    for compression in (None, "zlib"):
        stack = rng.integers(0, 255, (5, 16, 17)).astype(np.uint8)
        tifffile.imwrite(path, stack, photometric="minisblack", compression=compression)
        path.write_bytes(path.read_bytes()[:-200])
        with pytest.raises(VolumeError, match="damaged or cut short"):
            volumes.read(path)
    path.write_bytes(b"nonsense")
    with pytest.raises(VolumeError, match="cannot be read as TIFF"):
        volumes.read(path)


def test_bad_npy_files_get_a_sentence(tmp_path, intensities):
    """Cut short, objects, notes that cannot be read; and too large, before it is allocated."""
    path = tmp_path / "a.npy"
    np.save(path, intensities)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(VolumeError, match="cannot be read as NPY"):
        volumes.read(path)
    np.save(path, np.array([{}]), allow_pickle=True)
    with pytest.raises(VolumeError, match="cannot be read as NPY"):
        volumes.read(path)
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (9000, 9000, 9000), }".ljust(117) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(VolumeError, match="9000 x 9000 x 9000 voxels, more than"):
        volumes.read(path)
    path.write_bytes(path.read_bytes().replace(b"<f4", b"V99").replace(b"9000, 9000, 9000", b"99, 9000, 600   "))
    with pytest.raises(VolumeError, match="announces more than there is"):
        volumes.read(path)
    np.save(path, intensities)
    (tmp_path / "a.json").write_text(
        '{"impasto": {"recipe": null, "window": null, "affine": [[1, 0], [2]], "caution": ""}}'
    )
    assert np.array_equal(volumes.read(path).affine, np.eye(4))


def test_other_sources_get_a_sentence(tmp_path):
    """A missing file, a folder that is not there, an unknown ending, an object, a window upside down."""
    for name, sentence in [("no.nii", "does not exist"), ("no", "does not exist"), ("a.jpg", "no kind of volume")]:
        with pytest.raises(VolumeError, match=sentence):
            volumes.read(tmp_path / name)
    with pytest.raises(VolumeError, match="An object of type int"):
        volumes.read(3)
    for window in ((5, 5), (0, np.inf), (np.nan, 1)):
        with pytest.raises(VolumeError, match="a lower and a higher"):
            volumes.read(np.zeros((2, 2, 2), np.uint8), window=window)


def test_a_missing_library_is_named(monkeypatch, nifti):
    """With the way to install it."""
    path = nifti()

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(libraries.importlib, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"needs the package nibabel.*pip install 'impasto\[volume\]'"):
        volumes.read(path)


def test_volumes_are_told_from_pictures(tmp_path, nifti, series):
    """By name, and where names do not tell by pages."""
    tifffile.imwrite(tmp_path / "stack.tif", np.zeros((3, 4, 5), np.uint8), photometric="minisblack")
    tifffile.imwrite(tmp_path / "picture.tif", np.zeros((4, 5, 3), np.uint8), photometric="rgb")
    (tmp_path / "bad.tif").write_bytes(b"nonsense")
    for source in (nifti(), series(), tmp_path / "stack.tif", np.zeros((2, 3, 4, 3))):
        assert holds_volume(source)
    for source in (tmp_path / "picture.tif", tmp_path / "bad.tif", "a.png", np.zeros((3, 4, 3)), 3):
        assert not holds_volume(source)


def test_a_pipe_is_named_as_one(tmp_path):
    """And not called damaged."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(VolumeError, match=r"pipe is a pipe, and no name tells its format"):
        volumes.read(tmp_path / "pipe")
