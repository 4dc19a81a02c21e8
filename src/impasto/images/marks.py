"""The least that a picture says of its origin: that impasto made it.

Pictures with a recipe say more. Those on the way, sheets and moving pictures have none; by their mark a later run knows
that nobody's work is lost where it replaces them.
"""

from pathlib import Path

import impasto
from impasto.errors import ImageError
from impasto.images.recipes import read_parameters, read_recipe

GIF_MARK = b"Made by impasto"
"""The comment of a moving picture."""

_COMMENT = b"\x21\xfe"  # how a GIF's comment begins


def mark(what: str) -> str:
    """Parameters, as :func:`impasto.images.write` takes them, of a picture without a recipe: ``what`` it is, in words."""
    return f"{what}\nVersion: impasto {impasto.__version__}"


def is_marked(path: str | Path) -> bool:
    """Whether a file says that impasto made it, be it by a recipe or a mark.

    Raises:
        ImageError: if it cannot be read.
    """
    if Path(path).suffix.lower() == ".gif":
        return _COMMENT + bytes([len(GIF_MARK)]) + GIF_MARK in Path(path).read_bytes()
    try:
        recipe = read_recipe(path)
    except ImageError:
        recipe = None  # of other programs, or damaged; the text may still say it
    return recipe is not None or "impasto" in (read_parameters(path) or "")
