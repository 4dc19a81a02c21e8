"""The durable queue: a table of jobs and one of their events, on SQLite or PostgreSQL.

Every method is one transaction, safe from any thread and process. The queue says what is to be done and what became of
it; which process is at work on a job is said by a lock on the job's folder (:mod:`impasto.jobs.store`), which the
operating system releases when that process dies, however it dies.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy import Connection, RowMapping
from sqlalchemy.exc import IntegrityError

from impasto.errors import JobError
from impasto.jobs.database import PATIENCE, engine_of, explained
from impasto.jobs.job import ENDED, Job, JobEvent, Progress, Status
from impasto.jobs.schema import EVENTS, FORMAT, JOBS, prepare

_CHUNK = 500  # names in one query
_DOUBTFUL = 3  # tries without getting further, after which other jobs come first
_OPEN = (Status.QUEUED, Status.RUNNING)
_HIDDEN = ("number", "key", "format", "in_force", "wish", "generation", "claim", "tries", "reached", "log", "adjusted")


@dataclass(frozen=True)
class QueueEntry:
    """A job, and what only its worker needs to know.

    Args:
        job: what everybody may see.
        in_force: all settings as they were when it was submitted; a later version may have other defaults.
        wish: ``stop`` if its picture so far is wanted, or "".
        generation: how often its settings were changed.
        claim: how often it was taken up.
        tries: how often it was taken up since it last got further.
        adjusted: the settings before each change, and the evaluations made with them.
    """

    job: Job
    in_force: dict[str, Any]
    wish: str
    generation: int
    claim: int
    tries: int
    adjusted: list[dict[str, Any]]


@dataclass(frozen=True)
class Pulse:
    """What a worker asks about its job several times a second."""

    status: Status
    wish: str
    generation: int
    claim: int


class Queue:
    """The queue in a SQLite file, or behind a URL such as ``postgresql://user:word@host/name``.

    Args:
        url: the file as a ``Path``, or the URL.
        patience: seconds to wait for other processes' transactions, on SQLite.

    Raises:
        QueueError: if the database cannot be reached, or is none.
        JobError: if it was made by a newer impasto, or the URL names another kind of database.
        MissingExtraError: if PostgreSQL is asked for and its driver is not installed.
    """

    def __init__(self, url: str | Path, patience: float = PATIENCE) -> None:
        self._engine = engine_of(url, patience)
        try:
            with explained(self._engine):
                prepare(self._engine)
        except BaseException:
            self._engine.dispose()
            raise

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with explained(self._engine), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that no other writer gets between: all of it is done, or on an error nothing."""
        with explained(self._engine), self._engine.connect() as connection:
            connection = connection.execution_options(writes=True)  # noqa: PLW2901 - the same connection
            with connection.begin():
                yield connection

    def add(self, job: Job, key: str | None, in_force: Mapping[str, Any]) -> Job | None:
        """Put a job at the end of the queue; None if its owner has one with this key already."""
        values = {**asdict(job), "progress": None, "status": job.status.value, "inputs": job.inputs, "names": job.names}
        try:
            with self.writing() as connection:
                connection.execute(sql.insert(JOBS).values(**values, key=key, in_force=dict(in_force), format=FORMAT))
                _log(connection, job.id, "status", {"status": job.status.value, "error": ""})
        except IntegrityError:
            return None
        return job

    def with_key(self, owner: str, key: str) -> QueueEntry | None:
        """An owner's job with a key."""
        with self._reading() as connection:
            query = sql.select(JOBS).where(JOBS.c.owner == owner, JOBS.c.key == key)
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else _entry(row)

    def get(self, identifier: str) -> QueueEntry:
        """One job.

        Raises:
            JobError: if there is none of this id.
        """
        with self._reading() as connection:
            return _entry(_row(connection, identifier))

    def some(self, identifiers: Sequence[str]) -> list[Job]:
        """Several jobs, in the order that they are named in.

        Raises:
            JobError: if there is none of one of these ids.
        """
        found: dict[str, Job] = {}
        with self._reading() as connection:
            for at in range(0, len(identifiers), _CHUNK):
                names = identifiers[at : at + _CHUNK]
                rows = connection.execute(sql.select(JOBS).where(JOBS.c.id.in_(names))).mappings()
                found |= {row["id"]: _job(row) for row in rows}
            missing = next((name for name in identifiers if name not in found), None)
            if missing is not None:
                _row(connection, missing)
        return [found[name] for name in identifiers]

    def find(
        self, owner: str | None, status: Collection[Status], search: str, limit: int, before: str | None
    ) -> list[Job]:
        """Jobs, newest first: of an owner, in a state, with words in their title, older than another one."""
        query = sql.select(JOBS).order_by(JOBS.c.number.desc()).limit(limit)
        if owner is not None:
            query = query.where(JOBS.c.owner == owner)
        if status:
            query = query.where(JOBS.c.status.in_([one.value for one in status]))
        for word in search.split():
            query = query.where(JOBS.c.title.icontains(word, autoescape=True))
        with self._reading() as connection:
            if before is not None:
                query = query.where(JOBS.c.number < _row(connection, before)["number"])
            return [_job(row) for row in connection.execute(query).mappings()]

    def move(self, identifier: str, allowed: Collection[Status], to: Status, refusal: str, **values: Any) -> Job:
        """Bring a job that is in an allowed state into another one.

        Raises:
            JobError: if there is no such job, or it is in another state: ``refusal`` with ``{status}`` filled in.
        """
        ended = time.time() if to in ENDED else None
        change = {"status": to.value, "finished": ended, **values}
        with self.writing() as connection:
            row = _update(
                connection, change, JOBS.c.id == identifier, JOBS.c.status.in_([one.value for one in allowed])
            )
            if row is None:
                status = _row(connection, identifier)["status"]
                raise JobError(f"The job {identifier} is {status}: {refusal}")
            _log(connection, identifier, "status", {"status": to.value, "error": row["error"]})
            return _job(row)

    def wish(self, identifier: str, wish: str) -> None:
        """Tell whoever works on a running job what is wanted of it."""
        with self.writing() as connection:
            _update(connection, {"wish": wish}, JOBS.c.id == identifier)

    def adjust(self, identifier: str, settings: Mapping[str, Any], in_force: Mapping[str, Any]) -> Job:
        """Give a job that has not ended other settings.

        Raises:
            JobError: if it has ended, or there is none of this id.
        """
        unended = [one.value for one in Status if one not in ENDED]
        with self.writing() as connection:
            before = _entry(_row(connection, identifier))
            past = {"settings": before.job.settings, "evaluations": _made(before.job.progress)}
            change = {
                "settings": dict(settings),
                "in_force": dict(in_force),
                "adjusted": [*before.adjusted, past],
                "generation": JOBS.c.generation + 1,
                "tries": 0,
                "reached": 0,
            }
            row = _update(connection, change, JOBS.c.id == identifier, JOBS.c.status.in_(unended))
            if row is None:
                raise JobError(f"The job {identifier} is {before.job.status}: only one that has not ended is adjusted.")
            _log(connection, identifier, "note", {"text": "The settings were changed."})
            return _job(row)

    def candidates(self) -> list[str]:
        """The jobs that a worker might take: those said to run, whose worker may have died, then those waiting.

        A job that ended its process several times without getting further comes after all others.
        """
        query = (
            sql.select(JOBS.c.id)
            .where(JOBS.c.status.in_([one.value for one in _OPEN]), JOBS.c.format <= FORMAT)
            .order_by(JOBS.c.tries >= _DOUBTFUL, JOBS.c.status == Status.QUEUED.value, JOBS.c.number)
            .limit(200)
        )
        with self._reading() as connection:
            return list(connection.execute(query).scalars())

    def claim(self, identifier: str) -> QueueEntry | None:
        """Take up a job whose lock is held; None if there is nothing to do for it any more."""
        with self.writing() as connection:
            change = {
                "status": Status.RUNNING.value,
                "claim": JOBS.c.claim + 1,
                "tries": JOBS.c.tries + 1,
                "started": sql.func.coalesce(JOBS.c.started, time.time()),
                "error": "",
            }
            row = _update(connection, change, JOBS.c.id == identifier, JOBS.c.status.in_([one.value for one in _OPEN]))
            if row is None:
                return None
            _log(connection, identifier, "status", {"status": Status.RUNNING.value, "error": ""})
            return _entry(row)

    def pulse(self, identifier: str) -> Pulse | None:
        """What is wanted of a job, or None if it is gone."""
        columns = (JOBS.c.status, JOBS.c.wish, JOBS.c.generation, JOBS.c.claim)
        with self._reading() as connection:
            row = connection.execute(sql.select(*columns).where(JOBS.c.id == identifier)).one_or_none()
        return None if row is None else Pulse(Status(row[0]), row[1], row[2], row[3])

    def report(self, identifier: str, claim: int, progress: Progress) -> None:
        """Note how far a claimed job is; nothing if it was taken away meanwhile."""
        data, made = asdict(progress), _made(progress)
        further = JOBS.c.reached < made
        change = {
            "progress": data,
            "tries": sql.case((further, 0), else_=JOBS.c.tries),
            "reached": sql.case((further, made), else_=JOBS.c.reached),
        }
        mine = (JOBS.c.id == identifier, JOBS.c.claim == claim, JOBS.c.status == Status.RUNNING.value)
        with self.writing() as connection:
            if _update(connection, change, *mine) is not None:
                _log(
                    connection, identifier, "progress", {key: value for key, value in data.items() if key != "history"}
                )

    def begin_again(self, identifier: str, claim: int) -> None:
        """Note that a claimed job has lost what it had reached, so that it may reach it again."""
        with self.writing() as connection:
            _update(connection, {"reached": 0}, JOBS.c.id == identifier, JOBS.c.claim == claim)

    def note(self, identifier: str, text: str) -> None:
        """Write a sentence into a job's log."""
        with self.writing() as connection:
            _log(connection, identifier, "note", {"text": text})

    def release(self, identifier: str, claim: int) -> None:
        """Put a claimed job that is still said to run back into the queue."""
        with self.writing() as connection:
            mine = (JOBS.c.id == identifier, JOBS.c.claim == claim, JOBS.c.status == Status.RUNNING.value)
            change = {"status": Status.QUEUED.value, "tries": 0}
            if _update(connection, change, *mine) is not None:
                _log(connection, identifier, "status", {"status": Status.QUEUED.value, "error": ""})

    def finish(self, entry: QueueEntry, status: Status, error: str = "") -> bool:
        """End a claimed job; False if it was canceled, changed or removed meanwhile. Pausing comes too late for it."""
        change = {"status": status.value, "error": error, "finished": time.time(), "wish": ""}
        mine = (
            JOBS.c.id == entry.job.id,
            JOBS.c.claim == entry.claim,
            JOBS.c.generation == entry.generation,
            JOBS.c.status.not_in([one.value for one in ENDED]),
        )
        with self.writing() as connection:
            found = _update(connection, change, *mine) is not None
            if found:
                _log(connection, entry.job.id, "status", {"status": status.value, "error": error})
        return found

    def events(self, identifier: str, after: int, limit: int) -> list[JobEvent]:
        """A job's log from a number on.

        Raises:
            JobError: if there is no such job.
        """
        query = sql.select(EVENTS).where(EVENTS.c.job == identifier, EVENTS.c.number > after)
        with self._reading() as connection:
            _row(connection, identifier)
            rows = connection.execute(query.order_by(EVENTS.c.number).limit(limit)).mappings()
            return [JobEvent(**row) for row in rows]

    def remove(self, identifier: str) -> None:
        """Forget a job and its log."""
        with self.writing() as connection:
            connection.execute(sql.delete(EVENTS).where(EVENTS.c.job == identifier))
            connection.execute(sql.delete(JOBS).where(JOBS.c.id == identifier))

    def counts(self, owner: str) -> dict[Status, int]:
        """How many jobs an owner has in every state that one is in."""
        query = sql.select(JOBS.c.status, sql.func.count()).where(JOBS.c.owner == owner).group_by(JOBS.c.status)
        with self._reading() as connection:
            return {Status(status): count for status, count in connection.execute(query)}

    def holdings(self, owner: str | None = None) -> dict[str, frozenset[str]]:
        """The hashes of every job's inputs, by its id."""
        query = sql.select(JOBS.c.id, JOBS.c.inputs)
        if owner is not None:
            query = query.where(JOBS.c.owner == owner)
        with self._reading() as connection:
            return {name: frozenset(chain(*inputs.values())) for name, inputs in connection.execute(query)}

    def ended_before(self, moment: float) -> list[str]:
        """The jobs that ended before a moment."""
        query = sql.select(JOBS.c.id).where(JOBS.c.finished < moment)
        with self._reading() as connection:
            return list(connection.execute(query).scalars())


