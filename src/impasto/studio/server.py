"""The studio as a process: a web server, and workers that it looks after."""

import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from impasto.errors import SettingsError
from impasto.jobs import Jobs, spawn_worker
from impasto.studio.access import Access
from impasto.studio.application import create
from impasto.studio.feed import Feed
from impasto.studio.guard import LOCAL_NAMES
from impasto.studio.limits import Limits
from impasto.studio.service import Service

_LOOK, _PATIENCE = 5.0, 25.0  # seconds between two looks at the workers; that one has to end
_OLD = 7 * 24 * 3600.0  # seconds after which copies for the page are made anew


@dataclass(frozen=True)
class ServerConfig:
    """Where a studio is and who may come.

    Args:
        home: the folder of the jobs; their usual one unless given.
        host: the address to listen on.
        port: and its port; 0 for any that is free.
        access: who may use it.
        names: host names, beside addresses, under which other machines may call it.
        database: where the jobs keep their queue, if not in their folder.
        workers: worker processes to keep running; 0 where they are started by other means.
        certificate: files of a TLS certificate and its key.
    """

    home: Path | None = None
    host: str = "127.0.0.1"
    port: int = 7860
    access: Access = field(default_factory=Access)
    names: Collection[str] = ()
    database: str | None = None
    workers: int = 1
    certificate: tuple[Path, Path] | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in LOCAL_NAMES

    def check(self) -> None:
        """Refuse to be open to others without a key.

        Raises:
            SettingsError: if it would be.
        """
        if not self.is_local and not self.access.locked:
            raise SettingsError(
                f"Listening on {self.host} lets other machines in, which needs a key; give --key-file FILE, or leave "
                "--host out."
            )


class HeadTimeoutProtocol(H11Protocol):
    """HTTP that does not wait for ever for a request's first lines, of which uvicorn itself takes no notice."""

    head_seconds = 10.0

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self._late = self.loop.call_later(self.head_seconds, self._give_up)

    def data_received(self, data: bytes) -> None:
        """Wait while a request's first lines are incomplete, and no longer."""
        super().data_received(data)
        idle = self.conn.their_state is h11.IDLE
        if not idle:
            self._late.cancel()
        if idle and self.conn.trailing_data[0] and self._late.cancelled():
            self._late = self.loop.call_later(self.head_seconds, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting, for nobody is there."""
        self._late.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        self.transport.close()


class Studio:
    """A studio whose address is taken; :meth:`run` opens it.

    Args:
        place: where, and for whom.

    Raises:
        SettingsError: if the address is in use, or would be open to everyone.
        JobError: if the jobs' folder or database cannot be used.
    """

    def __init__(self, place: ServerConfig) -> None:
        place.check()
        self._listening = _listen(place)
        self.address = _address(place, self._listening)
        try:
            self.service = Service(Jobs.open(place.home, place.database), place.limits)
        except BaseException:
            self._listening.close()
            raise
        self._feed = Feed(self.service)
        names = () if place.is_local else (*place.names, socket.gethostname())
        app = create(self.service, place.access, names, self._feed)
        self._server = _Server(_config(place, app), self._feed)
        self._worker_pool = WorkerPool(place.workers, lambda: spawn_worker(self.service.jobs.home, place.database))

    def run(self, ready: Callable[[], object] = lambda: None) -> None:
        """Serve until SIGINT, SIGTERM or :meth:`stop`; ``ready`` is called once the page can be opened."""
        warming = threading.Thread(target=_warm, args=(self.service,), daemon=True)

        def open_doors() -> None:  # what takes long begins only now
            ready()
            self._worker_pool.start()
            warming.start()

        self._server.opened = open_doors
        try:
            self._server.run([self._listening])
        finally:
            self._worker_pool.stop()
            self.service.decoder.close()
            self.service.jobs.close()

    def stop(self) -> None:
        """End :meth:`run`, from another thread."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, feed: Feed) -> None:
        super().__init__(config)
        self._feed = feed
        self.opened: Callable[[], object] = lambda: None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn calls it
        """End in order, workers included; uvicorn's own way raises the signal again and leaves nothing behind it."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.opened()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._feed.closing = True  # streams would otherwise keep the server
        await super().shutdown(sockets)


def _config(place: ServerConfig, app: Any) -> uvicorn.Config:
    certificate, key = place.certificate or (None, None)
    return uvicorn.Config(
        app,
        http=HeadTimeoutProtocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,  # nobody may say for others where they come from
        timeout_keep_alive=20,
        timeout_graceful_shutdown=3,
        limit_concurrency=600,
        h11_max_incomplete_event_size=32 << 10,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


def _listen(place: ServerConfig) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((place.host, place.port))
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingsError(f"{place.host}:{place.port} cannot be used ({reason}); give another --port.") from None
    listening.listen(256)
    return listening


def _address(place: ServerConfig, listening: socket.socket) -> str:
    scheme = "https" if place.certificate else "http"
    host = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname(), "::1": "[::1]"}.get(place.host, place.host)  # noqa: S104
    return f"{scheme}://{host}:{listening.getsockname()[1]}"


def _warm(service: Service) -> None:
    """Do what the first visitor would wait for: start what reads pictures."""
    service.decoder.warm()
    service.forget_old_copies(_OLD)


class WorkerPool:
    """Worker processes that are started again when they end."""

    def __init__(self, count: int, spawn: Callable[[], "subprocess.Popen[bytes]"]) -> None:
        self._count, self._spawn = count, spawn
        self._processes: list[subprocess.Popen[bytes]] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._look_after, daemon=True)

    def start(self) -> None:
        """Start them."""
        if self._count:
            self._thread.start()

    def stop(self) -> None:
        """Ask them to stop, which they do after saving where they are."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()

    def _look_after(self) -> None:
        self._processes = [self._spawn() for _ in range(self._count)]
        while not self._ending.wait(_LOOK):
            self._processes = [old if old.poll() is None else self._spawn() for old in self._processes]
