"""At how many scales of time signals are seen."""

import math
from dataclasses import dataclass

from impasto.errors import SettingsError, SignalError

_LEAST = 16  # samples that the coarsest scale has at least


@dataclass(frozen=True)
class SignalScales:
    """How signals are seen.

    Args:
        scales: how many, each twice as coarse as the one before; None for all that the shortest record has room for, at
            most 8.
        filters: at every scale.
        width: of every filter, in samples of its scale.
        filter_seed: of the filters.

    Raises:
        SettingsError: for a value out of range.
    """

    scales: int | None = None
    filters: int = 64
    width: int = 11
    filter_seed: int = 0

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("scales", 1 if self.scales is None else self.scales, 1, 16),
            ("filters", self.filters, 1, 4096),
            ("width", self.width, 2, 999),
            ("filter_seed", self.filter_seed, 0, 2**63 - 1),
        ):
            if not low <= value <= high:
                raise SettingsError(f"The setting {name} is {value}, but it goes from {low} to {high}.")

    def count(self, shortest: int) -> int:
        """How many scales a record of that many samples has.

        Raises:
            SignalError: if it is too short for those that are asked for.
        """
        most = math.floor(math.log2(max(1, shortest / _LEAST))) + 1
        if shortest < _LEAST or (self.scales or 1) > most:
            need = _LEAST * 2 ** ((self.scales or 1) - 1)
            raise SignalError(
                f"The shortest record has {shortest} samples, but {need} are needed for {self.scales or 1} scales; give "
                "longer ones or fewer scales."
            )
        return self.scales or min(8, most)
