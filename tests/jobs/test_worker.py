"""Jobs computed by real worker processes: the right bytes, whatever happens on the way."""

import io
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import impasto
from impasto import images
from impasto.errors import ImageError, JobError
from impasto.jobs import Jobs, Status
from impasto.jobs import compute as computing
from impasto.jobs import work as working
from impasto.jobs.delivery import delivered
from impasto.jobs.job import Progress
from impasto.jobs.store import result_name
from impasto.media import MEDIA, medium_of
from impasto.media.medium import file_name
from impasto.runs.result import Result
from impasto.signals import as_record
from impasto.sounds import as_sound
from impasto.tasks import TASKS
from impasto.volumes.volume import Origin, Volume


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory, draw):
    """A function from a submission to the bytes that its run makes without any queue."""
    folder = tmp_path_factory.mktemp("uninterrupted")

    def made(task, files, settings):
        paths = {}
        for role, items in files.items():
            for name, data in items:
                (folder / name).write_bytes(data)
                paths.setdefault(role, []).append(folder / name)
        impasto.stylize(paths["content"][0], paths["styles"], **settings).save(folder / "result.png")
        return (folder / "result.png").read_bytes()

    return made


def compute_process(jobs):
    """The id of the process that computes under this one."""
    [process] = alive(jobs.home)
    return int(process)


def test_a_picture_that_nobody_would_see_is_refused_before_it_is_computed(tmp_path, ask):
    """One opaque pixel of a large photo vanishes in its small copy."""
    photo, stream = Image.new("RGBA", (1920, 1440)), io.BytesIO()
    photo.putpixel((9, 7), (255, 0, 0, 255))
    photo.save(stream, "PNG")
    task, files, settings = ask()
    jobs = Jobs.open(tmp_path / "home", "")
    job = jobs.submit(task, {**files, "content": ("photo.png", stream.getvalue())}, settings)
    with pytest.raises(ImageError, match="transparent everywhere at 32 x 24 pixels"):
        working.prepared_job(jobs.queue.get(job.id), jobs.store, torch.device("cpu"))
    jobs.close()


def left_of(jobs, job):
    """The files in a job's folder."""
    return {path.name for path in jobs.store.folder(job.id).iterdir()}


def test_a_job_has_the_bytes_of_its_run(hired, ask, uninterrupted, wait_until):
    """Recipe and all; with its preview, loss curve and log; and its checkpoint is gone."""
    job = hired.submit(*ask(1))
    [done] = hired.wait([job.id], 60)
    assert (done.status, done.error) == (Status.DONE, "")
    assert hired.result(job.id).read_bytes() == uninterrupted(*ask(1))
    assert images.read(hired.preview(job.id)).shape == (32, 32)
    assert done.progress.history[-1] == (20, done.progress.value)
    assert done.progress.share == 1
    kinds = [event.data.get("status", event.kind) for event in hired.events(job.id)]
    assert kinds[:3] == ["queued", "running", "progress"]
    assert kinds.count("done") == 1
    wait_until(lambda: left_of(hired, job) == {"lock", "preview.jpg", "result.png"})  # tidied once it is done


