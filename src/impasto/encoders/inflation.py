"""A network for pictures, inflated to one for volumes (after Carreira and Zisserman 2017, "Quo vadis").

Along the new axis, the depth, every kernel is repeated three times and divided by three. On a volume that does not
change along its depth, every convolution then gives at every depth what the picture network gives for one of its
slices, and so does every pooling; with any padding but zeros, that is true up to the border. So the weights keep their
meaning without any training, and a style can be taken from a picture.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto.encoders.encoder import Encoder, Parameters
from impasto.encoders.stack import Stack

TAPS = 3
"""Slices that an inflated kernel looks at."""


def inflated(parameters: Parameters) -> Parameters:
    r"""The parameters of the three-dimensional network, from those of a network for pictures.

    .. math:: W^{3D}_{o i d h w} = W_{o i h w} / 3 \quad\text{for } d = 1, 2, 3

    Weights (out, in, h, w) become (out, in, 3, h, w); biases and color space stay.
    """
    return _with_depth(parameters, lambda weight: weight[:, :, None].expand(-1, -1, TAPS, -1, -1) / TAPS)


class Inflated(Encoder):
    """The network of :func:`inflated`, computed with a third of the multiplications.

    A kernel that is the same at every depth is a mean over three slices followed by the picture's kernel, so that is
    what is computed. Pictures may be given, too: they are seen by the flat network, of which this one is the
    continuation, which for style is the same as repeating them along the depth.

    Args:
        stack: the layers, of kernels of 3 positions.
        parameters: of the network for pictures.
        options: those of :class:`impasto.encoders.Encoder`.
    """

    def __init__(self, stack: Stack, parameters: Parameters, **options: Any) -> None:
        super().__init__(stack, _with_depth(parameters, lambda weight: weight[:, :, None]), **options)
        self.flat = Encoder(stack, parameters, **options)

    def features(self, image: Tensor, layers: Sequence[str], *rest: Any) -> Iterator[tuple[str, Tensor]]:
        """As of any encoder, of a volume (B, 3, D, H, W) or a picture (B, 3, H, W)."""
        if image.dim() == 4:
            return self.flat.features(image, layers, *rest)
        return super().features(image, layers, *rest)

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None, width: int) -> Tensor:
        mean = _mean_over_depth(nnf.pad(x, (0, 0, 0, 0, width, width)) if width else x)
        return nnf.conv3d(mean, weight, bias, padding=(0, width, width))


def _mean_over_depth(x: Tensor) -> Tensor:
    """The mean of three neighboring slices, wherever there are three."""
    depth = x.shape[2] - TAPS + 1
    total = x.narrow(2, 0, depth) + x.narrow(2, 1, depth)
    return torch.add(total, x.narrow(2, 2, depth)).div_(TAPS)


def _with_depth(parameters: Parameters, deepen: Any) -> Parameters:
    convolutions = {name: (deepen(weight), bias) for name, (weight, bias) in parameters.convolutions.items()}
    return Parameters(convolutions, parameters.matrix, parameters.offset)
