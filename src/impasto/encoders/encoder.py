"""The frozen network: image in, features out, and the derivative of anything about the features back to the image.

The backward pass is written out, for a frozen stack of convolutions, ReLUs and poolings needs so little: each kept
activation is its own ReLU mask, convolution weights are never differentiated, and losses add their closed-form
gradients in place on the way down. Features are channels-last where torch has that layout, so that a Gram matrix is one
plain matrix product.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto.choices import Padding, Pooling
from impasto.encoders.padding import pad, pad_adjoint
from impasto.encoders.pooling import pool, pool_backward
from impasto.encoders.seams import Seams
from impasto.encoders.stack import IMAGE, Conv, Pool, Stack
from impasto.encoders.winograd import Winograd
from impasto.errors import SettingsError

_CONVOLUTION = {1: nnf.conv1d, 2: nnf.conv2d, 3: nnf.conv3d}
_LAYOUT = {1: torch.contiguous_format, 2: torch.channels_last, 3: torch.channels_last_3d}

_MANY_CHANNELS, _MANY_POSITIONS = (
    128 * 128,
    16 * 16,
)  # from which on fewer multiplications save time (benchmarks/convolutions.py)

_NONE = Seams()

Inject = Callable[[str, Tensor], None]
"""Adds the derivative at the named layer to a buffer, in place."""


@dataclass(frozen=True, eq=False)
class Parameters:
    """What a network computes with, in float32 and in the customary order.

    Args:
        convolutions: for every convolution's name its weight (out, in, *kernel) and its bias (out,).
        matrix: (first layer's in, image's channels), applied to every position of the image first; of a picture, with
            ``offset``, the map from RGB in [0, 1] to the network's own color space.
        offset: (first layer's in,), added after it.
    """

    convolutions: Mapping[str, tuple[Tensor, Tensor]]
    matrix: Tensor
    offset: Tensor


class Encoder:
    """A stack with its parameters, at one precision, on one device.

    Args:
        stack: the layers.
        parameters: its weights.
        pooling: ``avg`` (Gatys et al. 2016), ``max`` (Simonyan and Zisserman 2015) or ``l2``.
        padding: what convolutions see beyond the border; the networks were trained with ``zero``.
        dtype: the precision of features and convolutions; the image and its gradient are float32, or float64 here.
        device: where it all happens.
    """

    def __init__(
        self,
        stack: Stack,
        parameters: Parameters,
        *,
        pooling: Pooling = "avg",
        padding: Padding = "zero",
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        self.stack = stack
        self.parameters = parameters
        self.pooling: Pooling = pooling
        self.padding: Padding = padding
        self.dtype = dtype
        self.device = torch.device(device)
        self.dims = next(iter(parameters.convolutions.values()))[0].dim() - 2
        if padding == "equirectangular" and self.dims != 2:
            raise SettingsError(
                "Equirectangular padding is for panoramas, which have two axes; choose another padding."
            )
        self.image_dtype = torch.promote_types(dtype, torch.float32)
        self._matrix = parameters.matrix.to(self.device, self.image_dtype)
        self._offset = parameters.offset.to(self.device, self.image_dtype)
        self._weights = {name: self._prepare(*pair) for name, pair in parameters.convolutions.items()}
        self._transposed: dict[str, Tensor] = {}
        self._winograd: dict[str, Winograd] = {}

    def padded(self, padding: Padding) -> Self:
        """The same network with another padding; the weights are shared."""
        other = copy.copy(self)
        other.padding = padding
        return other

    def features(self, image: Tensor, layers: Sequence[str], seams: Seams = _NONE) -> Iterator[tuple[str, Tensor]]:
        """The features (B, C, *spatial) of each named layer, shallow to deep, computed as they are asked for.

        Only one activation is alive at a time, so a caller that summarizes and forgets needs little memory. ``image``
        is (B, C, *spatial), C being the columns of the parameters' matrix: for pictures 3, RGB in [0, 1].
        """
        wanted = set(layers)
        if IMAGE in wanted:
            yield IMAGE, image
        held = [self._enter(image)]
        for layer in self.stack.until(self.deepest(layers)):
            x = self._apply(layer, held.pop(), seams)  # given away, so that a padded copy can replace it
            seams = seams.pooled() if isinstance(layer, Pool) else seams
            if layer.name in wanted:
                yield layer.name, x
            held.append(x)
            del x

    def forward(self, image: Tensor, layers: Sequence[str], seams: Seams = _NONE) -> dict[str, Tensor]:
        """All activations that :meth:`backward` needs to start from ``layers``, and those layers' features, by name.

        ``seams`` are those of an image that is a box of a periodic one.
        """
        kept = {IMAGE: image}
        x = self._enter(image)
        for layer in self.stack.until(self.deepest(layers)):
            x = self._apply(layer, x, seams)
            seams = seams.pooled() if isinstance(layer, Pool) else seams
            if isinstance(layer, Conv) or self.pooling == "l2" or layer.name in layers:
                kept[layer.name] = x
        return kept

    def backward(
        self,
        kept: dict[str, Tensor],
        layers: Sequence[str],
        inject: Inject,
        seams: Seams = _NONE,
        *,
        guided: bool = False,
    ) -> Tensor:
        """The derivative with respect to the image, of a sum of losses at ``layers``.

        Args:
            kept: what :meth:`forward` returned; it is emptied on the way, so that memory is freed early.
            layers: where losses are attached.
            inject: called once per layer, deep to shallow, with a buffer of the features' shape that holds the
                derivative flowing in from deeper layers; it adds the derivative of the losses at that layer. Called
                before the activation is freed and before its ReLU mask is applied.
            seams: as for :meth:`forward`.
            guided: let nothing negative through a ReLU, so that only what raises the features remains: no longer the
                derivative but a picture of what a unit responds to (Springenberg et al. 2015, guided backpropagation).

        Returns:
            (B, C, *spatial), of the image's shape, in its precision.
        """
        wanted = set(layers)
        image = kept[IMAGE]
        below = self.stack.until(self.deepest(layers))
        gradient: Tensor | None = None
        pooled = _through(below, seams)
        for position in range(len(below) - 1, -1, -1):
            layer = below[position]
            features = kept.pop(layer.name, None)
            if gradient is None:
                assert features is not None
                gradient = torch.zeros_like(features)
            if layer.name in wanted:
                inject(layer.name, gradient)
            if isinstance(layer, Conv):
                assert features is not None
                if layer.rectified:
                    torch.ops.aten.threshold_backward.grad_input(gradient, features, 0, grad_input=gradient)
                    gradient = gradient.clamp_(min=0) if guided else gradient
                del features
                gradient = self._convolve_transposed(layer, gradient)
            else:
                at, before = pooled.pop(), below[position - 1].name
                gradient = pool_backward(gradient, at.closed(kept[before]), features, self.pooling)
                gradient = at.opened(gradient, kept[before])
        result = torch.zeros_like(image) if gradient is None else self._leave(gradient)
        if IMAGE in wanted:
            inject(IMAGE, result)
        return result

    def deepest(self, layers: Sequence[str]) -> str:
        """The last layer needed to compute all of ``layers``."""
        return max(layers, key=self.stack.depth)

    def _prepare(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        weight = weight.to(self.device, self.dtype).contiguous(memory_format=_LAYOUT[self.dims])
        return weight, bias.to(self.device, self.dtype)

    def _enter(self, image: Tensor) -> Tensor:
        """From the image to the network's input: one affine map per position, in the image's precision."""
        x = torch.einsum("oi,bi...->bo...", self._matrix, image)
        x += self._offset.view(-1, *(1,) * self.dims)
        return x.to(self.dtype).contiguous(memory_format=_LAYOUT[self.dims])

    def _leave(self, gradient: Tensor) -> Tensor:
        return torch.einsum("oi,bo...->bi...", self._matrix, gradient.to(self.image_dtype)).contiguous()

    def _apply(self, layer: Conv | Pool, x: Tensor, seams: Seams) -> Tensor:
        if isinstance(layer, Pool):
            return pool(seams.closed(x), self.pooling)
        width, fast = 0, self._is_fast(layer, x)
        if layer.border == "same":
            if self._symmetric(layer):
                width = layer.kernel // 2
            else:
                x = pad(x, layer.reach, self.padding)
        weight, bias = self._weights[layer.name]
        if fast:
            return self._fast(layer).convolve(x, bias, width, rectified=layer.rectified)
        x = self._convolve(x, weight, bias, width)
        return x.relu_() if layer.rectified else x

    def _convolve_transposed(self, layer: Conv, gradient: Tensor) -> Tensor:
        """The adjoint of a layer's convolution: a convolution with its kernel mirrored and its channels swapped."""
        if layer.border == "same" and self._symmetric(layer):
            return self._convolve_mirrored(layer, gradient, layer.kernel // 2)
        wide = self._convolve_mirrored(layer, gradient, layer.kernel - 1)
        if layer.border == "valid":
            return wide
        return pad_adjoint(wide, layer.reach, self.padding).contiguous(memory_format=_LAYOUT[self.dims])

    def _convolve_mirrored(self, layer: Conv, gradient: Tensor, width: int) -> Tensor:
        if self._is_fast(layer, gradient):
            return self._fast(layer).convolve_transposed(gradient, width)
        weight = self._transposed.get(layer.name)
        if weight is None:
            mirrored = self._weights[layer.name][0].flip(*range(2, 2 + self.dims)).transpose(0, 1)
            weight = self._transposed[layer.name] = mirrored.contiguous(memory_format=_LAYOUT[self.dims])
        return self._convolve(gradient, weight, None, width)

    def _is_fast(self, layer: Conv, x: Tensor) -> bool:
        """Whether minimal filtering takes less time: in float32 on a processor, where there is enough to multiply."""
        suited = self.dtype == torch.float32 and self.device.type == "cpu" and self.dims == 2 and layer.kernel == 3
        many = layer.channels_in * layer.channels_out >= _MANY_CHANNELS
        return suited and many and x[0, 0].numel() >= _MANY_POSITIONS

    def _fast(self, layer: Conv) -> Winograd:
        if layer.name not in self._winograd:
            self._winograd[layer.name] = Winograd(self._weights[layer.name][0])
        return self._winograd[layer.name]

    def _symmetric(self, layer: Conv) -> bool:
        """Whether the convolution itself can put the border there: the same number of zeros before and after."""
        return self.padding == "zero" and layer.kernel % 2 == 1

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None, width: int) -> Tensor:
        return _CONVOLUTION[self.dims](x, weight, bias, padding=width)


def _through(layers: Sequence[Conv | Pool], seams: Seams) -> list[Seams]:
    """The seams that each pooling meets, shallow to deep."""
    found = []
    for layer in layers:
        if isinstance(layer, Pool):
            found.append(seams)
            seams = seams.pooled()
    return found
