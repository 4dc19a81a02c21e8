"""Moving pictures."""

import io
from collections.abc import Iterable
from pathlib import Path

from PIL import Image
from torch import Tensor

from impasto.errors import ImageError
from impasto.images.marks import GIF_MARK
from impasto.images.picture import PICTURES, to_pil


def write_gif(path: str | Path, frames: Iterable[Tensor], *, seconds: float = 4.0) -> None:
    """Write pictures as a GIF that plays over and over; the file is complete or untouched.

    Args:
        path: a name that ends in .gif.
        frames: (1, 3, H, W) each in [0, 1], all of one size.
        seconds: how long one round takes.

    Raises:
        ImageError: if there are no frames, or the file cannot be written.
    """
    if Path(path).suffix.lower() != ".gif":
        raise ImageError(f"A moving picture is written as .gif, not as {Path(path).name}; choose another name.")
    pictures = [to_pil(frame).quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE) for frame in frames]
    if not pictures:
        raise ImageError("There are no frames to write; give at least one.")
    stream = io.BytesIO()
    duration = max(20, round(1000 * seconds / len(pictures)))
    first, *rest = pictures
    first.save(stream, "GIF", save_all=True, append_images=rest, duration=duration, loop=0, comment=GIF_MARK)
    PICTURES.replace(Path(path), stream.getvalue())