def _row(connection: Connection, identifier: str) -> RowMapping:
    row = connection.execute(sql.select(JOBS).where(JOBS.c.id == identifier)).mappings().one_or_none()
    if row is None:
        raise JobError(f"There is no job {identifier!r}; impasto jobs list shows which there are.")
    return row


def _update(connection: Connection, change: Mapping[str, Any], *conditions: Any) -> RowMapping | None:
    """Change the one row that meets the conditions, and return it as it is then."""
    statement = sql.update(JOBS).where(*conditions).values(**change).returning(*JOBS.c)
    return connection.execute(statement).mappings().one_or_none()


def _log(connection: Connection, identifier: str, kind: str, data: Mapping[str, Any]) -> None:
    """Append to a job's log. The job's row hands out the number, so that two writers never get the same."""
    count = sql.update(JOBS).where(JOBS.c.id == identifier).values(log=JOBS.c.log + 1).returning(JOBS.c.log)
    number = connection.execute(count).scalar_one_or_none()
    if number is not None:
        values = {"job": identifier, "number": number, "at": time.time(), "kind": kind, "data": dict(data)}
        connection.execute(sql.insert(EVENTS).values(**values))


def _made(progress: Progress | None) -> int:
    """The evaluations that a progress stands for."""
    return progress.history[-1][0] if progress and progress.history else 0


def _job(row: RowMapping) -> Job:
    values = {key: value for key, value in row.items() if key not in _HIDDEN}
    files = {role: {key: tuple(items) for key, items in row[role].items()} for role in ("inputs", "names")}
    return Job(**{**values, **files, "status": Status(row["status"]), "progress": _progress(row["progress"])})


def _progress(data: Mapping[str, Any] | None) -> Progress | None:
    if data is None:
        return None
    history = tuple((int(made), float(value)) for made, value in data["history"])
    return Progress(**{**data, "history": history})


def _entry(row: RowMapping) -> QueueEntry:
    own = {key: row[key] for key in ("in_force", "wish", "generation", "claim", "tries", "adjusted")}
    return QueueEntry(_job(row), **own)
