"""The value and gradient of an objective, over one tile or many, in one process or several.

Summaries are added over tiles, compared once, and pulled back tile by tile. With one tile, the activations of the
first pass are kept and nothing is computed twice.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from impasto import machine, tiling
from impasto.encoders import Conv, Encoder
from impasto.engines.cores import Cut
from impasto.engines.group import ALONE, Group, Share
from impasto.errors import SettingsError
from impasto.losses import Loss
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

    What a loss finds out about its own target is found once per window: :meth:`impasto.losses.Loss.at` is asked once for
    the whole image, and for the tiles whose activations are kept, however many evaluations there are. Of the other tiles
    it is asked at every pass, so that nothing of them stays in memory.
    """

    encoder: Encoder
    objective: Objective
    tiles: tuple[Tile, ...] | None = None
    keep: int = 1
    group: Group = ALONE
    storage: Storage = MEMORY
    tell: Tell | None = None
    _known: dict[tuple[Tile, tuple[int, ...]], list[Loss]] = field(default_factory=dict, init=False, repr=False)

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
        return self._shared(image, gradient=True)

    def measure(self, image: Tensor) -> Evaluation:
        """The value and the terms alone, in a fraction of the time and memory; the gradient is None."""
        return self._shared(image, gradient=False)

    def assist(self, shape: tuple[int, ...], *, gradient: bool) -> None:
        """What every other process of the group does while its first one evaluates or measures."""
        with torch.no_grad():
            share = self.group.receive(self._cut(shape), shape)
            _, found = self._work(share, shape, gradient=gradient)
            self.group.give(found)

    @property
    def _wraps(self) -> bool:
        return self.encoder.padding == "circular"

    def _shared(self, image: Tensor, *, gradient: bool) -> Evaluation:
        shape = tuple(image.shape[2:])
        cut = self._cut(shape)
        with torch.no_grad():
            share = self.group.deal(cut, image, gradient=gradient)
            summaries, found = self._work(share, shape, gradient=gradient)
            if found is not None:
                found = self.group.collect(found, cut, image, self.storage)
        return self._evaluation(summaries, shape, found)

    def _cut(self, shape: tuple[int, ...]) -> tuple[Tile, ...]:
        if not self.tiles or len(self.tiles) == 1:
            return whole(shape)
        if self.tiles[-1].core.stop != shape:
            raise SettingsError(f"The tiles are those of an image of {self.tiles[-1].core.stop}, but it has {shape}.")
        return self.tiles

    def _work(self, share: Share, shape: tuple[int, ...], *, gradient: bool) -> tuple[list[Tensor], Tensor | None]:
        """This process's part: the summaries of all parts, and this part's gradient."""
        views = [_View(self, tile, share, shape) for tile in _large_first(share.tiles)]
        after = max(0, len(views) - max(1, self.keep)) if gradient else len(views)
        for view in views[max(0, len(views) - max(1, self.keep)) :]:
            view.losses = self._known.get((view.tile, shape)) or view.localized()
            self._known[view.tile, shape] = view.losses
        sums: list[Tensor] = []
        kept = []
        for view, following in _each_with_next(views[:after]):
            sums = _added(sums, view.stream())
            self._done(view, share, int(gradient), following)
        for view, following in _each_with_next(views[after:]):
            kept.append(view.forward())
            sums = _added(sums, view.summarize(kept[-1]))
            self._done(view, share, 1, following)
        total = self.group.add(sums)
        if not gradient or not views:
            return total, None
        slopes = self._slopes(total, shape)
        if len(views) == 1 and views[0].tile.box == _extent(share):
            found = views[0].backward(kept.pop(), total, slopes)
            self._done(views[0], share, 2, None)
            return total, found.to(share.image.device)
        out = self.storage.zeros_like(share.image)
        for view, following in _each_with_next([*views[after:], *views[:after]]):
            view.add_gradient(out, kept.pop(0) if kept else view.forward(), total, slopes)
            self._done(view, share, 2, following)
        return total, out

    def _done(self, view: "_View", share: Share, work: int, following: "_View | None") -> None:
        """After a pass over a tile: its memory is left to a tile that does the same next, if that is not larger."""
        if len(share.tiles) > 1:
            self.storage.release()
            if following is None or following.tile.box.positions > view.tile.box.positions:
                machine.release_freed_memory()  # what else comes next would not fit into the holes
        if self.tell and work:
            self.tell(work * view.tile.box.positions / (3 * sum(tile.box.positions for tile in share.tiles)))

    def _evaluation(self, summaries: Sequence[Tensor], shape: tuple[int, ...], gradient: Tensor | None) -> Evaluation:
        losses = self._losses(summaries, shape)
        weighted = self.objective.weighted(losses)
        names = [term.name for term in self.objective.terms]
        plain, parts = (dict(zip(names, numbers, strict=True)) for numbers in (losses, weighted))
        return Evaluation(sum(weighted), plain, parts, gradient)

    def _slopes(self, summaries: Sequence[Tensor], shape: tuple[int, ...]) -> list[float]:
        """What each term's gradient is multiplied by."""
        if self.objective.limit is None:
            return [term.weight for term in self.objective.terms]
        return self.objective.slopes(self._losses(summaries, shape))

    def _losses(self, summaries: Sequence[Tensor], shape: tuple[int, ...]) -> list[float]:
        """Each term's loss."""
        values = [
            term.loss.compare(summary, _positions(self.encoder, term.layer, shape))
            for term, summary in zip(self.objective.terms, summaries, strict=True)
        ]
        found: list[float] = torch.stack(values).tolist()
        return found


