"""What the pixels of a DICOM data set mean."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
import torch
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from impasto import volumes
from impasto.errors import MissingExtraError, VolumeError
from impasto.volumes.frames import frames_of

WIDE = (-900, 1200)


def test_inverted_grays_look_as_they_are_meant_and_stay_as_they_are(series, intensities, tmp_path):
    """MONOCHROME1: the lowest value is white to the network, and is the lowest value again in the file."""

    def invert(index, item):
        item.PhotometricInterpretation = "MONOCHROME1"

    plain, inverted = volumes.read(series(), window=WIDE), volumes.read(series(change=invert, name="x"), window=WIDE)
    assert torch.allclose(inverted.voxels, 1 - plain.voxels, atol=1e-6)
    assert np.array_equal(inverted.samples(), intensities)
    volumes.write(tmp_path / "out", inverted)
    assert pydicom.dcmread(tmp_path / "out" / "slice00001.dcm").PhotometricInterpretation == "MONOCHROME1"
    again = volumes.read(tmp_path / "out", window=WIDE)
    assert np.array_equal(again.samples(), intensities)
    assert torch.allclose(again.voxels, inverted.voxels, atol=1e-6)


def test_an_inverse_presentation_is_inverted_too(series, intensities):
    """As some radiographs say it."""

    def invert(index, item):
        item.PresentationLUTShape = "INVERSE"

    plain, inverted = volumes.read(series(), window=WIDE), volumes.read(series(change=invert, name="x"), window=WIDE)
    assert torch.allclose(inverted.voxels, 1 - plain.voxels, atol=1e-6)


def test_kinds_of_grays_do_not_mix(series):
    """Half of a series inverted is none."""

    def invert(index, item):
        item.PhotometricInterpretation = f"MONOCHROME{1 + index % 2}"

    with pytest.raises(VolumeError, match="of several kinds"):
        volumes.read(series(change=invert))


def test_colors_of_a_palette(series, intensities):
    """Indices are looked up, and are not taken for grays."""
    palette = np.arange(256, dtype="<u2") * 257
    indices = np.arange(6 * 7 * 9).reshape(6, 7, 9) % 251

    def paint(index, item):
        item.PhotometricInterpretation, item.PixelRepresentation = "PALETTE COLOR", 0
        item.BitsAllocated = item.BitsStored = 8
        item.HighBit = 7
        item.PixelData = indices[index].astype("u1").tobytes() + b"\0"
        for name, values in (("Red", palette), ("Green", palette[::-1]), ("Blue", palette * 0)):
            setattr(item, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
            setattr(item, f"{name}PaletteColorLookupTableData", values.tobytes())

    volume = volumes.read(series(change=paint))
    assert not volume.gray
    assert np.array_equal(volume.samples(), np.stack([indices, 255 - indices, indices * 0], axis=-1))


@pytest.mark.parametrize("limit", [None, -1998])
def test_padding_has_no_say_in_the_window(series, intensities, limit):
    """What fills the corners of a round picture is black, and not the darkest of its values."""
    padded = intensities.copy()
    padded[:, :2] = -2000 if limit is None else np.array([[-2000], [-1999]])

    def pad(index, item):
        item.PixelPaddingValue = -2000 + 24
        if limit is not None:
            item.PixelPaddingRangeLimit = limit + 24

    volume = volumes.read(series(padded, change=pad))
    assert volume.window == pytest.approx(np.percentile(padded[:, 2:], (0.5, 99.5)))
    assert volume.voxels[..., :2, :].max() == 0


def test_padding_that_is_said_unsigned_is_the_signed_value(series, intensities):
    """As scanners write it that store signed pixels: 63536 for -2000."""
    padded = intensities.copy()
    padded[:, :2] = -2024

    def pad(index, item):
        item.add_new("PixelPaddingValue", "US", 2**16 - 2000)

    assert volumes.read(series(padded, change=pad)).window[0] > -900


def test_a_table_makes_intensities(series, intensities):
    """ModalityLUTSequence, with 12 bits as digitizers say."""
    stored = np.arange(6 * 7 * 9).reshape(6, 7, 9) % 200

    def table(index, item):
        del item.RescaleSlope, item.RescaleIntercept
        item.PixelRepresentation, item.PixelData = 0, stored[index].astype("<u2").tobytes()
        lut = pydicom.Dataset()
        lut.LUTDescriptor, lut.ModalityLUTType = [200, 0, 12], "OD"
        lut.add_new("LUTData", "US", [value**2 // 10 for value in range(200)])
        item.ModalityLUTSequence = [lut]

    volume = volumes.read(series(change=table), window=(0, 4000))
    assert np.array_equal(volume.samples(), stored**2 // 10)


def test_frames_of_an_enhanced_file(enhanced, intensities):
    """In spatial and not in stored order, with spacing and units from their groups."""
    volume = volumes.read(enhanced(), window=(-2000, 3000))
    assert np.array_equal(volume.samples(), intensities * 2 - 5)
    assert volume.spacing == pytest.approx((2.0, 1.25, 1.5))
    assert volume.affine @ [0, 0, 0, 1] == pytest.approx([40, 50, 7, 1])
    assert volume.origin.remarks == ()


def test_frames_may_have_units_of_their_own(enhanced, intensities):
    """A slope for each."""
    slopes = np.array([1, 2, 3, 4, 5, 0.5])
    order = (3, 0, 5, 1, 4, 2)
    volume = volumes.read(enhanced(slopes=tuple(slopes)), window=(-9000, 9000))
    expected = intensities * slopes[np.argsort(order)][:, None, None] - 5
    assert volume.samples() == pytest.approx(expected, abs=2e-3)


def test_frames_at_the_same_place_are_no_volume(enhanced):
    """As of a series in time."""
    with pytest.raises(VolumeError, match="one slice per place"):
        volumes.read(enhanced(order=(0, 1, 2, 0, 1, 2)))


def test_doses_are_scaled_and_lie_at_their_offsets():
    """Pydicom's own dose, whose slice thickness is empty."""
    path = get_testdata_file("rtdose.dcm")
    item, volume = pydicom.dcmread(path), volumes.read(path)
    assert volume.spacing == pytest.approx((5, 10, 10))
    expected = item.pixel_array * float(item.DoseGridScaling)
    low, high = volume.window
    assert volume.samples() == pytest.approx(expected.clip(low, high), abs=1e-6)


