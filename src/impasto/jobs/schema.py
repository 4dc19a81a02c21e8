"""The tables of the queue, and how an older database becomes one of this version."""

import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sql
from sqlalchemy import Column, Connection, Engine
from sqlalchemy.exc import OperationalError

from impasto.errors import JobError

SCHEMA = 1
"""The version of the tables. Newer ones only add to them."""

FORMAT = 1
"""The version of what a job's row means. Workers leave jobs of a newer format to newer workers."""

_TABLES = sql.MetaData()

_META = sql.Table("impasto_meta", _TABLES, Column("name", sql.String, primary_key=True), Column("value", sql.Integer))

JOBS = sql.Table(
    "impasto_jobs",
    _TABLES,
    Column("number", sql.BigInteger().with_variant(sql.Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", sql.String, nullable=False, unique=True),
    Column("owner", sql.String, nullable=False),
    Column("key", sql.String),
    Column("format", sql.Integer, nullable=False),
    Column("task", sql.String, nullable=False),
    Column("title", sql.String, nullable=False),
    Column("settings", sql.JSON, nullable=False),
    Column("in_force", sql.JSON, nullable=False),
    Column("inputs", sql.JSON, nullable=False),
    Column("names", sql.JSON, nullable=False),
    Column("status", sql.String, nullable=False, index=True),
    Column("wish", sql.String, nullable=False, server_default=""),
    Column("generation", sql.Integer, nullable=False, server_default="0"),
    Column("claim", sql.Integer, nullable=False, server_default="0"),
    Column("tries", sql.Integer, nullable=False, server_default="0"),
    Column("reached", sql.Integer, nullable=False, server_default="0"),
    Column("log", sql.Integer, nullable=False, server_default="0"),
    Column("adjusted", sql.JSON, nullable=False, server_default="[]"),
    Column("progress", sql.JSON(none_as_null=True)),
    Column("error", sql.String, nullable=False, server_default=""),
    Column("created", sql.Double, nullable=False),
    Column("started", sql.Double),
    Column("finished", sql.Double),
    sql.UniqueConstraint("owner", "key"),
    sql.Index("impasto_jobs_of_owner", "owner", "number"),
    sqlite_autoincrement=True,
)

EVENTS = sql.Table(
    "impasto_events",
    _TABLES,
    Column("job", sql.String, primary_key=True),
    Column("number", sql.Integer, primary_key=True),
    Column("at", sql.Double, nullable=False),
    Column("kind", sql.String, nullable=False),
    Column("data", sql.JSON, nullable=False),
)

_UPGRADES: dict[int, Callable[[Connection], Any]] = {}
"""By version: what makes a database of it one of the next."""

_LOCK = 7_308_341_520_614_900_577  # a number that nobody else's advisory locks are likely to have


def prepare(engine: Engine) -> None:
    """Make the tables, or bring them up to this version; processes that do so at the same time take turns.

    Raises:
        JobError: if the database was made by a newer version.
    """
    if engine.dialect.name == "sqlite":
        _write_ahead(engine)
    if _version(engine) == SCHEMA:
        return
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(sql.select(sql.func.pg_advisory_xact_lock(_LOCK)))
        _TABLES.create_all(connection)
        found = connection.execute(sql.select(_META.c.value).where(_META.c.name == "schema")).scalar_one_or_none()
        if found is None:
            connection.execute(sql.insert(_META).values(name="schema", value=SCHEMA))
            return
        if found > SCHEMA:
            raise JobError(
                f"The jobs are in a database of version {found}, but this impasto knows versions up to {SCHEMA}; "
                "update impasto."
            )
        for version in range(found, SCHEMA):
            _UPGRADES[version](connection)
        connection.execute(sql.update(_META).where(_META.c.name == "schema").values(value=SCHEMA))


def _version(engine: Engine) -> int | None:
    if not sql.inspect(engine).has_table(_META.name):
        return None
    with engine.connect() as connection, connection.begin():
        return connection.execute(sql.select(_META.c.value).where(_META.c.name == "schema")).scalar_one_or_none()


def _write_ahead(engine: Engine) -> None:
    """Let readers and the writer of a SQLite file not wait for each other; remembered in the file.

    SQLite does not wait for others while it changes the mode, so this does.
    """
    connection = engine.raw_connection()
    try:
        for remaining in range(100, -1, -1):
            try:
                connection.cursor().execute("PRAGMA journal_mode = WAL").fetchone()
                break
            except engine.dialect.loaded_dbapi.OperationalError as error:
                if not remaining:
                    raise OperationalError("PRAGMA journal_mode = WAL", None, error) from error
                time.sleep(0.05)
    finally:
        connection.close()
