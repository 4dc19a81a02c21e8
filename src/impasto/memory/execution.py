"""Where the levels of a run are computed: how each is cut, by which processes, and where what is large lives."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from impasto import machine
from impasto.encoders import Encoder
from impasto.engines import Engine
from impasto.engines.cores import cores
from impasto.engines.group import ALONE, Group, dealt
from impasto.images import quantize
from impasto.losses import STYLE_LOSSES, StyleLoss, samples
from impasto.memory.budget import Layout
from impasto.memory.tile_progress import TileMeter
from impasto.objective import Objective
from impasto.pyramid import fitted, resize
from impasto.statistics import accumulator, matrices, position_count
from impasto.storage import MEMORY, Storage
from impasto.tiling import Tile, tiles

_SAMPLE = 256  # long side at which a painting says what the scales of its losses are: it fits into any tile


@dataclass(frozen=True, eq=False)
class Execution:
    """Where the levels of a run are computed.

    Args:
        layouts: by a level's shape, how it is computed; other shapes are computed whole.
        group: the processes that share tiles.
        storage: where images live.
        meter: told how evaluations go on.
    """

    layouts: Mapping[tuple[int, ...], Layout] = field(default_factory=dict)
    group: Group = ALONE
    storage: Storage = MEMORY
    meter: TileMeter | None = None

    def cut_at(self, shape: tuple[int, ...]) -> tuple[Tile, ...] | None:
        """The tiles of a level, or None if it is computed whole."""
        layout = self.layouts.get(shape)
        return layout.tiles if layout else None

    def engine(self, encoder: Encoder, objective: Objective, shape: tuple[int, ...]) -> Engine:
        """The engine of a level."""
        layout = self.layouts.get(shape)
        if layout is None or layout.tiles is None:
            return Engine(encoder, objective, storage=self.storage)
        tell = self.meter.at(shape) if self.meter else None
        return Engine(encoder, objective, layout.tiles, layout.keep, self.group, self.storage, tell)

    def announce(self, encoder: Encoder, shape: tuple[int, ...]) -> None:
        """Let the group's other processes make the engine of a level too, if they share it."""
        layout = self.layouts.get(shape)
        if layout and layout.tiles and self.group.rank == 0:
            self.group.announce(("engine", layout.plain(), encoder.dtype == torch.float32))

    def resized(self, image: Tensor, shape: tuple[int, ...]) -> Tensor:
        """:func:`impasto.pyramid.resize` into its storage, one channel after the other."""
        out = self.storage.empty((*image.shape[:2], *shape), image.dtype)
        for channel in range(image.shape[1]):
            out[:, channel : channel + 1] = resize(image[:, channel : channel + 1], shape)
        self.storage.release()
        return out

    def rounded(self, image: Tensor, depth: int) -> Tensor:
        """:func:`impasto.images.quantize` into its storage, likewise."""
        out = self.storage.empty_like(image)
        for channel in range(image.shape[1]):
            out[:, channel] = quantize(image[:, channel], depth)
        self.storage.release()
        return out

    def content(
        self, encoder: Encoder, image: Tensor, layers: Sequence[str], cut: Sequence[Tile]
    ) -> list[tuple[str, Tensor, float]]:
        """A photo's features, computed tile by tile, with half the mean square of these.

        A process keeps the features of its own tiles only, in bytes of the network's precision.
        """
        shape, stack = tuple(image.shape[2:]), encoder.stack
        kept = {
            layer: self.storage.empty((1, *stack.extent(layer, shape), stack.channels(layer)), encoder.dtype).movedim(
                -1, 1
            )
            for layer in layers
        }
        sums = [torch.zeros((), dtype=torch.float64) for _ in layers]
        for tile in dealt(cut, self.group.size)[self.group.rank]:
            for layer, features, window in cores(encoder, image, tile, layers):
                kept[layer][window.index] = features.to(image.device)
                sums[layers.index(layer)] += features.square().sum(dtype=accumulator(features)).cpu()
            self.let_go()
        counts = [kept[layer][0].numel() for layer in layers]
        found = zip(layers, self.group.add(sums), counts, strict=True)
        return [(layer, kept[layer], float(total) / count / 2) for layer, total, count in found]

    def style(
        self,
        encoder: Encoder,
        painting: Tensor,
        seen: tuple[int, ...],
        losses: Mapping[tuple[str, str], StyleLoss | None],
        side: int,
    ) -> dict[tuple[str, str], StyleLoss]:
        """The losses of style aimed at a painting seen at a shape, computed in tiles of about ``side``.

        Args:
            encoder: the network.
            painting: at its own size.
            seen: the shape that it is seen at.
            losses: by layer and name, a loss whose other parameters are taken over, or None for those (frequencies,
                scales) that the painting at 256 pixels gives it.
            side: of a tile's core.
        """
        layers = list(dict.fromkeys(layer for layer, _ in losses))
        small = resize(painting, fitted(tuple(painting.shape[2:]), _SAMPLE)).to(encoder.device)
        found = {
            (layer, name): losses[layer, name] or STYLE_LOSSES[name].of(features)
            for layer, features in encoder.features(small, layers)
            for at, name in losses
            if at == layer
        }
        image = self.resized(painting, seen)
        stack = encoder.stack
        halo, stride = max(stack.radius(layer) for layer in layers), max(stack.stride(layer) for layer in layers)
        sums: dict[tuple[str, str], Tensor] = {}
        taken = dict.fromkeys(found, 0)
        extents = {layer: stack.extent(layer, seen) for layer in layers}
        drawn = {
            layer: samples.random_subset(math.prod(extents[layer]), samples.MOST, encoder.device) for layer in layers
        }
        rows: dict[tuple[str, str], Tensor] = {}
        for tile in tiles(seen, side, halo, stride, wraps=encoder.padding == "circular"):
            for layer, features, window in cores(encoder, image, tile, layers):
                for key in (key for key in losses if key[0] == layer):
                    taken[key] += position_count(features)
                    if found[key].additive:
                        part = found[key].summarize(features)
                        sums[key] = sums[key] + part if key in sums else part
                    else:
                        own = rows.setdefault(key, features.new_empty(len(drawn[layer]), features.shape[1]))
                        inside, numbers = samples.positions_within(drawn[layer], extents[layer], window)
                        own[inside] = matrices(features)[0][numbers]
            self.let_go()
        for key, total in sums.items():
            found[key] = replace(found[key], target=total / taken[key])
        for key, own in rows.items():
            found[key] = replace(found[key], target=own)
        return found

    def let_go(self) -> None:
        """Return what an evaluation has freed to the system, before something else needs room."""
        self.storage.release()
        machine.release_freed_memory()
