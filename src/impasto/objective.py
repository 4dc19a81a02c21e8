"""What is minimized: a weighted sum of losses, each at one layer of the encoder."""

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
class Objective:
    """The sum of ``weight * loss`` over terms (Gatys et al. 2016, eq. 7).

    Raises:
        SettingsError: if there are no terms, or two of one name.
    """

    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        names = [term.name for term in self.terms]
        if not names:
            raise SettingsError("There are no losses to minimize; give content or style a layer and a weight.")
        for name in names:
            if names.count(name) > 1:
                raise SettingsError(f"The loss {name} is there twice; give each layer once for each kind of loss.")

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
