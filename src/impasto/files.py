"""Whole files in and out, with a sentence for everything that can be wrong with a path.

Every room that opens files of its own kind says what it calls them, and which error its sentences are.
"""

import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from impasto.errors import ImpastoError

_SHOWN = 200  # letters of a path in a sentence
_ADVICE = {
    errno.ENOSPC: "free some space or choose another place",
    errno.EDQUOT: "free some space or choose another place",
    errno.EACCES: "choose another place or change its permissions",
    errno.EPERM: "choose another place or change its permissions",
    errno.EROFS: "choose another place, which can be written to",
    errno.ENAMETOOLONG: "choose a shorter name",
}


def is_there(path: str | Path) -> bool:
    """Whether a name is that of something; False for one that nothing can have, and where this user may not look.

    So are :func:`is_file` and :func:`is_folder`, while pathlib raises for a name that is too long or behind a closed door.
    """
    return os.path.exists(path)  # noqa: PTH110


def is_file(path: str | Path) -> bool:
    """Whether a name is that of a regular file."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: str | Path) -> bool:
    """Whether a name is that of a folder."""
    return os.path.isdir(path)  # noqa: PTH112


@dataclass(frozen=True)
class Files:
    """Files of one kind.

    Args:
        what: what such a file is called in sentences, with its article: ``a picture``.
        error: the class of errors.
    """

    what: str
    error: type[ImpastoError]

    def contents(self, path: str | Path) -> bytes:
        """The content of a file.

        Raises:
            ImpastoError: of this kind, if it does not exist, is a folder or a device, or may not be read.
        """
        with self.opened(path) as stream:
            return stream.read()

    def sha256(self, path: str | Path) -> str:
        """The SHA-256 of a file's content, in hex, for which it need not fit into memory.

        Raises:
            ImpastoError: as :meth:`contents`.
        """
        with self.opened(path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    @contextmanager
    def opened(self, path: str | Path) -> Iterator[BufferedReader]:
        """A file to read from.

        Raises:
            ImpastoError: as :meth:`contents`.
        """
        try:
            mode = Path(path).stat().st_mode
            if stat.S_ISDIR(mode):
                raise self.error(f"{path} is a folder but {self.what} is needed; name a file in it.")
            if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
                raise self.error(f"{path} is a device but {self.what} is needed; name a file.")
            with Path(path).open("rb") as stream:
                yield stream
        except FileNotFoundError:
            raise self.error(f"{path} does not exist; check the path.") from None
        except PermissionError:
            raise self.error(f"{path} may not be read by this user; change its permissions.") from None
        except (OSError, ValueError) as error:  # ValueError: a null character in the path
            reason = getattr(error, "strerror", None) or str(error)
            raise self.error(f"{str(path)[:200]!r} cannot be read ({reason}); check the path.") from error

    def replace(self, path: Path, data: bytes | None) -> None:
        """Put ``data`` in the place of the file ``path`` at once; None only tries whether that is possible.

        Raises:
            ImpastoError: of this kind, if the folder does not exist or cannot be written to, or ``path`` is a folder,
                no regular file, or write-protected; an existing file stays as it was.
        """
        try:
            target = Path(os.path.realpath(path))  # through a link to the file it names
            self._check_place(target, path)
            if data is None:
                try_place(target)
                return
            with whole_file(target) as stream:
                stream.write(data)
        except (OSError, ValueError) as error:  # ValueError: a null character in the path
            raise self.error(not_written(path, error)) from error

    def check_name(self, path: Path) -> None:
        """Refuse a name that no file can have.

        Raises:
            ImpastoError: of this kind, if it is too long or has a null character.
        """
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return
        except (OSError, ValueError) as error:
            raise self.error(not_written(path, error)) from error

    def _check_place(self, target: Path, path: Path) -> None:
        """Refuse a place where no file can be put, or whose file may not be replaced."""
        folder = target.parent
        if not folder.is_dir():
            trouble = f"{folder} is not a folder" if folder.exists() else f"the folder {folder} does not exist"
            advice = "choose another place" if folder.exists() else "create it first"
            raise self.error(f"{path} cannot be written because {trouble}; {advice}.")
        if target.is_symlink():  # where a link was followed to its end, only one in a circle is left
            raise self.error(f"{path} is a link that leads nowhere; choose another name.")
        if not target.exists():
            return
        mode = target.stat().st_mode
        if stat.S_ISDIR(mode):
            raise self.error(f"{path} is a folder but the name of {self.what} is needed; add one.")
        if not stat.S_ISREG(mode):
            raise self.error(f"{path} is not a regular file and is not replaced; choose another name.")
        if not os.access(target, os.W_OK):
            raise self.error(f"{path} is write-protected; choose another name or change its permissions.")


@contextmanager
def wordless() -> Iterator[None]:
    """Keep the process's standard error from libraries in C, which have no other way to be told to be silent."""
    try:
        kept = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def whole_file(path: Path, temporary: Path | None = None) -> Iterator[BinaryIO]:
    """A stream whose content takes the place of a file at once when the block ends, and stays out if it fails.

    It is on the disk then, its name included. A file that was there keeps its permissions; the umask decides on those of
    a new one, which is why the temporary file is not made by tempfile.

    Args:
        path: the file.
        temporary: where the content is until then; for a single writer, who finds again what a killed run has left.

    Raises:
        OSError: if it cannot be written.
        ValueError: for a null character in the path.
    """
    beside = _beside(path) if temporary is None else temporary
    try:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        with _created(beside) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if path.exists():
            beside.chmod(stat.S_IMODE(path.stat().st_mode))
        beside.replace(path)
        settle(path.parent)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path, temporary: Path | None = None, *, replacing: bool = True) -> Iterator[Path]:
    """An empty folder to fill, which takes the place of ``path`` at once when the block ends, and vanishes if it fails.

    Args:
        path: the folder.
        temporary: where it is until then, on the same disk.
        replacing: set a folder that is there already aside for the exchange, and remove it after that: whoever calls has
            made sure that it may go. Otherwise one that is there by then, which somebody else has filled, stays.

    Raises:
        OSError: if it cannot be made.
    """
    made, aside = temporary or _beside(path), _beside(path)
    try:
        made.mkdir()
        yield made
        if replacing and path.exists():
            path.replace(aside)
        try:
            made.replace(path)
        except OSError:
            if aside.exists():
                aside.replace(path)
            if replacing or not path.is_dir():
                raise
        settle(path.parent)
    finally:
        shutil.rmtree(made, ignore_errors=True)
        if path.exists():
            shutil.rmtree(aside, ignore_errors=True)


