"""Losses on features, one per file.

To add a style loss: copy ``gram.py``, change its formulas, and add the file's name to ``StyleLossName`` in ``choices.py``;
to add one on the picture itself: a line in ``IMAGE_LOSSES`` and one in ``LOSSES``. The tests run over every class there.
"""

from collections.abc import Callable
from importlib import import_module
from typing import get_args

from torch import Tensor

from impasto.choices import StyleLossName
from impasto.losses.absolute_variation import AbsoluteVariationLoss
from impasto.losses.activation import ActivationLoss
from impasto.losses.angular import AngularLoss
from impasto.losses.base import Loss
from impasto.losses.content import ContentLoss
from impasto.losses.distance import DistanceLoss
from impasto.losses.guided import GuidedLoss
from impasto.losses.photorealism import PhotorealismLoss
from impasto.losses.sharpness import SharpnessLoss
from impasto.losses.style import StyleLoss
from impasto.losses.total_variation import TotalVariationLoss


def _style_loss(name: str) -> type[StyleLoss]:
    """The class that the module of a style loss defines: that of ``mmd-linear`` is in ``mmd_linear.py``."""
    module = import_module(f"{__name__}.{name.replace('-', '_')}")
    defined = [value for value in vars(module).values() if getattr(value, "__module__", None) == module.__name__]
    [found] = [value for value in defined if isinstance(value, type) and issubclass(value, StyleLoss)]
    return found


STYLE_LOSSES: dict[str, type[StyleLoss]] = {name: _style_loss(name) for name in get_args(StyleLossName)}

IMAGE_LOSSES: dict[str, Callable[[Callable[[], Tensor]], Loss]] = {
    "smoothness": lambda _: TotalVariationLoss(),
    "sharpness": lambda photo: SharpnessLoss(photo()),
    "photorealism": lambda photo: PhotorealismLoss(photo()),
}
"""Losses on the picture itself, by the setting that is their weight: each is made from what gives the photo at the picture's
shape, (1, C, *spatial), if it is asked."""

LOSSES: dict[str, type[Loss]] = {
    "content": ContentLoss,
    "angular": AngularLoss,
    "distance": DistanceLoss,
    **STYLE_LOSSES,
    "total-variation": TotalVariationLoss,
    "absolute-variation": AbsoluteVariationLoss,
    "sharpness": SharpnessLoss,
    "photorealism": PhotorealismLoss,
    "activation": ActivationLoss,
    "guided": GuidedLoss,
}

__all__ = [
    "IMAGE_LOSSES",
    "LOSSES",
    "STYLE_LOSSES",
    "AbsoluteVariationLoss",
    "ActivationLoss",
    "AngularLoss",
    "ContentLoss",
    "DistanceLoss",
    "GuidedLoss",
    "Loss",
    "PhotorealismLoss",
    "SharpnessLoss",
    "StyleLoss",
    "TotalVariationLoss",
]
