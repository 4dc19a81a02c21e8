"""Physiological signals in the style of others, and textures of signals: statistics of random filters at several scales."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import torch
from torch import Tensor

from impasto import machine, signals
from impasto.descent import Record as Step
from impasto.encoders import Encoder, octave_parameters, octaves
from impasto.errors import SettingsError, SignalError
from impasto.images.plot import curves
from impasto.images.sheet import SheetTile, Strip, draw
from impasto.pyramid import level_shapes
from impasto.runs.imaging import several
from impasto.runs.result import Result, Scores
from impasto.runs.sequences.sequence import SequenceRun, check_rates, encoder_for, sequence_recipe, settings_of
from impasto.runs.sequences.signal_scales import SignalScales
from impasto.sampling import resample
from impasto.settings import Settings
from impasto.signals import CAUTION, Signal
from impasto.tasks import Task
from impasto.tasks.signal import SIGNAL, SIGNAL_TEXTURE
from impasto.tasks.task import either

_EVALUATIONS = (200, 150, 100)  # on the coarsest levels, and on all finer ones
_COARSEST = 128  # samples
_ROOM = 1.25  # times the largest value of the inputs that values may reach
_WIDTH, _HEIGHT = 1000, 90  # pixels of one curve
_CURVES = 4  # leads that are drawn of each record
_UNLIKE = 10.0  # times larger than another, a lead is not drawn on its scale


@dataclass(frozen=True, eq=False)
class SignalTransfer(SequenceRun):
    """A run on signals, prepared; made by :meth:`of` or :meth:`texture`.

    Args:
        task: ``signal stylize`` or ``signal texture``.
        content: the record that is stylized; of a texture, nothing of its length.
        styles: the others, at the content's rate.
        settings: in force.
        scales: how signals are seen.
        given: the records as they were given: first the content, unless it is a texture.
        place: where it computes, instead of what the settings say.
        reading: the rates that were given, instead of what the files say.
    """

    spectrum = 0.4
    """Signals vary slowly, as pictures do."""

    task: Task  # type: ignore[misc]  # one class for two tasks
    content: Signal
    styles: tuple[Signal, ...]
    settings: Settings
    scales: SignalScales
    given: tuple[Signal, ...]
    place: torch.device | None = None
    reading: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    @machine.undisturbed()
    def of(
        cls,
        content: Any,
        styles: Any,
        *,
        scales: SignalScales | None = None,
        place: torch.device | None = None,
        settings: Settings | None = None,
        **values: Any,
    ) -> Self:
        """A record in the style of others.

        Args:
            content: a path or a :class:`impasto.signals.Signal`.
            styles: another, or a list of them; each with the content's leads, or with one that serves for all.
            scales: how signals are seen.
            place: where it computes, instead of what the settings say.
            settings: all settings at once; or give single ones as keywords: those of pictures that have a say here.
            values: single settings.

        Raises:
            ImpastoError: with a sentence on what is wrong with a record or a setting.
        """
        first, others = _record(content), [_record(style) for style in several(styles, "record to take a style from")]
        made = cls._made(SIGNAL, first, others, either(settings, values), scales or SignalScales())
        return made if place is None else replace(made, place=place)

    @classmethod
    @machine.undisturbed()
    def texture(
        cls,
        styles: Any,
        samples: int | None = None,
        *,
        scales: SignalScales | None = None,
        place: torch.device | None = None,
        settings: Settings | None = None,
        **values: Any,
    ) -> Self:
        """A record of any length with the statistics of others, from noise.

        Arguments are those of :meth:`of`, and ``samples``, its length; the (first) record's unless given.

        Raises:
            ImpastoError: as :meth:`of`.
        """
        others = [_record(style) for style in several(styles, "record to take a style from")]
        length = others[0].values.shape[1] if samples is None else samples
        if not 1 <= length <= 10_000_000:
            raise SettingsError(f"A texture of {length} samples was asked for; give 1 to 10000000.")
        blank = replace(others[0], values=torch.zeros(len(others[0].values), length), name="the texture")
        given = either(settings, values)
        made = cls._made(SIGNAL_TEXTURE, blank, others, given, scales or SignalScales())
        return made if place is None else replace(made, place=place)

    @classmethod
    def _made(
        cls,
        task: Task,
        content: Signal,
        styles: Sequence[Signal],
        chosen: Mapping[str, Any] | Settings,
        scales: SignalScales,
    ) -> Self:
        fitted = tuple(_fitted(style, content) for style in styles)
        given = (content, *styles) if "content" in task.roles else tuple(styles)
        run = cls(task, content, fitted, Settings(), scales, given)
        settings = settings_of(task, chosen, len(styles), len(run.shapes), _EVALUATIONS)
        for record in given:
            if not _varies(record).any():
                raise SignalError(f"{record.name} is flat: no lead of it varies; give a record that does.")
        return replace(run, settings=settings)

    @property
    def is_texture(self) -> bool:
        """Whether there is no content."""
        return "content" not in self.task.roles

    @property
    def like(self) -> Signal:
        """The content, in whose units the result is; of a texture, nothing like the first exemplar."""
        return self.content

    @cached_property
    def count(self) -> int:
        """How many scales there are."""
        return self.scales.count(min(record.values.shape[1] for record in (self.content, *self.styles)))

    @cached_property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The lengths from coarse to fine, each twice as long, at the coarsest of which every scale has a position."""
        length = self.content.values.shape[1]
        shortest = min(record.values.shape[1] for record in (self.content, *self.styles))
        coarsest = max(_COARSEST, math.ceil(2 ** (self.count - 1) * length / shortest) + 1)
        return level_shapes((length,), coarsest, 2.0)

    @cached_property
    def sequence(self) -> Tensor:
        """The content, standardized, (1, leads, n) in [0, 1]."""
        return self._unit(_standard(self.content))

    @cached_property
    def exemplars(self) -> tuple[Tensor, ...]:
        """The styles likewise."""
        return tuple(self._unit(_standard(style)) for style in self.styles)

    @cached_property
    def encoder(self) -> Encoder:
        """The random filters at all scales."""
        leads = len(self.content.values)
        stack = octaves(leads, self.count, self.scales.filters, self.scales.width)
        ends = torch.full((leads,), self._reach)
        return encoder_for(
            stack, octave_parameters(stack, self.scales.filter_seed, 2 * ends, -ends), self.settings, self.device
        )

    @cached_property
    def _reach(self) -> float:
        """The largest standardized value that there is room for."""
        return _ROOM * max(float(_standard(record).abs().max()) for record in (self.content, *self.styles))

    def _unit(self, standard: Tensor) -> Tensor:
        """Standardized values (leads, n) as the optimizer has them, (1, leads, n) in [0, 1]."""
        return (standard / (2 * self._reach) + 0.5)[None]

    def finished(self, image: Tensor) -> Tensor:
        """Values (leads, n) in the content's unit, of a texture in the exemplar's."""
        mean, spread = _moments(self.styles[0] if self.is_texture else self.content)
        return (image[0] - 0.5) * (2 * self._reach) * spread + mean

    def delivered(self, finished: Tensor) -> tuple[Tensor, Signal]:
        """A record of them."""
        return finished, replace(self.content, values=finished, name="result", sha256="")

    def measures(self, result: Result) -> dict[str, float | None]:
        """``fall``, and ``correlation`` with the content, the mean over leads."""
        kept = None if self.is_texture else _correlation(self.content, result.made)
        return {"fall": self.fall(result.losses), "correlation": kept}

    def notes(self, finished: Tensor) -> Iterator[str]:  # noqa: ARG002
        """How the files were understood."""
        yield from dict.fromkeys(note for record in self.given for note in record.notes)

    def picture_of(self, result: Result) -> Tensor:
        """The curves of all records involved."""
        names = [
            f"{'style' if index or self.is_texture else 'content'}: {one.name}" for index, one in enumerate(self.given)
        ]
        every = [*(_at_rate(one, self.content.rate) for one in self.given), result.made]
        longest = max(one.values.shape[1] for one in every)
        strips = [
            Strip((SheetTile(_drawn(one, longest), (_caption(name, one),)),))
            for one, name in zip(every, (*names, "result, not for diagnosis"), strict=True)
        ]
        return draw(strips)

    def own_identity(self) -> dict[str, Any]:
        """The records, and how they are seen."""
        return {
            "records": [record.sha256 for record in self.given],
            "scales": self.words(),
        }

    def words(self) -> dict[str, Any]:
        """How signals are seen."""
        return {
            "scales": self.count,
            "filters": self.scales.filters,
            "width": self.scales.width,
            "filter_seed": self.scales.filter_seed,
        }

    def recipe(
        self,
        history: tuple[Step, ...],
        losses: Mapping[str, Scores],
        measures: Mapping[str, float | None],
        *,
        stopped: bool,
    ) -> dict[str, Any]:
        """How the record was made, as plain data."""
        inputs = [{"name": record.name, "sha256": record.sha256, "rate": record.rate} for record in self.given]
        return sequence_recipe(
            self,
            history,
            losses,
            measures,
            {
                "caution": CAUTION,
                "scales": self.words(),
                "inputs": {"content": None if self.is_texture else inputs[0], "styles": inputs[-len(self.styles) :]},
                "leads": list(self.content.leads),
                "units": list(self.content.units),
                "rate": self.content.rate,
                "samples": self.content.values.shape[1],
                **({"reading": dict(self.reading)} if self.reading else {}),
            },
            stopped=stopped,
        )


