"""Connections to SQLite and PostgreSQL, and a sentence for what goes wrong with them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sql
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from impasto.errors import JobError, MissingExtraError

_PATIENCE = 30  # seconds that a statement waits for other processes' transactions


class QueueError(JobError):
    """A database that cannot be reached or used now; trying again later may do."""


def engine_of(url: str) -> Engine:
    """The connections to the database of a URL.

    Raises:
        JobError: if it is neither SQLite nor PostgreSQL.
        MissingExtraError: if it is PostgreSQL and its driver is not installed.
    """
    try:
        parsed = sql.make_url(url)
    except sql.exc.ArgumentError:
        raise JobError("The database URL cannot be understood; give postgresql://user:password@host/name.") from None
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        return _sqlite(parsed)
    if kind not in ("postgresql", "postgres"):
        raise JobError(f"Jobs live in SQLite or PostgreSQL, but the database URL names {kind}.")
    try:
        return sql.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, max_overflow=-1)
    except ImportError as error:
        raise MissingExtraError("PostgreSQL needs its driver; run pip install 'impasto[jobs]'.") from error


def _sqlite(url: sql.URL) -> Engine:
    """SQLite as several processes need it: whoever writes says so at once and waits for its turn."""
    engine = sql.create_engine(url, max_overflow=-1, connect_args={"timeout": _PATIENCE})

    @sql.event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA synchronous = FULL")  # what was said to be done survives a power failure

    @sql.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")

    return engine


@contextmanager
def explained() -> Iterator[None]:
    """Turn the driver's errors into a sentence."""
    try:
        yield
    except IntegrityError:
        raise
    except (OperationalError, InterfaceError) as error:
        reason = str(error.orig).strip().splitlines()[0].rstrip(".") if error.orig and str(error.orig) else "no answer"
        raise QueueError(f"The database of the jobs cannot be used ({reason}); check that it runs.") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise QueueError("The database of the jobs closed the connection; try again.") from error
        raise
