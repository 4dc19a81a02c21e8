"""A contact sheet to choose from: one pair of pictures over strength, stroke size and color, small and soon."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from impasto import images
from impasto.errors import SettingsError
from impasto.runs.imaging import several
from impasto.runs.pictures.stylize import Transfer
from impasto.settings import Settings, make
from impasto.studies.figure_sheet import Cell, Row, Sketch

SIDE = 192
"""Long side of the sheet's pictures, in pixels."""
STRENGTHS = (0.2, 0.5, 0.8)
SCALES = (0.5, 1.0, 2.0)
COLORS = ("style", "luminance")
EVALUATIONS = 20
"""Per picture, from the pair's preview: enough to tell them apart."""

_AXES = ("strength", "style_scale", "color")
_START = {"init": "preview"}  # in the commands, too: from another start, colors would settle in other places
_SMALL = ("coarsest", "evaluations")


@dataclass(frozen=True)
class Axes:
    """What the sheet goes over.

    Args:
        strengths: from left to right.
        scales: from top to bottom.
        colors: likewise, a block of rows each, by the names of the setting ``color``.
    """

    strengths: Sequence[float] = STRENGTHS
    scales: Sequence[float] = SCALES
    colors: Sequence[str] = COLORS


def exploration(
    content: Any,
    styles: Any,
    axes: Axes | None = None,
    *,
    words: Callable[[Mapping[str, Any]], Sequence[str]],
    names: Sequence[str] = (),
    **values: Any,
) -> Sketch:
    """The sheet for a photo and its paintings, to be drawn by :func:`impasto.studies.figure_sheet.drawn`.

    Args:
        content: as for :func:`impasto.stylize`, and so are the styles.
        styles: one or several.
        axes: what it goes over.
        words: settings as the options of a command line.
        names: what the command lines call the pictures; their file names unless given.
        values: settings that all pictures share; ``size`` is that of the commands.

    Raises:
        ImpastoError: with a sentence on what is wrong with a picture or a setting.
    """
    photo, *paintings = map(images.read, (content, *several(styles)))
    for name in (*_AXES, *_START, *_SMALL):
        if name in values:
            raise SettingsError(f"The setting {name} is what the sheet itself chooses; leave it out.")
    chosen = axes or Axes()
    called = list(names) or [picture.source.name for picture in (photo, *paintings)]

    def cell(strength: float, scale: float, color: str) -> Cell:
        own = {**_START, **_own(strength, scale, color)}
        command = shlex.join(["impasto", "stylize", *called, "-o", "out.png", *words({**values, **own})])
        settings = make({**values, **own, "size": SIDE, "coarsest": SIDE, "evaluations": (EVALUATIONS,)})
        run = partial(Transfer.of, photo, paintings, settings=settings)
        return Cell(f"strength {strength:g}", run, lambda _: {}, command)

    rows = [
        Row(tuple(cell(strength, scale, color) for strength in chosen.strengths), f"color {color}, strokes x {scale:g}")
        for color in chosen.colors
        for scale in chosen.scales
    ]
    rows[0].cells[0].prepare()  # finds what is wrong with the settings before anything is drawn
    inputs = {"photo": photo, **{f"painting {i}": each for i, each in enumerate(paintings, 1)}}
    return Sketch("explore", "Every command makes its picture at full size.", inputs, SIDE, tuple(rows))


def _own(strength: float, scale: float, color: str) -> dict[str, Any]:
    """The settings of one picture, without those at their defaults."""
    given = {"strength": strength, "style_scale": scale, "color": color}
    return {name: value for name, value in given.items() if value != Settings.model_fields[name].default}
