"""The words that settings choose between. Free of torch, so that the command line can name them at once."""

from typing import Literal

Pooling = Literal["avg", "max", "l2"]
Padding = Literal["zero", "reflect", "replicate", "circular"]
Precision = Literal["auto", "fp32", "bf16"]
OptimizerName = Literal["lbfgs", "adam", "gradient-descent"]
StyleLossName = Literal["gram", "covariance", "moments", "mmd-linear", "mmd-polynomial", "mmd-gaussian", "wasserstein"]