def try_place(path: Path) -> None:
    """Make an empty file beside ``path`` and remove it, for only that shows that the folder can be written to.

    Raises:
        OSError: if it cannot be made.
    """
    with suppress(FileNotFoundError):
        path.stat()  # raises for a name that cannot be
    beside = _beside(path)
    try:
        _created(beside).close()
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Whether a folder was free to be taken; if so, nobody else takes it while the block runs.

    The lock is the system's on the folder itself: it leaves no file behind and ends with the process that has it, by
    whatever death. Systems and file systems without such locks give the folder to everybody.
    """
    try:
        import fcntl  # noqa: PLC0415  # not on Windows

        descriptor = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield True
        return
    try:
        yield _locked(lambda: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB))
    finally:
        os.close(descriptor)


def _locked(lock: Callable[[], None]) -> bool:
    """Whether nobody else has a lock."""
    try:
        lock()
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True


def settle(folder: Path) -> None:
    """Wait until the names of the files in a folder are on the disk, where the system can do that."""
    if os.name == "nt":
        return
    with suppress(OSError):  # some file systems know no such thing
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def not_written(path: Path | str, error: Exception) -> str:
    """The sentence on a file or stream that failed while it was written."""
    reason = (getattr(error, "strerror", None) or str(error)).rstrip(".")
    advice = _ADVICE.get(getattr(error, "errno", None) or 0, "choose another place")
    return f"{str(path)[:_SHOWN]} cannot be written ({reason}); {advice}."


def _beside(path: Path) -> Path:
    """A name in the same folder that no file has."""
    return path.with_name(f".impasto-{secrets.token_hex(8)}.tmp")


def _created(path: Path) -> BinaryIO:
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb")  # noqa: PTH123
