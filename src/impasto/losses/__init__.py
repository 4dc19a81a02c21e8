"""Losses on features, one per file.

To add one: copy ``gram.py``, change its three formulas, and add a line here. The gradient, tiling and dimension tests
run over every class in ``LOSSES``.
"""

from impasto.losses.base import Loss
from impasto.losses.content import ContentLoss
from impasto.losses.gram import GramLoss
from impasto.losses.total_variation import TotalVariationLoss

LOSSES: dict[str, type[Loss]] = {
    "content": ContentLoss,
    "gram": GramLoss,
    "total-variation": TotalVariationLoss,
}

__all__ = ["LOSSES", "ContentLoss", "GramLoss", "Loss", "TotalVariationLoss"]
