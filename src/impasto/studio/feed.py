"""Server-sent events: what happens to jobs, told as it happens."""

import asyncio
import json
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.concurrency import run_in_threadpool

from impasto.errors import ImpastoError
from impasto.studio.refusals import Refusal
from impasto.studio.service import Service
from impasto.studio.views import JobView

_PERIOD = 0.5  # seconds between two looks at the jobs
_QUIET = 15.0  # seconds after which a silent stream shows that it lives
_WATCHED = 60  # of a user's jobs, the newest
_OWNERS = 1000  # whose last look is remembered


class Feed:
    """Streams of one server, which share what they see: fifty watchers of one user's jobs look once.

    They raise a :class:`Refusal` where that user has no such job, or holds too many of them already.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._seen: OrderedDict[str, tuple[float, list[JobView]]] = OrderedDict()
        self._looking: dict[str, asyncio.Lock] = {}
        self._open: Counter[str] = Counter()
        self.closing = False

    async def jobs(self, owner: str) -> AsyncIterator[str]:
        """A user's jobs: all of them at first, then those that changed or went."""
        known: dict[str, str] = {}

        async def changes() -> list[str]:
            views = await self._views(owner)
            texts = {view.id: view.model_dump_json() for view in views}
            changed = [text for name, text in texts.items() if known.get(name) != text]
            gone = [name for name in known if name not in texts]
            first = not known
            known.clear()
            known.update(texts)
            if not changed and not gone and not first:
                return []
            return [_event("jobs", f'{{"jobs":[{",".join(changed)}],"gone":{json.dumps(gone)}}}')]

        async for text in self._stream(owner, changes):
            yield text

    async def job(self, owner: str, id: str, after: int) -> AsyncIterator[str]:  # noqa: A002
        """One job's log from an event on, ending when the job has ended."""
        await run_in_threadpool(self._service.own, owner, id)
        last, first, over = after, True, False

        def look() -> list[str] | None:
            nonlocal last, first, over
            if over:
                return None
            news = self._service.jobs.events(id, last)
            if not news and not first:
                return []
            first, last = False, max([last, *(event.number for event in news)])
            job = self._service.own(owner, id)
            over = job.status.ended
            return [_event("job", self._service.view(job).model_dump_json(), last)]

        async def changes() -> list[str] | None:
            return await run_in_threadpool(look)

        async for text in self._stream(owner, changes):
            yield text

    async def _stream(self, owner: str, changes: Callable[[], Awaitable[list[str] | None]]) -> AsyncIterator[str]:
        spoke = time.monotonic()
        self._open[owner] += 1
        try:
            yield "retry: 1500\n\n"
            while not self.closing:
                texts = await changes()
                if texts is None:
                    return
                if time.monotonic() - spoke > _QUIET:
                    texts = [*texts, ": still here\n\n"]
                for text in texts:
                    spoke = time.monotonic()
                    yield text
                await asyncio.sleep(_PERIOD)
        except (ImpastoError, Refusal):  # the job is gone, or the database is away: whoever watches comes back
            return
        finally:
            self._open[owner] -= 1

    def check_room(self, owner: str) -> None:
        """Refuse a stream too many."""
        if self._open[owner] >= self._service.limits.watchers:
            raise Refusal(429, "You are watching in too many places; close some.")

    async def _views(self, owner: str) -> list[JobView]:
        async with self._looking.setdefault(owner, asyncio.Lock()):
            moment, views = self._seen.get(owner, (0.0, []))
            if time.monotonic() - moment < _PERIOD * 0.8:
                return views
            views = await run_in_threadpool(self._look, owner)
            self._seen[owner] = (time.monotonic(), views)
            while len(self._seen) > _OWNERS:
                self._looking.pop(self._seen.popitem(last=False)[0], None)
            return views

    def _look(self, owner: str) -> list[JobView]:
        return [self._service.view(job) for job in self._service.jobs.list(owner, limit=_WATCHED)]


def _event(name: str, data: str, number: int | None = None) -> str:
    mark = "" if number is None else f"id: {number}\n"
    return f"{mark}event: {name}\ndata: {data}\n\n"
