"""What a run of the command line may use: memory, and the processes that torchrun started."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from impasto.cli.terminal.progress import Reporter, size

if TYPE_CHECKING:
    from impasto.engines.group import Group
    from impasto.runs.imaging import ImageRun
    from impasto.runs.run import Run


@contextmanager
def group_of_run() -> "Iterator[Group]":
    """The processes that share the run. Those but the first leave Ctrl-C to that one, which ends them."""
    from impasto.engines.ranks import DONE, process_group

    with process_group() as group:
        if group.rank and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        yield group
        if group.rank == 0:
            group.announce(DONE)


def within_budget(run: "Run", memory: str | None, group: "Group", tell: Reporter | None = None) -> "Run":
    """A prepared run within what it may use, having said how its large levels will be computed.

    Raises:
        SettingsError: if it does not fit, or is of a task that cannot be cut.
    """
    from impasto.memory.budget import Budget, bytes_of
    from impasto.runs.imaging import ImageRun

    ready = run.within(Budget(bytes_of(memory), group), None if tell is None else tell.work)
    if tell is not None and isinstance(ready, ImageRun):
        for sentence in plan_in_words(ready):
            tell.say(sentence)
    return ready


def plan_in_words(run: "ImageRun") -> Iterator[str]:
    """A sentence for every level that is not computed whole."""
    processes = run.budget.group.size
    for index, level in enumerate(run.levels, 1):
        layout = run.layouts[level.shape]
        if layout.tiles is None:
            continue
        sides = tuple(max(spans) for spans in zip(*(tile.box.shape for tile in layout.tiles), strict=True))
        kept = f", {layout.keep} of them kept between passes" if layout.keep > 1 else ""
        on = f" on {processes} processes" if processes > 1 else ""
        files = f" and {layout.files / 1e9:.1f} GB of temporary files" if layout.files else ""
        yield (
            f"Level {index} of {len(run.levels)}, {size(level.shape)}, is computed in {_tiles(len(layout.tiles))} of up "
            f"to {size(sides)}{kept}{on}, with {layout.memory / 1e9:.1f} GB of memory{files}."
        )


def _tiles(count: int) -> str:
    return "1 tile" if count == 1 else f"{count} tiles"
