"""Losses on features, one per file.

To add a style loss: copy ``gram.py``, change its three formulas, add its name to ``StyleLossName`` in ``choices.py`` and
a line here. The tests run over every class in ``LOSSES``, those of style over every class in ``STYLE_LOSSES``.
"""

from impasto.losses.absolute_variation import AbsoluteVariationLoss
from impasto.losses.activation import ActivationLoss
from impasto.losses.angular import AngularLoss
from impasto.losses.base import Loss
from impasto.losses.content import ContentLoss
from impasto.losses.covariance import CovarianceLoss
from impasto.losses.distance import DistanceLoss
from impasto.losses.gram import GramLoss
from impasto.losses.guided import GuidedLoss
from impasto.losses.histogram import HistogramLoss
from impasto.losses.mmd_gaussian import GaussianMMDLoss
from impasto.losses.mmd_linear import LinearMMDLoss
from impasto.losses.mmd_polynomial import PolynomialMMDLoss
from impasto.losses.moments import MomentsLoss
from impasto.losses.nearest import NearestLoss
from impasto.losses.patches import PatchLoss
from impasto.losses.photorealism import PhotorealismLoss
from impasto.losses.sharpness import SharpnessLoss
from impasto.losses.style import StyleLoss
from impasto.losses.total_variation import TotalVariationLoss
from impasto.losses.wasserstein import WassersteinLoss

STYLE_LOSSES: dict[str, type[StyleLoss]] = {
    "gram": GramLoss,
    "covariance": CovarianceLoss,
    "moments": MomentsLoss,
    "mmd-linear": LinearMMDLoss,
    "mmd-polynomial": PolynomialMMDLoss,
    "mmd-gaussian": GaussianMMDLoss,
    "wasserstein": WassersteinLoss,
    "histogram": HistogramLoss,
    "patches": PatchLoss,
    "nearest": NearestLoss,
}

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
    "LOSSES",
    "STYLE_LOSSES",
    "AbsoluteVariationLoss",
    "ActivationLoss",
    "AngularLoss",
    "ContentLoss",
    "CovarianceLoss",
    "DistanceLoss",
    "GaussianMMDLoss",
    "GramLoss",
    "GuidedLoss",
    "HistogramLoss",
    "LinearMMDLoss",
    "Loss",
    "MomentsLoss",
    "NearestLoss",
    "PatchLoss",
    "PhotorealismLoss",
    "PolynomialMMDLoss",
    "SharpnessLoss",
    "StyleLoss",
    "TotalVariationLoss",
    "WassersteinLoss",
]
