"""The description of a convolution network: its layers by name, and the geometry that follows from them.

Nothing here holds weights or says how many spatial axes there are; a stack describes a network for signals, pictures
and volumes alike. A filter bank of 16 filters, 5 wide, then one of 32, over one axis, two, and three:

>>> bank = Stack("bank", (Conv("conv1", 1, 16, 5, border="valid"), Conv("conv2", 16, 32, 5, border="valid")))
>>> bank.output("conv1", (14,)), bank.output("conv2", (14,))
((10, 16), (6, 32))
>>> bank.output("conv1", (14, 14, 14)), bank.output("conv2", (14, 14, 14))
((10, 10, 10, 16), (6, 6, 6, 32))
>>> Stack("colors", (Conv("conv1", 3, 16, 5, border="valid"),)).output("conv1", (14, 14))
(10, 10, 16)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from impasto.choices import Border, meant
from impasto.errors import LayerError

IMAGE = "image"
"""The name of the input itself, as a layer that losses can be attached to."""


@dataclass(frozen=True)
class Conv:
    """A convolution with ``kernel`` positions along every axis, stride 1, followed by a ReLU.

    With the border ``same`` there are as many positions after it as before, and it sees the encoder's padding beyond the
    border; with ``valid`` there are ``kernel - 1`` fewer, and it sees nothing beyond. Without its ReLU (``rectified``
    False) it says how far a silent unit is from firing, and in which direction.
    """

    name: str
    channels_in: int
    channels_out: int
    kernel: int = 3
    rectified: bool = True
    border: Border = "same"

    @property
    def reach(self) -> tuple[int, int]:
        """Positions before and after its own that it looks at; an even kernel looks one further after."""
        return (self.kernel - 1) // 2, self.kernel // 2


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
            raise LayerError(
                f"{self.name} has no layer {name!r}; it has {', '.join(self.names)}.{meant(wanted, self.names)}"
            )
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

        Position k of a layer with stride s and offset o covers the block [s k + o, s k + o + s) and sees
        [s k + o - r, s k + o + s + r); with even kernels, less before the block.
        """
        return max(self.reach(name))

    def reach(self, name: str) -> tuple[int, int]:
        """Image positions before and after its own block that one position of the layer looks at."""
        steps = [(layer.reach, stride) for layer, stride in self._strided(name)]
        return sum(before * stride for (before, _), stride in steps), sum(
            after * stride for (_, after), stride in steps
        )

    def offset(self, name: str) -> int:
        """Image positions before the block of the layer's first position: what valid convolutions have taken away."""
        return sum(layer.reach[0] * stride for layer, stride in self._strided(name) if layer.border == "valid")

    def receptive_field(self, name: str) -> int:
        """Image positions along an axis that one position of the layer looks at."""
        return self.stride(name) + sum(self.reach(name))

    def _strided(self, name: str) -> Iterator[tuple[Conv, int]]:
        """The convolutions up to the layer, each with the stride that it works at."""
        stride = 1
        for layer in self.until(name):
            if isinstance(layer, Conv):
                yield layer, stride
            else:
                stride *= 2

    def channels(self, name: str) -> int:
        """The number of filters of the layer: N in Gatys et al."""
        convolutions = [layer for layer in self.until(name) if isinstance(layer, Conv)]
        return convolutions[-1].channels_out if convolutions else self.convolutions[0].channels_in

    def extent(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The layer's spatial shape for an image of spatial ``shape``.

        Raises:
            LayerError: if the image is too small to have a position there.
        """
        extent = self.lengths(name, shape)
        if 0 in extent:
            given = " x ".join(map(str, reversed(shape)))
            raise LayerError(
                f"The image is {given}, too small for {name}, which needs at least {self.least(name)} positions along "
                "every side; use a larger size or shallower layers."
            )
        return extent

    def output(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The layer's spatial shape and, last, its channels, for an image of spatial ``shape``.

        Raises:
            LayerError: as :meth:`extent`.
        """
        return (*self.extent(name, shape), self.channels(name))

    def least(self, name: str) -> int:
        """The shortest side of an image that has a position at the layer."""
        length = 1
        for layer in reversed(self.until(name)):
            if isinstance(layer, Pool):
                length *= 2
            elif layer.border == "valid":
                length += layer.kernel - 1
        return length

    def lengths(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """:meth:`extent`, with 0 where the image is too small."""
        return tuple(self._length(name, length) for length in shape)

    def _length(self, name: str, length: int) -> int:
        for layer in self.until(name):
            if isinstance(layer, Pool):
                length //= 2
            elif layer.border == "valid":
                length = max(0, length - layer.kernel + 1)
        return length


def stack_from_words(words: str, channels: int) -> Stack:
    """A stack from words: ``16x5`` is a convolution of 16 filters 5 wide, ``16x5v`` one with valid borders, ``pool`` a pooling.

    >>> stack_from_words("16x5v,32x5v", 3).output("conv2", (14, 14))
    (6, 6, 32)
    >>> stack_from_words("64x3, 64x3, pool, 128x3", 3).names
    ('conv1', 'conv2', 'pool1', 'conv3')

    Raises:
        LayerError: if a word is neither.
    """
    layers: list[Layer] = []
    for word in (part.strip().lower() for part in words.split(",")):
        counts = [sum(isinstance(layer, kind) for layer in layers) + 1 for kind in (Conv, Pool)]
        found = re.fullmatch(r"(\d{1,6})x(\d{1,4})(v?)", word)
        if word == "pool":
            layers.append(Pool(f"pool{counts[1]}"))
        elif found and int(found[1]) and int(found[2]):
            border: Border = "valid" if found[3] else "same"
            layers.append(Conv(f"conv{counts[0]}", channels, int(found[1]), int(found[2]), border=border))
            channels = int(found[1])
        else:
            raise LayerError(
                f"The layer {word!r} was given; give filters and their width, such as 16x5, or 16x5v without a border, or pool."
            )
    if not any(isinstance(layer, Conv) for layer in layers):
        raise LayerError("The layers hold no convolution; give one, such as 16x5.")
    return Stack("network", tuple(layers))


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
