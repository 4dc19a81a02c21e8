"""Physiological signals in and out: records of one or several leads over time."""

from impasto.signals.reading import read, read_recipe
from impasto.signals.record import CAUTION, Signal, as_record, beside_name
from impasto.signals.writing import SUFFIXES, check_writable, write

__all__ = [
    "CAUTION",
    "SUFFIXES",
    "Signal",
    "as_record",
    "beside_name",
    "check_writable",
    "read",
    "read_recipe",
    "write",
]
