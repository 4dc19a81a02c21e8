"""What every request passes before it is looked at, and what every answer carries."""

import asyncio
import ipaddress
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from impasto.studio.access import COOKIE, Access
from impasto.studio.limits import Limits
from impasto.studio.refusals import Refusal, send_refusal

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
UPLOAD = "/api/v1/pictures"
OPEN_PATHS = frozenset({"/login", "/static/studio.css", "/static/login.js", "/static/icon.svg", "/api/v1/session"})
"""What can be had without a key: the page that asks for it, and what it is made of."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_DIGITS = 19  # of a number of bytes that a machine can count
_ONCE = ("host", "content-length", "authorization", "origin", "content-type", "cookie")


@dataclass
class Guard:
    """An ASGI application around another that lets through only requests that may be answered.

    In this order: headers that contradict each other; a Host that is not ours, which is how a foreign page reaches a
    server on this machine by renaming itself (DNS rebinding); requests that another site's page makes in the visitor's
    name (CSRF); a missing key; bodies of a wrong type, too large or too slow.

    Args:
        app: what answers.
        access: who may ask.
        limits: how much.
        names: the host names, beside addresses, under which the server may be called; empty for this machine alone.
    """

    app: ASGIApp
    access: Access
    limits: Limits
    names: Collection[str] = field(default_factory=tuple)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse to."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no web sockets here
            await send({"type": "websocket.close", "code": 1008})
            return
        send = _armored(send)
        headers = Headers(scope=scope)
        try:
            self._check_headers(scope, headers)
            self._check_sender(scope, headers)
            owner = self._owner(scope, headers)
            scope.setdefault("state", {}).update(owner=owner or "", known=owner is not None)
            limited = self._limited(scope, headers, receive)
        except Refusal as refusal:
            await send_refusal(refusal, scope, receive, send)
            return
        await self.app(scope, limited, send)

    def _check_headers(self, scope: Scope, headers: Headers) -> None:
        for name in _ONCE:
            if len(headers.getlist(name)) > 1:
                raise Refusal(400, f"The header {name} was sent twice; send it once.")
        if "transfer-encoding" in headers and "content-length" in headers:
            raise Refusal(400, "The request gives its length in two ways; give one.")
        if any(header in headers for header in ("x-http-method-override", "x-original-url", "x-rewrite-url")):
            raise Refusal(400, "Headers that rewrite a request are not understood here.")
        if not self._is_ours(headers.get("host", "")):
            raise Refusal(421, "This server does not go by that name; call it by its address, or allow the name.")
        if b"\\" in scope["raw_path"] or b"%00" in scope["raw_path"] or "\x00" in scope["path"]:
            raise Refusal(400, "The address has characters that no address here has.")

    def _is_ours(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name, _ = (parts.hostname or "").lower().rstrip("."), parts.port
        except ValueError:
            return False
        if parts.username or parts.path or parts.query or not name:
            return False
        return name in LOCAL_NAMES or name in self.names or (bool(self.names) and _is_address(name))

    def _check_sender(self, scope: Scope, headers: Headers) -> None:
        """Refuse what a page of another site sends, which browsers tell by ``Origin`` and ``Sec-Fetch-Site``."""
        site, origin = headers.get("sec-fetch-site", "none"), headers.get("origin")
        visiting = scope["method"] == "GET" and scope["path"] in ("/", "/login") and origin is None
        if site not in ("none", "same-origin") and not visiting:
            raise Refusal(403, "Another site's page may not use this studio.")
        if origin is not None and _place(origin) != headers["host"].lower():
            raise Refusal(403, "Another site's page may not use this studio.")

    def _owner(self, scope: Scope, headers: Headers) -> str | None:
        """Who is asking; None for nobody in particular, where that will do."""
        if not self.access.locked:
            return ""
        address = (scope.get("client") or ("",))[0]
        if "authorization" in headers:
            owner = self._owner_of_key(headers["authorization"], address)
        else:
            owner = self.access.user_of_session(session_of(headers))
        if owner is None and scope["path"] not in OPEN_PATHS:
            if scope["path"] == "/" and scope["method"] == "GET":
                raise Refusal(303, "A key is needed.", location="login")  # wherever a proxy has put the page
            raise Refusal(401, "A key is needed; log in, or send it as a bearer token.", www_authenticate="Bearer")
        return owner

    def _owner_of_key(self, authorization: str, address: str) -> str | None:
        kind, _, key = authorization.partition(" ")
        if kind.lower() != "bearer" or not key:
            return None
        try:
            return self.access.user_of_key(key.strip(), address)
        except TimeoutError:
            raise Refusal(429, "Too many wrong keys; wait a minute.", retry_after="60") from None

    def _limited(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        """``receive``, which raises when the body turns out to be too large or too slow."""
        uploading = scope["path"] == UPLOAD
        limit = self.limits.upload_bytes if uploading else self.limits.body_bytes
        self._check_body(scope, headers, limit, uploading=uploading)
        seen, begun, ended = 0, time.monotonic(), False

        async def measured() -> Message:
            nonlocal seen, ended
            if ended:
                return await receive()  # waits for the client to go away, which may take as long as it likes
            left = self.limits.body_seconds - (time.monotonic() - begun)
            try:
                message = await asyncio.wait_for(receive(), max(0.0, min(self.limits.stall_seconds, left)))
            except TimeoutError:
                raise Refusal(408, "The request came too slowly; send it again.", connection="close") from None
            seen += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            if seen > limit:
                raise Refusal(413, _too_large(limit), connection="close")
            return message

        return measured

    def _check_body(self, scope: Scope, headers: Headers, limit: int, *, uploading: bool) -> None:
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit() and len(length) < _DIGITS):
            raise Refusal(400, "The length of the request is not a number of bytes.")
        if int(length) > limit:
            raise Refusal(413, _too_large(limit))
        if scope["method"] in _SAFE:
            return
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        filled = int(length) > 0 or "transfer-encoding" in headers
        good = (
            kind.startswith("image/") or kind == "application/octet-stream" if uploading else kind == "application/json"
        )
        if (filled or kind) and not good:
            needed = "a picture's bytes" if uploading else "JSON"
            raise Refusal(415, f"The request must carry {needed} and say so in its Content-Type.")


def session_of(headers: Headers) -> str:
    """The session's token in a request's cookie, or nothing."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie else ""


def _place(origin: str) -> str:
    """The host and port of an origin."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        raise Refusal(400, "The header Origin is not understood.") from None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _too_large(limit: int) -> str:
    size = f"{limit >> 20} MiB" if limit >= 1 << 20 else f"{limit >> 10} KiB"
    return f"The request is larger than {size}; send less."


def _armored(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return sending
