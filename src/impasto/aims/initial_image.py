"""The image that a descent begins with."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from impasto import images
from impasto.aims.balance import shares
from impasto.choices import meant
from impasto.errors import ImageError
from impasto.feedforward.preview import preview
from impasto.files import is_there
from impasto.images import Picture
from impasto.pyramid import resize
from impasto.settings import INITS, Settings


def starting_image(
    settings: Settings, source: Tensor | None, styles: Sequence[Tensor], shape: tuple[int, ...]
) -> Tensor:
    """What the settings ``init``, ``noise`` and ``seed`` ask for.

    Args:
        settings: as said.
        source: the picture that ``init`` means, (1, 3, H, W): the photo or a file's; None for noise.
        styles: the paintings, (1, 3, H, W) each.
        shape: the spatial shape of the result.

    Returns:
        (1, 3, *shape) in [0, 1].
    """
    noise = torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(settings.seed))
    if source is not None:
        return torch.lerp(resize(source, shape), noise, settings.noise)
    if settings.init == "noise":
        return noise
    colored = _with_moments(noise, *_moments(styles, shares(settings, len(styles))))
    return torch.lerp(colored, noise, settings.noise)


def covering(start: Picture, shape: tuple[int, int]) -> Picture:
    """A picture to start from, cut down about its middle to the proportions of ``shape``, and a note where that was needed.

    Stretched, everything in it would be too wide or too narrow. What is at most 2 pixels off, as masks may be, stays whole.
    """
    (height, width), ratio = start.shape, shape[0] / shape[1]
    if abs(height - width * ratio) <= 2 or abs(width - height / ratio) <= 2:
        return start
    rows, columns = min(height, max(1, round(width * ratio))), min(width, max(1, round(height / ratio)))
    top, left = (height - rows) // 2, (width - columns) // 2
    window = (..., slice(top, top + rows), slice(left, left + columns))
    note = (
        f"{start.source.name} is {width} x {height}; to start from it was cut down to its middle {columns} x {rows}, the "
        f"proportions of the result."
    )
    source = replace(start.source, notes=(*start.source.notes, note))
    return replace(
        start, pixels=start.pixels[window], alpha=None if start.alpha is None else start.alpha[window], source=source
    )


def previewed(
    settings: Settings, content: Picture, styles: Sequence[Picture], size: int, device: torch.device
) -> Picture:
    """The pair's preview (:func:`impasto.preview`) at a long side, computed on a device, as a picture to start from."""
    found = preview(
        content,
        list(styles),
        size=size,
        blend=settings.blend,
        style_scale=min(16.0, settings.scale_of()),
        precision=settings.precision,
        device=str(device),
    )
    return replace(content, pixels=found.tensor, alpha=None)


def _moments(styles: Sequence[Tensor], parts: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Mean (3, 1) and covariance (3, 3) of the colors of all styles, each with its share."""
    mean, square = torch.zeros(3, 1, dtype=torch.float64), torch.zeros(3, 3, dtype=torch.float64)
    for style, part in zip(styles, parts, strict=True):
        colors = style.flatten(2)[0].double()
        mean += part * colors.mean(1, keepdim=True)
        square += part * (colors @ colors.t()) / colors.shape[1]
    return mean, square - mean @ mean.t()


def _with_moments(noise: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """Noise, uniform in [0, 1], brought to a mean and a covariance of colors and then kept in [0, 1]."""
    values, vectors = torch.linalg.eigh(covariance)
    root: Tensor = vectors * values.clamp(min=0).sqrt() @ vectors.t()
    standard: Tensor = (noise.flatten(2)[0].double() - 0.5) * 12**0.5  # of mean 0 and variance 1
    return (root @ standard + mean).to(noise.dtype).view_as(noise).clamp(0, 1)


def named_start(name: str) -> Picture:
    """The picture in the file that ``init`` names.

    Raises:
        ImageError: if it is none; a word that was probably meant is told.
    """
    try:
        return images.read(name)
    except ImageError as error:
        if is_there(name):
            raise
        raise ImageError(f"{error}{meant(name, INITS)}") from None
