"""What is minimized: a weighted sum of losses, each at one layer of the encoder."""

from dataclasses import dataclass

from impasto.losses import Loss


@dataclass(frozen=True, eq=False)
class Term:
    """One loss in the sum.

    Args:
        kind: what it is for: ``content``, ``style`` or ``smoothness``; terms of a kind are reported together.
        layer: where its features come from.
        loss: the loss with its target.
        weight: the factor in the sum: alpha, or beta times w_l, in Gatys et al. (2016, eq. 5 and 7).
    """

    kind: str
    layer: str
    loss: Loss
    weight: float

    @property
    def name(self) -> str:
        """``style/conv3_1``."""
        return f"{self.kind}/{self.layer}"


@dataclass(frozen=True)
class Objective:
    """The sum of ``weight * loss`` over terms (Gatys et al. 2016, eq. 7)."""

    terms: tuple[Term, ...]

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that some term looks at, each once."""
        return tuple(dict.fromkeys(term.layer for term in self.terms))