def test_colors_of_video_are_turned_into_rgb_once():
    """Chroma at half the width; pydicom's own file, by Pillow's formula."""
    path = Path(get_testdata_file("SC_ybr_full_422_uncompressed.dcm"))
    item = pydicom.dcmread(path)
    chroma, _ = pydicom.pixels.get_decoder(item.file_meta.TransferSyntaxUID).as_array(item, raw=True)
    expected = np.asarray(Image.fromarray(chroma, "YCbCr").convert("RGB"))
    assert np.abs(frames_of(item, path).values[0].astype(int) - expected).max() <= 1


def test_colors_of_sixteen_bits():
    """Which are fewer in the volume, but the same."""
    path = get_testdata_file("SC_rgb_rle_16bit_2frame.dcm")
    expected = pydicom.dcmread(path).pixel_array / 65535
    assert np.abs(volumes.read(path).voxels[0].permute(1, 2, 3, 0).numpy() - expected).max() < 1e-6


@pytest.mark.parametrize("name", ["MR_small_jpeg_ls_lossless.dcm", "SC_rgb_jpeg_gdcm.dcm", "JPEG-lossy.dcm"])
def test_a_missing_decoder_is_named(name):
    """And the file is not called damaged."""
    item = pydicom.dcmread(get_testdata_file(name))
    decoder = pydicom.pixels.get_decoder(item.file_meta.TransferSyntaxUID)
    for plugin in ("gdcm", "pylibjpeg", "pyjpegls"):
        if plugin in decoder.available_plugins:
            pytest.skip("another decoder is installed")
    with pytest.raises(MissingExtraError, match="pip install pylibjpeg"):
        volumes.read(get_testdata_file(name))


