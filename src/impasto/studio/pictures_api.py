"""Routes about pictures that users bring, and samples."""

import asyncio
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from impasto.studio.library import LARGE, PAINTINGS, PHOTOS, SMALL
from impasto.studio.refusals import Refusal
from impasto.studio.service import Service
from impasto.studio.views import PictureView

Side = Literal["small", "large"]


def owner_of(request: Request) -> str:
    """Who is asking, as the guard found out."""
    return str(request.state.owner)


Owner = Annotated[str, Depends(owner_of)]


def jpeg(data: bytes) -> Response:
    """A picture of ours. It may be kept by the browser, for its address changes with it."""
    return Response(data, media_type="image/jpeg", headers={"cache-control": "private, max-age=86400"})


def routes(service: Service) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["pictures"])
    uploading: Counter[str] = Counter()
    decoding = asyncio.Semaphore(4)

    @router.post("/pictures", status_code=201)
    async def upload(
        request: Request, owner: Owner, name: Annotated[str, Query(max_length=400)] = "", mask: bool = False
    ) -> PictureView:
        """Bring a picture, or a mask: its bytes are the body, ``name`` is what it is called."""
        if uploading[owner] >= service.limits.uploads:
            raise Refusal(429, "You are uploading too many pictures at once; wait for some.")
        uploading[owner] += 1
        try:
            expected = int(request.headers.get("content-length", 0))
            await run_in_threadpool(service.check_room, owner, expected, 0)
            with service.library.incoming() as path:
                await _receive(request, path)
                await run_in_threadpool(service.check_room, owner, path.stat().st_size, 0)
                async with decoding:  # waiting takes none of the threads that answer others
                    item = await run_in_threadpool(partial(service.library.add, mask=mask), owner, path, name)
                return PictureView.of(item)
        finally:
            uploading[owner] -= 1

    @router.get("/pictures")
    def library(owner: Owner) -> list[PictureView]:
        """The pictures one has brought, the newest first."""
        return [PictureView.of(item) for item in service.library.items(owner) if not item.mask]

    @router.get("/pictures/{id}/image", response_class=Response)
    def image(owner: Owner, id: str, side: Side = "small") -> Response:  # noqa: A002
        """A JPEG copy of a picture, small or large."""
        return jpeg(service.library.file(owner, id, f"{side}.jpg").read_bytes())

    @router.delete("/pictures/{id}", status_code=204)
    def forget(owner: Owner, id: str) -> None:  # noqa: A002
        """Forget a picture; jobs keep their own copy."""
        service.library.delete(owner, id)

    @router.get("/samples")
    def samples() -> list[dict[str, str]]:
        """The bundled photos and paintings; ``sample:NAME`` refers to one."""
        return [
            {"name": name, "title": title, "kind": kind}
            for kind, titles in (("photo", PHOTOS), ("painting", PAINTINGS))
            for name, title in titles.items()
        ]

    @router.get("/samples/{name}/image", response_class=Response)
    def sample(owner: Owner, name: str, side: Side = "small") -> Response:
        """A JPEG copy of a sample."""
        return jpeg(service.shrunk(service.file(owner, f"sample:{name}"), SMALL if side == "small" else LARGE))

    return router


async def _receive(request: Request, path: Path) -> None:
    with path.open("xb") as file:
        async for chunk in request.stream():
            await run_in_threadpool(file.write, chunk)
