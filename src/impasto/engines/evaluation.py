"""The value and gradient of an objective, over one tile or many, in one process or several.

Summaries are added over tiles, compared once, and pulled back tile by tile. With one tile, the activations of the
first pass are kept and nothing is computed twice.

An evaluation has two halves. :meth:`Engine.compute` works on the device and leaves its results there;
:meth:`Engine.conclude` waits for them and makes numbers of them.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from impasto import machine, tiling
from impasto.encoders import Conv, Encoder
from impasto.engines.cores import Cut
from impasto.engines.group import ALONE, Group, Share
from impasto.errors import SettingsError
from impasto.objective import Objective, Term
from impasto.storage import MEMORY, Storage
from impasto.tiling import Tile, Window, whole

Tell = Callable[[float], object]
"""Told, after every pass over a tile, which share of the evaluation's work it was."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What one evaluation found.

    Args:
        value: the objective.
        losses: each term's plain loss, without its weight, by term name.
        weighted: each term's part of the value, by term name.
        gradient: the derivative of the objective with respect to the image, or None if it was not asked for.
    """

    value: float
    losses: dict[str, float]
    weighted: dict[str, float]
    gradient: Tensor | None

    @property
    def by_kind(self) -> dict[str, float]:
        """The weighted losses, added up by kind: ``content``, ``style``, ``smoothness``."""
        total: dict[str, float] = {}
        for name, part in self.weighted.items():
            kind = name.partition("/")[0]
            total[kind] = total.get(kind, 0.0) + part
        return total


@dataclass(frozen=True, eq=False)
class Computed:
    """What an evaluation leaves on the device.

    Args:
        losses: each term's plain loss, without its weight, in the order of the terms: (terms,).
        gradient: the derivative of the objective with respect to the image, or None if it was not asked for.
    """

    losses: Tensor
    gradient: Tensor | None


@dataclass(frozen=True, eq=False)
class Engine:
    """Evaluates one objective with one encoder.

    Args:
        encoder: the network.
        objective: what is evaluated.
        tiles: how the image is cut; None takes it whole.
        keep: of how many tiles the activations of the first pass are kept for the second, at least 1.
        group: the processes that share the tiles.
        storage: where the gradient is put.
        tell: told how the work goes on.

    Each term is localized (:meth:`impasto.losses.Loss.at`) once per tile, and what a loss finds out about its own target
    is found once per tile, however many evaluations there are. In memory that is what a budget counts anyway: views of the
    photo and of its features, or copies of these on another device, and photorealism's matrices. The lengths that a
    cosine content loss takes are not counted: one number per position of its layer, beside all of the features there.
    """

    encoder: Encoder
    objective: Objective
    tiles: tuple[Tile, ...] | None = None
    keep: int = 1
    group: Group = ALONE
    storage: Storage = MEMORY
    tell: Tell | None = None
    _parts: "dict[tuple[Tile, tuple[int, ...]], _TilePart]" = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse tiles that would give something else than the whole image.

        Raises:
            SettingsError: for several tiles whose halo is too small, that are out of step with the layers' strides or do
                not cover the image once, or that a network without a border of its own or a loss would not add up from.
        """
        if not self.tiles or len(self.tiles) == 1:
            return
        for term in self.objective.terms:
            if not term.loss.splits:
                raise SettingsError(f"The loss {term.name} has to see all of an image at once; take it whole.")
        stack = self.encoder.stack
        if any(isinstance(layer, Conv) and layer.border != "same" for layer in stack):
            raise SettingsError(f"{stack.name} shrinks what it sees, so it cannot be cut into tiles; take it whole.")
        shape = tuple(max(ends) for ends in zip(*(tile.core.stop for tile in self.tiles), strict=True))
        if self.encoder.padding == "equirectangular" and any(tile.core.shape[-1] < shape[-1] for tile in self.tiles):
            raise SettingsError("A panorama goes on half its width away beyond a pole; cut it between rows only.")
        tiling.check(self.tiles, shape, self.objective.halo(stack), self.objective.stride(stack), wraps=self._wraps)

    def evaluate(self, image: Tensor) -> Evaluation:
        """The objective's value, its terms, and its gradient at ``image`` (B, C, *spatial): of pictures, RGB in [0, 1]."""
        return self.conclude(self.compute(image))

    def measure(self, image: Tensor) -> Evaluation:
        """The value and the terms alone, in a fraction of the time and memory; the gradient is None."""
        return self.conclude(self.compute(image, gradient=False))

    def compute(self, image: Tensor, *, gradient: bool = True) -> Computed:
        """The losses and, if asked for, the gradient at ``image``, on the device.

        The host waits for the device only where the objective has a limit, whose slope depends on the losses' values.
        """
        shape = tuple(image.shape[2:])
        cut = self._cut(shape)
        with torch.no_grad():
            share = self.group.deal(cut, image, gradient=gradient)
            computed = self._work(share, shape, gradient=gradient)
            assert computed is not None, "the first process has tiles"
            if computed.gradient is None:
                return computed
            return Computed(computed.losses, self.group.collect(computed.gradient, cut, image, self.storage))

    def conclude(self, computed: Computed) -> Evaluation:
        """The numbers of what was computed, for which the host waits."""
        losses: list[float] = computed.losses.tolist()
        weighted = self.objective.weighted(losses)
        names = [term.name for term in self.objective.terms]
        plain, parts = (dict(zip(names, numbers, strict=True)) for numbers in (losses, weighted))
        return Evaluation(sum(weighted), plain, parts, computed.gradient)

    def assist(self, shape: tuple[int, ...], *, gradient: bool) -> None:
        """What every other process of the group does while its first one evaluates or measures."""
        with torch.no_grad():
            share = self.group.receive(self._cut(shape), shape)
            computed = self._work(share, shape, gradient=gradient)
            self.group.give(None if computed is None else computed.gradient)

    @property
    def _wraps(self) -> bool:
        return self.encoder.padding == "circular"

    def _cut(self, shape: tuple[int, ...]) -> tuple[Tile, ...]:
        if not self.tiles or len(self.tiles) == 1:
            return whole(shape)
        if self.tiles[-1].core.stop != shape:
            raise SettingsError(f"The tiles are those of an image of {self.tiles[-1].core.stop}, but it has {shape}.")
        return self.tiles

    def _part(self, tile: Tile, shape: tuple[int, ...]) -> "_TilePart":
        """A tile's part, made once."""
        if (tile, shape) not in self._parts:
            cut = Cut(self.encoder.stack, tile, shape)
            self._parts[tile, shape] = _TilePart(self.encoder, self.objective, cut)
        return self._parts[tile, shape]

    def _work(self, share: Share, shape: tuple[int, ...], *, gradient: bool) -> Computed | None:
        """The losses of all processes, with the gradient of this one's region; None for a process without tiles."""
        parts = [self._part(tile, shape) for tile in _large_first(share.tiles)]
        after = max(0, len(parts) - max(1, self.keep)) if gradient else len(parts)
        sums: list[Tensor] = []
        kept: list[_Kept] = []
        for part, following in _each_with_next(parts[:after]):
            sums = _added(sums, part.stream(share))
            self._done(part, share, int(gradient), following)
        for part, following in _each_with_next(parts[after:]):
            kept.append(part.forward(share))
            sums = _added(sums, part.summarize(kept[-1]))
            self._done(part, share, 1, following)
        total = self.group.add(sums)
        if not parts:
            return None
        losses = self._losses(total, shape)
        if not gradient:
            return Computed(losses, None)
        return Computed(losses, self._pulled_back([*parts[after:], *parts[:after]], kept, total, losses, share))

    def _pulled_back(
        self,
        parts: "Sequence[_TilePart]",
        kept: "list[_Kept]",
        summaries: Sequence[Tensor],
        losses: Tensor,
        share: Share,
    ) -> Tensor:
        """The gradient of a share's region. Of the first parts the activations are ``kept``, which is emptied."""
        slopes = self._slopes(losses)
        if len(parts) == 1 and parts[0].cut.tile.box == _extent(share):
            found = parts[0].backward(kept.pop(), summaries, slopes)
            self._done(parts[0], share, 2, None)
            return found.to(share.image.device)
        out = self.storage.zeros_like(share.image)
        for part, following in _each_with_next(parts):
            found = part.backward(kept.pop(0) if kept else part.forward(share), summaries, slopes).to(out.device)
            part.add(out, found, share.origin)
            self._done(part, share, 2, following)
        return out

    def _done(self, part: "_TilePart", share: Share, work: int, following: "_TilePart | None") -> None:
        """After a pass over a tile: its memory is left to a tile that does the same next, if that is not larger."""
        positions = part.cut.tile.box.positions
        if len(share.tiles) > 1:
            self.storage.release()
            if following is None or following.cut.tile.box.positions > positions:
                machine.release_freed_memory()  # what else comes next would not fit into the holes
        if self.tell and work:
            self.tell(work * positions / (3 * sum(tile.box.positions for tile in share.tiles)))

    def _losses(self, summaries: Sequence[Tensor], shape: tuple[int, ...]) -> Tensor:
        """Each term's loss, (terms,)."""
        values = [
            term.loss.compare(summary, _positions(self.encoder, term.layer, shape))
            for term, summary in zip(self.objective.terms, summaries, strict=True)
        ]
        return torch.stack(values)

    def _slopes(self, losses: Tensor) -> list[float]:
        """What each term's gradient is multiplied by."""
        if self.objective.limit is None:
            return [term.weight for term in self.objective.terms]
        return self.objective.slopes(losses.tolist())


