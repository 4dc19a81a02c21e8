"""How sounds are heard: by which filters, and how a descent over samples hears them."""

from dataclasses import dataclass, replace
from typing import get_args

import torch
from torch import Tensor

from impasto.choices import Phase
from impasto.engines import Evaluation, Evaluator
from impasto.errors import SettingsError
from impasto.sounds import Spectrogram


@dataclass(frozen=True)
class SoundFilters:
    """How sounds are heard.

    Args:
        filters: how many; Ulyanov and Lebedev (2016) take 4096.
        width: of every filter, in spectra.
        window: samples of a spectrum; None for the power of two nearest to 64 ms.
        phase: where the phases come from: ``descent`` (Griffin and Lim's, then the descent goes on over samples),
            ``griffin-lim``, or ``content``, carried over as they are.
        filter_seed: of the filters.

    Raises:
        SettingsError: for a value out of range.
    """

    filters: int = 4096
    width: int = 11
    window: int | None = None
    phase: Phase = "descent"
    filter_seed: int = 0

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("filters", self.filters, 1, 65536),
            ("width", self.width, 1, 999),
            ("window", 1024 if self.window is None else self.window, 32, 65536),
            ("filter_seed", self.filter_seed, 0, 2**63 - 1),
        ):
            if not low <= value <= high:
                raise SettingsError(f"The setting {name} is {value}, but it goes from {low} to {high}.")
        if self.window is not None and self.window % 4:
            raise SettingsError(f"The setting window is {self.window}, but a multiple of 4 is needed, such as 1024.")
        if self.phase not in get_args(Phase):
            raise SettingsError(f"The setting phase is {self.phase!r}; choose one of {', '.join(get_args(Phase))}.")

    def spectrogram(self, rate: int) -> Spectrogram:
        """The transform for a sampling rate."""
        return Spectrogram.at(rate) if self.window is None else Spectrogram(self.window, self.window // 4)


@dataclass(frozen=True, eq=False)
class SpectrogramEvaluator:
    """Evaluates samples by the objective of their spectrogram.

    Samples are (channels, 1, n); the value at v is the objective's at the levels of the sound v unit, and the gradient
    is pulled back through levels and transform.

    Args:
        engine: evaluates levels (channels, frequencies, times).
        spectrogram: the transform.
        reference: the magnitude of level 1.
        unit: the sample that v = 1 is.
    """

    engine: Evaluator
    spectrogram: Spectrogram
    reference: float
    unit: float

    def evaluate(self, image: Tensor) -> Evaluation:
        """The objective's value, its terms, and its gradient at samples."""
        with torch.enable_grad():
            leaf = image.detach().clone().requires_grad_()
            levels = self._levels(leaf)
        found = self.engine.evaluate(levels.detach())
        assert found.gradient is not None
        (gradient,) = torch.autograd.grad(levels, leaf, found.gradient)
        return replace(found, gradient=gradient)

    def measure(self, image: Tensor) -> Evaluation:
        """The value and the terms alone."""
        return self.engine.measure(self._levels(image))

    def _levels(self, image: Tensor) -> Tensor:
        spectra = self.spectrogram.spectra(image[:, 0] * self.unit)
        return self.spectrogram.levels(spectra, self.reference)
