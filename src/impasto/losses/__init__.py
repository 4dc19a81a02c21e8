"""Losses on features, one per file.

To add a style loss: copy ``gram.py``, change its formulas, and add the file's name to ``StyleLossName`` in ``choices.py``;
to add one on the picture itself: its file's name in ``IMAGE_LOSSES``, and its setting. The tests run over every class.
"""

from collections.abc import Callable
from dataclasses import fields
from importlib import import_module
from typing import Any, cast, get_args

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
from impasto.losses.temporal import TemporalLoss
from impasto.losses.total_variation import TotalVariationLoss


def _class_in(name: str, kind: type) -> type[Loss]:
    """The class that the module of a loss defines: that of ``mmd-linear`` is in ``mmd_linear.py``."""
    module = import_module(f"{__name__}.{name.replace('-', '_')}")
    defined = [value for value in vars(module).values() if getattr(value, "__module__", None) == module.__name__]
    [found] = [value for value in defined if isinstance(value, type) and issubclass(value, kind)]
    return cast("type[Loss]", found)


STYLE_LOSSES = cast(
    "dict[str, type[StyleLoss]]", {name: _class_in(name, StyleLoss) for name in get_args(StyleLossName)}
)

IMAGE_LOSSES = {"smoothness": "total-variation", "sharpness": "sharpness", "photorealism": "photorealism"}
"""Losses on the picture itself, by the setting that is their weight. One that has a target is aimed at the photo."""

LOSSES: dict[str, type[Loss]] = {
    "content": ContentLoss,
    "angular": AngularLoss,
    "distance": DistanceLoss,
    **STYLE_LOSSES,
    **{name: _class_in(name, Loss) for name in IMAGE_LOSSES.values()},
    "absolute-variation": AbsoluteVariationLoss,
    "activation": ActivationLoss,
    "guided": GuidedLoss,
    "temporal": TemporalLoss,
}


def image_loss(setting: str, photo: Callable[[], Tensor]) -> Loss:
    """The loss on the picture itself whose weight is a setting.

    Args:
        setting: its name.
        photo: gives the photo at the picture's shape, (1, C, *spatial), if it is asked.
    """
    made: Any = LOSSES[IMAGE_LOSSES[setting]]
    return cast("Loss", made(photo()) if any(field.name == "target" for field in fields(made)) else made())


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
    "TemporalLoss",
    "TotalVariationLoss",
    "image_loss",
]
