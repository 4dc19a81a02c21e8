"""Networks of random filters for signals: nothing is learned, and a seed is all there is to store."""

import math

import torch
from torch import Tensor

from impasto.encoders.encoder import Parameters
from impasto.encoders.stack import Conv, Pool, Stack


def bank(channels: int, filters: int, kernel: int) -> Stack:
    """One layer of wide filters, ``conv1``: for spectrograms, whose channels are frequencies (Ulyanov and Lebedev 2016).

    >>> bank(513, 4096, 11).output("conv1", (430,))
    (430, 4096)
    """
    return Stack("bank", (Conv("conv1", channels, filters, kernel),))


def octaves(channels: int, scales: int, filters: int, kernel: int) -> Stack:
    """A layer of filters at every of several scales, ``conv1`` to ``conv<scales>``, each twice as coarse as the one before.

    Every layer also carries the signal itself, its positive and its negative part, to the next: see
    :func:`octave_parameters`.

    >>> stack = octaves(1, 6, 32, 9)
    >>> stack.output("conv6", (1024,)), stack.stride("conv6"), stack.receptive_field("conv6")
    ((32, 34), 32, 536)
    """
    layers: list[Conv | Pool] = []
    inside = channels
    for scale in range(1, scales + 1):
        layers += [Conv(f"conv{scale}", inside, 2 * channels + filters, kernel), Pool(f"pool{scale}")]
        inside = 2 * channels + filters
    return Stack("octaves", tuple(layers[:-1]))


def random_parameters(stack: Stack, dims: int, seed: int) -> Parameters:
    """Filters w ~ N(0, 2 / fan-in) without biases (He et al. 2015), and an image that enters as it is.

    They have so many spatial axes; one seed gives the same filters on every machine.
    """
    generator = torch.Generator().manual_seed(seed)
    convolutions = {}
    for layer in stack.convolutions:
        weight = _normal(generator, layer.channels_out, layer.channels_in, *(layer.kernel,) * dims)
        convolutions[layer.name] = (weight, torch.zeros(layer.channels_out))
    channels = stack.convolutions[0].channels_in
    return Parameters(convolutions, torch.eye(channels), torch.zeros(channels))


def octave_parameters(stack: Stack, seed: int, scale: Tensor, offset: Tensor) -> Parameters:
    r"""Random filters for :func:`octaves`, at every scale applied to the signal alone, as in a pyramid.

    The first 2 C filters of a layer pass the signal x on as relu(x) and relu(-x). Averages over two positions keep
    their difference the average of x, so that a filter w of a deeper layer, as w on the one and -w on the other, is
    w on x at that scale: a chain of layers computes filters of several scales side by side (Ustyuzhaninov et al. 2016
    find that for textures these do as well as learned ones).

    Scale (C,) multiplies every channel first, and offset (C,) is added then.
    """
    generator = torch.Generator().manual_seed(seed)
    channels = len(scale)
    convolutions = {}
    for layer in stack.convolutions:
        filters = _normal(generator, layer.channels_out - 2 * channels, channels, layer.kernel)
        weight = torch.zeros(layer.channels_out, layer.channels_in, layer.kernel)
        first = layer.channels_in == channels
        weight[2 * channels :, :channels] = filters
        if not first:
            weight[2 * channels :, channels : 2 * channels] = -filters
        for index in range(2 * channels):
            sign = -1.0 if first and index >= channels else 1.0
            weight[index, index % channels if first else index, layer.reach[0]] = sign
        convolutions[layer.name] = (weight, torch.zeros(layer.channels_out))
    return Parameters(convolutions, torch.diag(scale), offset)


def _normal(generator: torch.Generator, *shape: int) -> Tensor:
    """Normal values with variance 2 / fan-in, of weights (out, in, *kernel)."""
    return torch.randn(*shape, generator=generator).mul_(math.sqrt(2 / math.prod(shape[1:])))
