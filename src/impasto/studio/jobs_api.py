"""Routes about jobs and their pictures."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.responses import FileResponse, Response, StreamingResponse

from impasto.errors import ImpastoError
from impasto.jobs import Job, Status
from impasto.studio.feed import Feed
from impasto.studio.form import checked_form
from impasto.studio.library import LARGE, SMALL, one_line
from impasto.studio.pictures_api import Owner, Side, jpeg
from impasto.studio.refusals import Refusal
from impasto.studio.service import Service
from impasto.studio.views import Adjustment, Again, IngredientView, JobsView, JobView, More, Submission

_LAST = (1 << 31) - 1  # no event has a higher number


def routes(service: Service, feed: Feed) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["jobs"])
    _add_submissions(router, service)
    _add_steering(router, service)
    _add_pictures(router, service)
    _add_events(router, feed)
    return router


def _add_submissions(router: APIRouter, service: Service) -> None:
    @router.post("/jobs", status_code=201)
    def submit(owner: Owner, body: Submission) -> JobView:
        """Put a job into the queue."""
        return service.view(service.submit(owner, body))

    @router.get("/jobs")
    def jobs(
        owner: Owner,
        search: Annotated[str, Query(max_length=100)] = "",
        status: Status | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 24,
        before: Annotated[str | None, Query(max_length=100)] = None,
    ) -> JobsView:
        """One's jobs, the newest first."""
        found = service.jobs.list(owner, status=status, search=search, limit=limit, before=before)
        last = found[-1].id if len(found) == limit else None
        return JobsView(jobs=[service.view(job) for job in found], before=last)

    @router.get("/jobs/{id}")
    def job(owner: Owner, id: str) -> JobView:  # noqa: A002
        """One job."""
        return service.view(service.own(owner, id))

    @router.delete("/jobs/{id}", status_code=204)
    def delete(owner: Owner, id: str) -> None:  # noqa: A002
        """Delete a job that is over, with its result."""
        service.delete(owner, id)

    @router.post("/jobs/{id}/again", status_code=201)
    def again(owner: Owner, id: str, body: Again) -> JobView:  # noqa: A002
        """A new job of the same pictures and settings, with other settings where they are given."""
        return service.view(service.again(owner, id, body.settings))

    @router.post("/jobs/{id}/ingredients")
    def ingredients(owner: Owner, id: str) -> dict[str, list[IngredientView]]:  # noqa: A002
        """The photo and the paintings of a job, by role, as references for another one; the library takes them in."""
        return service.ingredients(owner, id)


def _add_steering(router: APIRouter, service: Service) -> None:
    def steered(owner: str, id: str, act: Callable[..., Any], *arguments: Any) -> JobView:  # noqa: A002
        job = service.own(owner, id)
        try:
            made = act(job.id, *arguments)
        except ImpastoError as error:
            raise Refusal(409, str(error)) from error
        return service.view(made if isinstance(made, Job) else service.own(owner, id))

    def add(verb: str, act: Callable[[str], Any], told: str) -> None:
        @router.post(f"/jobs/{{id}}/{verb}", name=verb, description=told)
        def steer(owner: Owner, id: str) -> JobView:  # noqa: A002
            return steered(owner, id, act)

    add("pause", service.jobs.pause, "Hold a job where it is.")
    add("resume", service.jobs.resume, "Let a paused job go on.")
    add("stop", service.jobs.stop, "End a job and keep its picture as it is.")
    add("cancel", service.jobs.cancel, "End a job without a picture.")

    @router.post("/jobs/{id}/retry")
    def retry(owner: Owner, id: str) -> JobView:  # noqa: A002
        """Try a job again that failed or was canceled."""
        service.check_room(owner)
        return steered(owner, id, service.jobs.retry)

    @router.post("/jobs/{id}/adjust")
    def adjust(owner: Owner, id: str, body: Adjustment) -> JobView:  # noqa: A002
        """Go on from the current picture with other settings."""
        job = service.own(owner, id)
        checked_form(job.task, {**job.settings, **body.settings}, service.limits)
        back = {name: None for name, value in body.settings.items() if value is None}
        changed = {**checked_form(job.task, body.settings, service.limits), **back}
        return steered(owner, id, service.jobs.adjust, changed)

    @router.post("/jobs/{id}/more", status_code=201)
    def more(owner: Owner, id: str, body: More) -> JobView:  # noqa: A002
        """A new job that goes on from this one's result."""
        service.check_room(owner)
        job = service.own(owner, id)
        checked_form(job.task, {**job.settings, "evaluations": [body.evaluations]}, service.limits)
        return steered(owner, id, service.jobs.more, body.evaluations)


