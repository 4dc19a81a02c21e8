"""The words that settings choose between. Free of torch, so that the command line can name them at once."""

from typing import Literal

Pooling = Literal["avg", "max", "l2"]
Padding = Literal["zero", "reflect", "replicate", "circular", "equirectangular"]
WRAPPING = ("circular", "equirectangular")
"""The paddings that show a picture's own far side."""
Border = Literal["same", "valid"]
Phase = Literal["descent", "griffin-lim", "content"]
Precision = Literal["auto", "fp32", "bf16"]
OptimizerName = Literal["lbfgs", "adam", "gradient-descent"]
StyleLossName = Literal[
    "gram",
    "covariance",
    "moments",
    "mmd-linear",
    "mmd-polynomial",
    "mmd-gaussian",
    "wasserstein",
    "histogram",
    "patches",
]
ColorName = Literal["style", "match", "match-cholesky", "histogram", "luminance", "restore"]
GuidanceName = Literal["average", "inside"]
