"""What the studio does for its users, between HTTP and the jobs."""

import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from impasto.errors import ImpastoError
from impasto.files import whole_file
from impasto.jobs import KEPT, Job, Jobs
from impasto.jobs.store import result_name
from impasto.studio.confinement import Confinement
from impasto.studio.decoding import DecoderPool
from impasto.studio.form import checked_form
from impasto.studio.library import LARGE, PAINTINGS, PHOTOS, SMALL, Library, one_line, sample, sample_of
from impasto.studio.limits import Limits
from impasto.studio.refusals import Refusal
from impasto.studio.views import IngredientView, JobView, Submission
from impasto.tasks import task_of

_SHOWN_PIXELS = 400_000_000  # of results, and of pictures that were submitted without the studio


@dataclass
class Service:
    """The jobs, the libraries and the rules about who may have how much of them.

    What is somebody else's is answered as what does not exist: methods raise a :class:`Refusal` for it, for what is not
    there yet or any more, and for what goes over a user's quota; ImpastoError for what is wrong with pictures or settings.

    Args:
        jobs: where the work is done; in their folder the studio keeps one of its own.
        limits: how much one user may ask for.
    """

    jobs: Jobs
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self.folder = self.jobs.home / "studio"
        self.decoder = DecoderPool(Confinement(seconds=self.limits.decoding_seconds), DecoderPool.USUAL)
        self.library = Library(self.folder, self.limits, self.decoder)
        self._submitting = threading.Lock()
        self._shrinking = threading.Semaphore(2)

    def own(self, owner: str, id: str) -> Job:  # noqa: A002
        """A user's job."""
        try:
            job = self.jobs.get(id)
        except ImpastoError:
            job = None
        if job is None or job.owner != owner:
            raise Refusal(404, "There is no such job.")
        return job

    def view(self, job: Job) -> JobView:
        """A job as the page sees it."""
        return JobView.of(job, preview=_moment(self.jobs.preview(job.id)), result=self.result(job) is not None)

    def result(self, job: Job) -> Path | None:
        """The file of a job's result, once it has one."""
        return self.jobs.store.file(job.id, result_name(job.task)) if job.status in KEPT else None

    def existing_result(self, owner: str, id: str) -> Path:  # noqa: A002
        """The file of a result."""
        path = self.result(self.own(owner, id))
        if path is None:
            raise Refusal(409, "This job has no result yet.")
        return path

    def submit(self, owner: str, wanted: Submission) -> Job:
        """Put a job into the queue."""
        settings = checked_form(wanted.task, wanted.settings, self.limits)
        task_of(wanted.task).check_roles({role: len(names) for role, names in wanted.inputs.items()})
        inputs = {role: [self._given(owner, name) for name in names] for role, names in wanted.inputs.items() if names}
        return self._queue(owner, wanted.task, inputs, settings, title=one_line(wanted.title), key=wanted.key)

    def again(self, owner: str, id: str, settings: Mapping[str, Any]) -> Job:  # noqa: A002
        """A new job like an earlier one, with other settings where they are given; None takes a setting back."""
        job = self.own(owner, id)
        inputs = {
            role: [(name, self.jobs.input(sha)) for name, sha in zip(job.names[role], hashes, strict=True)]
            for role, hashes in job.inputs.items()
        }
        merged = checked_form(job.task, {**job.settings, **settings}, self.limits)
        return self._queue(owner, job.task, inputs, merged, title=job.title)

    def _queue(self, owner: str, *what: Any, **words: Any) -> Job:
        with self._submitting:
            self.check_room(owner)
            return self.jobs.submit(*what, owner=owner, **words)

    def check_room(self, owner: str, more_bytes: int = 0, more_jobs: int = 1) -> None:
        """Refuse what would go over a user's quota."""
        usage = self.jobs.usage(owner)
        if more_jobs and usage.queued + usage.running + more_jobs > self.limits.queue:
            raise Refusal(429, f"You have {self.limits.queue} jobs waiting; let some finish or cancel them.")
        if usage.bytes + self.library.size(owner) + more_bytes > self.limits.disk_bytes:
            raise Refusal(507, f"You have used your {self.limits.disk_bytes >> 20} MiB; delete some pictures or jobs.")

    def file(self, owner: str, reference: str) -> Path:
        """The file that a reference means: a library id, ``sample:NAME`` or ``result:JOB``."""
        kind, colon, name = reference.partition(":")
        if not colon:
            return self.library.file(owner, reference)
        if kind == "sample":
            return sample(name)
        if kind == "result":
            return self.existing_result(owner, name)
        raise Refusal(404, "There is no such picture.")

    def _given(self, owner: str, reference: str) -> tuple[str, Path]:
        """A file under the name that the recipe will give it."""
        path = self.file(owner, reference)
        kind, colon, name = reference.partition(":")
        if not colon:
            return self.library.name(owner, reference), path
        return path.name if kind == "sample" else f"result-{name[:8]}.png", path

    def input(self, owner: str, id: str, role: str, index: int) -> Path:  # noqa: A002
        """The file of a picture that went into a job."""
        hashes = self.own(owner, id).inputs.get(role, ())
        if not 0 <= index < len(hashes):
            raise Refusal(404, "This job has no such input.")
        return self.jobs.input(hashes[index])

    def ingredients(self, owner: str, id: str) -> dict[str, list[IngredientView]]:  # noqa: A002
        """What a job was made from, by role, in the user's library, which takes in what it lacks; masks are left out."""
        job = self.own(owner, id)
        found: dict[str, list[IngredientView]] = {}
        for role in ("content", "styles"):
            for sha256, name in zip(job.inputs.get(role, ()), job.names.get(role, ()), strict=True):
                found.setdefault(role, []).append(self._ingredient(owner, sha256, name))
        return found

    def _ingredient(self, owner: str, sha256: str, name: str) -> IngredientView:
        if (key := sample_of(sha256, name)) is not None:
            return IngredientView(id=f"sample:{key}", name=(PHOTOS | PAINTINGS)[key])
        path = self.jobs.input(sha256)
        self.check_room(owner, path.stat().st_size, 0)
        with self.library.incoming() as received:
            shutil.copyfile(path, received)
            item = self.library.add(owner, received, name)
        return IngredientView(id=item.id, name=item.name)

    def shrunk(self, path: Path, side: int, job: str | None = None) -> bytes:
        """A JPEG of a picture with at most ``side`` pixels, SMALL or LARGE, kept for the next time.

        It counts and goes with the ``job`` that the picture belongs to; unless given, it is a sample.
        """
        folder = self._copies(job) if job else self._made(self.folder / "shrunk")
        known = folder / f"{path.name[:64]}-{_moment(path)}-{SMALL if side <= SMALL else LARGE}.jpg"
        if known.is_file():
            return known.read_bytes()
        [jpeg] = self.decoder.copies(path, (side,), _SHOWN_PIXELS).jpegs
        with whole_file(known, known.with_name(f".{threading.get_ident()}-{known.name}")) as stream:
            stream.write(jpeg)
        return jpeg

    def _copies(self, job: str) -> Path:
        try:
            return self._made(self.jobs.store.copies(job))
        except FileNotFoundError:  # a folder that is gone is not made again
            raise Refusal(404, "There is no such job.") from None

    def _made(self, folder: Path) -> Path:
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder

    def zoom(self, owner: str, id: str) -> tuple[Path, tuple[int, int]]:  # noqa: A002
        """The folder of a result's tiles, and its height and width."""
        from impasto.images.zoom import cut_tiles  # noqa: PLC0415  # waits for torch

        path = self.existing_result(owner, id)
        folder = self._copies(path.parent.name) / f"zoom-{_moment(path)}"
        with self._shrinking:
            return folder, cut_tiles(path, folder)

    def forget_old_copies(self, seconds: float) -> None:
        """Remove the copies that were made so long ago; they are made again when they are looked at."""
        shutil.rmtree(self.folder / "zoom", ignore_errors=True)  # where earlier versions had them
        for made in [*(self.folder / "shrunk").glob("*.jpg"), *self.jobs.home.glob("jobs/*/copies/*")]:
            if time.time() - _moment(made) / 1e6 > seconds:
                shutil.rmtree(made, ignore_errors=True) if made.is_dir() else made.unlink(missing_ok=True)

    def delete(self, owner: str, id: str) -> None:  # noqa: A002
        """Delete a job that is over, with all that was made from it."""
        job = self.own(owner, id)
        if not job.status.ended:
            raise Refusal(409, "This job is not over; cancel it first.")
        self.jobs.delete(job.id)


def _moment(path: Path | None) -> int:
    """When a file was last written, in microseconds so that a page's numbers hold it exactly; 0 if it is not there."""
    try:
        return 0 if path is None else path.stat().st_mtime_ns // 1000
    except FileNotFoundError:
        return 0