def encoded(name, made, like=None):
    """The bytes of a file of a medium, as it is written without a word."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MEDIA[name][1]
        medium_of(name).write(path, made, like or made, {}, metadata=False)
        return path.read_bytes()


def block(seed):
    """The bytes of a small volume."""
    voxels = torch.rand(1, 1, 16, 17, 18, generator=torch.Generator().manual_seed(seed)).expand(1, 3, -1, -1, -1)
    return encoded("volume", Volume(voxels, (0.0, 255.0), np.eye(4), Origin("a", None, "0" * 64, "NIfTI", gray=True)))


def tone(pitch):
    """The bytes of a short sound."""
    return encoded("sound", as_sound(torch.sin(torch.arange(3000) / 8000 * pitch)[None] / 2, 8000))


def wave(period):
    """The bytes of a record."""
    return encoded("signal", as_record(torch.sin(torch.arange(300) / period)[None], 100.0))


ODD = "é" * 110 + " .. ünd"


def clip():
    """A GIF of three frames."""
    rng, stream = np.random.default_rng(3), io.BytesIO()
    frames = [Image.fromarray(rng.integers(0, 255, (20, 32, 3), dtype=np.uint8)) for _ in range(3)]
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], duration=40)
    return stream.getvalue()


OTHERS = {
    "sound stylize": ({"content": [(f"{ODD}.wav", tone(900))], "styles": [("b.wav", tone(2000))]}, {"filters": 16}),
    "sound texture": ({"styles": [("..wav", tone(900))]}, {"filters": 16, "seconds": 0.3, "seed": 3}),
    "signal stylize": ({"content": [("a.csv", wave(9))], "styles": [("b.csv", wave(5))]}, {"filters": 4}),
    "signal texture": ({"styles": [("a.csv", wave(9))]}, {"filters": 4, "samples": 200}),
    "video": (
        {"content": [("a.gif", clip())], "styles": ["picture"]},
        {"size": 32, "coarsest": 32, "frame_evaluations": 1},
    ),
    "volume texture": ({"styles": ["picture"]}, {"shape": 16, "style_layers": {"conv1_1": 1.0}}),
    "volume stylize": (
        {"content": [("a.nii.gz", block(1))], "styles": ["picture"], "init": [("start.nii.gz", block(2))]},
        {"size": 16, "coarsest": 16, "style_layers": {"conv1_1": 1.0}, "content_layers": {"conv1_1": 1.0}},
    ),
}


@pytest.mark.parametrize("task", OTHERS)
def test_every_medium_is_computed(hired, draw, tmp_path, wait_until, task):
    """To the bytes of the same run without a queue, under the names that people gave; nothing of the inputs is left."""
    files, settings = OTHERS[task]
    files = {role: [("p.png", draw(1)) if file == "picture" else file for file in files[role]] for role in files}
    job = hired.submit(task, files, {**settings, "evaluations": [1], "device": "cpu"})
    [done] = hired.wait([job.id], 60)
    assert (done.status, done.error) == (Status.DONE, "")
    result = hired.result(job.id)
    assert result.name == result_name(task)
    wait_until(lambda: left_of(hired, job) == {"lock", "preview.jpg", result_name(task)})  # tidied once it is done
    paths = {}
    for role, items in files.items():
        for name, data in items:
            path = tmp_path / role / file_name(name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
            paths.setdefault(role, []).append(path)
    words, rest = TASKS[task].split({**settings, "evaluations": [1], "device": "cpu"})
    alone = TASKS[task].prepared(paths, words, rest).run()
    alone.save(tmp_path / result_name(task))
    assert result.read_bytes() == (tmp_path / result_name(task)).read_bytes()


def test_every_task_is_computed(hired, ask, draw):
    """Textures of their shape, reconstructions of a layer, and a picture to start from, known by its name."""
    quick = {"evaluations": [3], "precision": "fp32", "device": "cpu"}
    style = {"styles": [("paint.png", draw(9))]}
    texture = {**quick, "shape": [32, 48], "coarsest": 48, "style_layers": "conv1_1", "tileable": True}
    ids = [
        hired.submit("texture", style, texture).id,
        hired.submit("reconstruct", {"content": [("a.png", draw(1))]}, {**quick, "size": 32, "layer": "conv2_1"}).id,
        hired.submit("stylize", {**ask(1)[1], "init": [("noise", draw(2))]}, ask()[2]).id,
    ]
    assert [(job.status, job.error) for job in hired.wait(ids, 60)] == [(Status.DONE, "")] * 3
    recipes = [images.read_recipe(hired.result(identifier)) for identifier in ids]
    assert [recipe["task"] for recipe in recipes] == ["texture", "reconstruct", "stylize"]
    assert images.read(hired.result(ids[0])).shape == (32, 48)
    assert recipes[2]["inputs"]["init"]["name"] == recipes[2]["settings"]["init"] == "noise.png"
    assert str(hired.home) not in str(recipes)


def test_a_killed_process_costs_nothing_but_time(hired, ask, uninterrupted, wait_until):
    """SIGKILL amid the descent: another process goes on from the checkpoint, to the same bytes, once."""
    request = ask(5, evaluations=[10, 40])
    job = hired.submit(*request)
    wait_until(lambda: (at := hired.get(job.id).progress) is not None and (at.level, at.evaluation) > (1, 3))
    os.kill(compute_process(hired), 9)
    [done] = hired.wait([job.id], 90)
    assert hired.result(job.id).read_bytes() == uninterrupted(*request)
    states = [event.data["status"] for event in hired.events(job.id) if event.kind == "status"]
    assert states == ["queued", "running", "running", "done"]
    evaluations = [event.data["evaluation"] for event in hired.events(job.id) if event.kind == "progress"]
    assert 1 not in evaluations[2:], "the second process began at the beginning"
    assert done.finished > done.started


def test_cancel_acts_at_once(hired, begun, wait_until):
    """The state at once, and a worker that would be busy for hours is free for others; nothing of the work is left."""
    identifier = begun()
    hired.cancel(identifier)
    assert hired.get(identifier).status is Status.CANCELED
    wait_until(lambda: (lock := hired.store.lock(identifier)) is not None and (lock.release() or True))
    assert hired.result(identifier) is None
    assert not (hired.store.folder(identifier) / "checkpoint.pt").exists()
    assert hired.retry(identifier).status is Status.QUEUED


def test_paused_it_rests_and_resumed_it_makes_the_same_bytes(hired, ask, uninterrupted, wait_until):
    """While it rests, others are computed."""
    request = ask(6, evaluations=[10, 60])
    job = hired.submit(*request)
    wait_until(lambda: hired.get(job.id).progress is not None)
    hired.pause(job.id)
    other = hired.submit(*ask(7))
    assert hired.wait([other.id], 60)[0].status is Status.DONE
    assert hired.get(job.id).status is Status.PAUSED
    made = hired.get(job.id).progress.evaluation
    hired.resume(job.id)
    assert hired.wait([job.id], 60)[0].status is Status.DONE
    assert hired.result(job.id).read_bytes() == uninterrupted(*request)
    assert made < 60


def test_stopped_it_keeps_its_picture_and_more_goes_on_from_it(hired, begun):
    """The recipe says that it was stopped; the new job starts from the result, at its size, and gets further."""
    identifier = begun(3)
    hired.stop(identifier)
    [stopped] = hired.wait([identifier], 60)
    assert stopped.status is Status.STOPPED
    recipe = images.read_recipe(hired.result(identifier))
    assert recipe["complete"] is False
    job = hired.more(identifier, 15)
    [done] = hired.wait([job.id], 60)
    assert (done.status, done.error) == (Status.DONE, "")
    further = images.read_recipe(hired.result(job.id))
    assert further["levels"] == [[32, 32, 15]]
    assert further["losses"]["total"] < recipe["losses"]["total"]


def test_adjusted_it_goes_on_from_its_picture(hired, begun, wait_until):
    """The level begins again with the new strength; the recipe says what was before."""
    identifier = begun(4, strength=0.9)
    hired.adjust(identifier, {"strength": 0.1})
    noted = "goes on from its picture"
    wait_until(lambda: any(noted in e.data.get("text", "") for e in hired.events(identifier)))
    wait_until(lambda: hired.events(identifier)[-1].kind == "progress")
    assert hired.events(identifier)[-1].data["level"] == 1, "it began at the coarsest level again"
    hired.stop(identifier)
    assert hired.wait([identifier], 60)[0].status is Status.STOPPED
    recipe = images.read_recipe(hired.result(identifier))
    assert recipe["settings"]["strength"] == 0.1
    assert recipe["adjusted"][0]["settings"]["strength"] == 0.9


def test_what_fails_says_why_and_the_next_job_is_computed(hired, ask, draw):
    """A damaged photo, a setting of another version, an input that is gone."""
    task, files, settings = ask(8)
    damaged = {**files, "content": [("half.png", draw(8)[:900])]}
    broken = hired.submit(task, damaged, settings)
    lost = hired.submit(task, {**files, "content": [("lost.png", draw(77))]}, settings)
    with hired.queue.writing():  # nobody takes it meanwhile
        hired.input(lost.inputs["content"][0]).unlink()
    fine = hired.submit(*ask(9))
    found = hired.wait([broken.id, lost.id, fine.id], 60)
    assert [job.status for job in found] == [Status.FAILED, Status.FAILED, Status.DONE]
    assert "half.png is damaged or cut short" in found[0].error
    assert "The input lost.png of the job is gone" in found[1].error


def test_settings_of_a_later_version_are_refused_job_by_job(hired, ask):
    """With a sentence; after an update a retry does it."""
    job = hired.submit(*ask(10))
    hired.pause(job.id)
    _rewrite(hired, job.id, {**job.settings, "glow": 3})
    hired.resume(job.id)
    [failed] = hired.wait([job.id], 60)
    assert failed.status is Status.FAILED
    assert "another version of impasto, with the setting 'glow'" in failed.error
    _rewrite(hired, job.id, job.settings)
    hired.retry(job.id)
    assert hired.wait([job.id], 60)[0].status is Status.DONE


def _rewrite(jobs, identifier, settings):
    import sqlalchemy as sql

    from impasto.jobs.schema import JOBS

    with jobs.queue.writing() as connection:
        connection.execute(sql.update(JOBS).where(JOBS.c.id == identifier).values(settings=settings))


@pytest.mark.parametrize("spoil", ["version", "damage"])
def test_an_unusable_checkpoint_strands_no_job(hired, ask, uninterrupted, spoil, tmp_path):
    """One of another version, or a damaged one, is left aside and the job begins again."""
    request = ask(11)
    _, files, settings = request
    job = hired.submit(*request)
    hired.pause(job.id)
    path = hired.store.folder(job.id) / "checkpoint.pt"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(impasto, "__version__", "0.0.1")
        for name, data in (*files["content"], *files["styles"]):
            (tmp_path / name).write_bytes(data)
        paths = [tmp_path / files[role][0][0] for role in ("content", "styles")]
        impasto.Transfer.of(*paths, **settings).run(lambda event: True, tmp_path / "old")
    data = (tmp_path / "old" / "checkpoint.pt").read_bytes()
    path.write_bytes(data if spoil == "version" else data[: len(data) // 2])
    hired.resume(job.id)
    assert hired.wait([job.id], 60)[0].status is Status.DONE
    assert hired.result(job.id).read_bytes() == uninterrupted(*request)
    notes = [event.data["text"] for event in hired.events(job.id) if event.kind == "note"]
    assert any({"version": "another version", "damage": "damaged"}[spoil] in note for note in notes)


def test_a_deleted_job_leaves_nothing(hired, ask, long_settings, wait_until):
    """Even while it runs."""
    task, files, _ = ask(13)
    job = hired.submit(task, files, long_settings)
    wait_until(lambda: hired.get(job.id).progress is not None)
    hired.delete(job.id)
    wait_until(lambda: not hired.store.folder(job.id).exists())
    assert job.id not in {other.id for other in hired.list()}


def test_a_step_that_takes_too_long_ends_the_process(tmp_path, ask, monkeypatch, wait_until):
    """A canceled job's process does not wait for the end of a step of minutes."""
    jobs, codes = Jobs.open(tmp_path), []
    monkeypatch.setattr(computing.os, "_exit", codes.append)
    job = jobs.submit(*ask())
    entry = jobs.queue.claim(job.id)
    attempt = computing.Attempt(jobs, entry, threading.Event())
    (jobs.store.folder(job.id) / "checkpoint.pt").write_bytes(b"much")
    jobs.cancel(job.id)
    wait_until(lambda: codes)
    assert codes == [computing.RESTART]
    assert not (jobs.store.folder(job.id) / "checkpoint.pt").exists()
    attempt.over.set()
    attempt.watcher.join()
    jobs.close()


