"""Whole files in and out, with a sentence for everything that can be wrong with a path.

Every room that opens files of its own kind says what it calls them, and which error its sentences are.
"""

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from impasto.errors import ImpastoError


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
        try:
            mode = Path(path).stat().st_mode
            if stat.S_ISDIR(mode):
                raise self.error(f"{path} is a folder but {self.what} is needed; name a file in it.")
            if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
                raise self.error(f"{path} is a device but {self.what} is needed; name a file.")
            return Path(path).read_bytes()
        except FileNotFoundError:
            raise self.error(f"{path} does not exist; check the path.") from None
        except PermissionError:
            raise self.error(f"{path} may not be read by this user; change its permissions.") from None
        except (OSError, ValueError) as error:  # ValueError: a null character in the path
            reason = getattr(error, "strerror", None) or str(error)
            raise self.error(f"{str(path)[:200]!r} cannot be read ({reason}); check the path.") from error

    def replace(self, path: Path, data: bytes | None) -> None:
        """Put ``data`` in the place of the file ``path`` at once; None only tries whether that is possible.

        The temporary file is made by os.open and not by tempfile, so that the umask decides on a new file's permissions.

        Raises:
            ImpastoError: of this kind, if the folder does not exist or cannot be written to, or ``path`` is a folder,
                no regular file, or write-protected; an existing file stays as it was.
        """
        try:
            target = Path(os.path.realpath(path))  # through a link to the file it names
            mode = self._mode_of(target, path)
            temporary = target.with_name(f".impasto-{secrets.token_hex(8)}.tmp")
            try:
                with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:  # noqa: PTH123
                    if data is not None:
                        file.write(data)
                        file.flush()
                        os.fsync(file.fileno())
                if data is not None:
                    if mode is not None:
                        temporary.chmod(mode)
                    temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
        except (OSError, ValueError) as error:  # ValueError: a null character in the path
            raise self.error(not_written(path, error)) from error

    def _mode_of(self, target: Path, path: Path) -> int | None:
        """The permissions of an existing file that may be replaced, None where there is none yet."""
        if not target.parent.is_dir():
            raise self.error(
                f"{path} cannot be written because the folder {target.parent} does not exist; create it first."
            )
        if not target.exists():
            return None
        mode = target.stat().st_mode
        if stat.S_ISDIR(mode):
            raise self.error(f"{path} is a folder but the name of {self.what} is needed; add one.")
        if not stat.S_ISREG(mode):
            raise self.error(f"{path} is not a regular file and is not replaced; choose another name.")
        if not os.access(target, os.W_OK):
            raise self.error(f"{path} is write-protected; choose another name or change its permissions.")
        return stat.S_IMODE(mode)


def not_written(path: Path | str, error: Exception) -> str:
    """The sentence on a file or stream that failed while it was written."""
    reason = getattr(error, "strerror", None) or str(error)
    return f"{path} cannot be written ({reason}); free some space or choose another place."
