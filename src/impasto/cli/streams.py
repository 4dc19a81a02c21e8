"""Words on stdout and stderr."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any


def put(text: str) -> None:
    """A line, or several, on stdout."""
    sys.stdout.write(f"{text}\n")


def put_json(value: Any) -> None:
    """A value on stdout as JSON, in ASCII so that every terminal and pipe takes it."""
    put(json.dumps(value, indent=2))


def put_lines(title: str, pairs: Iterable[tuple[str, object]]) -> None:
    """A title, if there is one, and under it names with their values."""
    rows = list(pairs)
    width = max(len(name) for name, _ in rows)
    indent = "  " if title else ""
    put(
        "\n".join(
            [*([shown(title)] if title else []), *(f"{indent}{name:{width}}  {shown(value)}" for name, value in rows)]
        )
    )


def put_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on stdout. Columns after the first whose cells begin with digits stand to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [[Text(shown(cell)) for cell in row] for row in rows]
    table = Table(box=box.SIMPLE_HEAD)
    for index, column in enumerate(columns):
        numeric = index > 0 and all(row[index].plain[:1].isdigit() or not row[index] for row in cells)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*row)
    # A file or pipe has no width: lines are as long as they must be.
    Console(width=None if sys.stdout.isatty() else 10_000).print(table)


def shown(value: object) -> str:
    """A value as text in which nothing can move a cursor: file names and metadata may come from anywhere."""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def complain(sentence: str) -> None:
    """What is wrong, on stderr."""
    sys.stderr.write(f"impasto: {shown(sentence)}\n")
    sys.stderr.flush()