_READING = ("leads", "rate", "style_rate", "samples")


def prepared(inputs: Mapping[str, Sequence[Any]], words: Mapping[str, Any], **values: Any) -> SignalTransfer:
    """A record in the style of others from its inputs by role, its words and settings.

    Raises:
        ImpastoError: as :meth:`SignalTransfer.of`.
    """
    [content], leads = inputs["content"], words.get("leads")
    styles = [_chosen(style, words.get("style_rate"), leads) for style in inputs["styles"]]
    run = SignalTransfer.of(_chosen(content, words.get("rate"), leads), styles, scales=_scales(words), **values)
    return replace(run, reading=_reading(words))


def prepared_texture(inputs: Mapping[str, Sequence[Any]], words: Mapping[str, Any], **values: Any) -> SignalTransfer:
    """A texture of a signal likewise.

    Raises:
        ImpastoError: as :meth:`SignalTransfer.texture`.
    """
    styles = [_chosen(style, words.get("rate"), words.get("leads")) for style in inputs["styles"]]
    run = SignalTransfer.texture(styles, words.get("samples"), scales=_scales(words), **values)
    return replace(run, reading=_reading(words))


def _reading(words: Mapping[str, Any]) -> dict[str, float]:
    return {name: words[name] for name in ("rate", "style_rate") if name in words}


