"""What colors a VGG expects to see. A file of weights does not say so; its first filters do, for those that are known.

The networks of Simonyan and Zisserman (2015) see BGR in 0..255 with the mean color subtracted, those that torchvision
trained see RGB divided by the deviation of ImageNet. Both are found under the same names: Johnson's ``vgg19-d01eb7cb.pth``
and torchvision's own ``vgg16_features`` hold the numbers of the former under the names of the latter.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto.choices import ColorSpace

CAFFE_FILTERS = (
    *(0.3412, 0.3400, -0.0448, 0.2322, 0.0898, -0.3033, -0.0726, -0.2467, -0.3368),
    *(0.4642, 0.4181, -0.0481, 0.3051, 0.1039, -0.3731, -0.0765, -0.3107, -0.4645),
    *(0.3942, 0.3774, -0.0459, 0.2671, 0.0999, -0.3410, -0.0757, -0.2803, -0.4160),
    *(0.0956, 0.1336, 0.0647, 0.1337, 0.1851, 0.0800, 0.1008, 0.1414, 0.0660),
    *(0.0336, 0.0526, -0.0066, 0.0568, 0.0885, -0.0070, 0.0388, 0.0603, -0.0058),
    *(-0.0842, -0.0788, -0.1158, -0.0797, -0.0624, -0.1340, -0.0781, -0.0709, -0.1149),
)
"""The first two filters of VGG-19 as published, BGR; those of VGG-16, trained from the same start, are like them."""
TORCHVISION_FILTERS = {
    "vgg16": (
        *(-0.5537, 0.1427, 0.5290, -0.5831, 0.3566, 0.7657, -0.6902, -0.0480, 0.4841),
        *(0.1755, 0.0099, -0.0814, 0.0441, -0.0703, -0.2604, 0.1324, -0.1728, -0.1323),
        *(0.3130, -0.1659, -0.4275, 0.4752, -0.0827, -0.4870, 0.6320, 0.0193, -0.2775),
    ),
    "vgg19": (
        *(-0.0535, -0.0493, -0.0679, 0.0153, 0.0451, 0.0021, 0.0362, 0.0200, 0.0199),
        *(0.0170, 0.0554, -0.0062, 0.1417, 0.2271, 0.1376, 0.1200, 0.2003, 0.0921),
        *(-0.0449, 0.0127, -0.0145, 0.0597, 0.1396, 0.0541, -0.0010, 0.0583, -0.0297),
    ),
}
"""The first filter of torchvision's networks, RGB."""

_ALIKE = 0.9  # cosine above which a filter is a known one: training goes on from it, but not far
_APART = 0.2  # by how much one order of channels must be more like it than the other


def entry_of(space: ColorSpace) -> tuple[Tensor, Tensor]:
    """The map from RGB in [0, 1] to a color space: a matrix (3, 3) and an offset (3,)."""
    if space == "torchvision":
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        return torch.diag(1 / deviation), -mean / deviation
    matrix, mean = torch.eye(3) * 255, torch.tensor([123.68, 116.779, 103.939])
    return (matrix.flip(0), -mean.flip(0)) if space == "caffe" else (matrix, -mean)


def told(first_weight: Tensor) -> ColorSpace | None:
    """The color space of a network whose first convolution has these weights (out, 3, 3, 3); None if they are unknown."""
    for known in TORCHVISION_FILTERS.values():
        if _likeness(first_weight, known) > _ALIKE:
            return "torchvision"
    as_bgr, as_rgb = (_likeness(order, CAFFE_FILTERS) for order in (first_weight, first_weight.flip(1)))
    if max(as_bgr, as_rgb) < _ALIKE or abs(as_bgr - as_rgb) < _APART:
        return None
    return "caffe" if as_bgr > as_rgb else "caffe-rgb"


def _likeness(weight: Tensor, known: Sequence[float]) -> float:
    """The mean cosine between known filters and those that stand in their place: how strong a filter is does not count."""
    expected = torch.tensor(known).view(-1, 27)
    if len(weight) < len(expected):
        return -1.0
    return float(nnf.cosine_similarity(weight[: len(expected)].flatten(1).float(), expected).mean())
