"""Words on stdout and stderr, whatever these are: a terminal, a pipe, a notebook's, none at all."""

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, TextIO


class _Nowhere(io.TextIOBase):
    """Takes the place of a stream that was closed before the program began."""

    def write(self, text: str, /) -> int:
        """Nobody reads it."""
        return len(text)


@contextlib.contextmanager
def usable() -> Iterator[None]:
    """Have stdout and stderr that take any words: none is closed, and file names need not be text.

    Both are afterwards as they were.
    """
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_Nowhere() if _closed(stream) else stream for stream in before)
    with contextlib.ExitStack() as stack:
        for stream in before:
            if isinstance(stream, io.TextIOWrapper) and not _closed(stream):
                stack.callback(_escape, stream, stream.errors or "strict")
                _escape(stream, "backslashreplace")
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before


def _closed(stream: TextIO | None) -> bool:
    return stream is None or getattr(stream, "closed", False)  # what takes its place need not be a file


def _escape(stream: io.TextIOWrapper, errors: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # its reader is gone, or it was closed meanwhile
        stream.reconfigure(errors=errors)


def unwritable() -> OSError | None:
    """What keeps words from being written to stdout, such as a full disk; None if they can be."""
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError as error:
        return error
    return None


def give_up() -> None:
    """Send what is left on stdout nowhere, so that nothing is left to fail when Python exits."""
    with contextlib.suppress(OSError, ValueError):  # a stream that is no file of the system's
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def on_terminal(stream: TextIO) -> bool:
    """Whether somebody watches the stream."""
    return bool(getattr(stream, "isatty", bool)())


def binary() -> BinaryIO | None:
    """Stdout for bytes, or None where it takes only words."""
    return getattr(sys.stdout, "buffer", None)


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
            [
                *([printable(title)] if title else []),
                *(f"{indent}{name:{width}}  {printable(value)}" for name, value in rows),
            ]
        )
    )


def put_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on stdout. Columns after the first whose cells begin with digits stand to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [[Text(printable(cell)) for cell in row] for row in rows]
    table = Table(box=box.SIMPLE_HEAD)
    for index, column in enumerate(columns):
        numeric = index > 0 and all(row[index].plain[:1].isdigit() or not row[index] for row in cells)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*row)
    # A file or pipe has no width: lines are as long as they must be.
    Console(width=None if on_terminal(sys.stdout) else 10_000).print(table)


def printable(value: object) -> str:
    """A value as text in which nothing can move a cursor: file names and metadata may come from anywhere."""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def tell(sentence: str) -> None:
    """A line on stderr. That nobody can read it is no reason to end a run."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{printable(sentence)}\n")
        sys.stderr.flush()


def complain(sentence: str) -> None:
    """What is wrong, on stderr."""
    tell(f"impasto: {sentence}")
