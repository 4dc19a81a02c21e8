"""DICOM waveforms as devices and archives write them."""

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import FileMetaDataset

from impasto import signals
from impasto.errors import SignalError


@pytest.fixture
def changed(tmp_path):
    """A function that changes pydicom's ECG, cut to 50 samples, and gives the path of what it became."""

    def make(change, **options):
        dataset = pydicom.dcmread(get_testdata_file("waveform_ecg.dcm"))
        group = dataset.WaveformSequence[0]
        group.NumberOfWaveformSamples, group.WaveformData = 50, group.WaveformData[: 50 * 12 * 2]
        change(dataset, group)
        dataset.save_as(tmp_path / "x.dcm", **options)
        return tmp_path / "x.dcm"

    return make


def test_what_is_there_and_empty_is_not_there(changed):
    """Sensitivity, correction and baseline may be empty, as the standard lets them be."""

    def empty(_, group):
        for channel in group.ChannelDefinitionSequence:
            channel.ChannelBaseline = channel.ChannelSensitivityCorrectionFactor = None
        group.ChannelDefinitionSequence[1].ChannelSensitivity = None
        del group.ChannelDefinitionSequence[2].ChannelSourceSequence

    found = signals.read(changed(empty))
    expected = signals.read(changed(lambda *_: None))
    assert np.array_equal(found.values[0], expected.values[0])
    assert np.allclose(found.values[1], expected.values[1] / 1.25)
    assert found.units[:2] == ("µV", "")
    assert found.leads[1:3] == ("II", "lead 3")


def test_old_files_have_no_preamble(changed):
    """The data set alone, as before 1993, is recognized."""

    def bare(dataset, _):
        dataset.file_meta, dataset.preamble = FileMetaDataset(), None

    path = changed(bare, implicit_vr=True, little_endian=True, enforce_file_format=False)
    assert path.read_bytes()[128:132] != b"DICM"
    assert signals.read(path).values.shape == (12, 50)


def test_padding_is_missing(changed):
    """Samples that stand for none are not values."""

    def padded(_, group):
        group.add_new("WaveformPaddingValue", "OW", group.WaveformData[24:26])

    with pytest.raises(SignalError, match="values that are missing"):
        signals.read(changed(padded))


def test_what_is_left_out_is_said(changed):
    """Other groups and annotations do not come through."""
    (note,) = signals.read(changed(lambda *_: None)).notes
    assert note.endswith("not: patient and study, 1 further group, 77 annotations.")


def channels(**values):
    """A change of the second channel."""

    def change(_, group):
        for word, value in values.items():
            setattr(group.ChannelDefinitionSequence[1], word, value)

    return change


def without(word):
    """A change that deletes an attribute."""
    return lambda _, group: delattr(group, word)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (channels(ChannelSensitivity=0), "a ChannelSensitivity of 0 in lead II"),
        (channels(ChannelSensitivityCorrectionFactor=0), "a ChannelSensitivityCorrectionFactor of 0 in lead II"),
        (without("NumberOfWaveformSamples"), "lacks NumberOfWaveformSamples"),
        (without("WaveformData"), "lacks WaveformData"),
        (without("ChannelDefinitionSequence"), "lacks ChannelDefinitionSequence"),
        (lambda _, group: setattr(group, "NumberOfWaveformSamples", None), "lacks NumberOfWaveformSamples"),
        (
            lambda _, group: setattr(group, "ChannelDefinitionSequence", group.ChannelDefinitionSequence[:3]),
            "3 are defined",
        ),
        (lambda _, group: setattr(group, "WaveformSampleInterpretation", "MB"), "samples coded as MB"),
        (lambda _, group: setattr(group, "SamplingFrequency", 0), "a rate of 0 samples"),
        (lambda dataset, _: setattr(dataset, "WaveformSequence", []), "DICOM without a waveform"),
        (lambda _, group: setattr(group, "WaveformData", group.WaveformData[:100]), "cannot be read as DICOM"),
    ],
)
def test_odd_files_get_a_sentence(changed, change, words):
    """Each says what is wrong."""
    with pytest.raises(SignalError, match=words):
        signals.read(changed(change))


def test_a_rate_that_is_missing_can_be_given(changed):
    """By whoever knows it."""
    path = changed(without("SamplingFrequency"))
    assert signals.read(path).rate is None
    assert signals.read(path, 500.0).rate == 500.0
