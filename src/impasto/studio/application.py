"""The web application: page, API and guard put together."""

from collections.abc import Collection

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from impasto import __version__
from impasto.errors import ImpastoError
from impasto.studio import jobs_api, page, pictures_api
from impasto.studio.access import COOKIE, SESSION_SECONDS, Access
from impasto.studio.feed import Feed
from impasto.studio.form import fields
from impasto.studio.guard import Guard, session_of
from impasto.studio.pictures_api import Owner
from impasto.studio.refusals import Refusal, said
from impasto.studio.service import Service
from impasto.studio.views import Login, SessionView

API = "/api/v1"


def create(service: Service, access: Access, names: Collection[str], feed: Feed) -> Guard:
    """The studio as an ASGI application, with the host names that other machines may call it by, none for this one alone."""
    app = FastAPI(
        title="impasto studio",
        version=__version__,
        docs_url=None,  # they come from a content delivery network; page.py has one of our own
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
        redirect_slashes=False,
    )
    _add_errors(app)
    _add_session(app, service, access)
    app.include_router(pictures_api.routes(service), prefix=API)
    app.include_router(jobs_api.routes(service, feed), prefix=API)
    app.include_router(page.routes())
    return Guard(app, access, service.limits, frozenset(name.lower() for name in names))


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        return said(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def misunderstood(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(str(part)[:40] for part in first["loc"][1:])
        return said(422, f"The request is not understood: {place or 'its body'}: {first['msg'][:200]}.")

    @app.exception_handler(ImpastoError)
    async def wrong(_: Request, error: ImpastoError) -> Response:
        return said(422, str(error))

    @app.exception_handler(Exception)
    async def broken(_: Request, __: Exception) -> Response:
        return said(500, "Something went wrong in the server; its log says what.")


def _add_session(app: FastAPI, service: Service, access: Access) -> None:
    @app.get(f"{API}/session", tags=["session"])
    def session(request: Request, owner: Owner) -> SessionView:
        """Who one is, and how much one may have and has."""
        if not request.state.known:
            raise Refusal(401, "A key is needed.")
        limits, usage = service.limits, service.jobs.usage(owner)
        return SessionView(
            user=owner,
            locked=access.locked,
            version=__version__,
            limits={
                name: getattr(limits, name) for name in ("upload_bytes", "upload_pixels", "queue", "disk_bytes", "side")
            },
            used={"jobs": usage.queued + usage.running, "bytes": usage.bytes + service.library.size(owner)},
        )

    @app.post(f"{API}/session", tags=["session"])
    def login(request: Request, body: Login) -> JSONResponse:
        """Exchange a key for a session, which the browser keeps in a cookie."""
        address = request.client.host if request.client else ""
        try:
            user = access.user_of_key(body.key, address)
        except TimeoutError:
            raise Refusal(429, "Too many wrong keys; wait a minute.", retry_after="60") from None
        if user is None:
            raise Refusal(401, "That is not the key.")
        answer = JSONResponse({"user": user})
        secure = "https" in (request.url.scheme, request.headers.get("origin", "").partition(":")[0])  # or a proxy's
        answer.set_cookie(
            COOKIE, access.open_session(user), SESSION_SECONDS, httponly=True, samesite="strict", secure=secure
        )
        return answer

    @app.delete(f"{API}/session", tags=["session"], status_code=204)
    def logout(request: Request) -> Response:
        """End the session for good."""
        access.close_session(session_of(request.headers))
        answer = Response(status_code=204)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    @app.get(f"{API}/settings", tags=["session"])
    def settings() -> list[dict[str, object]]:
        """Every setting that can be given, with its default, bounds and meaning."""
        return fields(service.limits)
