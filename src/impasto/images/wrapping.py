"""A photo made to tile: without the jumps where its copies would meet."""

from dataclasses import replace

import torch
from torch import Tensor

from impasto.images.picture import Picture


def tileable(picture: Picture) -> Picture:
    """The picture with the periodic component of its pixels, kept in [0, 1]."""
    return replace(picture, pixels=periodic_component(picture.pixels).clamp_(0, 1))


def periodic_component(pixels: Tensor) -> Tensor:
    r"""What remains of pixels u (1, C, H, W) without the smooth s that makes up its jumps across borders (Moisan 2011).

    .. math:: \hat s(q, r) = \frac{\hat v(q, r)}{2 \cos(2 \pi q / H) + 2 \cos(2 \pi r / W) - 4}, \qquad \hat s(0, 0) = 0

    where v holds, at the positions along the borders, the value on the far side less the own, and zero elsewhere. The
    Laplacian of s vanishes inside, so that u - s has the details of u, its mean, and colors that meet at the borders.
    """
    height, width = pixels.shape[2:]
    jumps = torch.zeros_like(pixels)
    rows, columns = pixels[:, :, -1] - pixels[:, :, 0], pixels[:, :, :, -1] - pixels[:, :, :, 0]
    jumps[:, :, 0] += rows
    jumps[:, :, -1] -= rows
    jumps[:, :, :, 0] += columns
    jumps[:, :, :, -1] -= columns
    down = 2 * torch.cos(2 * torch.pi * torch.fft.fftfreq(height, dtype=torch.float64))
    across = 2 * torch.cos(2 * torch.pi * torch.fft.rfftfreq(width, dtype=torch.float64))
    factors = down[:, None] + across - 4
    factors[0, 0] = 1
    spectrum = torch.fft.rfft2(jumps) / factors.to(pixels.dtype)
    spectrum[..., 0, 0] = 0
    smooth: Tensor = torch.fft.irfft2(spectrum, s=(height, width))
    return pixels - smooth