class _View:
    """One tile's part of an evaluation."""

    def __init__(self, engine: Engine, tile: Tile, share: Share, shape: tuple[int, ...]) -> None:
        self.encoder = engine.encoder
        self.terms = engine.objective.terms
        self.layers = engine.objective.layers
        self.tile = tile
        self.share = share
        self.shape = shape
        self.cut = Cut(engine.encoder.stack, tile, shape)
        self.seams = self.cut.seams
        self.losses: list[Loss] | None = None  # as this tile sees them, where they are kept
        self.cores: dict[int, Tensor] = {}  # by term, what was summarized and waits for its gradient

    def forward(self) -> dict[str, Tensor]:
        return self.encoder.forward(self._box(), self.layers, self.seams)

    def stream(self) -> list[Tensor]:
        """The summaries, with one activation alive at a time."""
        found: dict[int, Tensor] = {}
        losses = self.localized()
        for layer, features in self.encoder.features(self._box(), self.layers, self.seams):
            for position, term in enumerate(self.terms):
                if term.layer == layer:
                    found[position] = losses[position].summarize(self._core(features, term))
        return [found[position] for position in range(len(self.terms))]

    def summarize(self, features: Mapping[str, Tensor]) -> list[Tensor]:
        self.cores = {position: self._core(features[term.layer], term) for position, term in enumerate(self.terms)}
        return [loss.summarize(self.cores[position]) for position, loss in enumerate(self.localized())]

    def backward(self, kept: dict[str, Tensor], summaries: Sequence[Tensor], slopes: Sequence[float]) -> Tensor:
        """The gradient of this tile's box, from its activations, the summaries of all and what each term's is multiplied by."""
        features = {layer: kept[layer] for layer in self.layers}
        losses = self.localized()

        def inject(layer: str, out: Tensor) -> None:
            of_layer = features.pop(layer)
            for position, (term, summary, slope) in enumerate(zip(self.terms, summaries, slopes, strict=True)):
                core = self.cores.pop(position, None) if term.layer == layer else None
                if term.layer == layer and slope:
                    core = self._core(of_layer, term) if core is None else core
                    positions = _positions(self.encoder, layer, self.shape)
                    losses[position].add_gradient(self._core(out, term), core, summary, positions, slope)

        return self.encoder.backward(kept, self.layers, inject, self.seams)

    def add_gradient(
        self, out: Tensor, kept: dict[str, Tensor], summaries: Sequence[Tensor], slopes: Sequence[float]
    ) -> None:
        """Add the box's gradient where it belongs; boxes overlap, and one that wraps may overlap itself."""
        found = self.backward(kept, summaries, slopes).to(out.device)
        for place, here in self.tile.pieces(self.shape):
            out[place.moved(self.share.origin).index] += found[here.index]

    def localized(self) -> list[Loss]:
        """The losses as this tile sees them."""
        return self.losses or [term.loss.at(self.cut.window(term.layer)) for term in self.terms]

    def _box(self) -> Tensor:
        return self.cut.box(self.share.image, self.share.origin).to(self.encoder.device)

    def _core(self, features: Tensor, term: Term) -> Tensor:
        return self.cut.core(features, term.layer, term.loss.margin)


def _extent(share: Share) -> Window:
    """Where in the image a share's region is."""
    lengths = share.image.shape[2:]
    return Window(share.origin, tuple(a + length for a, length in zip(share.origin, lengths, strict=True)))


def _large_first(tiles: Sequence[Tile]) -> list[Tile]:
    """The tiles in an order in which every one fits into the memory that the one before it has left."""
    return sorted(tiles, key=lambda tile: (tile.box.positions, tile.box.shape), reverse=True)


def _each_with_next(views: Sequence[_View]) -> Iterator[tuple[_View, _View | None]]:
    return itertools.zip_longest(views, views[1:])


def _added(sums: Sequence[Tensor], more: list[Tensor]) -> list[Tensor]:
    return [a + b for a, b in zip(sums, more, strict=True)] if sums else more


def _positions(encoder: Encoder, layer: str, shape: tuple[int, ...]) -> int:
    return math.prod(encoder.stack.extent(layer, shape))
