"""Style as a histogram per channel (Risser, Wilmot and Barnes 2017)."""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Self

import torch
from torch import Tensor

from impasto.losses.style import StyleLoss
from impasto.statistics import accumulator, add_by_rows, position_count, square_sum, sum_by_rows

_BINS = 200
_REACH = 1e3  # the last bin's middle, in units of the channel's scale; larger values count as this one


@dataclass(frozen=True, eq=False)
class HistogramLoss(StyleLoss):
    r"""The squared distance of every value to what it becomes when the image's histogram is matched to the style's.

    .. math:: L = \frac{1}{N M} \sum_{c, k} \big(F_{c k} - R_c(F_{c k})\big)^2, \qquad
       \frac{\partial L}{\partial F_{c k}} = \frac{2}{N M} \big(F_{c k} - R_c(F_{c k})\big)

    for N filters c and M positions k, where :math:`R_c` is the increasing map that gives the image's channel the style's
    histogram: for each channel the squared Wasserstein-2 distance between two distributions of values. It adds to Gram
    matrices what these leave open, so that contrast and brightness do not drift (Risser et al.).

    Histograms have 200 bins that are narrow around 0 and grow in proportion beyond a tenth or so of the channel's scale,
    which is the style's root mean square. A value counts in the two bins whose middles it lies between, with shares that
    are linear in it, and is spread evenly over each. So bin counts add over positions, and L is differentiable: in the
    derivative, :math:`F - R(F)` stands for its average over those two bins, weighted by a triangle around their border.

    Differs from the paper: R is not held fixed while L is differentiated, which changes nothing (to first order the
    optimal map may be held); values are not bounded by the style's; and the mean is taken instead of the sum.

    Args:
        target: the style's shares of the bins, (B, C x 200).
        scale: (C,), in the precision of sums. Where several styles are mixed, it is the first one's.
    """

    scale: Tensor
    _latest: "list[tuple[Tensor, int, _Match]]" = field(default_factory=list, init=False, repr=False)

    @classmethod
    def of(cls, features: Tensor) -> Self:
        square = (square_sum(features) / position_count(features)).mean(0)
        scale = square.clamp(min=1e-4 * square.mean().item()).sqrt()
        blank = cls(features.new_zeros(features.shape[0], 0), torch.where(scale > 0, scale, 1.0))
        return cls(blank.summarize(features) / position_count(features), blank.scale)

    def summarize(self, features: Tensor) -> Tensor:
        first = torch.arange(len(self.scale), device=features.device) * _BINS

        def of_rows(rows: Tensor) -> Tensor:
            place, share, _ = self._binned(rows)
            counts = rows.new_zeros(len(self.scale) * _BINS, dtype=share.dtype)
            counts = counts.scatter_add(0, (place + first).flatten(), (1 - share).flatten())
            return counts.scatter_add(0, (place + first + 1).flatten(), share.flatten())

        return sum_by_rows(features, of_rows)

    def compare(self, summary: Tensor, positions: int) -> Tensor:
        distance = (self._match(summary, positions).distance * self._exact(self.scale).square()).sum()
        return distance.to(summary) / len(self.scale)

    def add_gradient(self, out: Tensor, features: Tensor, summary: Tensor, positions: int, weight: float) -> None:
        slopes = self._match(summary, positions).slope * self._exact(self.scale)[:, None]
        slopes = (slopes * (weight / (len(self.scale) * positions))).to(out.device, accumulator(features))

        def of_rows(rows: Tensor, item: int) -> Tensor:
            place, _, inside = self._binned(rows)
            return (slopes[item].gather(1, place.t()).t() * inside).to(out.dtype)

        add_by_rows(out, features, of_rows)

    def size(self) -> float:
        """The loss of an image without features: about the style's mean square."""
        nothing = self.scale.new_zeros(self.target.shape[0], len(self.scale), 1)
        return self.value(nothing).item()

    def _binned(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """For values (positions, C) the bin before, the share of the one after, and whether a bin lies on either side."""
        middles = self._bins.middles.to(rows.device, self.scale.dtype)
        value = rows.to(self.scale.dtype) / self.scale
        step = 2 * math.asinh(_REACH) / (_BINS - 1)
        place = (value.detach().asinh() / step + (_BINS - 1) / 2).floor().clamp(0, _BINS - 2).long()
        share = (value - middles[place]) / (middles[place + 1] - middles[place])
        return place, share.clamp(0, 1), value.abs() < _REACH

    def _match(self, summary: Tensor, positions: int) -> "_Match":
        """How the image's histograms are carried to the style's. The last answer is kept, for every tile asks it."""
        for known, count, match in self._latest:
            if known is summary and count == positions:
                return match
        shape = (summary.shape[0], len(self.scale), _BINS)
        shares = (summary / positions, self.target.expand_as(summary))
        image, style = (self._exact(part).reshape(shape) for part in shares)
        match = _matched(image, style, self._bins)
        if not summary.requires_grad:
            self._latest[:] = [(summary, positions, match)]
        return match

    @cached_property
    def _bins(self) -> "_Bins":
        ends = math.asinh(_REACH)
        middles = torch.linspace(-ends, ends, _BINS, dtype=torch.float64).sinh()
        borders = (middles[1:] + middles[:-1]) / 2
        outer = 1.5 * middles[[0, -1]] - 0.5 * middles[[1, -2]]
        exact = self._exact(self.scale)
        return _Bins(middles.to(exact), torch.cat([outer[:1], borders, outer[1:]]).to(exact))

    def _exact(self, tensor: Tensor) -> Tensor:
        """In float64, on the processor where the device has none."""
        return (tensor.cpu() if tensor.device.type == "mps" else tensor).double()


class _Bins(NamedTuple):
    middles: Tensor  # (K,)
    borders: Tensor  # (K + 1,)


class _Match(NamedTuple):
    distance: Tensor  # (B, C): squared Wasserstein-2
    slope: Tensor  # (B, C, K - 1): its derivative by a value between two middles, times the number of positions


def _matched(image: Tensor, style: Tensor, bins: _Bins) -> _Match:
    """The optimal transport between piecewise constant densities, given the shares of their bins (B, C, K).

    Between neighboring points among the borders and the points that are carried to borders, both the image's density
    and the transport's slope are constant, so every integral is that of a polynomial.
    """
    borders = bins.borders.expand(*image.shape[:-1], -1).contiguous()
    widths = borders.diff(dim=-1)
    rises, falls = _distribution(image), _distribution(style)
    carried = _inverse(borders, rises, falls)
    points = torch.cat([borders, carried], dim=-1).sort(dim=-1).values
    left, right = points[..., :-1], points[..., 1:]
    place = torch.searchsorted(borders, (left + right) / 2, right=True).sub(1).clamp(0, widths.shape[-1] - 1)
    density = (rises.diff(dim=-1) / widths).gather(-1, place)
    start, below = borders.gather(-1, place), rises.gather(-1, place)
    low, high = below + density * (left - start), below + density * (right - start)
    goal = torch.searchsorted(falls, (low + high).detach() / 2, right=True).sub(1).clamp(0, widths.shape[-1] - 1)
    first, last = (left - _at(borders, falls, goal, low)), (right - _at(borders, falls, goal, high))
    distance = (density * (right - left) * (first.square() + first * last + last.square())).sum(-1) / 3
    with torch.no_grad():
        return _Match(distance, _slope(first, last, torch.stack([left, right]), place, bins))


def _slope(first: Tensor, last: Tensor, ends: Tensor, place: Tensor, bins: _Bins) -> Tensor:
    """The integral of 2 (x - R(x)) under a triangle over two neighboring bins, by the step between their middles.

    Per piece, ``first`` and ``last`` are x - R(x) at its ``ends`` within the bin ``place``; between, it is linear, and so
    is the triangle.
    """
    widths = bins.borders.diff()
    (near, far), length = (ends - bins.borders[place]) / widths[place], ends[1] - ends[0]
    rising = length * (first * (2 * near + far) + last * (near + 2 * far)) / 3
    whole = length * (first + last)
    empty = torch.zeros(*place.shape[:-1], len(widths), dtype=first.dtype, device=first.device)
    up, down = empty.scatter_add(-1, place, rising), empty.scatter_add(-1, place, whole - rising)
    return (up[..., :-1] + down[..., 1:]) / bins.middles.diff()


def _distribution(shares: Tensor) -> Tensor:
    """The cumulated shares (B, C, K + 1), from 0 to 1."""
    total = shares.cumsum(-1)
    return torch.cat([torch.zeros_like(total[..., :1]), total / total[..., -1:]], dim=-1)


def _inverse(borders: Tensor, rises: Tensor, levels: Tensor) -> Tensor:
    """Where the distribution that rises linearly between borders reaches each level."""
    place = torch.searchsorted(rises.detach(), levels.detach(), right=True).sub(1).clamp(0, rises.shape[-1] - 2)
    return _at(borders, rises, place, levels)


def _at(borders: Tensor, rises: Tensor, place: Tensor, levels: Tensor) -> Tensor:
    """The point within a given bin where the distribution reaches a level; the bin's beginning if it has no share."""
    start, below = borders.gather(-1, place), rises.gather(-1, place)
    share = rises.gather(-1, place + 1) - below
    part = (levels - below) / torch.where(share > 0, share, 1.0)
    return start + part.clamp(0, 1) * (borders.gather(-1, place + 1) - start)
