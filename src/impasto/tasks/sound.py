"""Sounds in the style of others, and textures of sounds: Gram matrices of wide random filters over time."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

import impasto
from impasto import images, machine, sounds
from impasto.encoders import bank, random_parameters
from impasto.engines import Evaluator
from impasto.errors import SettingsError, SoundError
from impasto.optimizers import Bounds
from impasto.runs.events import Listener
from impasto.runs.result import Scores
from impasto.sampling import resample
from impasto.settings import Settings
from impasto.sounds import Sound, Spectrogram, Tags
from impasto.tasks.sequence import (
    Finish,
    Outcome,
    Sequences,
    check_levels,
    check_rates,
    encoder_for,
    score,
    settings_for,
)
from impasto.tasks.sound_filters import Hearing, Listening
from impasto.tasks.sound_picture import sheet

_EVALUATIONS = (100, 150)  # on the spectrogram, and on the samples
_ROUNDS = 32  # of Griffin and Lim
_LOUDEST = 4.0  # times the content's loudest sample that samples may reach before they are scaled back
_UNIT = 0.5  # of the content's loudest sample: what the optimizer takes as 1, and 0.02 of it as a first step
_PEAK = 0.98  # the loudest sample that is delivered as it is


@dataclass(frozen=True, eq=False)
class SoundResult:
    """A finished sound.

    Args:
        samples: (channels, n) in [-1, 1].
        rate: samples per second.
        recipe: plain data that says how it was made, as written into files.
        losses: ``started``, ``optimized`` (as the descent left it) and ``delivered`` (of ``samples``).
        measures: ``fall`` (how many times lower the delivered style loss is than the start's), ``onsets`` (the correlation
            of what begins when with the content; None of a texture) and ``peak`` (of the samples).
        picture: the spectrograms of all sounds involved, (1, 3, H, W) in [0, 1].
        timings: seconds for ``setup``, ``descent`` and ``final``.
        complete: False if the run was stopped before its last evaluation.
        notes: sentences about what the user may want to know.
        like: the sound whose depth and tags the file takes over.
    """

    samples: Tensor
    rate: int
    recipe: dict[str, Any]
    losses: dict[str, Scores]
    measures: dict[str, float | None]
    picture: Tensor
    timings: dict[str, float]
    complete: bool
    notes: tuple[str, ...]
    like: Sound

    def save(self, path: str | Path, *, metadata: bool = True) -> None:
        """Write the sound; the format follows the name.

        Raises:
            SoundError: if it cannot be written; an existing file stays as it was.
        """
        recipe = self.recipe if metadata else None
        sounds.write(path, self.samples, self.rate, like=self.like, recipe=recipe)

    def save_picture(self, path: str | Path, *, metadata: bool = True) -> None:
        """Write the spectrograms, with the recipe unless told otherwise.

        Raises:
            ImageError: if they cannot be written.
        """
        images.write(path, self.picture, recipe=self.recipe, metadata=metadata)

    @property
    def values(self) -> Tensor:
        """What was made, (channels, n)."""
        return self.samples


@dataclass(frozen=True, eq=False)
class SoundTransfer:
    """A run on sounds, prepared; made by :meth:`of` or :meth:`texture`.

    Args:
        content: the sound that is stylized; of a texture, silence of its length.
        styles: the others, at the content's rate and with as many channels.
        settings: in force.
        hearing: how sounds are heard.
        given: the sounds as they were given: first the content, unless it is a texture.
    """

    content: Sound
    styles: tuple[Sound, ...]
    settings: Settings
    hearing: Hearing
    given: tuple[Sound, ...]

    @classmethod
    @machine.undisturbed()
    def of(
        cls,
        content: Any,
        styles: Any,
        *,
        hearing: Hearing | None = None,
        settings: Settings | None = None,
        **values: Any,
    ) -> Self:
        """A sound in the style of others (Ulyanov and Lebedev 2016).

        Args:
            content: a path or a :class:`impasto.sounds.Sound`.
            styles: another, or a list of them.
            hearing: how sounds are heard.
            settings: all settings at once; or give single ones as keywords: those of pictures that have a say here.
            values: single settings.

        Raises:
            ImpastoError: with a sentence on what is wrong with a sound or a setting.
        """
        hearing = hearing or Hearing()
        first, others = _sound(content), _several(styles)
        chosen = settings_for(
            "a stylized sound",
            settings,
            values,
            styles=len(others),
            texture=False,
            evaluations=_EVALUATIONS[: _levels(hearing)],
        )
        check_levels("a stylized sound", chosen, _levels(hearing))
        return cls._made(first, others, chosen, hearing, (first, *others))

    @classmethod
    @machine.undisturbed()
    def texture(
        cls,
        styles: Any,
        seconds: float | None = None,
        *,
        hearing: Hearing | None = None,
        settings: Settings | None = None,
        **values: Any,
    ) -> Self:
        """A sound of any length that sounds like others: a texture, from noise.

        Args:
            styles: as for :meth:`of`.
            seconds: its length; the (first) sound's unless given.
            hearing: as for :meth:`of`.
            settings: likewise.
            values: likewise.

        Raises:
            ImpastoError: as :meth:`of`.
        """
        hearing, others = hearing or Hearing(), _several(styles)
        if hearing.phase == "content":
            raise SettingsError("A texture has no content whose phase it could carry; choose descent or griffin-lim.")
        if seconds is not None and not 0 < seconds <= 3600:
            raise SettingsError(f"A texture of {seconds:g} seconds was asked for; give more than 0 and at most 3600.")
        chosen = settings_for(
            "a texture of sound",
            settings,
            values,
            styles=len(others),
            texture=True,
            evaluations=_EVALUATIONS[: _levels(hearing)],
        )
        check_levels("a texture of sound", chosen, _levels(hearing))
        length = others[0].samples.shape[1] if seconds is None else max(1, round(seconds * others[0].rate))
        blank = replace(others[0], samples=torch.zeros(len(others[0].samples), length), name="the texture", tags=Tags())
        return cls._made(blank, others, chosen, hearing, others)

    @classmethod
    def _made(
        cls, content: Sound, styles: Sequence[Sound], settings: Settings, hearing: Hearing, given: tuple[Sound, ...]
    ) -> Self:
        fitted = tuple(_fitted(style, content) for style in styles)
        window = hearing.spectrogram(content.rate).window
        for sound in (content, *fitted):
            if sound.samples.shape[1] <= window:
                raise SoundError(
                    f"{sound.name} lasts {sound.samples.shape[1]} samples at {content.rate} per second, but more than "
                    f"{window}, one window, are needed; give a longer sound."
                )
        return cls(content, fitted, settings, hearing, given)

    @property
    def is_texture(self) -> bool:
        """Whether there is no content."""
        return len(self.given) == len(self.styles)

    @cached_property
    def spectrogram(self) -> Spectrogram:
        """The transform."""
        return self.hearing.spectrogram(self.content.rate)

    @cached_property
    def device(self) -> torch.device:
        """Where the run computes."""
        return machine.device(self.settings.device)

    def check_writable(self, path: str | Path) -> None:
        """Raise now what saving the result there would raise.

        Raises:
            SoundError: if it cannot be written.
        """
        sounds.check_writable(path, self.content.rate, len(self.content.samples), like=self.content)

    def levels_of(self, sound: Sound) -> Tensor:
        """The spectrogram of one of the sounds, relative to its own loudest place: (channels, frequencies, times)."""
        spectra = self.spectrogram.spectra(sound.samples)
        return self.spectrogram.levels(spectra, _reference(spectra))

    @machine.undisturbed()
    def run(self, on_event: Listener | None = None, checkpoint: str | Path | None = None) -> SoundResult:
        """Do it; arguments as for :meth:`impasto.tasks.sequence.Sequences.run`.

        Raises:
            ImpastoError: with a sentence on what is wrong with the checkpoint.
        """
        began = time.perf_counter()
        if self.device.type == "cpu":
            machine.keep_freed_memory()
        sequences = self._sequences()
        ready = time.perf_counter()
        outcome = sequences.run(on_event, checkpoint)
        done = time.perf_counter()
        samples = self._samples(outcome.values)
        delivered = score(outcome.engine, self._heard(samples).to(self.device))
        samples, notes = _within(samples)
        measures = self._measures(outcome, delivered, samples)
        losses = {"started": outcome.started, "optimized": outcome.ended, "delivered": delivered}
        picture = self._picture(samples)
        timings = {"setup": ready - began, "descent": outcome.seconds, "final": time.perf_counter() - done}
        return SoundResult(
            samples,
            self.content.rate,
            self._recipe(outcome, delivered, measures),
            losses,
            measures,
            picture,
            timings,
            outcome.complete,
            (*outcome.notes, *notes, *_left_out(self.content)),
            self.content,
        )

    def _sequences(self) -> Sequences:
        channels = self.spectrogram.frequencies
        stack = bank(channels, self.hearing.filters, self.hearing.width)
        encoder = encoder_for(stack, random_parameters(stack, 1, self.hearing.filter_seed), self.settings)
        styles = tuple(self.levels_of(style) for style in self.styles)
        content = self._heard(self.content.samples)
        finish = None
        if self.hearing.phase == "descent":
            bounds = Bounds(-_LOUDEST / _UNIT, _LOUDEST / _UNIT)
            finish = Finish(tuple(self.content.samples.shape[1:]), self._listening, self._lifted, bounds)
        return Sequences(content, styles, self.settings, encoder, self._identity(), finish=finish)

    @cached_property
    def reference(self) -> float:
        """What level 1 is: the loudest magnitude of the content, or of a texture's first exemplar."""
        loud = self.styles[0] if self.is_texture else self.content
        return _reference(self.spectrogram.spectra(loud.samples))

    @cached_property
    def unit(self) -> float:
        """What a sample of 1 is for the optimizer, whose values are sample / unit."""
        loud = self.styles[0] if self.is_texture else self.content
        return _UNIT * float(loud.samples.abs().max())

    def _heard(self, samples: Tensor) -> Tensor:
        return self.spectrogram.levels(self.spectrogram.spectra(samples), self.reference)

    def _listening(self, engine: Evaluator) -> Evaluator:
        return Listening(engine, self.spectrogram, self.reference, self.unit)

    def _lifted(self, levels: Tensor) -> Tensor:
        """Samples as the optimizer has them, (channels, 1, n)."""
        return (self._phased(levels.cpu()) / self.unit)[:, None].to(levels.device)

    def _samples(self, values: Tensor) -> Tensor:
        """Samples (channels, n) from where the descent ended, be it a spectrogram or samples already."""
        if tuple(values.shape[1:]) == (1, self.content.samples.shape[1]):
            return values[:, 0] * self.unit
        return self._phased(values)

    def _phased(self, levels: Tensor) -> Tensor:
        magnitudes = self.spectrogram.magnitudes(levels, self.reference)
        if self.is_texture:
            generator = torch.Generator().manual_seed(self.settings.seed)
            first = torch.polar(torch.ones_like(levels), torch.rand(levels.shape, generator=generator) * 2 * torch.pi)
        else:
            first = self.spectrogram.spectra(self.content.samples)
        rounds = 0 if self.hearing.phase == "content" else _ROUNDS
        return sounds.griffin_lim(self.spectrogram, magnitudes, first, self.content.samples.shape[1], rounds)

    def _measures(self, outcome: Outcome, delivered: Scores, samples: Tensor) -> dict[str, float | None]:
        before, after = (scores.by_kind.get("style") for scores in (outcome.started, delivered))
        kept = None if self.is_texture else _correlation(self._onsets(self.content.samples), self._onsets(samples))
        fall = None if before is None or after is None else before / max(after, 1e-30)
        return {"fall": fall, "onsets": kept, "peak": float(samples.abs().max())}

    def _onsets(self, samples: Tensor) -> Tensor:
        return sounds.onsets(self._heard(samples))

    def _picture(self, samples: Tensor) -> Tensor:
        result = Sound(samples, self.content.rate, "result", "")
        heard = [*self.given, result]
        names = [
            f"{'style' if index or self.is_texture else 'content'}: {one.name}" for index, one in enumerate(self.given)
        ]
        shown = [resample_to(one, self.content.rate) for one in heard]
        return sheet([self.levels_of(one) for one in shown], [*names, "result"], self.spectrogram, self.content.rate)

    def _identity(self) -> dict[str, Any]:
        return {
            "task": "sound texture" if self.is_texture else "sound stylize",
            "sounds": [sound.sha256 for sound in self.given],
            "hearing": repr(self.hearing),
        }

    def _recipe(self, outcome: Outcome, delivered: Scores, measures: dict[str, float | None]) -> dict[str, Any]:
        inputs = [{"name": sound.name, "sha256": sound.sha256, "rate": sound.rate} for sound in self.given]
        made = {record.level: record.evaluation for record in outcome.history}
        return {
            "impasto": impasto.__version__,
            "torch": torch.__version__,
            "task": "sound texture" if self.is_texture else "sound stylize",
            "settings": self.settings.model_dump(mode="json", include=set(self.settings.model_fields_set)),
            "hearing": {
                "filters": self.hearing.filters,
                "width": self.hearing.width,
                "window": self.spectrogram.window,
                "phase": self.hearing.phase,
                "filter_seed": self.hearing.filter_seed,
            },
            "inputs": {"content": None if self.is_texture else inputs[0], "styles": inputs[-len(self.styles) :]},
            "rate": self.content.rate,
            "samples": self.content.samples.shape[1],
            "evaluations": sum(made.values()),
            "complete": outcome.complete,
            "losses": {"total": delivered.value, **delivered.by_kind},
            "measures": measures,
        }


