"""Short-time spectra: from samples to levels of frequencies over time, and back."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_RANGE = 300.0  # levels turn from logarithmic to linear where amplitudes are that far below the reference: 50 dB
_MOMENTUM = 0.99


@dataclass(frozen=True)
class Spectrogram:
    r"""The short-time Fourier transform with a Hann window, and levels on a logarithmic scale.

    .. math:: x = \frac{\log(1 + \mu \, |S| / r)}{\log(1 + \mu)}, \qquad \mu = 300

    for spectra S and a reference r, the largest \|S\| of the sound: 0 is silence, 1 the loudest there is, and in between
    equal steps of x are about equal steps of loudness. So levels are to sounds what pixels are to pictures.

    Args:
        window: samples that one spectrum sees.
        hop: samples from one spectrum to the next.
    """

    window: int
    hop: int

    @classmethod
    def at(cls, rate: int) -> "Spectrogram":
        """The one for a sampling rate: the power of two nearest to 64 ms, in hops of a quarter.

        >>> Spectrogram.at(22050), Spectrogram.at(44100)
        (Spectrogram(window=1024, hop=256), Spectrogram(window=2048, hop=512))
        """
        window = 2 ** max(5, round(math.log2(0.064 * rate)))
        return cls(window, window // 4)

    @property
    def frequencies(self) -> int:
        """How many: the channels of a spectrogram."""
        return self.window // 2 + 1

    def spectra(self, samples: Tensor) -> Tensor:
        """The complex spectra (channels, frequencies, times) of samples (channels, n)."""
        return torch.stft(samples, self.window, self.hop, window=self._hann(samples), return_complex=True)

    def samples(self, spectra: Tensor, length: int) -> Tensor:
        """The samples (channels, length) whose spectra come nearest."""
        return torch.istft(spectra, self.window, self.hop, window=self._hann(spectra.real), length=length)

    def levels(self, spectra: Tensor, reference: float) -> Tensor:
        """The levels x of complex spectra, in [0, 1] up to the reference."""
        return torch.log1p(spectra.abs() * (_RANGE / reference)) / math.log1p(_RANGE)

    def magnitudes(self, levels: Tensor, reference: float) -> Tensor:
        r"""\|S\| again, from x."""
        return torch.expm1(levels * math.log1p(_RANGE)) * (reference / _RANGE)

    def _hann(self, like: Tensor) -> Tensor:
        return torch.hann_window(self.window, dtype=like.dtype, device=like.device)


def griffin_lim(spectrogram: Spectrogram, magnitudes: Tensor, start: Tensor, length: int, rounds: int) -> Tensor:
    """Samples whose spectra have about the given magnitudes (Griffin and Lim 1984; momentum: Perraudin et al. 2013).

    Each round goes to the samples that fit best and takes over the phase of their spectra.

    Args:
        spectrogram: the transform.
        magnitudes: (channels, frequencies, times).
        start: complex spectra of the same shape whose phases are the first guess.
        length: of the samples.
        rounds: how many; 0 keeps the phases of ``start``.

    Returns:
        (channels, length).
    """
    spectra, before = torch.polar(magnitudes, start.angle()), torch.zeros_like(start)
    for _ in range(rounds):
        fitting = spectrogram.spectra(spectrogram.samples(spectra, length))
        spectra = torch.polar(magnitudes, (fitting + _MOMENTUM * (fitting - before)).angle())
        before = fitting
    return spectrogram.samples(spectra, length)


def onsets(levels: Tensor) -> Tensor:
    """How much begins at every time: the mean over frequencies of what levels (channels, frequencies, times) rise by.

    Known as spectral flux (Bello et al. 2005).

    Returns:
        (times - 1,).
    """
    return levels.diff(dim=-1).clamp_(min=0).mean((0, 1))
