"""Network normalization: every filter's mean activation over a folder of pictures brought to 1."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from impasto import machine
from impasto.choices import Pooling
from impasto.encoders import Encoder, Parameters, load
from impasto.encoders.normalization import MeanActivations, correlations, rescaled, silent, unit_scales
from impasto.encoders.weights import channel_scales, save_file
from impasto.studies.scanning import Progress, Scan

ORIGINAL = "vgg19-original"


@dataclass(frozen=True, eq=False)
class Normalization:
    """What :func:`normalize` found.

    Args:
        parameters: the rescaled network.
        scales: for every convolution, the factors (out,) by which it multiplied the filters' activations.
        means: the mean activations before, (out,).
        silent: the filters that never fired and keep their scale, by layer.
        shipped: for every convolution, the correlation of the logarithms of ``scales`` and of those of the network
            that impasto comes with; empty if another network than its original was normalized.
        images: how many pictures were seen.
        skipped: a sentence for every picture that was left out.
        size: the pictures' long side.
        pooling: with which the activations were computed.
    """

    parameters: Parameters
    scales: Mapping[str, Tensor]
    means: Mapping[str, Tensor]
    silent: Mapping[str, list[int]]
    shipped: Mapping[str, float]
    images: int
    skipped: tuple[str, ...]
    size: int
    pooling: Pooling

    def save(self, path: str | Path) -> None:
        """Write the network to a .safetensors file that every command takes as ``--weights``.

        Raises:
            NetworkError: if the name ends otherwise, or the file cannot be written.
        """
        notes = {"images": str(self.images), "size": str(self.size), "pooling": self.pooling}
        save_file(Path(path), self.parameters, {"normalized over": ", ".join(f"{k} {v}" for k, v in notes.items())})


@machine.undisturbed()
def normalize(
    folder: str | Path,
    *,
    network: str = ORIGINAL,
    weights: str | Path | None = None,
    size: int = 256,
    pooling: Pooling = "max",
    device: str = "auto",
    progress: Progress | None = None,
) -> Normalization:
    """Rescale a network so that each filter's mean activation over pictures and positions is 1.

    Gatys, Ecker and Bethge (2016, section 2) did so with VGG-19 and pictures of ImageNet. Layers keep what they compute
    up to one positive factor per filter; see :func:`impasto.encoders.normalization.rescaled`.

    Args:
        folder: the pictures, folders below it included.
        network: which network, by name.
        weights: a file with another one.
        size: the long side that pictures are brought to.
        pooling: with which the means are computed. Those of the network that impasto comes with are near 1 with
            ``max``, with which it was trained; averages are smaller than maxima, the more so the deeper.
        device: where.
        progress: told how many pictures are done, of how many.

    Raises:
        ImpastoError: if there are no pictures, or no such network.
    """
    stack, parameters = load(network, weights)
    encoder = Encoder(stack, parameters, pooling=pooling, device=machine.device(device))
    names = [layer.name for layer in stack.convolutions]
    scan, found, count = Scan(Path(folder), size, stack.stride(names[-1])), MeanActivations(), 0
    with torch.no_grad():
        for _, pixels in scan.each(progress):
            found.add(encoder, pixels.to(encoder.device))
            count += 1
    means = found.means
    scales = unit_scales(means)
    shipped = correlations(scales, channel_scales()) if network == ORIGINAL and weights is None else {}
    own, left = rescaled(parameters, scales), tuple(scan.skipped)
    return Normalization(own, scales, means, silent(means), shipped, count, left, size, pooling)
