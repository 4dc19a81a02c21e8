"""Pictures to try things with: bundled photos, and paintings of our own drawn by code."""

import importlib.resources
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from impasto.choices import meant
from impasto.errors import SettingsError
from impasto.samples.paintings import PAINTERS
from impasto.samples.paintings.canvas import Canvas, delivered

SMALLEST = 16  # pixels along a side; smaller paintings show nothing

_PHOTOS = Path(str(importlib.resources.files("impasto.samples"))) / "photos"


def photos() -> tuple[str, ...]:
    """The names of the bundled photos; NOTICE has their authors and licenses."""
    return tuple(sorted(path.stem for path in _PHOTOS.glob("*.jpg")))


def photo(name: str) -> Path:
    """The file of a bundled photo, a JPEG of at most 640 pixels along its longer side.

    Raises:
        SettingsError: if there is no photo of that name.
    """
    _check_name("photo", name, photos())
    return _PHOTOS / f"{name}.jpg"


def paintings() -> tuple[str, ...]:
    """The names of the paintings that :func:`paint` knows."""
    return tuple(PAINTERS)


def paint(name: str, shape: tuple[int, int] = (512, 512), seed: int = 0) -> Tensor:
    """A painting drawn by code: float32 RGB in [0, 1], of shape (1, 3, *shape).

    The same name, shape and seed give the same picture. The composition depends on the proportions of ``shape``
    (height, width in pixels) but not on its size: strokes grow with the picture.

    Raises:
        SettingsError: if there is no painting of that name, a side is not a whole number of at least 16 pixels, or the
            seed is not a whole number of at least 0.
    """
    _check_name("painting", name, paintings())
    if len(shape) != 2 or not all(isinstance(side, int) and side >= SMALLEST for side in shape):
        raise SettingsError(
            f"The shape {shape} was given for the painting {name}; give its height and width as whole numbers of at "
            f"least {SMALLEST} pixels."
        )
    if not isinstance(seed, int) or seed < 0:
        raise SettingsError(f"The seed {seed!r} was given; give a whole number of at least 0.")
    painter = PAINTERS[name]
    canvas = Canvas.for_picture(shape, painter.oversampling)
    return delivered(painter.paint(canvas, np.random.Generator(np.random.PCG64(seed))), shape)


def _check_name(kind: str, name: str, names: Sequence[str]) -> None:
    if name in names:
        return
    raise SettingsError(
        f"There is no {kind} called {name!r}; choose one of {', '.join(names)}.{meant(str(name), names)}"
    )


__all__ = ["SMALLEST", "paint", "paintings", "photo", "photos"]
