"""The words that settings choose between. Free of torch, so that the command line can name them at once."""

import difflib
from collections.abc import Iterable
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


def meant(given: str, words: Iterable[str]) -> str:
    """What a sentence on a word that is none of ``words`` ends with: the one that was probably meant, if there is one.

    >>> "There is no color 'matsh'." + meant("matsh", ["match", "style"])
    "There is no color 'matsh'. Did you mean match?"
    >>> "There is no color 'blue'." + meant("blue", ["match", "style"])
    "There is no color 'blue'."
    """
    near = nearest(given, words)
    return f" Did you mean {near}?" if near else ""


def nearest(given: str, words: Iterable[str]) -> str | None:
    """The one of ``words`` that was probably meant by another, or None."""
    return next(iter(difflib.get_close_matches(given.lower(), list(words), n=1)), None)
