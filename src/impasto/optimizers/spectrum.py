"""A diagonal scaling per spatial frequency: how much a picture's colors can be expected to move there."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from impasto.optimizers.vectors import dot

# Positions of images: about what the deepest layers see. Of longer waves they know no more than of these.
_LONGEST = 128
LARGE = 2**24
"""Values of an image from which its channels are taken one at a time."""


@dataclass(frozen=True)
class Spectrum:
    """Multiplies every frequency f of an image (B, C, *spatial) by |f|^(-2 exponent), a positive definite map.

    |f| is in cycles per position and taken as at least one cycle per 128 positions of an image or volume, or per its
    length if that is smaller, as of a sequence; the factors are scaled to a mean of 1.
    With exponent 0 it is the identity. The amplitudes of natural images fall about as 1 / |f| (Field 1987), so an
    optimizer that treats all frequencies alike wastes steps on the coarse ones.
    """

    exponent: float

    def __call__(self, image: Tensor) -> Tensor:
        """The scaled image, a new tensor."""
        return self.scale_(image.clone())

    def scale_(self, image: Tensor) -> Tensor:
        """The scaled image, in place: one channel after the other where they are large."""
        if self.exponent:
            for part in _channels(image):
                part.copy_(self._scaled(part))
        return image

    def square(self, image: Tensor) -> float:
        """The scalar product of the image with the scaled image, both in at least float32."""
        kind = torch.promote_types(image.dtype, torch.float32)
        return sum(dot(x, self._scaled(x) if self.exponent else x) for x in (p.to(kind) for p in _channels(image)))

    def _scaled(self, image: Tensor) -> Tensor:
        axes = tuple(range(2, image.dim()))
        scaled = torch.fft.rfftn(image, dim=axes).mul_(self._factors(image))
        return torch.as_tensor(torch.fft.irfftn(scaled, s=image.shape[2:], dim=axes))

    def _factors(self, image: Tensor) -> Tensor:
        shape = image.shape[2:]
        square = torch.zeros((), dtype=image.dtype, device=image.device)
        for axis, length in enumerate(shape):
            half = axis == len(shape) - 1
            frequencies = (torch.fft.rfftfreq if half else torch.fft.fftfreq)(
                length, dtype=image.dtype, device=image.device
            )
            square = square.unsqueeze(-1) + frequencies.square()
        longest = max(shape) if len(shape) == 1 else min(max(shape), _LONGEST)
        factors = square.clamp_(min=1 / math.pow(longest, 2)).pow_(-self.exponent)
        return torch.as_tensor(factors / factors.mean())


def _channels(image: Tensor) -> tuple[Tensor, ...]:
    return (image,) if image.numel() <= LARGE else torch.split(image, 1, dim=1)
