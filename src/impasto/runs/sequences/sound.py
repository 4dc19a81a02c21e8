"""Sounds in the style of others, and textures of sounds: Gram matrices of wide random filters over time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import torch
from torch import Tensor

from impasto import machine, sounds
from impasto.descent import Level, Record
from impasto.encoders import Encoder, bank, random_parameters
from impasto.engines import Evaluator
from impasto.errors import SettingsError, SoundError
from impasto.optimizers import Bounds
from impasto.runs.imaging import several
from impasto.runs.result import Result, Scores
from impasto.runs.run import scores_of
from impasto.runs.sequences.sequence import SequenceRun, check_rates, encoder_for, sequence_recipe, settings_of
from impasto.runs.sequences.sound_filters import SoundFilters, SpectrogramEvaluator
from impasto.runs.sequences.sound_picture import sheet
from impasto.sampling import resample
from impasto.settings import Settings
from impasto.sounds import Sound, Spectrogram, Tags
from impasto.tasks import Task
from impasto.tasks.sound import SOUND, SOUND_TEXTURE
from impasto.tasks.task import either

_EVALUATIONS = (100, 150)  # on the spectrogram, and on the samples
_ROUNDS = 32  # of Griffin and Lim
_LOUDEST = 4.0  # times the content's loudest sample that samples may reach before they are scaled back
_UNIT = 0.5  # of the content's loudest sample: what the optimizer takes as 1, and 0.02 of it as a first step
_PEAK = 0.98  # the loudest sample that is delivered as it is


@dataclass(frozen=True, eq=False)
class SoundTransfer(SequenceRun):
    """A run on sounds, prepared; made by :meth:`of` or :meth:`texture`.

    It descends over a spectrogram, and after that, where phases are to be found by descent, over the samples.

    Args:
        task: ``sound stylize`` or ``sound texture``.
        content: the sound that is stylized; of a texture, silence of its length.
        styles: the others, at the content's rate and with as many channels.
        settings: in force.
        sound_filters: how sounds are heard.
        given: the sounds as they were given: first the content, unless it is a texture.
        place: where it computes, instead of what the settings say.
    """

    spectrum = 0.0

    task: Task  # type: ignore[misc]  # one class for two tasks
    content: Sound
    styles: tuple[Sound, ...]
    settings: Settings
    sound_filters: SoundFilters
    given: tuple[Sound, ...]
    place: torch.device | None = None

    @classmethod
    @machine.undisturbed()
    def of(
        cls,
        content: Any,
        styles: Any,
        *,
        sound_filters: SoundFilters | None = None,
        place: torch.device | None = None,
        settings: Settings | None = None,
        **values: Any,
    ) -> Self:
        """A sound in the style of others (Ulyanov and Lebedev 2016).

        Args:
            content: a path or a :class:`impasto.sounds.Sound`.
            styles: another, or a list of them.
            sound_filters: how sounds are heard.
            place: where it computes, instead of what the settings say.
            settings: all settings at once; or give single ones as keywords: those of pictures that have a say here.
            values: single settings.

        Raises:
            ImpastoError: with a sentence on what is wrong with a sound or a setting.
        """
        first, others = _sound(content), [_sound(style) for style in several(styles, "sound to take a style from")]
        made = cls._made(SOUND, first, others, either(settings, values), sound_filters or SoundFilters())
        return made if place is None else replace(made, place=place)

    @classmethod
    @machine.undisturbed()
    def texture(
        cls,
        styles: Any,
        seconds: float | None = None,
        *,
        sound_filters: SoundFilters | None = None,
        place: torch.device | None = None,
        settings: Settings | None = None,
        **values: Any,
    ) -> Self:
        """A sound of any length that sounds like others: a texture, from noise.

        Arguments are those of :meth:`of`, and ``seconds``, its length; the (first) sound's unless given.

        Raises:
            ImpastoError: as :meth:`of`.
        """
        others = [_sound(style) for style in several(styles, "sound to take a style from")]
        how = sound_filters or SoundFilters()
        if how.phase == "content":
            raise SettingsError("A texture has no content whose phase it could carry; choose descent or griffin-lim.")
        if seconds is not None and not 0 < seconds <= 3600:
            raise SettingsError(f"A texture of {seconds:g} seconds was asked for; give more than 0 and at most 3600.")
        length = others[0].samples.shape[1] if seconds is None else max(1, round(seconds * others[0].rate))
        blank = replace(others[0], samples=torch.zeros(len(others[0].samples), length), name="the texture", tags=Tags())
        made = cls._made(SOUND_TEXTURE, blank, others, either(settings, values), how)
        return made if place is None else replace(made, place=place)

    @classmethod
    def _made(
        cls,
        task: Task,
        content: Sound,
        styles: Sequence[Sound],
        given: Mapping[str, Any] | Settings,
        sound_filters: SoundFilters,
    ) -> Self:
        chosen = settings_of(task, given, len(styles), 2 if sound_filters.phase == "descent" else 1, _EVALUATIONS)
        fitted = tuple(_fitted(style, content) for style in styles)
        window = sound_filters.spectrogram(content.rate).window
        for sound in (content, *fitted):
            if sound.samples.shape[1] <= window:
                raise SoundError(
                    f"{sound.name} lasts {sound.samples.shape[1]} samples at {content.rate} per second, but more than "
                    f"{window}, one window, are needed; give a longer sound."
                )
        own = (content, *styles) if "content" in task.roles else tuple(styles)
        return cls(task, content, fitted, chosen, sound_filters, own)

    @property
    def is_texture(self) -> bool:
        """Whether there is no content."""
        return "content" not in self.task.roles

    @property
    def like(self) -> Sound:
        """The content, whose depth and tags the file takes over; of a texture, silence like the first exemplar."""
        return self.content

    @cached_property
    def spectrogram(self) -> Spectrogram:
        """The transform."""
        return self.sound_filters.spectrogram(self.content.rate)

    def levels_of(self, sound: Sound) -> Tensor:
        """The spectrogram of one of the sounds, relative to its own loudest place: (channels, frequencies, times)."""
        spectra = self.spectrogram.spectra(sound.samples)
        return self.spectrogram.levels(spectra, _reference(spectra))

    @cached_property
    def sequence(self) -> Tensor:
        """The content's spectrogram, (channels, frequencies, times) in [0, 1]."""
        return self.heard(self.content.samples)

    @cached_property
    def exemplars(self) -> tuple[Tensor, ...]:
        """The styles' spectrograms."""
        return tuple(self.levels_of(style) for style in self.styles)

    @cached_property
    def encoder(self) -> Encoder:
        """The random filters."""
        stack = bank(self.spectrogram.frequencies, self.sound_filters.filters, self.sound_filters.width)
        return encoder_for(
            stack, random_parameters(stack, 1, self.sound_filters.filter_seed), self.settings, self.device
        )

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The spectrogram's times, and where phases are found by descent, the samples."""
        times = tuple(self.sequence.shape[2:])
        return (times, self._samples_shape) if self.sound_filters.phase == "descent" else (times,)

    @property
    def _samples_shape(self) -> tuple[int, ...]:
        return tuple(self.content.samples.shape[1:])

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The spectrogram and the samples: an evaluation takes as long on either."""
        found = super().levels
        return found if len(found) == 1 else tuple(replace(level, positions=1) for level in found)

    def engine_at(self, shape: tuple[int, ...]) -> Evaluator:
        """What evaluates a spectrogram, or samples by their spectrogram."""
        if shape == self._samples_shape:
            return SpectrogramEvaluator(self.last, self.spectrogram, self.reference, self.unit)
        return super().engine_at(shape)

    def lift(self, image: Tensor, shape: tuple[int, ...]) -> Tensor:
        """A spectrogram at the times of another, or samples with its magnitudes."""
        if shape != self._samples_shape:
            return super().lift(image, shape)
        return image if tuple(image.shape[2:]) == shape else self._lifted(image)

    def bounds_at(self, shape: tuple[int, ...]) -> Bounds:
        """Of samples, some times the loudest."""
        return Bounds(-_LOUDEST / _UNIT, _LOUDEST / _UNIT) if shape == self._samples_shape else super().bounds_at(shape)

    def finished(self, image: Tensor) -> Tensor:
        """Samples (channels, n) from where the descent ended, be it a spectrogram or samples already."""
        if tuple(image.shape[1:]) == (1, *self._samples_shape):
            return image[:, 0] * self.unit
        return self._phased(image)

    def delivered(self, finished: Tensor) -> tuple[Tensor, Sound]:
        """Samples below full scale."""
        samples, _ = _within(finished)
        return samples, Sound(samples, self.content.rate, "result", "")

    def scores(self, image: Tensor, finished: Tensor) -> dict[str, Scores]:
        """The losses of what the descent started from, of its end, and of the samples."""
        found = super().scores(image, finished)
        delivered = scores_of(self.last, self.heard(finished).to(self.device))
        return {"started": found["started"], "optimized": found["delivered"], "delivered": delivered}

    def measures(self, result: Result) -> dict[str, float | None]:
        """``fall``, ``onsets`` (the correlation of what begins when with the content) and ``peak``."""
        own, other = (self._onsets(samples) for samples in (self.content.samples, result.tensor))
        kept = None if self.is_texture else _correlation(own, other)
        return {"fall": self.fall(result.losses), "onsets": kept, "peak": float(result.tensor.abs().max())}

    def notes(self, finished: Tensor) -> Iterator[str]:
        """What was done against clipping, and what of the content's file does not come through."""
        yield from _within(finished)[1]
        yield from _left_out(self.content)

    def picture_of(self, result: Result) -> Tensor:
        """The spectrograms of all sounds involved."""
        names = [
            f"{'style' if index or self.is_texture else 'content'}: {one.name}" for index, one in enumerate(self.given)
        ]
        shown = [resample_to(one, self.content.rate) for one in (*self.given, result.made)]
        return sheet([self.levels_of(one) for one in shown], [*names, "result"], self.spectrogram, self.content.rate)

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

    def heard(self, samples: Tensor) -> Tensor:
        """The spectrogram of samples, relative to the reference."""
        return self.spectrogram.levels(self.spectrogram.spectra(samples), self.reference)

    def _lifted(self, levels: Tensor) -> Tensor:
        """Samples as the optimizer has them, (channels, 1, n)."""
        return (self._phased(levels.cpu()) / self.unit)[:, None].to(levels.device)

    def _phased(self, levels: Tensor) -> Tensor:
        magnitudes = self.spectrogram.magnitudes(levels, self.reference)
        if self.is_texture:
            generator = torch.Generator().manual_seed(self.settings.seed)
            first = torch.polar(torch.ones_like(levels), torch.rand(levels.shape, generator=generator) * 2 * torch.pi)
        else:
            first = self.spectrogram.spectra(self.content.samples)
        rounds = 0 if self.sound_filters.phase == "content" else _ROUNDS
        return sounds.griffin_lim(self.spectrogram, magnitudes, first, self.content.samples.shape[1], rounds)

    def _onsets(self, samples: Tensor) -> Tensor:
        return sounds.onsets(self.heard(samples))

    def own_identity(self) -> dict[str, Any]:
        """The sounds, and how they are heard."""
        return {
            "sounds": [sound.sha256 for sound in self.given],
            "hearing": self.words(),
        }

    def words(self) -> dict[str, Any]:
        """How sounds are heard."""
        return {
            "filters": self.sound_filters.filters,
            "width": self.sound_filters.width,
            "window": self.spectrogram.window,
            "phase": self.sound_filters.phase,
            "filter_seed": self.sound_filters.filter_seed,
        }

    def recipe(
        self,
        history: tuple[Record, ...],
        losses: Mapping[str, Scores],
        measures: Mapping[str, float | None],
        *,
        stopped: bool,
    ) -> dict[str, Any]:
        """How the sound was made, as plain data."""
        inputs = [{"name": sound.name, "sha256": sound.sha256, "rate": sound.rate} for sound in self.given]
        return sequence_recipe(
            self,
            history,
            losses,
            measures,
            {
                "hearing": self.words(),
                "inputs": {"content": None if self.is_texture else inputs[0], "styles": inputs[-len(self.styles) :]},
                "rate": self.content.rate,
                "samples": self.content.samples.shape[1],
            },
            stopped=stopped,
        )


def prepared(inputs: Mapping[str, Sequence[Any]], words: Mapping[str, Any], **values: Any) -> SoundTransfer:
    """A sound in the style of others from its inputs by role, its words and settings.

    Raises:
        ImpastoError: as :meth:`SoundTransfer.of`.
    """
    [content] = inputs["content"]
    return SoundTransfer.of(content, list(inputs["styles"]), sound_filters=SoundFilters(**words), **values)


def prepared_texture(inputs: Mapping[str, Sequence[Any]], words: Mapping[str, Any], **values: Any) -> SoundTransfer:
    """A texture of sound likewise.

    Raises:
        ImpastoError: as :meth:`SoundTransfer.texture`.
    """
    how = {name: value for name, value in words.items() if name != "seconds"}
    return SoundTransfer.texture(
        list(inputs["styles"]), words.get("seconds"), sound_filters=SoundFilters(**how), **values
    )


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


def _sound(source: Any) -> Sound:
    return source if isinstance(source, Sound) else sounds.read(source)
