"""The words that settings choose between. Free of torch, so that the command line can name them at once."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args

from impasto.files import is_file

STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
OF_STYLE = (
    "style_layers",
    "layers_per_style",
    "style_losses",
    "style_scale",
    "style_size",
    "style_scales",
    "blend",
    "color",
    "mask_strengths",
    "guidance",
)
"""The settings that have no say without a loss of style."""

LARGEST = 200_000
"""Pixels of a long side that may be asked for."""

Pooling = Literal["avg", "max", "l2"]
Padding = Literal["zero", "reflect", "replicate", "circular", "equirectangular"]
WRAPPING = ("circular", "equirectangular")
"""The paddings that show a picture's own far side."""
Border = Literal["same", "valid"]
Phase = Literal["descent", "griffin-lim", "content"]
Precision = Literal["auto", "fp32", "bf16"]
OptimizerName = Literal["lbfgs", "adam", "gradient-descent"]
ContentLossName = Literal["cosine", "squared"]
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
    "nearest",
]
"""Each is a file in ``losses/``, with ``_`` for ``-``: this line is all that a new one needs."""
ColorName = Literal["style", "match", "match-cholesky", "histogram", "luminance", "restore"]
GuidanceName = Literal["average", "inside"]
ColorSpace = Literal["torchvision", "caffe", "caffe-rgb"]
"""What a network expects: RGB over ImageNet's deviation; BGR in 0..255 less the mean; the same in the order RGB."""


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
    import difflib  # noqa: PLC0415  # for sentences on mistakes alone, and --help waits for all that is imported above

    return next(iter(difflib.get_close_matches(given.lower(), list(words), n=1)), None)


def file_and_colors(weights: Path | str) -> tuple[Path, ColorSpace | None]:
    """The file that a setting names, and the colors that it says for it after a ``=``, or None.

    >>> file_and_colors("net.pth=caffe")[1]
    'caffe'
    """
    name, _, word = str(weights).rpartition("=")
    colors = next((space for space in get_args(ColorSpace) if space == word), None)
    return (Path(weights), None) if colors is None or is_file(weights) else (Path(name), colors)
