"""From a job to the run that computes it, and from one run's checkpoint to that of the run with other settings."""

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from impasto import images
from impasto.aims.initial_image import covering
from impasto.aims.regions import REST
from impasto.errors import CheckpointError, ImageError, JobError
from impasto.images import Picture
from impasto.jobs.job import Job
from impasto.jobs.queue import Entry
from impasto.jobs.store import CHECKPOINT, Store
from impasto.jobs.submission import STEERABLE, task_of
from impasto.runs.checkpoint import read_checkpoint
from impasto.runs.events import optimizer_of
from impasto.runs.run import Transfer
from impasto.settings import INITS, Settings, make
from impasto.tasks.reconstruct import Reconstruction
from impasto.tasks.texture import Texture


def prepared(entry: Entry, store: Store, device: torch.device) -> Transfer:
    """A job's run, ready to begin.

    Args:
        entry: the job.
        store: where its inputs are.
        device: where it computes, unless its settings name a device. Not a setting of the run: whoever goes on from its
            checkpoint may compute elsewhere.

    Raises:
        ImpastoError: with a sentence on what is wrong with the job.
    """
    job = entry.job
    pictures = {
        role: [_picture(job, role, place, store) for place in range(len(job.inputs[role]))] for role in job.inputs
    }
    settings = _settings(entry)
    free = settings.device == "auto"
    here = _started(job, pictures, settings.model_copy(update={"device": str(device)} if free else {}), store)
    images.check_writable(io.BytesIO(), like=here.content, shape=here.levels[-1].shape)
    if not free:
        return here
    run = replace(here, settings=here.settings.model_copy(update={"device": "auto"}))
    vars(run).update(device=device, source=here.source)
    return run


def _started(job: Job, pictures: Mapping[str, list[Picture]], settings: Settings, store: Store) -> Transfer:
    """The run, which begins with the input ``init`` if there is one."""
    if "init" not in pictures:
        return _run(job, pictures, settings)
    [start] = pictures["init"]
    digest = job.inputs["init"][0]
    run = _run(job, pictures, settings.model_copy(update={"init": str(store.input(digest))}))
    name = start.source.name if start.source.name not in INITS else f"{start.source.name}.png"
    start = replace(start, source=replace(start.source, name=name))
    named = replace(run, settings=run.settings.model_copy(update={"init": name}))  # a name, as its user gave it
    vars(named)["source"] = covering(start, run.content.shape)
    return named


def _run(job: Job, pictures: Mapping[str, list[Picture]], settings: Settings) -> Transfer:
    if job.task == "texture":
        shape = job.settings.get("shape")
        extent = None if shape is None else (shape[0], shape[1])
        tileable = bool(job.settings.get("tileable"))
        return Texture.prepared(pictures["styles"], extent, tileable=tileable, settings=settings)
    if job.task == "reconstruct":
        return Reconstruction.prepared(pictures["content"][0], job.settings["layer"], settings=settings)
    masks: list[Any] = list(pictures.get("masks", []))
    if masks and len(masks) == len(pictures["styles"]) - 1:
        masks.append(REST)
    places = {"masks": masks or None, "protect": next(iter(pictures.get("protect", ())), None)}
    return Transfer.of(pictures["content"][0], pictures["styles"], **places, settings=settings)


def _settings(entry: Entry) -> Settings:
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


def _picture(job: Job, role: str, place: int, store: Store) -> Picture:
    """An input under the name that its user knows it by."""
    path, name = store.input(job.inputs[role][place]), job.names[role][place]
    if not path.is_file():
        raise JobError(f"The input {name} of the job is gone from where jobs keep their files; submit it again.")
    try:
        picture = images.read(path, as_stored=role in ("masks", "protect"))
    except ImageError as error:
        raise ImageError(str(error).replace(str(path), name)) from None
    notes = tuple(note.replace(str(path), name) for note in picture.source.notes)
    return replace(picture, source=replace(picture.source, name=name, path=None, notes=notes))


def carry_over(run: Transfer, folder: Path) -> str | None:
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
        engine = run.targets(run.encoder).engine_at(shape)
        state = optimizer_of(run.settings).within(run.bounds_at(shape)).init(snapshot.best, engine.evaluate)
        snapshot = replace(snapshot, state=state, best=state.image, value=float("inf"), done=False)
    saver.save(snapshot, force=True)
    return "The job goes on from its picture with the new settings."


def recipe_note(entry: Entry) -> dict[str, Any]:
    """What a recipe says of a job whose settings changed on the way: such a picture cannot be made again."""
    return {"adjusted": entry.adjusted} if entry.adjusted else {}
