"""NIfTI files that are not what they seem."""

import gzip
import io
import struct
import tracemalloc

import nibabel
import numpy as np
import pytest

from impasto import volumes
from impasto.errors import VolumeError


def deflated(head, zeros):
    """An archive of some bytes and of many zeros."""
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb") as file:
        file.write(head)
        for _ in range(zeros // 2**20):
            file.write(bytes(2**20))
    return stream.getvalue()


@pytest.mark.parametrize("read", [volumes.read, volumes.read_notes])
def test_an_archive_is_inflated_no_further_than_its_header_says(nifti, tmp_path, read):
    """A small file that holds a thousand times as much does not fill the memory."""
    path = tmp_path / "bomb.nii.gz"
    path.write_bytes(deflated(nifti().read_bytes(), 2**25))
    tracemalloc.start()
    try:
        read(path)
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("offset", [float("inf"), float("nan"), -1.0, 2.0**30])
def test_a_place_of_voxels_that_cannot_be_gets_a_sentence(nifti, offset):
    """Before anything is inflated up to it."""
    path = nifti()
    data = bytearray(path.read_bytes())
    data[108:112] = struct.pack("<f", offset)
    path.with_suffix(".nii.gz").write_bytes(gzip.compress(data))
    for name in (path, path.with_suffix(".nii.gz")):
        name.write_bytes(bytes(data) if name == path else gzip.compress(data))
        with pytest.raises(VolumeError, match="cannot be read as NIfTI"):
            volumes.read(name)


def test_too_large_a_volume_is_refused_by_its_header(nifti, tmp_path):
    """Of 4.6 billion voxels."""
    data = bytearray(nifti().read_bytes())
    data[40:48] = struct.pack("<4h", 3, 1664, 1664, 1664)
    (tmp_path / "large.nii.gz").write_bytes(gzip.compress(data))
    with pytest.raises(VolumeError, match="1664 x 1664 x 1664 voxels, more than"):
        volumes.read(tmp_path / "large.nii.gz")


def test_both_generations_and_orders_of_bytes(tmp_path, intensities):
    """NIfTI-2 and the other order, zipped or not."""
    stored, other = np.swapaxes(intensities, 0, 2), nibabel.Nifti1Header(endianness=">")
    other.set_data_dtype(np.int16)
    for image in (
        nibabel.Nifti2Image(stored, np.eye(4)),
        nibabel.Nifti1Image(stored, np.eye(4), other),
    ):
        for name in ("a.nii", "a.nii.gz"):
            nibabel.save(image, tmp_path / name)
            assert np.array_equal(volumes.read(tmp_path / name, window=(-900, 1200)).samples(), intensities)


@pytest.mark.parametrize("spacing", [0.0, float("nan")])
def test_voxels_without_size_get_one_and_a_remark(nifti, spacing, capfd):
    """Without a word of nibabel's on standard error."""
    path = nifti()
    data = bytearray(path.read_bytes())
    data[252:256] = bytes(4)  # neither of the two codes of places
    data[80:92] = struct.pack("<3f", *[spacing] * 3)
    path.write_bytes(data)
    volume = volumes.read(path)
    assert volume.spacing == (1, 1, 1)
    assert capfd.readouterr().err == ""


def test_a_place_without_extent_is_replaced_and_that_is_said(nifti):
    """An affine whose slices are all in one place."""
    path = nifti(matrix=np.diag([2.0, 3.0, 1.0, 1.0]))
    data = bytearray(path.read_bytes())
    data[312:328] = bytes(16)  # the third row of the affine
    path.write_bytes(data)
    volume = volumes.read(path)
    assert volume.spacing == (1, 3, 2)
    assert "voxels of 2 x 3 x 1 mm are assumed" in volume.origin.remarks[0]
