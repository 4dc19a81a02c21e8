"""Curves over time, drawn as a picture."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from impasto.images.sheet import FAINT, INK, PAPER

_FINE = 3  # times larger that curves are drawn, and then averaged, so that they are smooth


def curves(values: Tensor, width: int, height: int, *, marks: Sequence[float] = ()) -> Tensor:
    """Each row as a curve in a band of its own, all on one scale, with the row's mean as a faint line.

    Args:
        values: (rows, n).
        width: pixels.
        height: pixels of one band.
        marks: places along a row, in samples, where faint vertical lines are drawn.

    Returns:
        (1, 3, rows * height, width) in [0, 1].
    """
    rows, count = values.shape
    page = Image.new("RGB", (width * _FINE, rows * height * _FINE), PAPER)
    pen = ImageDraw.Draw(page)
    centered = (values - values.mean(1, keepdim=True)).double().numpy()
    scale = 0.45 * height * _FINE / max(float(np.abs(centered).max()), 1e-30)
    across = (width * _FINE - 1) / max(count - 1, 1)
    for mark in marks:
        pen.line([(mark * across, 0), (mark * across, page.height)], FAINT, _FINE)
    for place, row in enumerate(centered):
        middle = (place + 0.5) * height * _FINE
        pen.line([(0, middle), (page.width, middle)], FAINT, _FINE)
        points = np.stack([np.arange(count) * across, middle - row * scale], axis=1)
        pen.line([(float(x), float(y)) for x, y in points], INK, _FINE, joint="curve")
    small = page.resize((width, rows * height), Image.Resampling.BOX)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1)[None].float() / 255
