"""What is minimized: a weighted sum of losses, each at one layer of the encoder, some of them within a limit."""

from collections.abc import Sequence
from dataclasses import dataclass

from impasto.encoders import Stack
from impasto.errors import SettingsError
from impasto.losses import Loss


@dataclass(frozen=True, eq=False)
class Term:
    """One loss in the sum.

    Args:
        kind: what it is for: ``content``, ``style`` or ``smoothness``; terms of a kind are reported together.
        layer: where its features come from.
        loss: the loss with its target.
        weight: the factor in the sum: alpha, or beta times w_l, in Gatys et al. (2016, eq. 5 and 7).
        variant: which loss, where a kind has several to choose from and this is not the paper's.
    """

    kind: str
    layer: str
    loss: Loss
    weight: float
    variant: str = ""

    @property
    def name(self) -> str:
        """``style/conv3_1``, or ``style/conv3_1/moments`` with a variant."""
        return "/".join(part for part in (self.kind, self.layer, self.variant) if part)


@dataclass(frozen=True)
class Limit:
    r"""What the terms of a kind may cost together for nothing.

    .. math:: S = \sum_i w_i L_i, \qquad V = \frac{\kappa}{2} \max\Big(0, \frac{S}{d} - 1\Big)^2

    Their weighted sum S counts as V: nothing up to d, and beyond it a parabola. Beside other losses this is a penalty
    method: a descent takes S as far as the limit, and where the others pull hard a little further.

    Args:
        kind: of the terms.
        most: d, above 0.
        stiffness: kappa.
    """

    kind: str
    most: float
    stiffness: float


@dataclass(frozen=True)
class Objective:
    """The sum of ``weight * loss`` over terms (Gatys et al. 2016, eq. 7); a kind that has a limit counts as that says.

    Raises:
        SettingsError: if there are no terms, or two of one name.
    """

    terms: tuple[Term, ...]
    limit: Limit | None = None

    def __post_init__(self) -> None:
        names = [term.name for term in self.terms]
        if not names:
            raise SettingsError("There are no losses to minimize; give content or style a layer and a weight.")
        for name in names:
            if names.count(name) > 1:
                raise SettingsError(f"The loss {name} is there twice; give each layer once for each kind of loss.")

    def weighted(self, losses: Sequence[float]) -> list[float]:
        """Each term's part of the value, given each term's loss; terms within one limit share its part as they reach it."""
        factor = 1.0
        if self.limit and (reached := self._reached(losses)):
            factor = self.limit.stiffness / 2 * max(0.0, reached / self.limit.most - 1) ** 2 / reached
        return [
            term.weight * loss * (factor if self._limited(term) else 1.0)
            for term, loss in zip(self.terms, losses, strict=True)
        ]

    def slopes(self, losses: Sequence[float]) -> list[float]:
        """The derivative of the value by each term's loss."""
        factor = 1.0
        if self.limit:
            factor = self.limit.stiffness * max(0.0, self._reached(losses) / self.limit.most - 1) / self.limit.most
        return [term.weight * (factor if self._limited(term) else 1.0) for term in self.terms]

    def _limited(self, term: Term) -> bool:
        return self.limit is not None and term.kind == self.limit.kind

    def _reached(self, losses: Sequence[float]) -> float:
        """S of the limit."""
        return sum(term.weight * loss for term, loss in zip(self.terms, losses, strict=True) if self._limited(term))

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that some term looks at, each once."""
        return tuple(dict.fromkeys(term.layer for term in self.terms))

    def stride(self, stack: Stack) -> int:
        """The deepest layer's stride: tiles must begin on multiples of it."""
        return max(stack.stride(layer) for layer in self.layers)

    def halo(self, stack: Stack) -> int:
        """Image positions that a tile must see beyond its core for its part of every term to be exact."""
        return max(stack.radius(term.layer) + term.loss.margin * stack.stride(term.layer) for term in self.terms)
