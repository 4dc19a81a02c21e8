r"""What neural-style minimizes, in terms of this package's losses.

For features F of the image, P of the photo and Gram matrices :math:`G = F^T F` and A of image and painting, with C
filters, M positions of the image and M_a of the painting, both programs minimize

.. math:: \sum_l w_c \frac{1}{C M} \sum (F - P)^2 + \sum_l w_s \frac{1}{C^2} \sum \Big(\frac{G}{C M} -
    \frac{A}{C M_a}\Big)^2 + w_t \sum_{c, a, k} |x_{c, k + e_a} - x_{c, k}|

where x are the image's channels, 256 times RGB minus the network's mean. With :class:`ContentLoss` L (half the mean
square), :class:`GramLoss` E_l and :class:`AbsoluteVariationLoss` V (a mean over positions, of RGB in [0, 1]) that is

.. math:: \sum_l 2 w_c L_l + \sum_l \frac{4 w_s}{C^2} E_l + 256 M w_t V.

This is neural-style-pt's. The Lua program differs in the last term, which it leaves out of the total it prints and whose
gradient there is that of half the squares.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto.encoders import IMAGE, Encoder, Parameters
from impasto.engines import Engine, Evaluation
from impasto.images import quantize
from impasto.losses import AbsoluteVariationLoss, ContentLoss
from impasto.losses.gram import GramLoss
from impasto.losses.normalized_gradient import NormalizedGradient
from impasto.objective import Objective, Term
from impasto.runs.pictures.neural_style.flags import Flags

RANGE = 256.0
"""What RGB in [0, 1] is multiplied by, in both programs."""
MEAN = (123.68, 116.779, 103.939)
"""The color, as RGB, that the networks were trained to see as zero."""


def in_their_colors(parameters: Parameters) -> Parameters:
    """A network that sees BGR times 256 minus the mean color, as both programs show pictures to every network."""
    matrix, mean = torch.eye(3, dtype=torch.float64).flip(0) * RANGE, torch.tensor(MEAN, dtype=torch.float64)
    return replace(parameters, matrix=matrix, offset=-mean.flip(0))


def resized(image: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The image at a shape as they see it: bilinear with antialiasing, to 8 bits (what Pillow does, to 1/255)."""
    if tuple(image.shape[2:]) == shape:
        return quantize(image)
    return quantize(nnf.interpolate(image, shape, mode="bilinear", antialias=True))


def result_shape(shape: tuple[int, int], longest: int) -> tuple[int, int]:
    """The shape with its long side at ``longest``; sides are rounded down, as theirs are."""
    height, width = (int(longest / max(shape) * side) for side in shape)
    return height, width


@dataclass(frozen=True)
class Losses:
    """The losses as they are printed: each times its weight, in their units.

    Args:
        content: by layer, shallow to deep.
        style: likewise.
        variation: the third term, which is in the total and has no line of its own.
    """

    content: tuple[float, ...]
    style: tuple[float, ...]
    variation: float

    @property
    def total(self) -> float:
        """Their sum, as neural-style-pt prints it."""
        return sum(self.content) + sum(self.style) + self.variation


@dataclass(frozen=True, eq=False)
class Target:
    """The objective of one picture.

    Args:
        flags: whose layers and weights.
        content: the photo at the result's shape, (1, 3, H, W).
        styles: the paintings at their own shapes, likewise.
    """

    flags: Flags
    content: Tensor
    styles: Sequence[Tensor]

    def engine(self, encoder: Encoder) -> Engine:
        """What evaluates it; with ``normalize_gradients`` of neural-style-pt, its gradients are those it follows."""
        with torch.no_grad():
            terms = [*self._content_terms(encoder), *self._style_terms(encoder)]
        positions = self.content.shape[2] * self.content.shape[3]
        if self.flags.tv_weight:
            weight = self.flags.tv_weight * RANGE * positions
            terms.append(Term("variation", IMAGE, AbsoluteVariationLoss(), weight))
        return Engine(encoder, Objective(tuple(terms)))

    def normalized(self, engine: Engine) -> Engine:
        """The engine whose losses of content and style have their gradients normalized as in the Lua program."""
        terms = []
        for term in engine.objective.terms:
            unit = self._unit(engine.encoder, term)
            loss = NormalizedGradient(term.loss, unit, self.flags.gradient_exponent)
            terms.append(term if term.kind == "variation" else replace(term, loss=loss))
        return replace(engine, objective=Objective(tuple(terms)))

    def losses(self, engine: Engine, evaluation: Evaluation) -> Losses:
        """An evaluation's losses in their units."""
        parts: dict[str, list[float]] = {"content": [], "style": [], "variation": []}
        for term in engine.objective.terms:
            weight = term.weight / self._power(engine.encoder, term)
            parts[term.kind].append(weight * evaluation.losses[term.name])
        return Losses(tuple(parts["content"]), tuple(parts["style"]), sum(parts["variation"]))

    def _content_terms(self, encoder: Encoder) -> Iterator[Term]:
        if not self.flags.content_weight:
            return
        for name, features in encoder.features(self.content.to(encoder.device), self._ordered(encoder, "content")):
            weight = 2 * self._strength(features, "content")
            yield Term("content", name, ContentLoss(features), weight)

    def _style_terms(self, encoder: Encoder) -> Iterator[Term]:
        if not self.flags.style_weight:
            return
        found: dict[str, GramLoss] = {}
        seen = 0.0
        blend = self.flags.style_blend_weights or (1.0,) * len(self.styles)
        for style, part in zip(self.styles, blend, strict=True):
            if not part:
                continue
            share = part / sum(blend)
            seen += share
            for name, features in encoder.features(style.to(encoder.device), self._ordered(encoder, "style")):
                found[name] = found[name].mixed(features, share / seen) if name in found else GramLoss.of(features)
        for name, loss in found.items():
            yield Term("style", name, loss, 4 / loss.target.shape[1] ** 2 * self._strength(loss.target, "style"))

    def _ordered(self, encoder: Encoder, kind: str) -> list[str]:
        """The layers by their own names, in the network's order, which is that of the lines that are printed."""
        stack = encoder.stack
        names: tuple[str, ...] = getattr(self.flags, f"{kind}_layers")
        return sorted({stack.canonical(name) for name in names}, key=stack.depth)

    def _strength(self, target: Tensor, kind: str) -> float:
        """The weight of a loss, as their modules hold it, or its square where its gradient is scaled by it again."""
        weight: float = getattr(self.flags, f"{kind}_weight")
        strength = weight / max(target.shape[1:]) if self.flags.normalize_weights else weight
        return strength**2 if self.flags.scales_weights else strength

    def _power(self, encoder: Encoder, term: Term) -> float:
        """What a term's weight is divided by for the line that is printed."""
        if term.kind == "variation" or not self.flags.scales_weights:
            return 1.0
        return float((term.weight / self._unit(encoder, term)) ** 0.5)

    def _unit(self, encoder: Encoder, term: Term) -> float:
        """What a loss of content or style is multiplied by in their programs beside its weight."""
        return 2.0 if term.kind == "content" else 4 / encoder.stack.channels(term.layer) ** 2