def _add_pictures(router: APIRouter, service: Service) -> None:
    @router.get("/jobs/{id}/preview", response_class=Response)
    def preview(owner: Owner, id: str) -> Response:  # noqa: A002
        """The latest picture of a job, a small JPEG."""
        path = service.jobs.preview(service.own(owner, id).id)
        if path is None or not path.is_file():
            raise Refusal(409, "This job has no preview yet.")
        return Response(path.read_bytes(), media_type="image/jpeg", headers={"cache-control": "private, no-cache"})

    @router.get("/jobs/{id}/image", response_class=Response)
    def image(owner: Owner, id: str, side: Side = "large") -> Response:  # noqa: A002
        """A JPEG copy of the result, small or large."""
        return jpeg(service.shrunk(service.existing_result(owner, id), SMALL if side == "small" else LARGE, id))

    @router.get("/jobs/{id}/inputs/{role}/{index}", response_class=Response)
    def input_image(owner: Owner, id: str, role: str, index: int, side: Side = "large") -> Response:  # noqa: A002
        """A JPEG copy of a picture that went into a job."""
        return jpeg(service.shrunk(service.input(owner, id, role, index), SMALL if side == "small" else LARGE, id))

    @router.get("/jobs/{id}/result", response_class=FileResponse)
    def result(owner: Owner, id: str, download: bool = False) -> FileResponse:  # noqa: A002
        """The result itself, a PNG that says how it was made."""
        job = service.own(owner, id)
        name = "".join(letter if letter.isalnum() else "-" for letter in one_line(job.title, 60)).strip("-")
        return FileResponse(
            service.existing_result(owner, id),
            media_type="image/png",
            filename=f"{name or 'impasto'}.png",
            content_disposition_type="attachment" if download else "inline",
        )

    @router.get("/jobs/{id}/recipe")
    def recipe(owner: Owner, id: str) -> dict[str, Any]:  # noqa: A002
        """How the result was made, from its file: as JSON, and in the customary text form."""
        from impasto import images  # noqa: PLC0415  # waits for torch

        path = service.existing_result(owner, id)
        return {"recipe": images.read_recipe(path), "parameters": images.read_parameters(path)}

    @router.get("/jobs/{id}/zoom")
    def zoom(owner: Owner, id: str) -> dict[str, int]:  # noqa: A002
        """The result's size, and that of its tiles and how many levels of them there are."""
        from impasto.images.zoom import TILE  # noqa: PLC0415  # waits for torch

        _, (height, width) = service.zoom(owner, id)
        halvings = max(0, (-(-max(height, width) // TILE) - 1).bit_length())  # until it fits into a tile
        return {"width": width, "height": height, "tile": TILE, "levels": 1 + halvings}

    @router.get("/jobs/{id}/zoom/{level}/{row}/{column}", response_class=Response)
    def tile(owner: Owner, id: str, level: int, row: int, column: int) -> Response:  # noqa: A002
        """A tile of the result; the last level is the result itself."""
        folder, _ = service.zoom(owner, id)
        path = folder / str(level) / str(row) / f"{column}.jpg"
        if min(level, row, column) < 0 or not path.is_file():
            raise Refusal(404, "There is no such tile.")
        return jpeg(path.read_bytes())


def _add_events(router: APIRouter, feed: Feed) -> None:
    @router.get("/events", response_class=StreamingResponse)
    async def events(owner: Owner) -> StreamingResponse:
        """One's newest jobs as they change, as server-sent events called ``jobs``."""
        feed.check_room(owner)
        return StreamingResponse(feed.jobs(owner), media_type="text/event-stream")

    @router.get("/jobs/{id}/events", response_class=StreamingResponse)
    async def job_events(
        owner: Owner,
        id: str,  # noqa: A002
        after: Annotated[int, Query(ge=0, le=_LAST)] = 0,
        last_event_id: Annotated[str, Header(max_length=20)] = "",
    ) -> StreamingResponse:
        """A job as it changes, as server-sent events called ``job``; the stream ends when the job has."""
        feed.check_room(owner)
        seen = min(_LAST, int(last_event_id)) if last_event_id.isdecimal() else after
        first = feed.job(owner, id, seen)
        head = await anext(first)  # raises here what is wrong, while there is still a status to say it with

        async def all_of_it() -> Any:
            yield head
            async for text in first:
                yield text

        return StreamingResponse(all_of_it(), media_type="text/event-stream")
