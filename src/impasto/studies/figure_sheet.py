"""From the plan of a figure to a labelled sheet of pictures and its numbers: a run for every cell."""

import json
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import Tensor

import impasto
from impasto import images
from impasto.errors import ImageError
from impasto.files import Files
from impasto.images import Picture
from impasto.images.sheet import SheetTile, Strip, draw
from impasto.pyramid import fitted, resize
from impasto.runs.events import Listener
from impasto.runs.result import Result
from impasto.runs.run import Run

Numbers = Mapping[str, float | None]

JSON = Files("a file of numbers", ImageError)
"""Files of the numbers beside figures."""

_COLUMNS = 32  # letters of a command on one line: about as wide as a picture


@dataclass(frozen=True, eq=False)
class Cell:
    """One picture of a figure.

    Args:
        heading: what is special about it, in a word or two.
        prepare: makes its run.
        numbers: what is written under it, by name, from the result.
        command: a command line that is written under it, too.
    """

    heading: str
    prepare: Callable[[], Run]
    numbers: Callable[[Result], Numbers]
    command: str = ""


@dataclass(frozen=True, eq=False)
class Row:
    """Cells side by side, and what they have in common."""

    cells: tuple[Cell, ...]
    label: str = ""


@dataclass(frozen=True, eq=False)
class Sketch:
    """What a figure will show.

    Args:
        name: of the figure.
        title: over it, a sentence at most.
        inputs: the pictures that it is made from, by what they are.
        size: long side of its pictures.
        rows: its cells.
    """

    name: str
    title: str
    inputs: Mapping[str, Picture]
    size: int
    rows: tuple[Row, ...]

    def places(self) -> Iterator[tuple[int, int]]:
        """Row and column of every cell."""
        return ((r, c) for r, row in enumerate(self.rows) for c in range(len(row.cells)))


@dataclass(frozen=True, eq=False)
class Figure:
    """A finished figure.

    Args:
        sheet: all pictures with their labels, (1, 3, H, W) in [0, 1].
        numbers: plain data: the figure's ``inputs`` and, for every cell, its ``numbers``, ``losses`` and ``settings``.
        results: by row and column; cells that were not reached are missing.
        complete: whether every cell was finished.
    """

    sheet: Tensor = field(repr=False)
    numbers: dict[str, Any] = field(repr=False)
    results: Mapping[tuple[int, int], Result] = field(repr=False)
    complete: bool

    def save(self, path: str | Path) -> Path:
        """Write the sheet to ``path`` and the numbers beside it, into :func:`numbers_path`, which is returned.

        Raises:
            ImageError: if either cannot be written.
        """
        self.save_sheet(path)
        beside = numbers_path(path)
        self.save_numbers(beside)
        return beside

    def save_sheet(self, path: str | Path) -> None:
        """Write the sheet alone; errors as of :meth:`save`."""
        images.write(path, self.sheet, parameters=images.mark(str(self.numbers["title"])))

    def save_numbers(self, path: str | Path) -> None:
        """Write the numbers alone; errors as of :meth:`save`."""
        JSON.replace(Path(path), f"{json.dumps(self.numbers, indent=2)}\n".encode())


def numbers_path(path: str | Path) -> Path:
    """Where the numbers of a figure go: ``figure.json`` for ``figure.png``."""
    return Path(path).with_suffix(".json")


def drawn(sketch: Sketch, on_event: Listener | None = None) -> Figure:
    """Run every cell and put the pictures on a sheet.

    ``on_event`` is called after every optimizer step; if it returns True, the figure has the cells so far.
    """
    began = time.perf_counter()
    places = list(sketch.places())
    results: dict[tuple[int, int], Result] = {}
    found: dict[tuple[int, int], Numbers] = {}
    complete, cells = True, []
    for index, (r, c) in enumerate(places):
        row = sketch.rows[r]
        name = " ".join(part for part in (row.label, row.cells[c].heading) if part)
        listen = on_event and _listener(on_event, index, len(places), name)
        results[r, c] = row.cells[c].prepare().run(listen)
        found[r, c] = row.cells[c].numbers(results[r, c])
        cells.append(_plain(row, row.cells[c], results[r, c], found[r, c]))
        complete = results[r, c].complete
        if not complete:
            break
    facts = {
        "figure": sketch.name,
        "title": sketch.title,
        "impasto": impasto.__version__,
        "inputs": {
            what: {"name": each.source.name, "sha256": each.source.sha256} for what, each in sketch.inputs.items()
        },
        "complete": complete,
        "seconds": time.perf_counter() - began,
        "cells": cells,
    }
    return Figure(_sheet(sketch, results, found), facts, results, complete)


def _listener(tell: Listener, unit: int, units: int, name: str) -> Listener:
    return lambda event: tell(replace(event, unit=unit, units=units, name=name))


def _sheet(
    sketch: Sketch, results: Mapping[tuple[int, int], Result], found: Mapping[tuple[int, int], Numbers]
) -> Tensor:
    given = [resize(picture.pixels, fitted(picture.shape, sketch.size)) for picture in sketch.inputs.values()]
    names = tuple(f"{what}: {picture.source.name}" for what, picture in sketch.inputs.items())
    strips = [Strip(tuple(map(SheetTile, given)), names)]
    for r, row in enumerate(sketch.rows):
        tiles = tuple(_tile(results.get((r, c)), found.get((r, c), {}), cell) for c, cell in enumerate(row.cells))
        strips.append(Strip(tiles, tuple(cell.heading for cell in row.cells), row.label))
    return draw(strips, sketch.title)


def _tile(result: Result | None, numbers: Numbers, cell: Cell) -> SheetTile | None:
    if result is None:
        return None
    words = (f"{name} {'-' if value is None else f'{value:.3g}'}" for name, value in numbers.items())
    lines = (*words, *textwrap.wrap(cell.command, _COLUMNS, break_on_hyphens=False))
    return SheetTile(result.tensor, lines if result.complete else (*lines, "(stopped early)"))


def _plain(row: Row, cell: Cell, result: Result, numbers: Numbers) -> dict[str, Any]:
    return {
        "row": row.label,
        "column": cell.heading,
        **({"command": cell.command} if cell.command else {}),
        "numbers": dict(numbers),
        "losses": result.delivered.losses,
        "total": result.delivered.value,
        "settings": result.recipe["settings"],
        "levels": result.recipe["levels"],
        "precision": result.recipe["precision"],
        "seconds": sum(result.timings.values()),
    }
