r"""Color tables (LUTs): the colors of a painting for other programs, as Adobe's .cube files.

A table has a color for every point of a grid over the colors (r, g, b) in [0, 1]; between the points it is linear.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, get_args

import torch
import torch.nn.functional as nnf
from torch import Tensor

from impasto import images, samples
from impasto.color import ColorMoments, cholesky, match_histogram, monge_kantorovich
from impasto.errors import SettingsError
from impasto.files import Files
from impasto.pyramid import fitted, resize

CUBES = Files("a color table", SettingsError)
Method = Literal["match", "match-cholesky", "histogram"]
"""How colors are matched: as the setting ``color`` does, but from the photo to the painting."""

_MOST = 129  # points along an axis
_SEEN = 1024  # pixels of the long side that colors are counted in


@dataclass(frozen=True, eq=False)
class ColorTable:
    """Colors on a grid.

    Args:
        values: (3, B, G, R), for B = G = R points along each axis: red, green and blue of the point (b, g, r). They may leave
            [0, 1]: clipped here, the table would be bent beside the place where it reaches the end.
    """

    values: Tensor

    @property
    def points(self) -> int:
        """Along each axis."""
        return self.values.shape[1]

    def __call__(self, pixels: Tensor) -> Tensor:
        """A picture (1, 3, H, W) in [0, 1] with every color looked up, linear between the eight points around it, in [0, 1]."""
        at = pixels.clamp(0, 1).movedim(1, -1)[:, None] * 2 - 1
        found = nnf.grid_sample(self.values[None].to(pixels.dtype), at, align_corners=True, padding_mode="border")
        return found[:, :, 0].clamp(0, 1)

    def text(self, title: str) -> str:
        """What a .cube file of it holds."""
        said = re.sub(r'[^\x20-\x7e]|"', "_", title)
        rows = self.values.movedim(0, -1).reshape(-1, 3).tolist()  # red changes fastest
        head = [f'TITLE "{said}"', f"LUT_3D_SIZE {self.points}", "DOMAIN_MIN 0 0 0", "DOMAIN_MAX 1 1 1"]
        return "\n".join([*head, *(" ".join(f"{value:.6f}" for value in row) for row in rows), ""])

    def save(self, path: str | Path, title: str = "impasto") -> None:
        """Write a .cube file; one that is there is replaced as a whole or not at all.

        Raises:
            SettingsError: if it cannot be written.
        """
        CUBES.replace(Path(path), self.text(title).encode())

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """The table in a .cube file.

        Raises:
            SettingsError: if it is none, or one of another kind.
        """
        lines = [line.split("#")[0].split() for line in CUBES.contents(path).decode("utf-8", "replace").splitlines()]
        told = {line[0]: line[1:] for line in lines if line and line[0][0].isalpha()}
        try:
            points = int(told["LUT_3D_SIZE"][0])
            rows = [[float(value) for value in line] for line in lines if line and not line[0][0].isalpha()]
            ends = [[float(value) for value in told.get(name, usual)] for name, usual in _DOMAIN.items()]
            values = torch.tensor(rows, dtype=torch.float64).reshape(points, points, points, 3)
        except (KeyError, IndexError, ValueError, RuntimeError):
            raise SettingsError(f"{path} is no .cube file with a table of three dimensions; give one.") from None
        if not 2 <= points <= _MOST or ends != [[0.0] * 3, [1.0] * 3] or not values.isfinite().all():
            raise SettingsError(
                f"{path} has {points} points or a domain other than 0 to 1; give one of 2 to {_MOST} points."
            )
        return cls(values.movedim(-1, 0).contiguous())


_DOMAIN = {"DOMAIN_MIN": ["0"] * 3, "DOMAIN_MAX": ["1"] * 3}


def color_table(
    painting: Any, photo: Any = None, *, points: int = 33, method: Method = "match", strength: float = 1.0
) -> ColorTable:
    r"""The table that gives a photo the colors of a painting.

    Mean and covariance (``match``: Pitie and Kokaram 2007; ``match-cholesky``: Gatys et al. 2017) or the histogram of each
    channel become the painting's: :math:`x \mapsto (1 - s) x + s f(x)` for a strength s.

    Args:
        painting: whose colors are wanted, as for :func:`impasto.stylize`.
        photo: whose colors are changed; unless given, the bundled photos taken together, which stand for any.
        points: along each axis; 17, 33 and 65 are usual.
        method: as said.
        strength: 0 changes nothing, 1 all.

    Raises:
        ImpastoError: with a sentence on what is wrong with a picture or a value.
    """
    if not 2 <= points <= _MOST:
        raise SettingsError(f"A table of {points} points was asked for; give 2 to {_MOST}, such as 33.")
    if not (math.isfinite(strength) and 0 <= strength <= 1):
        raise SettingsError(f"The strength is {strength:g}; give 0 to 1.")
    if method not in get_args(Method):
        raise SettingsError(f"The method {method!r} was given; choose one of {', '.join(get_args(Method))}.")
    line = torch.linspace(0, 1, points, dtype=torch.float64)
    blue, green, red = torch.meshgrid(line, line, line, indexing="ij")
    grid = torch.stack([red, green, blue])[None]
    wanted = _seen(painting)
    given = _seen(photo) if photo is not None else torch.cat([_seen(samples.photo(one)) for one in samples.photos()], 3)
    mapped = _map(given, wanted, method)(grid)
    return ColorTable(torch.lerp(grid, mapped, strength)[0])


def _map(source: Tensor, target: Tensor, method: Method) -> Callable[[Tensor], Tensor]:
    """From colors of the source to those of the target."""
    if method == "histogram":
        return lambda grid: _by_histogram(source, target, grid)
    linear = monge_kantorovich if method == "match" else cholesky
    return linear(ColorMoments.of(source), ColorMoments.of(target))


def _by_histogram(source: Tensor, target: Tensor, grid: Tensor) -> Tensor:
    """Colors of a grid where the source's go: each level among those of the source, counted for nothing."""
    weights = torch.cat([torch.ones_like(source[:, :1]), torch.zeros(1, 1, 1, grid[0, 0].numel()).to(source)], 3)
    both = torch.cat([source, grid.reshape(1, 3, 1, -1).to(source)], 3)
    return match_histogram(both, target, weights)[..., source.shape[3] :].reshape_as(grid).to(grid.dtype)


def _seen(picture: Any) -> Tensor:
    """A picture's colors, (1, 3, 1, positions), small enough that they can be counted."""
    pixels = images.read(picture).pixels
    shape = tuple(pixels.shape[2:])
    small = pixels if max(shape) <= _SEEN else resize(pixels, fitted(shape, _SEEN))
    return small.clamp(0, 1).reshape(1, 3, 1, -1)
