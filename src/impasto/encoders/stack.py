"""The description of a convolution network: its layers by name, and the geometry that follows from them.

Nothing here holds weights or says how many spatial axes there are; a stack describes a network for signals, pictures
and volumes alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from impasto.errors import LayerError

IMAGE = "image"
"""The name of the input itself, as a layer that losses can be attached to."""


@dataclass(frozen=True)
class Conv:
    """A convolution with ``kernel`` positions along every axis, stride 1, same padding, followed by a ReLU.

    Without its ReLU (``rectified`` False) it says how far a silent unit is from firing, and in which direction.
    """

    name: str
    channels_in: int
    channels_out: int
    kernel: int = 3
    rectified: bool = True


@dataclass(frozen=True)
class Pool:
    """A pooling over disjoint blocks of 2 positions along every axis; a last odd position is dropped."""

    name: str


Layer = Conv | Pool


@dataclass(frozen=True)
class Stack:
    """Layers in order, each named as in the literature (``conv4_2``, ``pool1``)."""

    name: str
    layers: tuple[Layer, ...]

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @property
    def names(self) -> tuple[str, ...]:
        """All layer names, shallow to deep, without ``image``."""
        return tuple(layer.name for layer in self.layers)

    @property
    def convolutions(self) -> tuple[Conv, ...]:
        """The convolutions, shallow to deep."""
        return tuple(layer for layer in self.layers if isinstance(layer, Conv))

    def canonical(self, name: str) -> str:
        """The layer's own name; ``relu4_2`` means ``conv4_2`` after its ReLU, which is what ``conv4_2`` means too.

        Raises:
            LayerError: if there is no such layer.
        """
        wanted = name.strip().lower().replace("relu", "conv")
        if wanted != IMAGE and wanted not in self.names:
            raise LayerError(f"{self.name} has no layer {name!r}; it has {', '.join(self.names)}.")
        return wanted

    def depth(self, name: str) -> int:
        """The number of layers from the image to ``name``, 0 for the image itself."""
        return 0 if name == IMAGE else self.names.index(name) + 1

    def until(self, name: str) -> tuple[Layer, ...]:
        """The layers needed to compute ``name``."""
        return self.layers[: self.depth(name)]

    def stride(self, name: str) -> int:
        """Image positions per position of the layer."""
        return int(2 ** sum(isinstance(layer, Pool) for layer in self.until(name)))

    def radius(self, name: str) -> int:
        """Image positions beyond its own block, to either side, that one position of the layer looks at.

        Position k of a layer with stride s covers the block [s k, s k + s) and sees [s k - r, s k + s + r).
        """
        reach, stride = 0, 1
        for layer in self.until(name):
            if isinstance(layer, Conv):
                reach += (layer.kernel // 2) * stride
            else:
                stride *= 2
        return reach

    def channels(self, name: str) -> int:
        """The number of filters of the layer: N in Gatys et al."""
        convolutions = [layer for layer in self.until(name) if isinstance(layer, Conv)]
        return convolutions[-1].channels_out if convolutions else self.convolutions[0].channels_in

    def extent(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The layer's spatial shape for an image of spatial ``shape``.

        Raises:
            LayerError: if the image is too small to have a position there.
        """
        extent = tuple(length // self.stride(name) for length in shape)
        if 0 in extent:
            need = self.stride(name)
            given = " x ".join(map(str, reversed(shape)))
            raise LayerError(
                f"The image is {given}, too small for {name}, which needs at least {need} positions along every side; "
                "use a larger size or shallower layers."
            )
        return extent


def vgg(name: str, convolutions: tuple[int, ...]) -> Stack:
    """The convolution part of a VGG network with the given convolutions per block (Simonyan and Zisserman 2015).

    >>> vgg("vgg19", (2, 2, 4, 4, 4)).radius("conv5_1")
    70
    """
    layers: list[Layer] = []
    channels = 3
    for block, (count, width) in enumerate(zip(convolutions, (64, 128, 256, 512, 512), strict=True), start=1):
        for index in range(1, count + 1):
            layers.append(Conv(f"conv{block}_{index}", channels, width))
            channels = width
        layers.append(Pool(f"pool{block}"))
    return Stack(name, tuple(layers))


VGG16 = vgg("vgg16", (2, 2, 3, 3, 3))
VGG19 = vgg("vgg19", (2, 2, 4, 4, 4))
