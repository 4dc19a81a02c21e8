"""Painters: pictures drawn by code from a seed, at any size. The bundled paintings are theirs.

To add one: write a module with a function of (canvas, rng) that returns colors (height, width, 3) in [0, 1] on the
canvas's working pixels, and add a line here. Everything random comes from ``rng`` and must not depend on the number of
pixels, so that the picture is the same at every size; the tests of all painters then apply to it.

By script: ``python examples/paintings FOLDER``, which draws the bundled files.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from impasto.choices import meant
from impasto.errors import SettingsError
from paintings.canvas import Array, Canvas, delivered
from paintings.glass import glass
from paintings.marble import marble
from paintings.swirl import swirl
from paintings.woodcut import woodcut

SMALLEST = 16  # pixels along a side; smaller paintings show nothing


@dataclass(frozen=True)
class Painter:
    """A way to paint, and how many working pixels per pixel (along each side) its finest lines need."""

    paint: Callable[[Canvas, np.random.Generator], Array]
    oversampling: float = 1.5


PAINTERS = {
    "swirl": Painter(swirl),
    "marble": Painter(marble, oversampling=2.0),
    "glass": Painter(glass),
    "woodcut": Painter(woodcut),
}


def paint(name: str, shape: tuple[int, int] = (512, 512), seed: int = 0) -> Tensor:
    """A painting drawn by code: float32 RGB in [0, 1], of shape (1, 3, *shape).

    The same name, shape and seed give the same picture. The composition depends on the proportions of ``shape``
    (height, width in pixels) but not on its size: strokes grow with the picture.

    Raises:
        SettingsError: if there is no painting of that name, a side is not a whole number of at least 16 pixels, or the
            seed is not a whole number of at least 0.
    """
    if name not in PAINTERS:
        raise SettingsError(
            f"There is no painting called {name!r}; choose one of {', '.join(PAINTERS)}.{meant(str(name), PAINTERS)}"
        )
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


__all__ = ["PAINTERS", "SMALLEST", "Painter", "paint"]
