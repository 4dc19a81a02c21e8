"""Connections to SQLite and PostgreSQL, and a sentence for what goes wrong with them."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from impasto.errors import JobError, MissingExtraError

PATIENCE = 30.0
"""Seconds that a statement waits for other processes' transactions."""

_OLDEST = (3, 35, 0)  # the first SQLite that knows RETURNING
_SQLITE = (
    ("not a database", "it is no SQLite database; move that file away, or choose another folder"),
    ("malformed", "it is damaged; restore it from a copy, or choose another folder"),
    ("unable to open", "it cannot be opened; check that its folder exists and that this user may write there"),
    ("readonly", "it may not be written to by this user; change its permissions, or choose another folder"),
    ("locked", "another program holds it; end that one, or try again"),
    ("full", "the disk is full; free some space"),
    ("disk i/o", "the disk does not answer as it should; check it, or choose another folder"),
)
"""What SQLite says, and what it means for a person."""


class QueueError(JobError):
    """A database that cannot be reached or used now; trying again later may do."""


def engine_of(url: str | Path, patience: float = PATIENCE) -> Engine:
    """The connections to the database of a URL, or of a SQLite file.

    Raises:
        JobError: if it is neither SQLite nor PostgreSQL.
        MissingExtraError: if it is PostgreSQL and its driver is not installed.
    """
    if isinstance(url, Path):
        return _sqlite(sql.URL.create("sqlite", database=str(url)), patience)
    try:
        parsed = sql.make_url(url)
    except sql.exc.ArgumentError:
        raise JobError("The database URL cannot be understood; give postgresql://user:password@host/name.") from None
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        return _sqlite(parsed, patience)
    if kind not in ("postgresql", "postgres"):
        raise JobError(f"Jobs live in SQLite or PostgreSQL, but the database URL names {kind}.")
    try:
        words = {"client_encoding": "utf8"}  # of a database that was made in the C locale, too, whose own is none
        address = parsed.set(drivername="postgresql+psycopg")
        return sql.create_engine(address, pool_pre_ping=True, max_overflow=-1, connect_args=words)
    except ImportError as error:
        raise MissingExtraError("PostgreSQL needs its driver; run pip install 'impasto[jobs]'.") from error


def _sqlite(url: sql.URL, patience: float) -> Engine:
    """SQLite as several processes need it: whoever writes says so at once and waits for its turn."""
    if sqlite3.sqlite_version_info < _OLDEST:
        raise JobError(
            f"This Python has SQLite {sqlite3.sqlite_version}, but jobs need 3.35 or newer; use a newer Python, or give "
            "a PostgreSQL database."
        )
    engine = sql.create_engine(url, max_overflow=-1, connect_args={"timeout": patience})

    @sql.event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA synchronous = FULL")  # what was said to be done survives a power failure

    @sql.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")

    return engine


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn the driver's errors into a sentence.

    Raises:
        QueueError: if the database cannot be used.
        JobError: if a value cannot be given to any database.
    """
    try:
        yield
    except IntegrityError:
        raise
    except (DataError, UnicodeEncodeError, OverflowError) as error:  # SQLAlchemy does not wrap the latter two
        what = repr(error.object) if isinstance(error, UnicodeEncodeError) else _first_line(error)
        raise JobError(
            f"The database of the jobs takes no such word or number ({what}); leave odd letters out, or give a smaller "
            "number."
        ) from error
    except DBAPIError as error:
        raise _unusable(engine, error.orig) from error
    except sqlite3.Error as error:  # while a connection is made
        raise _unusable(engine, error) from error


def _unusable(engine: Engine, error: BaseException | None) -> QueueError:
    reason = _first_line(error)
    if engine.dialect.name != "sqlite":
        return QueueError(f"The database of the jobs cannot be used ({reason}); check that it runs.")
    found = next((meaning for word, meaning in _SQLITE if word in reason.lower()), None)
    what = found or f"it cannot be used ({reason}); check that file, or choose another folder"
    return QueueError(f"The database of the jobs is {engine.url.database}, but {what}.")


def _first_line(error: BaseException | None) -> str:
    """What a driver says, without its full stop and whatever follows."""
    return (str(getattr(error, "orig", error)).strip().splitlines() or ["no answer"])[0].rstrip(".")