def resample_to(sound: Sound, rate: int) -> Sound:
    """The sound at another rate.

    Raises:
        SoundError: if that would fill the memory.
    """
    check_rates(sound.name, sound.samples.shape[1], sound.rate, rate, SoundError)
    return replace(sound, samples=resample(sound.samples, sound.rate, rate), rate=rate)


def _fitted(style: Sound, content: Sound) -> Sound:
    """A style at the content's rate, mixed down or doubled to its channels."""
    at_rate = resample_to(style, content.rate)
    channels = content.samples.shape[0]
    samples = at_rate.samples
    if len(samples) != channels:
        samples = samples.mean(0, keepdim=True).expand(channels, -1)
    return replace(at_rate, samples=samples)


def _within(samples: Tensor) -> tuple[Tensor, tuple[str, ...]]:
    """Samples below full scale, and what was done for it."""
    peak = float(samples.abs().max())
    if peak <= _PEAK:
        return samples, ()
    decibels = -20 * torch.log10(torch.tensor(_PEAK / peak)).item()
    return samples * (_PEAK / peak), (f"The result was made {decibels:.1f} dB quieter, so that nothing is clipped.",)


def _left_out(content: Sound) -> tuple[str, ...]:
    """What the content's file says and the result's does not."""
    others = ", ".join(content.tags.others)
    return (f"Of {content.name}, these do not come through: {others}.",) if others else ()


def _reference(spectra: Tensor) -> float:
    return max(float(spectra.abs().max()), 1e-12)


def _correlation(one: Tensor, other: Tensor) -> float | None:
    """Pearson's, or None where one side does not vary."""
    if float(one.std()) == 0 or float(other.std()) == 0:
        return None
    return float(torch.corrcoef(torch.stack([one, other]))[0, 1])


def _levels(hearing: Hearing) -> int:
    return 2 if hearing.phase == "descent" else 1


def _sound(source: Any) -> Sound:
    return source if isinstance(source, Sound) else sounds.read(source)


def _several(styles: Any) -> tuple[Sound, ...]:
    several = styles if isinstance(styles, (list, tuple)) else [styles]
    if not several:
        raise SettingsError("There is no style; give at least one sound.")
    return tuple(_sound(style) for style in several)
