"""Small volumes on disk."""

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

AFFINE = np.array([[0.0, 0.0, 2.0, -10.0], [-1.5, 0.0, 0.0, 20.0], [0.0, 1.25, 0.0, -30.0], [0.0, 0.0, 0.0, 1.0]])


@pytest.fixture(scope="session")
def affine():
    """A turned one, with three different spacings: columns 1.5, rows 1.25, slices 2 millimeters."""
    return AFFINE.copy()


@pytest.fixture(scope="session")
def intensities():
    """int16 (6, 7, 9), different everywhere."""
    rng = np.random.default_rng(0)
    return (np.arange(6 * 7 * 9).reshape(6, 7, 9) * 5 - 800 + rng.integers(0, 4, (6, 7, 9))).astype(np.int16)


@pytest.fixture
def nifti(tmp_path, intensities):
    """A function that writes samples (D, H, W) as NIfTI and returns the path."""

    def write(samples=intensities, name="volume.nii", matrix=AFFINE):
        path = tmp_path / name
        nibabel.save(nibabel.Nifti1Image(np.swapaxes(samples, 0, 2) if samples.ndim == 3 else samples, matrix), path)
        return path

    return write


@pytest.fixture
def series(tmp_path, intensities):
    """A function that writes a DICOM series in a folder; keywords change data sets: ``change(index, item)``."""

    def write(samples=intensities, change=None, name="series"):
        folder = tmp_path / name
        folder.mkdir()
        study, number, frame = generate_uid(), generate_uid(), generate_uid()
        for index, picture in enumerate(samples):
            item = pydicom.Dataset()
            item.file_meta = pydicom.dataset.FileMetaDataset()
            item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            item.SOPClassUID, item.SOPInstanceUID = CTImageStorage, generate_uid()
            item.PatientName, item.PatientID, item.Modality = "Doe^Jo", "17", "CT"
            item.StudyInstanceUID, item.SeriesInstanceUID, item.FrameOfReferenceUID = study, number, frame
            item.InstanceNumber = len(samples) - index  # the other way round: places count, not numbers
            item.ImageOrientationPatient, item.PixelSpacing = [1, 0, 0, 0, 1, 0], [1.25, 1.5]
            item.ImagePositionPatient, item.SliceThickness = [-40, -50, 2.0 * index + 7], 2
            item.Rows, item.Columns = picture.shape[:2]
            item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
            item.BitsAllocated = item.BitsStored = 16
            item.HighBit, item.PixelRepresentation = 15, 1
            item.RescaleSlope, item.RescaleIntercept = 1, -24
            item.PixelData = (picture + 24).astype("<i2").tobytes()
            if change:
                change(index, item)
            pydicom.dcmwrite(folder / f"{(index * 5) % 7:03d}.dcm", item, enforce_file_format=True)
        return folder

    return write


@pytest.fixture
def enhanced(tmp_path, intensities):
    """A function that writes one enhanced file of several frames, in a mixed order; ``change(item)`` changes it."""

    def group(**elements):
        found = pydicom.Dataset()
        for name, value in elements.items():
            setattr(found, name, value)
        return [found]

    def write(change=None, order=(3, 0, 5, 1, 4, 2), slopes=(2, 2, 2, 2, 2, 2)):
        item = pydicom.Dataset()
        item.file_meta = pydicom.dataset.FileMetaDataset()
        item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        item.SOPClassUID, item.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2.1", generate_uid()
        item.SeriesInstanceUID, item.StudyInstanceUID, item.Modality = generate_uid(), generate_uid(), "CT"
        item.NumberOfFrames, item.Rows, item.Columns = len(order), *intensities.shape[1:]
        item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
        item.BitsAllocated = item.BitsStored = 16
        item.HighBit, item.PixelRepresentation = 15, 1
        item.PixelData = intensities[list(order)].astype("<i2").tobytes()
        shared, item.PerFrameFunctionalGroupsSequence = pydicom.Dataset(), []
        shared.PixelMeasuresSequence = group(PixelSpacing=[1.25, 1.5], SliceThickness=2)
        shared.PlaneOrientationSequence = group(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
        item.SharedFunctionalGroupsSequence = [shared]
        for place, slope in zip(order, slopes, strict=True):
            own = pydicom.Dataset()
            own.PlanePositionSequence = group(ImagePositionPatient=[-40, -50, 2 * place + 7])
            own.PixelValueTransformationSequence = group(RescaleSlope=slope, RescaleIntercept=-5, RescaleType="HU")
            item.PerFrameFunctionalGroupsSequence.append(own)
        if change:
            change(item)
        pydicom.dcmwrite(tmp_path / "enhanced.dcm", item, enforce_file_format=True)
        return tmp_path / "enhanced.dcm"

    return write
