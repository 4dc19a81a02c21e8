"""The files of the jobs, in one folder.

- ``inputs/<sha256>``: what jobs start from, under the hash of its content
- ``jobs/<id>/``: ``lock``, ``checkpoint.pt`` or, of a video, ``frames/``, ``preview.jpg`` and ``result.png`` (or .mp4, .wav, .csv, .nii.gz) of one job, and in ``copies/`` what is
  made from its pictures to be shown
- ``workers/<device>.lock``: held by the process that computes there
"""

import hashlib
import os
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from impasto.errors import JobError
from impasto.files import not_written, whole_file
from impasto.media import FRAMES, MEDIA
from impasto.tasks import task_of

_SETTLED = 3600.0  # seconds after which what no job speaks of is nobody's; a submission takes less
CHECKPOINT, PREVIEW = "checkpoint.pt", "preview.jpg"


def result_name(task: str) -> str:
    """What the result of a task is called in its job's folder."""
    return MEDIA[task_of(task).medium][1]


class Store:
    """The folder of the jobs' files; made, for its owner alone, if it is missing.

    Raises:
        JobError: if it cannot be made.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        try:
            if not home.exists():
                home.mkdir(parents=True, mode=0o700, exist_ok=True)
            for name in ("inputs", "jobs", "workers"):
                (home / name).mkdir(exist_ok=True)
        except (OSError, ValueError) as error:  # ValueError: a null character in the path
            reason = getattr(error, "strerror", None) or str(error)
            raise JobError(f"The folder of the jobs, {home}, cannot be made ({reason}); choose another.") from None

    def put(self, data: bytes) -> str:
        """Keep an input and return its hash. It is complete on the disk then, or not there."""
        digest = hashlib.sha256(data).hexdigest()
        path = self.home / "inputs" / digest
        try:
            if path.exists():
                os.utime(path)  # somebody needs it: it is not swept away before the job is in the queue
                return digest
            with whole_file(path) as stream:
                stream.write(data)
        except OSError as error:
            raise JobError(f"An input of the job cannot be stored: {not_written(path, error)}") from None
        return digest

    def input(self, digest: str) -> Path:
        """The file of an input."""
        return self.home / "inputs" / digest

    def make(self, identifier: str) -> None:
        """Make the folder of a job.

        Raises:
            JobError: if it cannot be made.
        """
        try:
            self.folder(identifier).mkdir(mode=0o700)
        except OSError as error:
            raise JobError(f"The job cannot be stored: {not_written(self.folder(identifier), error)}") from None

    def folder(self, identifier: str) -> Path:
        """The folder of a job."""
        return self.home / "jobs" / identifier

    def file(self, identifier: str, name: str) -> Path | None:
        """A file of a job, if it is there."""
        path = self.folder(identifier) / name
        return path if path.is_file() else None

    def copies(self, identifier: str) -> Path:
        """The folder for what is made from a job's pictures to be shown; it counts as the job's, and goes with it."""
        return self.folder(identifier) / "copies"

    def lock(self, identifier: str) -> FileLock | None:
        """The lock of a job, taken; None if another process holds it or the job's folder is gone.

        The system releases it when the process that holds it ends, by whatever death.
        """
        folder = self.folder(identifier)
        return _taken(folder / "lock") if folder.is_dir() else None

    def device(self, name: str) -> FileLock | None:
        """The right to compute on a device of this machine, if nobody has it."""
        return _taken(self.home / "workers" / f"{name.replace(':', '-').replace('/', '-')}.lock")

    def forget(self, identifier: str) -> None:
        """Remove a job's folder."""
        shutil.rmtree(self.folder(identifier), ignore_errors=True)

    def discard(self, identifier: str) -> None:
        """Remove what only an unfinished run needs, and what a killed one left half-written."""
        folder = self.folder(identifier)
        for path in (folder / CHECKPOINT, *folder.glob(".impasto-*.tmp")):
            path.unlink(missing_ok=True)
        for inside in ("inputs", FRAMES):
            shutil.rmtree(folder / inside, ignore_errors=True)

    def unfinished(self) -> list[str]:
        """The jobs that have a checkpoint."""
        return [path.parent.name for path in (self.home / "jobs").glob(f"*/{CHECKPOINT}")]

    def tidy(self, identifier: str) -> None:
        """Remove what a killed run left half-written."""
        for path in self.folder(identifier).glob(".impasto-*.tmp"):
            path.unlink(missing_ok=True)

    def size(self, identifiers: Collection[str], digests: Collection[str]) -> int:
        """Bytes that jobs and inputs take up."""
        files = [path for name in identifiers for path in _files(self.folder(name))]
        return sum(_length(path) for path in (*files, *(self.input(digest) for digest in digests)))

    def sweep(self, identifiers: Collection[str], digests: Collection[str]) -> int:
        """Remove folders and inputs that no job speaks of, unless they are new, and return how many."""
        strays = [path for path in (self.home / "jobs").iterdir() if path.name not in identifiers]
        strays += [path for path in (self.home / "inputs").iterdir() if path.name not in digests]
        old = [path for path in strays if time.time() - _changed(path) > _SETTLED]
        for path in old:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        return len(old)


def _taken(path: Path) -> FileLock | None:
    lock = FileLock(path, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    except FileNotFoundError:
        return None
    except PermissionError:
        raise JobError(
            f"{path} may not be written to by this user, but a worker locks it; change its permissions."
        ) from None
    except OSError as error:
        raise JobError(
            f"The folder {path.parent} has no file locks ({error.strerror}), without which two workers could take the "
            "same job; put the jobs on a file system that has them."
        ) from None
    return lock


def _files(folder: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError):
        yield from folder.rglob("*")


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()
