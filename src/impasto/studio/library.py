"""The pictures that a user has brought, and the samples that come with the package."""

import hashlib
import json
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from impasto import samples
from impasto.files import whole_folder
from impasto.studio.decoding import DecoderPool
from impasto.studio.limits import Limits
from impasto.studio.refusals import Refusal

SMALL, LARGE = 320, 1600
"""The long sides of the copies that pages show, in pixels."""

PHOTOS = {"rocket": "Rocket launch", "chelsea": "Chelsea the cat", "coffee": "Cup of coffee", "astronaut": "Astronaut"}
PAINTINGS = {"swirl": "Swirl", "marble": "Marble", "glass": "Stained glass", "woodcut": "Woodcut"}
"""Bundled pictures by name."""


@dataclass(frozen=True)
class Item:
    """A picture in a user's library.

    Args:
        id: its unguessable name, which is also its folder's.
        name: what the user called it; words to show, never a path.
        shape: height and width in pixels.
        size: bytes on disk.
        sha256: of the file.
        created: seconds since 1970.
        mask: whether it is a mask, which goes into a job but is no picture to choose.
    """

    id: str
    name: str
    shape: tuple[int, int]
    size: int
    sha256: str
    created: float
    mask: bool = False


class Library:
    """Every user's pictures, in one folder that no name from outside leads into: ids are looked up, not joined.

    Methods raise a :class:`Refusal` where that user has no such picture.
    """

    def __init__(self, folder: Path, limits: Limits, decoder: DecoderPool) -> None:
        self._folder = folder
        self._limits = limits
        self._lock = threading.Lock()
        self._decoder = decoder
        self._incoming = folder / "incoming"
        shutil.rmtree(self._incoming, ignore_errors=True)  # what an earlier server left half received
        self._incoming.mkdir(parents=True, mode=0o700)
        self._items: dict[str, dict[str, Item]] = {}
        for about in sorted((folder / "library").glob("*/*/about.json")):
            item = _read(about)
            self._items.setdefault(about.parent.parent.name, {})[item.id] = item

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """A path for an upload, gone afterwards whatever happens."""
        path = self._incoming / secrets.token_hex(16)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def add(self, owner: str, received: Path, name: str, *, mask: bool = False) -> Item:
        """Take a received file in, if it is a picture; the same file again is the same item.

        Raises:
            ImageError: if it is no picture, or one with too many pixels.
        """
        with received.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        home = _home(owner)
        for item in self.items(owner):
            if (item.sha256, item.mask) == (sha256, mask):
                return item
        made = self._decoder.copies(received, (LARGE, SMALL), self._limits.upload_pixels)
        size = received.stat().st_size + sum(map(len, made.jpegs))
        called = one_line(name) or "picture"
        item = Item(secrets.token_urlsafe(18), called, made.shape, size, sha256, time.time(), mask)
        files = dict(zip(("large.jpg", "small.jpg"), made.jpegs, strict=True))
        self._store(home, item, {"picture": received.read_bytes(), **files})
        return item

    def _store(self, home: str, item: Item, files: dict[str, bytes]) -> None:
        place = self._folder / "library" / home
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole_folder(place / item.id, self._incoming / secrets.token_hex(16)) as made:
            for name, data in files.items():
                (made / name).write_bytes(data)
            (made / "about.json").write_text(json.dumps(asdict(item)), encoding="utf-8")
        with self._lock:
            self._items.setdefault(home, {})[item.id] = item

    def items(self, owner: str) -> list[Item]:
        """A user's pictures, the newest first."""
        with self._lock:
            return sorted(self._items.get(_home(owner), {}).values(), key=lambda item: -item.created)

    def size(self, owner: str) -> int:
        """Bytes that a user's pictures take."""
        return sum(item.size for item in self.items(owner))

    def file(self, owner: str, id: str, which: str = "picture") -> Path:  # noqa: A002
        """The file of a user's picture: ``picture``, ``large.jpg`` or ``small.jpg``."""
        return self._folder / "library" / _home(owner) / self._item(owner, id).id / which

    def name(self, owner: str, id: str) -> str:  # noqa: A002
        """What a user's picture is called."""
        return self._item(owner, id).name

    def _item(self, owner: str, id: str) -> Item:  # noqa: A002
        with self._lock:
            item = self._items.get(_home(owner), {}).get(id)
        if item is None:
            raise Refusal(404, "There is no such picture.")
        return item

    def delete(self, owner: str, id: str) -> None:  # noqa: A002
        """Forget a picture. Jobs that use it keep their own copy."""
        folder = self.file(owner, id).parent
        with self._lock:
            self._items[_home(owner)].pop(id, None)
        shutil.rmtree(folder, ignore_errors=True)


def sample(name: str) -> Path:
    """The file of a bundled picture.

    Raises:
        Refusal: if there is none of that name.
    """
    if name not in PHOTOS | PAINTINGS:
        raise Refusal(404, "There is no such sample.")
    return samples.photo(name) if name in PHOTOS else samples.painting(name)


def sample_of(sha256: str, file: str) -> str | None:
    """The name of the bundled picture whose file has this name and this hash, or None."""
    for name in PHOTOS | PAINTINGS:
        path = sample(name)
        if path.name == file and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
            return name
    return None


def one_line(text: str, length: int = 120) -> str:
    """Words from outside as one line that can do nothing but be read."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(line.split())[:length]


def _home(owner: str) -> str:
    return hashlib.sha256(owner.encode("utf-8", "replace")).hexdigest()[:32]


def _read(about: Path) -> Item:
    values = json.loads(about.read_text(encoding="utf-8"))
    return Item(**{**values, "shape": tuple(values["shape"])})
