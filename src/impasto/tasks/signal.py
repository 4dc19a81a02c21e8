"""Physiological signals in the style of others, and textures of signals: statistics of random filters at several scales."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

import impasto
from impasto import images, machine, signals
from impasto.encoders import octave_parameters, octaves
from impasto.errors import SettingsError, SignalError
from impasto.images.plot import curves
from impasto.images.sheet import Strip, Tile, draw
from impasto.pyramid import level_shapes
from impasto.runs.events import Listener
from impasto.runs.result import Scores
from impasto.sampling import resample
from impasto.settings import Settings
from impasto.signals import CAUTION, Record
from impasto.tasks.sequence import Outcome, Sequences, check_levels, check_rates, encoder_for, settings_for
from impasto.tasks.signal_scales import Scales

_EVALUATIONS = (200, 150, 100)  # on the coarsest levels, and on all finer ones
_COARSEST = 128  # samples
_ROOM = 1.25  # times the largest value of the inputs that values may reach
_SPECTRUM = 0.4  # of the optimizer: signals vary slowly, as pictures do
_WIDTH, _HEIGHT = 1000, 90  # pixels of one curve
_CURVES = 4  # leads that are drawn of each record
_UNLIKE = 10.0  # times larger than another, a lead is not drawn on its scale


@dataclass(frozen=True, eq=False)
class SignalResult:
    """A finished record.

    Args:
        record: in the content's unit, of a texture in the exemplar's.
        recipe: plain data that says how it was made, as written into files.
        losses: ``started`` and ``delivered``.
        measures: ``fall`` (how many times lower the style loss is than at the start) and ``correlation`` (with the
            content, the mean over leads; None of a texture).
        picture: the curves of all records involved, (1, 3, H, W) in [0, 1].
        timings: seconds for ``setup``, ``descent`` and ``final``.
        complete: False if the run was stopped before its last evaluation.
        notes: sentences about what the user may want to know.
    """

    record: Record
    recipe: dict[str, Any]
    losses: dict[str, Scores]
    measures: dict[str, float | None]
    picture: Tensor
    timings: dict[str, float]
    complete: bool
    notes: tuple[str, ...]

    def save(self, path: str | Path, *, metadata: bool = True) -> None:
        """Write the record; the format follows the name.

        Raises:
            SignalError: if it cannot be written; an existing file stays as it was.
        """
        signals.write(path, self.record, recipe=self.recipe if metadata else None)

    def save_picture(self, path: str | Path, *, metadata: bool = True) -> None:
        """Write the curves, with the recipe unless told otherwise.

        Raises:
            ImageError: if they cannot be written.
        """
        images.write(path, self.picture, recipe=self.recipe, metadata=metadata)

    @property
    def values(self) -> Tensor:
        """What was made, (leads, n)."""
        return self.record.values


@dataclass(frozen=True, eq=False)
class SignalTransfer:
    """A run on signals, prepared; made by :meth:`of` or :meth:`texture`.

    Args:
        content: the record that is stylized; of a texture, nothing of its length.
        styles: the others, at the content's rate.
        settings: in force.
        scales: how signals are seen.
        given: the records as they were given: first the content, unless it is a texture.
    """

    content: Record
    styles: tuple[Record, ...]
    settings: Settings
    scales: Scales
    given: tuple[Record, ...]

    @classmethod
    @machine.undisturbed()
    def of(
        cls, content: Any, styles: Any, *, scales: Scales | None = None, settings: Settings | None = None, **values: Any
    ) -> Self:
        """A record in the style of others.

        Args:
            content: a path or a :class:`impasto.signals.Record`.
            styles: another, or a list of them; each with the content's leads, or with one that serves for all.
            scales: how signals are seen.
            settings: all settings at once; or give single ones as keywords: those of pictures that have a say here.
            values: single settings.

        Raises:
            ImpastoError: with a sentence on what is wrong with a record or a setting.
        """
        first, others = _record(content), _several(styles)
        chosen = _chosen("a stylized signal", settings, values, len(others), texture=False)
        return cls._made(first, others, chosen, scales or Scales(), (first, *others))

    @classmethod
    @machine.undisturbed()
    def texture(
        cls,
        styles: Any,
        samples: int | None = None,
        *,
        scales: Scales | None = None,
        settings: Settings | None = None,
        **values: Any,
    ) -> Self:
        """A record of any length with the statistics of others, from noise.

        Args:
            styles: as for :meth:`of`.
            samples: its length; the (first) record's unless given.
            scales: as for :meth:`of`.
            settings: likewise.
            values: likewise.

        Raises:
            ImpastoError: as :meth:`of`.
        """
        others = _several(styles)
        length = others[0].values.shape[1] if samples is None else samples
        if not 1 <= length <= 10_000_000:
            raise SettingsError(f"A texture of {length} samples was asked for; give 1 to 10000000.")
        chosen = _chosen("a texture of a signal", settings, values, len(others), texture=True)
        blank = replace(others[0], values=torch.zeros(len(others[0].values), length), name="the texture")
        return cls._made(blank, others, chosen, scales or Scales(), others)

    @classmethod
    def _made(
        cls, content: Record, styles: Sequence[Record], settings: Settings, scales: Scales, given: tuple[Record, ...]
    ) -> Self:
        fitted = tuple(_fitted(style, content) for style in styles)
        run = cls(content, fitted, settings, scales, given)
        if settings.evaluations is None:
            run = replace(run, settings=settings.model_copy(update={"evaluations": _EVALUATIONS[: len(run.shapes)]}))
        check_levels("this signal", run.settings, len(run.shapes))
        for record in given:
            if not _varies(record).any():
                raise SignalError(f"{record.name} is flat: no lead of it varies; give a record that does.")
        return run

    @property
    def is_texture(self) -> bool:
        """Whether there is no content."""
        return len(self.given) == len(self.styles)

    def check_writable(self, path: str | Path) -> None:
        """Raise now what saving the result there would raise.

        Raises:
            SignalError: if it cannot be written.
        """
        signals.check_writable(path, self.content)

    @cached_property
    def device(self) -> torch.device:
        """Where the run computes."""
        return machine.device(self.settings.device)

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

    @machine.undisturbed()
    def run(self, on_event: Listener | None = None, checkpoint: str | Path | None = None) -> SignalResult:
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
        record = self._delivered(outcome.values)
        measures = self._measures(outcome, record)
        picture = self._picture(record)
        timings = {"setup": ready - began, "descent": outcome.seconds, "final": time.perf_counter() - done}
        return SignalResult(
            record,
            self._recipe(outcome, measures),
            {"started": outcome.started, "delivered": outcome.ended},
            measures,
            picture,
            timings,
            outcome.complete,
            (*dict.fromkeys(note for record in self.given for note in record.notes), *outcome.notes),
        )

    def _sequences(self) -> Sequences:
        leads = len(self.content.values)
        stack = octaves(leads, self.count, self.scales.filters, self.scales.width)
        ends = torch.full((leads,), self._reach)
        parameters = octave_parameters(stack, self.scales.filter_seed, 2 * ends, -ends)
        styles = tuple(self._unit(_standard(style)) for style in self.styles)
        content = self._unit(_standard(self.content))
        identity = {
            "task": self._task,
            "records": [record.sha256 for record in self.given],
            "scales": repr(self.scales),
        }
        encoder = encoder_for(stack, parameters, self.settings)
        return Sequences(content, styles, self.settings, encoder, identity, self.shapes, spectrum=_SPECTRUM)

    @property
    def _task(self) -> str:
        return "signal texture" if self.is_texture else "signal stylize"

    @cached_property
    def _reach(self) -> float:
        """The largest standardized value that there is room for."""
        return _ROOM * max(float(_standard(record).abs().max()) for record in (self.content, *self.styles))

    def _unit(self, standard: Tensor) -> Tensor:
        """Standardized values (leads, n) as the optimizer has them, (1, leads, n) in [0, 1]."""
        return (standard / (2 * self._reach) + 0.5)[None]

    def _delivered(self, values: Tensor) -> Record:
        """The record in its own unit."""
        like = self.styles[0] if self.is_texture else self.content
        mean, spread = _moments(like)
        found = (values[0] - 0.5) * (2 * self._reach) * spread + mean
        return replace(self.content, values=found, name="result", sha256="")

    def _measures(self, outcome: Outcome, record: Record) -> dict[str, float | None]:
        before, after = (scores.by_kind.get("style") for scores in (outcome.started, outcome.ended))
        fall = None if before is None or after is None else before / max(after, 1e-30)
        return {"fall": fall, "correlation": None if self.is_texture else _correlation(self.content, record)}

    def _picture(self, result: Record) -> Tensor:
        names = [
            f"{'style' if index or self.is_texture else 'content'}: {one.name}" for index, one in enumerate(self.given)
        ]
        shown = [_at_rate(one, self.content.rate) for one in self.given]
        longest = max(one.values.shape[1] for one in (*shown, result))
        strips = []
        for one, name in zip((*shown, result), (*names, "result, not for diagnosis"), strict=True):
            strips.append(Strip((Tile(_drawn(one, longest), (_caption(name, one),)),)))
        return draw(strips)

    def _recipe(self, outcome: Outcome, measures: dict[str, float | None]) -> dict[str, Any]:
        inputs = [{"name": record.name, "sha256": record.sha256, "rate": record.rate} for record in self.given]
        return {
            "impasto": impasto.__version__,
            "torch": torch.__version__,
            "task": self._task,
            "caution": CAUTION,
            "settings": self.settings.model_dump(mode="json", include=set(self.settings.model_fields_set)),
            "scales": {
                "scales": self.count,
                "filters": self.scales.filters,
                "width": self.scales.width,
                "filter_seed": self.scales.filter_seed,
            },
            "inputs": {"content": None if self.is_texture else inputs[0], "styles": inputs[-len(self.styles) :]},
            "leads": list(self.content.leads),
            "units": list(self.content.units),
            "rate": self.content.rate,
            "samples": self.content.values.shape[1],
            "evaluations": sum({record.level: record.evaluation for record in outcome.history}.values()),
            "complete": outcome.complete,
            "losses": {"total": outcome.ended.value, **outcome.ended.by_kind},
            "measures": measures,
        }


def _chosen(what: str, settings: Settings | None, values: dict[str, Any], styles: int, *, texture: bool) -> Settings:
    return settings_for(what, settings, values, styles=styles, texture=texture)


def _moments(record: Record) -> tuple[Tensor, Tensor]:
    """The mean and the standard deviation of every lead, (leads, 1) each; leads may differ in size as units do."""
    values = record.values.double()
    mean = values.mean(1, keepdim=True)
    spread = torch.where(_varies(record)[:, None], (values - mean).square().mean(1, keepdim=True).sqrt(), 0.0)
    return mean.float(), spread.float()


def _varies(record: Record) -> Tensor:
    """Which leads hold more than one value; rounding gives deviations to those that do not."""
    return record.values.amax(1) > record.values.amin(1)


def _standard(record: Record) -> Tensor:
    """Leads without their means, in their deviations; a lead that does not vary is 0."""
    mean, spread = _moments(record)
    return torch.where(spread > 0, (record.values - mean) / spread.clamp(min=1e-30), 0.0)


def _at_rate(record: Record, rate: float | None) -> Record:
    if record.rate is None or rate is None:
        return record
    check_rates(record.name, record.values.shape[1], record.rate, rate, SignalError)
    return replace(record, values=resample(record.values, record.rate, rate), rate=rate)


def _fitted(style: Record, content: Record) -> Record:
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


def _correlation(one: Record, other: Record) -> float | None:
    """Pearson's, the mean over the leads that vary in both."""
    pairs = zip(one.values, other.values, strict=True)
    found = [float(torch.corrcoef(torch.stack([a, b]))[0, 1]) for a, b in pairs if float(a.std()) and float(b.std())]
    return sum(found) / len(found) if found else None


def _drawn(record: Record, longest: int) -> Tensor:
    _, spread = _moments(record)
    varying = spread[spread > 0]
    alike = not len(varying) or float(varying.max()) <= _UNLIKE * float(varying.min())
    values = (record.values if alike else _standard(record))[:_CURVES]
    width = max(1, round(_WIDTH * values.shape[1] / longest))
    step = record.rate or 0.0
    marks = [second * step for second in range(1, math.ceil(values.shape[1] / step))] if step else []
    return curves(values, width, _HEIGHT, marks=marks if len(marks) <= 100 else ())


def _caption(name: str, record: Record) -> str:
    count = record.values.shape[1]
    length = f"{count} samples" if record.rate is None else f"{count / record.rate:.2f} s"
    leads = ", ".join(record.leads[:_CURVES]) + (" and others" if len(record.leads) > _CURVES else "")
    return f"{name}: {leads}, {length}"


def _record(source: Any) -> Record:
    return source if isinstance(source, Record) else signals.read(source)


def _several(styles: Any) -> tuple[Record, ...]:
    several = styles if isinstance(styles, (list, tuple)) else [styles]
    if not several:
        raise SettingsError("There is no style; give at least one record.")
    return tuple(_record(style) for style in several)
