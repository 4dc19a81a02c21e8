"""DICOM waveforms."""

import io
import math
from typing import Any

import numpy as np

from impasto.errors import SignalError
from impasto.libraries import library, understood, unheard
from impasto.signals.record import Found

_SCALES = {"uv": "µV", "mv": "mV", "mm[hg]": "mmHg"}
_NEEDED = (
    *("NumberOfWaveformChannels", "NumberOfWaveformSamples", "WaveformBitsAllocated"),
    *("WaveformSampleInterpretation", "WaveformData", "ChannelDefinitionSequence"),
)
_LINEAR = ("SB", "UB", "SS", "US", "SL", "UL", "SV", "UV")
"""Codings of samples; the others are laws of telephones, whose codes are no values."""


def is_dicom(data: bytes) -> bool:
    """Whether these are the bytes of a DICOM file, be it without the preamble that old ones lack."""
    return data[128:132] == b"DICM" or (data[:2] in (b"\x02\0", b"\x08\0") and data[3:4] == b"\0")


def read_dicom(data: bytes, name: str) -> Found:
    """The first group of waveforms, in the units that its channels say.

    Raises:
        SignalError: if there is none, or it is damaged, or does not say what is needed.
        MissingExtraError: without the extra ``signal``.
    """
    pydicom = library("pydicom", "DICOM", "signal")
    advice = "it is cut off or damaged, so copy it again"
    with unheard(), understood(SignalError, f"{name} cannot be read as DICOM", advice):
        return _group(pydicom.dcmread(io.BytesIO(data), force=True), name)


def _group(dataset: Any, name: str) -> Found:
    if not dataset.get("WaveformSequence"):
        raise SignalError(f"{name} is DICOM without a waveform; give one that holds a signal, such as an ECG.")
    group = dataset.WaveformSequence[0]
    missing = [word for word in _NEEDED if group.get(word) in (None, "", b"")]
    if missing:
        raise SignalError(f"{name} is DICOM whose waveform lacks {', '.join(missing)}; export it again.")
    coding, channels = str(group.WaveformSampleInterpretation), group.ChannelDefinitionSequence
    if coding not in _LINEAR or not dataset.original_encoding[1]:
        order = "" if dataset.original_encoding[1] else " with the high byte first"
        raise SignalError(
            f"{name} is DICOM with samples coded as {coding}{order}, but linear ones with the low byte first are needed; "
            "export it again."
        )
    if group.NumberOfWaveformChannels != len(channels):
        raise SignalError(
            f"{name} is DICOM with {group.NumberOfWaveformChannels} channels of which {len(channels)} are defined; export "
            "it again."
        )
    leads = tuple(_lead(channel, place) for place, channel in enumerate(channels))
    for channel, lead in zip(channels, leads, strict=True):
        _check_scale(channel, lead, name)
    values = dataset.waveform_array(0).astype(np.float64)
    if group.get("WaveformPaddingValue") is not None:
        values[_are_padding(dataset, group)] = np.nan
    units, rate = tuple(_unit(channel) for channel in channels), group.get("SamplingFrequency")
    return Found(values.T, None if rate in (None, "") else float(rate), leads, units, _left_out(dataset, name))


def _check_scale(channel: Any, lead: str, name: str) -> None:
    """Drop what is there and empty, so that it counts as not there, and refuse what makes all samples alike."""
    for word in ("ChannelSensitivity", "ChannelSensitivityCorrectionFactor", "ChannelBaseline"):
        if word not in channel:
            continue
        if channel[word].is_empty:
            del channel[word]
        elif not math.isfinite(float(channel[word].value)) or (
            word != "ChannelBaseline" and not float(channel[word].value)
        ):
            raise SignalError(f"{name} has a {word} of {channel[word].value:g} in lead {lead}; export it again.")


def _are_padding(dataset: Any, group: Any) -> Any:
    """Where samples stand for none (samples, channels)."""
    from pydicom.waveforms.numpy_handler import multiplex_array  # noqa: PLC0415

    stored, padding = multiplex_array(dataset, 0, as_raw=True), group.WaveformPaddingValue
    value = np.frombuffer(padding, stored.dtype)[0] if isinstance(padding, bytes) else padding
    return stored == value


def _lead(channel: Any, place: int) -> str:
    sources = channel.get("ChannelSourceSequence") or [{}]
    meaning = str(sources[0].get("CodeMeaning") or channel.get("ChannelLabel") or "")
    return meaning.removeprefix("Lead ").partition(" (")[0] or f"lead {place + 1}"


def _unit(channel: Any) -> str:
    units = channel.get("ChannelSensitivityUnitsSequence") or [{}]
    unit = str(units[0].get("CodeValue") or "") if "ChannelSensitivity" in channel else ""
    return _SCALES.get(unit.lower(), unit)


def _left_out(dataset: Any, name: str) -> tuple[str, ...]:
    """What the file has and a record does not."""
    groups = len(dataset.WaveformSequence) - 1
    marks = len(dataset.get("WaveformAnnotationSequence") or [])
    counts = {"further group": groups, "annotation": marks}
    parts = [f"{count} {word}{'s' if count > 1 else ''}" for word, count in counts.items() if count]
    if any(dataset.get(word) for word in ("PatientName", "PatientID", "StudyDate", "AcquisitionDateTime")):
        parts.insert(0, "patient and study")
    said = ", ".join(parts)
    return (f"Of {name}, the first group of waveforms is read with its names and units, not: {said}.",) if parts else ()
