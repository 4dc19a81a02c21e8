"""From a job to the run that computes it, and from one run's checkpoint to that of the run with other settings."""

import io
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from impasto import images
from impasto.aims.regions import REST
from impasto.errors import CheckpointError, ImageError, JobError
from impasto.jobs.job import Job
from impasto.jobs.queue import QueueEntry
from impasto.jobs.store import CHECKPOINT, Store, result_name
from impasto.jobs.submission import STEERABLE
from impasto.media.medium import file_name
from impasto.runs.checkpoint import read_checkpoint
from impasto.runs.run import Run
from impasto.settings import Settings, make
from impasto.tasks import task_of


def prepared_job(entry: QueueEntry, store: Store, device: torch.device) -> Run:
    """A job's run, ready to begin.

    Args:
        entry: the job.
        store: where its inputs are.
        device: where it computes, unless its settings name a device. Not a setting of the run: whoever goes on from its
            checkpoint may compute elsewhere.

    Raises:
        ImpastoError: with a sentence on what is wrong with the job.
    """
    job, task, settings = entry.job, task_of(entry.job.task), _settings(entry)
    inputs = {role: [_input(job, role, place, store) for place in range(len(job.inputs[role]))] for role in job.inputs}
    if inputs.get("masks") and len(inputs["masks"]) == len(inputs["styles"]) - 1:
        inputs["masks"].append(REST)  # the last style has what no mask covers
    words, _ = task.split({name: job.settings.get(name) for name in task.words})
    place = device if settings.device == "auto" else None
    run: Run = task.prepared(inputs, words, settings, place=place)
    path = io.BytesIO() if run.medium.stream else store.folder(job.id) / result_name(job.task)
    run.medium.check(path, run.like, run.levels[-1].shape)
    return run


def _settings(entry: QueueEntry) -> Settings:
    """The settings that were in force when the job was submitted, whatever today's defaults are.

    Raises:
        JobError: if a later version submitted it with a setting that this one does not know.
    """
    own = task_of(entry.job.task).words
    fields = Settings.model_fields
    usual = make({}).model_dump(mode="json")
    then = {name: value for name, value in entry.in_force.items() if name in fields and value != usual[name]}
    given = {name: value for name, value in entry.job.settings.items() if name not in own}
    values = {**then, **given}
    unknown = sorted(given.keys() - fields.keys())
    if unknown:
        raise JobError(
            f"The job was submitted by another version of impasto, with the setting {unknown[0]!r}, which this one does "
            "not know; update impasto, then retry the job."
        )
    return make(values)


def _input(job: Job, role: str, place: int, store: Store) -> Any:
    """An input under the name that its user knows it by: a picture, or of other media the file."""
    path, name = store.input(job.inputs[role][place]), job.names[role][place]
    if not path.is_file():
        raise JobError(f"The input {name} of the job is gone from where jobs keep their files; submit it again.")
    if task_of(job.task).roles[role].media != ("picture",):
        return _linked(path, store.folder(job.id) / "inputs" / f"{role}-{place}" / file_name(name))
    try:
        picture = images.read(path, as_stored=role in ("masks", "protect"))
    except ImageError as error:
        raise ImageError(str(error).replace(str(path), name)) from None
    notes = tuple(note.replace(str(path), name) for note in picture.source.notes)
    return replace(picture, source=replace(picture.source, name=name, path=None, notes=notes))


def _linked(path: Path, name: Path) -> Path:
    """A file under another name, whose ending says what it is."""
    name.parent.mkdir(parents=True, exist_ok=True)
    name.unlink(missing_ok=True)
    try:
        name.hardlink_to(path)
    except OSError:  # another file system, or one without links
        shutil.copyfile(path, name)
    return name


def carry_over(run: Run, folder: Path) -> str | None:
    """Make a folder's checkpoint one of this run, if it is not; what was done about it, or None.

    A checkpoint from before the run's aims were changed becomes one that begins its level again from the picture it
    has. One that is of no use, because it is damaged or another version's, is removed: the run begins again.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    saver = run.saver(folder)
    try:
        identity, snapshot = read_checkpoint(path, run.device)
    except CheckpointError:
        path.unlink()
        return "The checkpoint was damaged; the job begins again."
    other = {key for key in {**identity, **saver.identity} if identity.get(key) != saver.identity.get(key)}
    if not other:
        return None
    if not other <= STEERABLE:
        path.unlink()
        return f"The checkpoint was of another version ({', '.join(sorted(other))}); the job begins again."
    last = snapshot.level == len(run.levels) - 1
    if not snapshot.done or last:
        shape = run.levels[snapshot.level].shape
        engine, optimizer = run.engine_at(shape), run.optimizer()
        state = optimizer.within(run.bounds_at(shape)).init(snapshot.best, engine.evaluate)
        snapshot = replace(snapshot, state=state, best=state.image, value=float("inf"), done=False)
    saver.save(snapshot, force=True)
    return "The job goes on from its picture with the new settings."


def recipe_note(entry: QueueEntry) -> dict[str, Any]:
    """What a recipe says of a job whose settings changed on the way: such a picture cannot be made again."""
    return {"adjusted": entry.adjusted} if entry.adjusted else {}
