"""``impasto studio``."""

import os
import sys
import threading
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter
from cyclopts.types import NonNegativeInt, PositiveInt

from impasto.cli.terminal.streams import complain, put
from impasto.errors import MissingExtraError, SettingsError
from impasto.files import is_file

if TYPE_CHECKING:
    from impasto.studio.access import Access
    from impasto.studio.limits import Limits
    from impasto.studio.server import ServerConfig

_ACCESS = Group("Other machines", sort_key=1, help="Without these only this machine can open the studio.")
_LIMITS = Group("Limits", sort_key=2, help="Per user.")
_KEY = "IMPASTO_STUDIO_KEY"
_FOR_TERMINALS = {"lynx", "links", "links2", "elinks", "w3m", "browsh", "www-browser"}


@dataclass(frozen=True, kw_only=True)
class Doors:
    """Who may come in, and how; a SettingsError says what will not do."""

    host: Annotated[str, Parameter(group=_ACCESS, help="The address to listen on, such as 0.0.0.0.")] = "127.0.0.1"
    key_file: Annotated[
        Path | None,
        Parameter(
            group=_ACCESS,
            metavar="FILE",
            help=f"A file with the key that opens the studio, or a line 'name: key' per user. Or set {_KEY}.",
        ),
    ] = None
    allow_host: Annotated[
        tuple[str, ...],
        Parameter(group=_ACCESS, metavar="NAME", help="Another name by which the studio may be called."),
    ] = ()
    certificate: Annotated[
        Path | None, Parameter(group=_ACCESS, metavar="FILE", help="A TLS certificate, for https.")
    ] = None
    certificate_key: Annotated[
        Path | None, Parameter(group=_ACCESS, metavar="FILE", help="The certificate's private key.")
    ] = None

    def access(self) -> "Access":
        """The keys."""
        from impasto.studio.access import Access, keys_from

        key = os.environ.get(_KEY)
        if self.key_file is not None and key:
            raise SettingsError(f"A key file and {_KEY} were both given; give one of them.")
        return Access.of(keys_from(self.key_file) if self.key_file else {"": key} if key else {})

    def pair(self) -> tuple[Path, Path] | None:
        """The certificate and its key."""
        if self.certificate is None and self.certificate_key is None:
            return None
        if self.certificate is None or self.certificate_key is None:
            raise SettingsError("A certificate and its key belong together; give --certificate and --certificate-key.")
        for path in (self.certificate, self.certificate_key):
            if not is_file(path):
                raise SettingsError(f"{path} does not exist; name a PEM file.")
        return self.certificate, self.certificate_key


@dataclass(frozen=True, kw_only=True)
class LimitOptions:
    """How much one user may ask for."""

    max_queue: Annotated[PositiveInt, Parameter(group=_LIMITS, metavar="INT", help="Jobs waiting or running.")] = 100
    max_disk: Annotated[
        PositiveInt, Parameter(group=_LIMITS, metavar="GIB", help="What pictures and jobs may take on the disk.")
    ] = 20
    max_side: Annotated[PositiveInt, Parameter(group=_LIMITS, metavar="PIXELS", help="Long side of a result.")] = 8192
    max_upload: Annotated[PositiveInt, Parameter(group=_LIMITS, metavar="MIB", help="An uploaded file.")] = 64
    max_megapixels: Annotated[PositiveInt, Parameter(group=_LIMITS, metavar="INT", help="An uploaded picture.")] = 64

    def limits(self) -> "Limits":
        """As the studio takes them."""
        from impasto.studio.limits import Limits

        return Limits(
            upload_bytes=self.max_upload << 20,
            upload_pixels=self.max_megapixels * 1_000_000,
            queue=self.max_queue,
            disk_bytes=self.max_disk << 30,
            side=self.max_side,
        )


def studio(
    *,
    home: Annotated[
        Path | None, Parameter(metavar="DIR", help="The folder of the jobs and pictures; ~/.impasto unless given.")
    ] = None,
    database: Annotated[str | None, Parameter(metavar="URL", help="A PostgreSQL database for the queue.")] = None,
    port: Annotated[int, Parameter(metavar="INT", help="The port to listen on; 0 for any that is free.")] = 7860,
    workers: Annotated[
        NonNegativeInt, Parameter(metavar="INT", help="Worker processes; 0 where impasto worker runs by itself.")
    ] = 1,
    no_browser: Annotated[bool, Parameter(show_default=False, help="Do not open the page in a browser.")] = False,
    doors: Annotated[Doors, Parameter(name="*")] = Doors(),
    bounds: Annotated[LimitOptions, Parameter(name="*")] = LimitOptions(),
) -> int:
    """Open a page to make pictures in.

    Jobs go on when the page is closed. When the studio is stopped they wait until it runs again.
    """
    try:
        from impasto.studio.server import ServerConfig, Studio
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("impasto"):
            raise
        raise MissingExtraError(f"The studio needs {error.name}; run pip install 'impasto[studio]'.") from None
    place = ServerConfig(
        home=home,
        host=doors.host,
        port=port,
        access=doors.access(),
        names=doors.allow_host,
        database=database,
        workers=workers,
        certificate=doors.pair(),
        limits=bounds.limits(),
    )
    opened = Studio(place)
    opened.run(lambda: _ready(place, opened.address, show=not no_browser))
    return 0


def _ready(place: "ServerConfig", address: str, *, show: bool) -> None:
    put(f"The studio is at {address} (Ctrl-C stops it; jobs go on when it runs again).")
    sys.stdout.flush()
    if not place.is_local and place.certificate is None:
        complain("Keys and pictures travel unencrypted; give --certificate, or put a TLS proxy before the studio.")
    if show:  # whoever answers the browser must not wait for it
        threading.Thread(target=_show, args=[address], daemon=True).start()


def _show(address: str) -> None:
    """Open the page, unless all there is are browsers for terminals: they would take this one, and run no scripts."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if Path(getattr(browser, "name", "")).name not in _FOR_TERMINALS:
        browser.open(address)