def test_a_job_that_always_kills_its_process_fails_at_last(hired, ask):
    """Instead of being tried for ever."""
    job = hired.submit(*ask(12))
    hired.pause(job.id)
    with hired.queue.writing() as connection:
        import sqlalchemy as sql

        from impasto.jobs.schema import JOBS

        connection.execute(sql.update(JOBS).where(JOBS.c.id == job.id).values(status="running", tries=20))
    [failed] = hired.wait([job.id], 60)
    assert failed.status is Status.FAILED
    assert "ended its process 20 times without getting further" in failed.error
    hired.retry(job.id)
    assert hired.wait([job.id], 60)[0].status is Status.DONE


def test_what_a_killed_process_left_of_ended_jobs_is_removed(tmp_path, ask):
    """Between saying that a job is done and removing its checkpoint it may be killed, too; other checkpoints stay."""
    jobs = Jobs.open(tmp_path)
    ids = {status: jobs.submit(*ask()).id for status in (Status.DONE, Status.FAILED, Status.PAUSED)}
    gone = jobs.submit(*ask()).id
    for identifier in (*ids.values(), gone):
        (jobs.store.folder(identifier) / "checkpoint.pt").write_bytes(b"much")
    jobs.pause(ids[Status.PAUSED])
    for status in (Status.DONE, Status.FAILED):
        jobs.queue.finish(jobs.queue.claim(ids[status]), status)
    jobs.queue.remove(gone)
    computing.Computer(jobs, "cpu", 0.0, threading.Event()).tidy()
    assert sorted(jobs.store.unfinished()) == sorted([ids[Status.FAILED], ids[Status.PAUSED]])
    assert not jobs.store.folder(gone).exists()
    jobs.close()