@dataclass(frozen=True, eq=False)
class _Kept:
    """What one evaluation keeps of a tile between the way forward and the way back, which empties it.

    Args:
        activations: by layer.
        cores: by the number of the term, the features that were summarized.
    """

    activations: dict[str, Tensor]
    cores: dict[int, Tensor]


class _TilePart:
    """One tile's part in all evaluations of an engine: what is cut out for it, and the losses as it sees them."""

    def __init__(self, encoder: Encoder, objective: Objective, cut: Cut) -> None:
        self.encoder = encoder
        self.terms = objective.terms
        self.layers = objective.layers
        self.cut = cut
        self.losses = [term.loss.at(cut.window(term.layer)) for term in self.terms]

    def stream(self, share: Share) -> list[Tensor]:
        """The summaries, with one activation alive at a time."""
        found: dict[int, Tensor] = {}
        for layer, features in self.encoder.features(self._box(share), self.layers, self.cut.seams):
            for number, term in enumerate(self.terms):
                if term.layer == layer:
                    found[number] = self.losses[number].summarize(self._core(features, term))
        return [found[number] for number in range(len(self.terms))]

    def forward(self, share: Share) -> _Kept:
        """The activations that the way back needs."""
        return _Kept(self.encoder.forward(self._box(share), self.layers, self.cut.seams), {})

    def summarize(self, kept: _Kept) -> list[Tensor]:
        """The summaries, from the activations; the features that they are of are kept beside these."""
        found: list[Tensor] = []
        for number, (term, loss) in enumerate(zip(self.terms, self.losses, strict=True)):
            kept.cores[number] = self._core(kept.activations[term.layer], term)
            found.append(loss.summarize(kept.cores[number]))
        return found

    def backward(self, kept: _Kept, summaries: Sequence[Tensor], slopes: Sequence[float]) -> Tensor:
        """The gradient of this tile's box, from the summaries of all tiles and what each term's gradient is multiplied by."""
        features = {layer: kept.activations[layer] for layer in self.layers}

        def inject(layer: str, out: Tensor) -> None:
            of_layer = features.pop(layer)
            for number, (term, summary, slope) in enumerate(zip(self.terms, summaries, slopes, strict=True)):
                core = kept.cores.pop(number, None) if term.layer == layer else None
                if term.layer == layer and slope:
                    core = self._core(of_layer, term) if core is None else core
                    positions = _positions(self.encoder, layer, self.cut.shape)
                    self.losses[number].add_gradient(self._core(out, term), core, summary, positions, slope)

        return self.encoder.backward(kept.activations, self.layers, inject, self.cut.seams)

    def add(self, out: Tensor, gradient: Tensor, origin: tuple[int, ...]) -> None:
        """Add the box's gradient to a region's that begins at ``origin``; boxes overlap, and one that wraps itself, too."""
        for place, here in self.cut.tile.pieces(self.cut.shape):
            out[place.moved(origin).index] += gradient[here.index]

    def _box(self, share: Share) -> Tensor:
        return self.cut.box(share.image, share.origin).to(self.encoder.device)

    def _core(self, features: Tensor, term: Term) -> Tensor:
        return self.cut.core(features, term.layer, term.loss.margin)


def _extent(share: Share) -> Window:
    """Where in the image a share's region is."""
    lengths = share.image.shape[2:]
    return Window(share.origin, tuple(a + length for a, length in zip(share.origin, lengths, strict=True)))


def _large_first(tiles: Sequence[Tile]) -> list[Tile]:
    """The tiles in an order in which every one fits into the memory that the one before it has left."""
    return sorted(tiles, key=lambda tile: (tile.box.positions, tile.box.shape), reverse=True)


def _each_with_next(parts: Sequence[_TilePart]) -> Iterator[tuple[_TilePart, _TilePart | None]]:
    return itertools.zip_longest(parts, parts[1:])


def _added(sums: Sequence[Tensor], more: list[Tensor]) -> list[Tensor]:
    return [a + b for a, b in zip(sums, more, strict=True)] if sums else more


def _positions(encoder: Encoder, layer: str, shape: tuple[int, ...]) -> int:
    return math.prod(encoder.stack.extent(layer, shape))
