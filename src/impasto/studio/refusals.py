"""How the server says no: a status and one sentence."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send


class Refusal(HTTPException):
    """A request that is not answered, with the HTTP status that says why and a sentence for the user."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        super().__init__(status, sentence, {name.replace("_", "-"): value for name, value in headers.items()})

    def response(self) -> JSONResponse:
        """The refusal as it goes over the wire."""
        return said(self.status_code, str(self.detail), self.headers)


def said(status: int, sentence: str, headers: Any = None) -> JSONResponse:
    """A sentence as the answer to a request that failed."""
    return JSONResponse({"error": sentence}, status, headers=headers)


async def send_refusal(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the refusal and close the connection, for what is left of the request will not be read."""
    response = refusal.response()
    response.headers["connection"] = "close"
    await response(scope, receive, send)
