"""Sounds in and out, and their spectrograms: the only room that opens sound files."""

from impasto.sounds.reading import Sound, as_sound, read, read_recipe
from impasto.sounds.spectrogram import Spectrogram, griffin_lim, onsets
from impasto.sounds.tags import Tags
from impasto.sounds.writing import FORMATS, check_writable, write

__all__ = [
    "FORMATS",
    "Sound",
    "Spectrogram",
    "Tags",
    "as_sound",
    "check_writable",
    "griffin_lim",
    "onsets",
    "read",
    "read_recipe",
    "write",
]
