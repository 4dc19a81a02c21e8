"""A record in memory."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from impasto.errors import SignalError
from impasto.files import Files

SIGNALS = Files("a record", SignalError)

_LARGEST = 1e18  # whose squares 32 bits still hold

CAUTION = "Made by impasto with style transfer: not a recording. Not for diagnosis."
"""What every output says of itself."""


def beside_name(path: Path) -> Path:
    """Where the words on an NPY file are."""
    return Path(f"{path}.json")


@dataclass(frozen=True, eq=False)
class Found:
    """What a reader found in a file.

    Args:
        values: (leads, n), as stored; NaN where one is missing.
        rate: samples per second, or None where nothing says it.
        leads: their names, or () if there are none.
        units: of the values of each lead, "" where unknown, or ().
        notes: sentences on what was understood, or left out.
    """

    values: Any
    rate: float | None = None
    leads: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Signal:
    """A record of one or several leads.

    Args:
        values: (leads, n) float32, in the file's own units.
        rate: samples per second, or None where nothing says it.
        leads: their names.
        units: of the values of each lead, "" where unknown.
        name: of its file without folders, or "array".
        sha256: hex digest of the file's bytes, or of the values'.
        notes: sentences on how its file was understood.
    """

    values: Tensor
    rate: float | None
    leads: tuple[str, ...]
    units: tuple[str, ...]
    name: str
    sha256: str
    notes: tuple[str, ...] = ()

    def chosen(self, names: Sequence[str]) -> "Signal":
        """The record with only these leads, by name or by number from 1, in this order.

        Raises:
            SignalError: if one is not there.
        """
        known = {lead.lower(): place for place, lead in enumerate(self.leads)}
        known |= {str(place + 1): place for place in range(len(self.leads))} | known
        for wanted in names:
            if wanted.strip().lower() not in known:
                raise SignalError(f"{self.name} has no lead {wanted!r}; it has {', '.join(self.leads)}.")
        places = [known[wanted.strip().lower()] for wanted in names]
        leads, units = (tuple(of[place] for place in places) for of in (self.leads, self.units))
        return replace(self, values=self.values[places], leads=leads, units=units)


def as_record(
    values: Any, rate: float | None = None, *, leads: Sequence[str] = (), units: Sequence[str] = (), name: str = "array"
) -> Signal:
    """A record from an array or tensor of values, (n,) or (leads, n).

    Raises:
        SignalError: for another shape, other numbers of names or units than of leads, no samples, or values that are not
            finite numbers.
    """
    array = np.asarray(values)
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    return checked_signal(Found(np.atleast_2d(array), rate, tuple(leads), tuple(units)), "The record", name, digest)


def checked_signal(found: Found, what: str, name: str, sha256: str) -> Signal:
    """A record that can be worked on; ``what`` is what sentences call it.

    Raises:
        SignalError: as :func:`as_record`, and for a rate that is not positive.
    """
    values, rate = found.values, found.rate
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        raise SignalError(
            f"{what} holds {values.dtype} values of shape {values.shape}, but real numbers of shape (n,) or (leads, n) are "
            "needed."
        )
    if values.shape[0] == 0 or values.shape[1] == 0:
        raise SignalError(f"{what} has 0 samples; give a record that lasts.")
    for words, of in (("names", found.leads), ("units", found.units)):
        if of and len(of) != len(values):
            raise SignalError(f"{what} has {len(of)} {words} for {len(values)} leads; give one for each.")
    if rate is not None and not 0 < rate < float("inf"):
        raise SignalError(f"{what} has a rate of {rate:g} samples per second; give a positive one.")
    _refuse_bad(values, what)
    tensor = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
    leads = found.leads or tuple(f"lead {place + 1}" for place in range(len(values)))
    return Signal(tensor, rate, leads, found.units or ("",) * len(leads), name, sha256, found.notes)


def _refuse_bad(values: Any, what: str) -> None:
    """Refuse values that no arithmetic can be done with."""
    bad = ~np.isfinite(values)
    if bad.any():
        lead, place = (int(index[0]) for index in bad.nonzero())
        raise SignalError(
            f"{what} has {int(bad.sum())} values that are missing or not finite, the first in lead {lead + 1} at sample "
            f"{place + 1}; repair or cut them."
        )
    if float(abs(values.astype(np.float64)).max()) > _LARGEST:
        raise SignalError(f"{what} has values beyond {_LARGEST:g}; use a larger unit.")
