"""Painters: pictures drawn by code from a seed, at any size.

To add one: a module with a function of (canvas, rng) that returns colors (height, width, 3) in [0, 1], and a line here.
Everything random comes from ``rng`` and does not depend on the number of pixels: the picture is the same at every size.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from impasto.samples.paintings.canvas import Array, Canvas
from impasto.samples.paintings.glass import glass
from impasto.samples.paintings.marble import marble
from impasto.samples.paintings.swirl import swirl
from impasto.samples.paintings.woodcut import woodcut


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

__all__ = ["PAINTERS", "Painter"]