def test_bits_that_are_not_used_do_not_darken(series):
    """A segmentation of one bit is black and white."""
    mask = np.arange(7 * 9).reshape(7, 9) % 2

    def segment(index, item):
        del item.RescaleSlope, item.RescaleIntercept
        item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 8, 1, 0, 0
        item.PixelData = mask.astype("u1").tobytes() + b"\0"

    assert volumes.read(series(change=segment)).voxels.unique().tolist() == [0, 1]


EMPTY = ["PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient", "SliceThickness", "InstanceNumber"]
EMPTY += ["RescaleSlope", "RescaleIntercept", "NumberOfFrames", "PixelPaddingValue", "SpecificCharacterSet"]


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("name", EMPTY)
def test_attributes_may_be_empty_or_missing(series, name, missing):
    """Then something is assumed, or a sentence says what is wrong."""

    def change(index, item):
        if missing and name in item:
            delattr(item, name)
        elif not missing:
            setattr(item, name, None)

    volume = volumes.read(series(change=change))
    assert volume.shape == (6, 7, 9)
    assert np.isfinite(volume.affine).all()
    told = name in ("PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient")
    assert bool(volume.origin.remarks) == told


@pytest.mark.parametrize("name", ["Rows", "Columns", "BitsAllocated", "PhotometricInterpretation", "SamplesPerPixel"])
@pytest.mark.parametrize("missing", [False, True])
def test_a_picture_that_is_not_described_gets_a_sentence(series, name, missing):
    """And no traceback."""

    def change(index, item):
        item["PixelData"].VR = "OW"
        if missing:
            delattr(item, name)
        else:
            setattr(item, name, None)

    with pytest.raises(VolumeError, match="damaged"):
        volumes.read(series(change=change))


@pytest.mark.parametrize("words", [{"PixelSpacing": [0, 0]}, {"ImageOrientationPatient": [0] * 6}])
def test_what_cannot_be_counts_as_not_said(series, words):
    """Pixels without width, directions without length."""

    def change(index, item):
        for name, value in words.items():
            setattr(item, name, value)

    volume = volumes.read(series(change=change))
    assert np.linalg.matrix_rank(volume.affine) == 4
    assert "does not say" in volume.origin.remarks[0]


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_without_preamble(series, intensities, syntax):
    """Bare data sets, as old archives have them."""
    folder = series()
    for path in folder.iterdir():
        item = pydicom.dcmread(path)
        item.is_decompressed = True
        bare = pydicom.Dataset({element.tag: element for element in item})
        pydicom.dcmwrite(path, bare, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
        assert path.read_bytes()[128:132] != b"DICM"
    assert np.array_equal(volumes.read(folder, window=WIDE).samples(), intensities)


def test_every_file_that_pydicom_is_tested_with_is_read_or_gets_a_sentence(capfd):
    """Whatever is wrong with it, there is no traceback and no word of a library on standard error."""
    names = [
        "badVR",
        "meta_missing_tsyntax",
        "nested_priv_SQ",
        "no_meta",
        "rtplan_truncated",
        "MR_truncated",
        "rtstruct",
    ]
    names += ["SC_rgb_rle_32bit_2frame", "reportsi_with_empty_number_tags", "examples_palette", "waveform_ecg"]
    for name in names:
        with pytest.raises(VolumeError):
            volumes.read(get_testdata_file(f"{name}.dcm"))
    assert capfd.readouterr().err == ""


def test_a_slice_of_a_computed_tomography_in_floats_is_its_own(series):
    """FloatPixelData, as parametric maps have it."""
    values = np.arange(7 * 9, dtype="<f4").reshape(7, 9) / 7

    def change(index, item):
        del item.PixelData, item.PixelRepresentation, item.HighBit, item.BitsStored
        item.BitsAllocated, item.FloatPixelData = 32, values.tobytes()
        item.RescaleSlope, item.RescaleIntercept = 1, 0

    volume = volumes.read(series(change=change), window=(0, 9))
    assert volume.samples()[0] == pytest.approx(values, abs=1e-6)
