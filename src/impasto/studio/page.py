"""The page's own files, read once: a name from outside is looked up here and never joined to a path."""

import hashlib
from dataclasses import dataclass
from importlib import resources

from fastapi import APIRouter, Request
from starlette.responses import Response

from impasto.studio.library import PAINTINGS, PHOTOS, sample
from impasto.studio.refusals import Refusal

_KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "jpg": "image/jpeg",
    "webmanifest": "application/manifest+json",
}


@dataclass(frozen=True)
class Asset:
    """A file of the page."""

    data: bytes
    kind: str
    tag: str


def assets() -> dict[str, Asset]:
    """Every file of the page by its name; those of bundled pictures begin with ``sample-``."""
    folder = resources.files("impasto.studio") / "static"
    files = {item.name: item.read_bytes() for item in folder.iterdir() if item.is_file()}
    bundled = {f"sample-{name}.jpg": sample(name).read_bytes() for name in PHOTOS | PAINTINGS}
    return {
        name: Asset(data, _KINDS[suffix], f'"{hashlib.sha256(data).hexdigest()[:24]}"')
        for name, data in (files | bundled).items()
        if (suffix := name.rpartition(".")[2]) in _KINDS
    }


def routes() -> APIRouter:
    """The page, the page that asks for a key, the page on the API, and their files."""
    router, files = APIRouter(include_in_schema=False), assets()
    pages = {"/": "studio.html", "/login": "login.html", "/api": "api.html"}

    def answer(request: Request, name: str) -> Response:
        asset = files.get(name)
        if asset is None:
            raise Refusal(404, "There is no such page.")
        headers = {"etag": asset.tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == asset.tag:
            return Response(status_code=304, headers=headers)
        return Response(asset.data, media_type=asset.kind, headers=headers)

    @router.get("/static/{name}")
    async def static(request: Request, name: str) -> Response:
        return answer(request, name)

    @router.get("/{path:path}")
    async def page(request: Request, path: str) -> Response:
        name = pages.get(f"/{path}")
        if name is None:
            raise Refusal(404, "There is no such page.")
        return answer(request, name)

    return router
