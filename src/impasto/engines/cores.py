"""What a tile takes from an image, and which of its features its core answers for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from impasto.encoders import Encoder, Seams, Stack
from impasto.tiling import Tile, Window


@dataclass(frozen=True)
class Cut:
    """A tile of an image as a network sees it.

    Args:
        stack: the network's layers.
        tile: the tile.
        shape: the whole image's spatial shape.
    """

    stack: Stack
    tile: Tile
    shape: tuple[int, ...]

    @property
    def seams(self) -> Seams:
        """Where in the tile's box the image ends and begins again."""
        return Seams(self.tile.seams(self.shape))

    def box(self, image: Tensor, origin: tuple[int, ...]) -> Tensor:
        """The tile's box from the region of the image that begins at ``origin``, continued on the far side if it wraps."""
        pieces = list(self.tile.pieces(self.shape))
        if len(pieces) == 1:
            return image[pieces[0][0].moved(origin).index]
        box = image.new_empty(*image.shape[:2], *self.tile.box.shape)
        for place, here in pieces:
            box[here.index] = image[place.moved(origin).index]
        return box

    def window(self, layer: str) -> Window:
        """The core's positions in the grid of a layer."""
        if self.tile.core.shape == self.shape:
            return Window((0,) * len(self.shape), self.stack.extent(layer, self.shape))
        return self.tile.core_at(self.stack.stride(layer), self.shape)

    def core(self, features: Tensor, layer: str, margin: int = 0) -> Tensor:
        """The view of a box's features that the core answers for, with so many positions beyond its far side."""
        window = self.window(layer).reaching(margin, self.stack.extent(layer, self.shape))
        return features[window.moved(self.tile.origin_at(self.stack.stride(layer), self.shape)).index]


def cores(encoder: Encoder, image: Tensor, tile: Tile, layers: Sequence[str]) -> Iterator[tuple[str, Tensor, Window]]:
    """The features of a tile's core at each layer, shallow to deep, and where they are in the layer."""
    cut = Cut(encoder.stack, tile, tuple(image.shape[2:]))
    box = cut.box(image, (0,) * len(cut.shape)).to(encoder.device)
    for layer, features in encoder.features(box, layers, cut.seams):
        yield layer, cut.core(features, layer), cut.window(layer)