def test_the_loss_curve_stays_short_and_in_order(tmp_path, ask):
    """However many evaluations, and from wherever a run goes on."""
    from impasto.descent import Level
    from impasto.jobs.reporting import Teller
    from impasto.runs.events import Event

    jobs = Jobs.open(tmp_path)
    entry = jobs.queue.claim(jobs.submit(*ask()).id)
    past = Progress(0, 1, 50, 9000, 1.0, 1.0, 1.0, tuple((n, 1.0) for n in range(1, 51)))
    entry = replace(entry, job=replace(entry.job, progress=past))
    clock = chain([1.0], repeat(0.0))  # stands before the time at which something is due
    teller = Teller(jobs.queue, entry, tmp_path / "preview.jpg", medium_of("picture"), clock=lambda: next(clock))
    levels = (Level((4, 4), 9000),)
    for made in range(30, 5000):
        teller(Event(0, levels, made, 1 / made, {}, {}, 1.0, 1.0, None))
    made = [point for point, _ in teller.history]
    assert made == sorted(set(made))
    assert 100 < len(made) <= 241
    assert made[0] == 1
    jobs.close()


def test_a_worker_ends_with_who_started_it(tmp_path, wait_until):
    """A server that is killed leaves no process behind."""
    code = "import sys, time; from impasto.jobs import spawn_worker; print(spawn_worker(sys.argv[1]).pid, flush=True)"
    command = [sys.executable, "-c", f"{code}; time.sleep(100)", str(tmp_path / "home")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        worker = int(server.stdout.readline())
        wait_until(lambda: alive(tmp_path))
        server.kill()
    wait_until(lambda: not running(worker) and not alive(tmp_path))


def alive(folder):
    """The processes that compute for the jobs under a folder, by what the system says of all: pgrep knows no umlauts in C."""
    words = b"impasto.jobs\0--home\0" + os.fsencode(folder)
    return [place.parent.name for place in Path("/proc").glob("[0-9]*/cmdline") if words in started_with(place)]


def started_with(place):
    """The words that a process was started with; none if it is gone or has ended."""
    try:
        return place.read_bytes() if running(place.parent.name) else b""
    except OSError:
        return b""


def running(process):
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_preview_to_start_from_is_computed_where_the_job_is(tmp_path, ask, monkeypatch):
    """Once, on the worker's device; the device is no setting of the run, for another worker may go on with it."""
    from impasto.aims import initial_image as start

    asked, real = [], start.preview

    def preview(*arguments, **settings):
        asked.append(settings["device"])
        return real(*arguments, **settings)

    monkeypatch.setattr(start, "preview", preview)
    jobs = Jobs.open(tmp_path, "")
    entry = jobs.queue.claim(jobs.submit(*ask(init="preview", device="auto")).id)
    run = working.prepared_job(entry, jobs.store, torch.device("cpu", 0))
    assert run.source is not None
    assert asked == ["cpu:0"]
    assert (run.device, run.settings.device) == (torch.device("cpu", 0), "auto")
    jobs.close()


def test_masks_of_a_job_are_shares_and_notes_call_pictures_by_their_names(tmp_path, ask):
    """As in a run of its own: half is half whatever its gamma, and nobody reads where jobs keep their files."""
    half, info, photo = io.BytesIO(), PngInfo(), io.BytesIO()
    info.add(b"gAMA", (100_000).to_bytes(4, "big"))
    Image.new("L", (32, 32), 128).save(half, "PNG", pnginfo=info)
    Image.linear_gradient("L").resize((32, 32)).save(photo, "JPEG", exif=b"Exif\0\0junk")
    task, files, settings = ask()
    files |= {"protect": [("half.png", half.getvalue())], "content": [("holiday.jpg", photo.getvalue())]}
    jobs = Jobs.open(tmp_path, "")
    run = working.prepared_job(jobs.queue.claim(jobs.submit(task, files, settings).id), jobs.store, torch.device("cpu"))
    assert (run.regions.protected_at((32, 32)) - 128 / 255).abs().max() < 1e-6
    assert run.canvas.source.notes == ("The EXIF of holiday.jpg is damaged and was left out.",)
    jobs.close()


def test_a_picture_that_cannot_be_put_in_its_place_is_kept(hired, ask):
    """The job says where, and that it failed."""
    job = hired.submit(*ask(14))
    hired.pause(job.id)
    (hired.store.folder(job.id) / "result.png").mkdir()
    hired.resume(job.id)
    [failed] = hired.wait([job.id], 60)
    assert failed.status is Status.FAILED
    kept = hired.store.folder(job.id) / "kept-result.png"
    assert f"it is kept as {kept}" in failed.error
    assert images.read(kept).shape == (32, 32)
    (hired.store.folder(job.id) / "result.png").rmdir()
    hired.retry(job.id)
    assert hired.wait([job.id], 60)[0].status is Status.DONE


@pytest.fixture
def finished(tmp_path, ask):
    """The result of a run that took two evaluations."""
    _, files, settings = ask(15)
    for name, data in (*files["content"], *files["styles"]):
        (tmp_path / name).write_bytes(data)
    return impasto.stylize(tmp_path / "photo15.png", tmp_path / "painting.png", **{**settings, "evaluations": [1]})


def test_a_picture_whose_metadata_cannot_be_written_is_written_without(tmp_path, finished, monkeypatch):
    """The recipe stays, and what was left out is said."""

    def save(self, path, **options):
        raise OverflowError("a tag of 70000 bytes")

    monkeypatch.setattr(Result, "save", save)
    assert "left out of the picture, for it cannot be written: a tag of 70000 bytes" in delivered(finished, tmp_path)
    assert images.read_recipe(tmp_path / "result.png")["task"] == "stylize"
    assert (tmp_path / "preview.jpg").is_file()


def test_what_the_picture_has_no_room_for_is_said(tmp_path, finished):
    """Captions have no place in a PNG."""
    source = replace(finished.like.source, iptc=b"\x1c\x02\x05\0\1T")
    finished = replace(finished, like=replace(finished.like, source=source))
    assert delivered(finished, tmp_path) == "Left out, as a PNG file has no room for it: IPTC captions."


def test_a_picture_for_which_the_folder_is_no_place_is_kept_elsewhere(tmp_path, finished, monkeypatch):
    """Where temporary files are; and where that is no place either, it is said how to get it."""
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(JobError, match=r"it is kept as .*impasto-gone\.png"):
        delivered(finished, tmp_path / "gone")
    assert images.read_recipe(tmp_path / "impasto-gone.png")["task"] == "stylize"
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(JobError, match="retry the job, which goes on from its checkpoint"):
        delivered(finished, tmp_path / "gone")
