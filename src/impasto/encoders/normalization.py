"""Rescaling the filters of a network without changing what it computes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from impasto.encoders.encoder import Encoder, Parameters
from impasto.statistics import position_count, value_sum


def rescaled(parameters: Parameters, scales: Mapping[str, Tensor]) -> Parameters:
    r"""The network whose filter o of every convolution fires s_o times as strongly, and that is otherwise the same.

    .. math:: W'_{oi} = W_{oi} \frac{s_o}{s_i}, \qquad b'_o = b_o s_o

    where i are the filters of the convolution before, and s_i = 1 for the image's channels: what a filter gains, the
    next layer takes back. ReLUs and all poolings let positive factors through.

    The convolutions are a chain, in order; scales are positive, (out,), for every one's name.
    """
    convolutions: dict[str, tuple[Tensor, Tensor]] = {}
    before: Tensor | None = None
    for name, (weight, bias) in parameters.convolutions.items():
        ones = (1,) * (weight.dim() - 2)
        after = scales[name].to(weight.dtype)
        factors = after.view(-1, 1, *ones)
        factors = factors if before is None else factors / before.view(1, -1, *ones)
        convolutions[name] = weight * factors, bias * after
        before = after
    return Parameters(convolutions, parameters.matrix, parameters.offset)


@dataclass
class MeanActivations:
    """The mean of every filter's activation over images and positions, added up image by image.

    Every position of every image counts alike, so a larger image counts more.

    Args:
        sums: (C,) in float64 for every convolution's name.
        positions: how many positions were added, likewise.
    """

    sums: dict[str, Tensor] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)

    def add(self, encoder: Encoder, image: Tensor) -> None:
        """Add an image (B, 3, *spatial), with one activation alive at a time."""
        names = [layer.name for layer in encoder.stack.convolutions]
        for name, features in encoder.features(image, names):
            total = value_sum(features).double().sum(0).cpu()
            self.sums[name] = self.sums[name] + total if name in self.sums else total
            self.positions[name] = self.positions.get(name, 0) + position_count(features) * features.shape[0]

    @property
    def means(self) -> dict[str, Tensor]:
        """(C,) in float64 for every convolution's name."""
        return {name: total / self.positions[name] for name, total in self.sums.items()}


def unit_scales(means: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The scales that bring every mean to 1 (Gatys et al. 2016, section 2); a filter that never fires keeps scale 1."""
    return {name: torch.where(mean > 0, 1 / mean, 1.0) for name, mean in means.items()}


def silent(means: Mapping[str, Tensor]) -> dict[str, list[int]]:
    """The filters that never fired, for every layer that has some."""
    found = {name: (mean <= 0).nonzero().flatten().tolist() for name, mean in means.items()}
    return {name: filters for name, filters in found.items() if filters}


def correlations(scales: Mapping[str, Tensor], others: Mapping[str, Tensor]) -> dict[str, float]:
    """Pearson's correlation of the logarithms of two sets of scales, over the filters of each layer that both have.

    Filters of scale exactly 1 on either side were never seen to fire and are left out.
    """
    found = {}
    for name in (name for name in scales if name in others):
        one, other = scales[name].double(), others[name].double()
        known = (one != 1) & (other != 1)
        found[name] = float(torch.corrcoef(torch.stack([one[known].log(), other[known].log()]))[0, 1])
    return found
