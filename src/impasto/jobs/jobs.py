"""What can be asked of the jobs, by anybody, from any thread or process."""

import os
import secrets
import struct
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from impasto.errors import JobError, MissingExtraError
from impasto.jobs import submission
from impasto.jobs.job import ENDED, KEPT, Job, JobEvent, Status, Usage
from impasto.jobs.store import PREVIEW, Store, result_name
from impasto.jobs.submission import Input
from impasto.tasks import task_of

if TYPE_CHECKING:
    from impasto.jobs.queue import Queue

HOME, DATABASE = "IMPASTO_HOME", "IMPASTO_DATABASE"
"""Environment variables that say where the jobs are unless an argument does."""

Found = list[Job]
Events = list[JobEvent]
"""By these names because a class with a method ``list`` cannot say it otherwise."""

_INTERVAL = 0.1  # seconds between two looks at jobs that are waited for


class Jobs:
    """The jobs of one folder and its database; made by :meth:`open`.

    >>> jobs = Jobs.open("~/.impasto")  # doctest: +SKIP
    >>> job = jobs.submit("stylize", {"content": ["photo.jpg"], "styles": ["painting.jpg"]}, {"size": 1024})  # doctest: +SKIP

    Args:
        store: the files.
        queue: the rest.
        database: the URL of the queue; "" for the SQLite file in the folder.
    """

    def __init__(self, store: Store, queue: "Queue", database: str = "") -> None:
        self.store = store
        self.queue = queue
        self.database = database

    @classmethod
    def open(cls, home: str | Path | None = None, database: str | None = None) -> Self:
        """The jobs in a folder, which is made if it is missing.

        Args:
            home: the folder; unless given, what the environment variable IMPASTO_HOME says, or ``~/.impasto``.
            database: a URL such as ``postgresql://user:password@host/name``; unless given, what IMPASTO_DATABASE says,
                or a SQLite file in the folder. Several machines that share a queue need the folder in common too.

        Raises:
            JobError: if the folder or the database cannot be used.
            MissingExtraError: if the extra ``jobs`` is not installed.
        """
        try:
            from impasto.jobs.queue import Queue  # noqa: PLC0415  # an extra, and not needed to know what a job is
        except ModuleNotFoundError as error:
            raise MissingExtraError(f"Jobs need {error.name}; run pip install 'impasto[jobs]'.") from error
        store = Store(home_of(home))
        url = database or os.environ.get(DATABASE) or ""
        return cls(store, Queue(url or store.home / "jobs.db"), url)

    @property
    def home(self) -> Path:
        """The folder of the jobs' files."""
        return self.store.home

    def close(self) -> None:
        """Close the connections to the database."""
        self.queue.close()

    def submit(
        self,
        task: str,
        inputs: Mapping[str, Input],
        settings: Mapping[str, Any],
        *,
        owner: str = "",
        title: str = "",
        key: str | None = None,
    ) -> Job:
        """Check a job, store its inputs, and put it into the queue; when this returns, nothing can lose it.

        Args:
            task: the name of one of :data:`impasto.tasks.TASKS`, such as ``stylize`` or ``sound texture``.
            inputs: a file, or several, by what they are for: ``content``, ``styles``, ``init``, ``masks`` and
                ``protect``, as in :class:`impasto.jobs.Job`.
            settings: as in :class:`impasto.Settings`, and the task's own words, such as ``shape`` and ``tileable`` of a
                texture.
            owner: whose it is.
            title: what people call it; the name of its first file unless given.
            key: submitted twice with the same key, an owner's job is there once.

        Raises:
            JobError: if the task or an input's role is wrong, or the key belongs to another job.
            SettingsError: if a setting is wrong.
            ImpastoError: if an input is not of the kind that is needed.
        """
        return self._enqueued(self._described(task, inputs, settings, owner, title), key)[0]

    def submit_once(
        self,
        task: str,
        inputs: Mapping[str, Input],
        settings: Mapping[str, Any],
        *,
        owner: str = "",
        title: str = "",
    ) -> tuple[Job, bool]:
        """:meth:`submit` with a key made of all that decides the result and the title; and whether it is new."""
        job, in_force = self._described(task, inputs, settings, owner, title)
        return self._enqueued((job, in_force), submission.key_of(task, job.settings, job.inputs, title))

    def _described(
        self, task: str, inputs: Mapping[str, Input], settings: Mapping[str, Any], owner: str, title: str
    ) -> tuple[Job, dict[str, Any]]:
        """A job that is not in the queue yet, with its inputs stored, and all its settings in force."""
        kept, in_force = submission.checked(task, settings)
        hashes, names = submission.gathered(task, inputs, self.store.put)
        shares = kept.get("blend")
        if shares is not None and len(shares) != len(hashes["styles"]):
            raise JobError(
                f"The blend has {len(shares)} shares for {len(hashes['styles'])} styles; give one share each."
            )
        called = submission.readable(title) or (names.get("content") or names["styles"])[0]
        identifier, now = secrets.token_hex(12), time.time()
        return Job(identifier, owner, task, called, kept, hashes, names, Status.QUEUED, created=now), in_force

    def _enqueued(self, described: tuple[Job, dict[str, Any]], key: str | None) -> tuple[Job, bool]:
        """The job in the queue, and whether it is new, or the one of this key that is there already."""
        job, in_force = described
        found = None if key is None else self.queue.with_key(job.owner, key)
        if found is None:
            self.store.make(job.id)
            try:
                added = self.queue.add(job, key, in_force)
            except JobError:
                self.store.forget(job.id)
                raise
            if added is not None:
                return job, True
            self.store.forget(job.id)  # somebody else was faster
            assert key is not None
            found = self.queue.with_key(job.owner, key)
        if found is None:
            raise JobError("The job of this key was deleted just now; submit again.")
        there = found.job
        same = (there.task, there.inputs) == (job.task, job.inputs)
        if not same or (not found.generation and there.settings != job.settings):
            raise JobError(f"The key belongs to another job already, {there.id}; choose another key.")
        return there, False

    def get(self, identifier: str) -> Job:
        """A job.

        Raises:
            JobError: if there is none of this id.
        """
        return self.queue.get(identifier).job

    def list(
        self,
        owner: str | None = None,
        *,
        status: Status | Collection[Status] | None = None,
        search: str = "",
        limit: int = 100,
        before: str | None = None,
    ) -> Found:
        """Jobs, newest first.

        Args:
            owner: whose; everybody's unless given.
            status: in which state, or in which states.
            search: words that the title contains.
            limit: at most so many.
            before: the id of a job than which they are older, for the next page.
        """
        states = [status] if isinstance(status, Status) else list(status or ())
        return self.queue.find(owner, states, search, limit, before)

    def cancel(self, identifier: str) -> Job:
        """End a job without a result; a running one ends within a second.

        Raises:
            JobError: if it has ended already.
        """
        job = self.queue.move(
            identifier, {Status.QUEUED, Status.RUNNING, Status.PAUSED}, Status.CANCELED, "there is nothing to cancel."
        )
        self._discard(identifier)
        return job

    def pause(self, identifier: str) -> Job:
        """Let a job rest; a running one saves where it is after its current step.

        Raises:
            JobError: if it is not waiting or running.
        """
        return self.queue.move(
            identifier, {Status.QUEUED, Status.RUNNING}, Status.PAUSED, "only a waiting or running job can be paused."
        )

    def resume(self, identifier: str) -> Job:
        """Let a paused job go on from where it was, to the same picture.

        Raises:
            JobError: if it is not paused.
        """
        return self.queue.move(identifier, {Status.PAUSED}, Status.QUEUED, "only a paused job can be resumed.", tries=0)

    def stop(self, identifier: str) -> Job:
        """End a job after its current step and keep its best picture; one that has not begun is canceled.

        Raises:
            JobError: if it has ended already.
        """
        job = self.get(identifier)
        if job.progress is None and job.status is not Status.RUNNING:
            return self.cancel(identifier)
        refusal = "there is nothing to stop."
        if job.status is Status.RUNNING:
            self.queue.wish(identifier, "stop")
            return self.get(identifier)
        return self.queue.move(identifier, {Status.PAUSED, Status.QUEUED}, Status.QUEUED, refusal, wish="stop", tries=0)

    def retry(self, identifier: str) -> Job:
        """Put a failed or canceled job back into the queue; what is left of its work is used.

        Raises:
            JobError: if it is neither.
        """
        return self.queue.move(
            identifier,
            {Status.FAILED, Status.CANCELED},
            Status.QUEUED,
            "only a failed or canceled job can be tried again.",
            tries=0,
            reached=0,
            wish="",
            error="",
        )

    def adjust(self, identifier: str, settings: Mapping[str, Any]) -> Job:
        """Change what a job aims at, such as its strength; it goes on from the picture it has.

        The level it is on begins again with all its evaluations. Sizes and the network stay.

        Args:
            identifier: its id.
            settings: the ones to change (:data:`impasto.jobs.submission.STEERABLE`); None gives back a default.

        Raises:
            SettingsError: if a setting is wrong or cannot change any more.
            JobError: if the job has ended.
        """
        job = self.get(identifier)
        kept, in_force = submission.checked(job.task, submission.adjusted(job.task, job.settings, settings))
        return self.queue.adjust(identifier, kept, in_force)

    def more(self, identifier: str, evaluations: int = 50) -> Job:
        """A new job that starts from a job's result and spends more evaluations on it, at its size.

        Raises:
            JobError: if there is no result.
        """
        job = self.get(identifier)
        result = self.result(identifier)
        if "init" not in task_of(job.task).roles or not result_name(job.task).endswith(".png"):
            raise JobError(f"The job {identifier} makes no picture that could be gone on with; submit a new one.")
        if result is None:
            raise JobError(f"The job {identifier} is {job.status} and has no picture to go on from.")
        gone = {"init", "noise", "seed", "ratio", "evaluations", "coarsest"}
        settings = {name: value for name, value in job.settings.items() if name not in gone}
        picture = result.read_bytes()
        size = max(struct.unpack(">II", picture[16:24]))  # where every PNG says its width and height
        inputs: dict[str, Input] = {
            role: [(name, self.input(digest)) for name, digest in zip(job.names[role], items, strict=True)]
            for role, items in job.inputs.items()
            if role != "init"
        }
        inputs["init"] = [(f"{Path(job.title).stem or 'result'}.png", picture)]
        steps = {"coarsest": size, "evaluations": [evaluations]}
        return self.submit(job.task, inputs, {**settings, **steps}, owner=job.owner, title=job.title)

    def delete(self, identifier: str) -> None:
        """Forget a job and remove its files; one that runs ends first.

        Raises:
            JobError: if there is none of this id.
        """
        self.get(identifier)
        self.queue.remove(identifier)
        self._discard(identifier)

    def prune(self, older_than_days: float = 30.0) -> int:
        """Delete the jobs that ended so long ago, and files that belong to no job; how many jobs were deleted."""
        old = self.queue.ended_before(time.time() - older_than_days * 86400)
        for identifier in old:
            self.queue.remove(identifier)
            self.store.forget(identifier)
        held = self.queue.holdings()
        self.store.sweep(held.keys(), frozenset().union(*held.values()))
        return len(old)

    def _discard(self, identifier: str) -> None:
        """Remove the checkpoint of a job that was canceled, or all of one that is gone, unless a worker has it yet.

        The worker does the same when it notices.
        """
        lock = self.store.lock(identifier)
        if lock is None:
            return
        try:
            clear(self, identifier)
        finally:
            lock.release()

    def input(self, digest: str) -> Path:
        """The file of an input, by its hash."""
        return self.store.input(digest)

    def preview(self, identifier: str) -> Path | None:
        """A small JPEG of where a job is, complete at every moment; None if there is none yet."""
        return self.store.file(identifier, PREVIEW)

    def result(self, identifier: str) -> Path | None:
        """The result of a job that is done or was stopped, with its recipe inside: of a picture, a PNG."""
        job = self.get(identifier)
        return self.store.file(identifier, result_name(job.task)) if job.status in KEPT else None

    def events(self, identifier: str, after: int = 0, limit: int = 1000) -> Events:
        """A job's log, from the event after a number on.

        Raises:
            JobError: if there is no job of this id.
        """
        return self.queue.events(identifier, after, limit)

    def wait(self, identifiers: Sequence[str], timeout: float | None = None) -> Found:
        """Wait until all of these jobs have ended, or the time is over, and return them as they are then."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            found = self.queue.some(identifiers)
            if all(job.status in ENDED for job in found) or (end is not None and time.monotonic() >= end):
                return found
            time.sleep(_INTERVAL)

    def usage(self, owner: str) -> Usage:
        """What an owner's jobs take up."""
        counts, held = self.queue.counts(owner), self.queue.holdings(owner)
        waiting = counts.get(Status.QUEUED, 0) + counts.get(Status.PAUSED, 0)
        size = self.store.size(held.keys(), frozenset().union(*held.values()))
        return Usage(waiting, counts.get(Status.RUNNING, 0), size)


def home_of(given: str | Path | None = None) -> Path:
    """The folder of the jobs: what is given, what IMPASTO_HOME says, or ``~/.impasto``.

    Raises:
        JobError: if nothing says so and this user has no home.
    """
    try:
        return Path(given or os.environ.get(HOME) or Path.home() / ".impasto").expanduser().absolute()
    except RuntimeError:
        raise JobError(
            f"This user has no home in which the jobs could be kept; name a folder by --home or by {HOME}."
        ) from None


def clear(jobs: Jobs, identifier: str) -> None:
    """Remove what is not needed any more of a job that has ended or is gone; only with its lock held."""
    pulse = jobs.queue.pulse(identifier)
    if pulse is None:
        jobs.store.forget(identifier)
    elif pulse.status in ENDED and pulse.status is not Status.FAILED:
        jobs.store.discard(identifier)
