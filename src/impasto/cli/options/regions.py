"""The options that say where which style goes, shared by the commands that have them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from impasto.cli.options.settings import group_of
from impasto.files import is_file

_PLACES = group_of("guidance")


@dataclass(frozen=True, kw_only=True)
class RegionOptions:
    """Which region of the photo has which style, and what stays the photo."""

    mask: Annotated[
        tuple[str, ...],
        Parameter(
            metavar="PHOTO_MASK[=STYLE_MASK]",
            show_default=False,
            group=_PLACES,
            help="Where a style goes, white on black, and from where in it; one for each style, in order, or several for "
            "one style. PHOTO_MASK may be the word rest.",
        ),
    ] = ()
    protect: Annotated[
        str | None, Parameter(metavar="MASK", group=_PLACES, help="Where the picture stays the photo.")
    ] = None

    def arguments(self) -> dict[str, Any]:
        """As arguments of :func:`impasto.stylize`."""
        return {"masks": list(self.mask) or None, "protect": self.protect}

    def files(self) -> list[Path]:
        """The files that are named."""
        sides = [side for mask in self.mask for side in ([mask] if is_file(mask) else mask.split("=", 1))]
        return [Path(name) for name in (*sides, self.protect) if name]


EVERYWHERE = RegionOptions()