def _scales(words: Mapping[str, Any]) -> SignalScales:
    return SignalScales(**{name: value for name, value in words.items() if name not in _READING})


def _chosen(source: Any, rate: float | None, leads: Sequence[str] | None) -> Signal:
    """A record with the leads that are asked for."""
    record = source if isinstance(source, Signal) else signals.read(source, rate)
    return record if leads is None else record.chosen(leads)


def _moments(record: Signal) -> tuple[Tensor, Tensor]:
    """The mean and the standard deviation of every lead, (leads, 1) each; leads may differ in size as units do."""
    values = record.values.double()
    mean = values.mean(1, keepdim=True)
    spread = torch.where(_varies(record)[:, None], (values - mean).square().mean(1, keepdim=True).sqrt(), 0.0)
    return mean.float(), spread.float()


def _varies(record: Signal) -> Tensor:
    """Which leads hold more than one value; rounding gives deviations to those that do not."""
    return record.values.amax(1) > record.values.amin(1)


def _standard(record: Signal) -> Tensor:
    """Leads without their means, in their deviations; a lead that does not vary is 0."""
    mean, spread = _moments(record)
    return torch.where(spread > 0, (record.values - mean) / spread.clamp(min=1e-30), 0.0)


def _at_rate(record: Signal, rate: float | None) -> Signal:
    if record.rate is None or rate is None:
        return record
    check_rates(record.name, record.values.shape[1], record.rate, rate, SignalError)
    return replace(record, values=resample(record.values, record.rate, rate), rate=rate)


def _fitted(style: Signal, content: Signal) -> Signal:
    """A style at the content's rate, with its leads."""
    leads = len(content.values)
    if (style.rate is None) != (content.rate is None):
        known, unknown = (style, content) if content.rate is None else (content, style)
        raise SignalError(
            f"{known.name} has {known.rate:g} samples per second, but {unknown.name} does not say how many; give its rate."
        )
    fitted = _at_rate(style, content.rate)
    if len(style.values) == leads:
        return fitted
    if len(style.values) == 1:
        return replace(fitted, values=fitted.values.expand(leads, -1))
    raise SignalError(
        f"{style.name} has {len(style.values)} leads and {content.name} {leads}; choose as many, or one, with leads."
    )


def _correlation(one: Signal, other: Signal) -> float | None:
    """Pearson's, the mean over the leads that vary in both."""
    pairs = zip(one.values, other.values, strict=True)
    found = [float(torch.corrcoef(torch.stack([a, b]))[0, 1]) for a, b in pairs if float(a.std()) and float(b.std())]
    return sum(found) / len(found) if found else None


def _drawn(record: Signal, longest: int) -> Tensor:
    _, spread = _moments(record)
    varying = spread[spread > 0]
    alike = not len(varying) or float(varying.max()) <= _UNLIKE * float(varying.min())
    values = (record.values if alike else _standard(record))[:_CURVES]
    width = max(1, round(_WIDTH * values.shape[1] / longest))
    step = record.rate or 0.0
    marks = [second * step for second in range(1, math.ceil(values.shape[1] / step))] if step else []
    return curves(values, width, _HEIGHT, marks=marks if len(marks) <= 100 else ())


def _caption(name: str, record: Signal) -> str:
    count = record.values.shape[1]
    length = f"{count} samples" if record.rate is None else f"{count / record.rate:.2f} s"
    leads = ", ".join(record.leads[:_CURVES]) + (" and others" if len(record.leads) > _CURVES else "")
    return f"{name}: {leads}, {length}"


def _record(source: Any) -> Signal:
    return source if isinstance(source, Signal) else signals.read(source)
