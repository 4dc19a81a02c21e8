"""The options that say where which style goes, shared by the commands that have them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from impasto.cli.options.settings import group_of
from impasto.files import is_file
from impasto.tasks.stylize import STYLIZE

_PLACES = group_of("guidance")


@dataclass(frozen=True, kw_only=True)
class RegionOptions:
    """Which region of the photo has which style, and what stays the photo."""

    mask: Annotated[
        tuple[str, ...],
        Parameter(
            metavar=STYLIZE.roles["masks"].metavar,
            show_default=False,
            group=_PLACES,
            help=STYLIZE.roles["masks"].help,
        ),
    ] = ()
    protect: Annotated[str | None, Parameter(metavar="MASK", group=_PLACES, help=STYLIZE.roles["protect"].help)] = None

    def arguments(self) -> dict[str, Any]:
        """As arguments of :func:`impasto.stylize`."""
        return {"masks": list(self.mask) or None, "protect": self.protect}

    def files(self) -> list[Path]:
        """The files that are named."""
        sides = [side for mask in self.mask for side in ([mask] if is_file(mask) else mask.split("=", 1))]
        return [Path(name) for name in (*sides, self.protect) if name]


EVERYWHERE = RegionOptions()
