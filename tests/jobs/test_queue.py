"""The queue by itself, without anybody computing: nothing is lost, nothing is twice, on either database."""

import dataclasses
import os
import threading
import time

import pytest
import sqlalchemy as sql

from impasto.errors import ImageError, JobError, LayerError, SettingsError
from impasto.jobs import Jobs, Progress, Status
from impasto.jobs.schema import JOBS


def test_what_is_submitted_comes_back(jobs, ask, draw):
    """Every field, from a second process's point of view too."""
    job = jobs.submit(*ask(3), owner="ann", title="A walk")
    again = Jobs.open(jobs.home, jobs.database)
    assert again.get(job.id) == job
    assert (job.status, job.owner, job.title, job.progress) == (Status.QUEUED, "ann", "A walk", None)
    assert job.names == {"content": ("photo3.png",), "styles": ("painting.png",)}
    assert jobs.input(job.inputs["content"][0]).read_bytes() == draw(3)
    assert job.settings["evaluations"] == [8, 12]
    again.close()


def test_a_key_makes_a_submission_happen_once(jobs, ask):
    """Per owner; and it cannot be used for something else."""
    first = jobs.submit(*ask(1), owner="ann", key="k")
    assert jobs.submit(*ask(1), owner="ann", key="k") == first
    assert jobs.submit(*ask(1), owner="bob", key="k").id != first.id
    with pytest.raises(JobError, match="belongs to another job"):
        jobs.submit(*ask(2), owner="ann", key="k")
    with pytest.raises(JobError, match="belongs to another job"):
        jobs.submit(*ask(1, strength=0.9), owner="ann", key="k")
    assert len(jobs.list()) == 2
    assert {path.name for path in (jobs.home / "jobs").iterdir()} == {job.id for job in jobs.list()}


def test_many_at_once_submit_once(jobs, ask):
    """Eight threads with the same twelve submissions leave twelve jobs."""
    seen, barrier = [], threading.Barrier(8)

    def submit():
        barrier.wait()
        seen.append([jobs.submit_once(*ask(seed))[0].id for seed in range(12)])

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len({tuple(ids) for ids in seen}) == 1
    assert len(jobs.list()) == 12


def test_a_claim_is_exclusive(jobs, ask):
    """While a lock is held nobody else gets it; a job whose holder is gone is taken up, and the old claim is void."""
    job = jobs.submit(*ask())
    lock = jobs.store.lock(job.id)
    assert jobs.store.lock(job.id) is None
    first = jobs.queue.claim(job.id)
    lock.release()  # as the system does when the process dies
    assert jobs.queue.candidates() == [job.id]
    with jobs.store.lock(job.id):
        second = jobs.queue.claim(job.id)
    assert (first.claim, second.claim, second.tries) == (1, 2, 2)
    jobs.queue.report(job.id, first.claim, _progress(5))
    assert jobs.get(job.id).progress is None
    assert not jobs.queue.finish(first, Status.DONE)
    assert jobs.queue.finish(second, Status.DONE)
    assert not jobs.queue.finish(second, Status.DONE)
    assert [e.data["status"] for e in jobs.events(job.id)] == ["queued", "running", "running", "done"]


def _progress(made):
    return Progress(0, 1, made, 10, 0.5, 1.0, 2.0, ((1, 0.7), (made, 0.5)))


def test_tries_count_only_without_progress(jobs, ask):
    """A job that got further may be taken up again as often as its worker dies; repeating old steps is not further."""
    job = jobs.submit(*ask())
    for made in (3, 5, 5):
        entry = jobs.queue.claim(job.id)
        jobs.queue.report(job.id, entry.claim, _progress(made))
    assert jobs.queue.claim(job.id).tries == 2
    assert jobs.get(job.id).progress == _progress(5)
    other = jobs.submit(*ask(1))
    assert jobs.queue.candidates() == [job.id, other.id]
    jobs.queue.claim(job.id)
    assert jobs.queue.candidates() == [other.id, job.id], (
        "what ends its process again and again must not block the rest"
    )


def test_events_are_numbered_without_gaps(jobs, ask):
    """However many write at the same time."""
    job = jobs.submit(*ask())
    entry = jobs.queue.claim(job.id)

    def write():
        for made in range(1, 11):
            jobs.queue.report(job.id, entry.claim, _progress(made))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.number for event in jobs.events(job.id)] == list(range(1, 43))
    assert [event.number for event in jobs.events(job.id, after=40)] == [41, 42]
    assert "history" not in jobs.events(job.id, after=40)[0].data


def test_states_change_as_they_may(jobs, ask):
    """And a change that makes no sense is refused with the state that the job is in."""
    job = jobs.submit(*ask())
    assert jobs.pause(job.id).status is Status.PAUSED
    with pytest.raises(JobError, match=f"The job {job.id} is paused: only a waiting or running"):
        jobs.pause(job.id)
    assert jobs.queue.candidates() == []
    assert jobs.resume(job.id).status is Status.QUEUED
    canceled = jobs.cancel(job.id)
    assert canceled.status is Status.CANCELED
    assert canceled.finished is not None
    for action in (jobs.cancel, jobs.pause, jobs.resume, jobs.more, lambda i: jobs.adjust(i, {"strength": 0.2})):
        with pytest.raises(JobError, match="is canceled"):
            action(job.id)
    again = jobs.retry(job.id)
    assert (again.status, again.finished) == (Status.QUEUED, None)
    with pytest.raises(JobError, match="There is no job 'nobody'"):
        jobs.get("nobody")


def test_stopping_what_has_not_begun_cancels_it(jobs, ask):
    """There is no picture to keep."""
    assert jobs.stop(jobs.submit(*ask()).id).status is Status.CANCELED


def test_lists_are_filtered_and_paged(jobs, ask):
    """By owner, state and words of the title; newest first; what looks like a pattern is none."""
    ids = [jobs.submit(*ask(n), owner="ann" if n % 2 else "bob", title=f"Walk {n} 100%").id for n in range(5)]
    jobs.pause(ids[1])
    assert [job.id for job in jobs.list()] == ids[::-1]
    assert [job.id for job in jobs.list("ann")] == [ids[3], ids[1]]
    assert [job.id for job in jobs.list(status=Status.PAUSED)] == [ids[1]]
    assert [job.id for job in jobs.list(search="3 walk")] == [ids[3]]
    assert jobs.list(search="w_lk") == []
    assert len(jobs.list(search="100%")) == 5
    assert [job.id for job in jobs.list(limit=2, before=ids[3])] == [ids[2], ids[1]]


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"task": "paint"}, JobError, "There is no task 'paint'"),
        ({"files": {"content": [b"x"]}}, JobError, "The input styles of the task stylize has 0 files"),
        ({"files": {"content": [b"x"], "styles": [b"x"], "mask": [b"x"]}}, JobError, "no input 'mask'"),
        ({"files": {"content": [b"no"], "styles": [b"x"]}}, ImageError, "is not a picture"),
        ({"files": {"content": ["/etc/passwd"], "styles": [b"x"]}}, JobError, "give bytes, a Path"),
        ({"settings": {"size": 3}}, SettingsError, "size"),
        ({"settings": {"glow": 3}}, SettingsError, "There is no setting 'glow'"),
        ({"settings": {"init": "/etc/passwd"}}, SettingsError, "given as the input init"),
        ({"settings": {"weights": "/etc/passwd"}}, SettingsError, "weights names a file"),
        ({"settings": {"blend": [1, 2]}}, JobError, "The blend has 2 shares for 1 styles"),
        ({"task": "reconstruct"}, SettingsError, "needs layer"),
        ({"task": "texture", "settings": {"shape": [5, 5]}}, SettingsError, "each side from 16"),
        ({"task": "texture", "settings": {"sharpness": 1}}, SettingsError, "sharpness cannot take effect"),
        ({"task": "texture", "settings": {"strength": 0.5}}, SettingsError, "strength cannot take effect"),
        ({"task": "texture", "settings": {"init": "content"}}, SettingsError, "a texture starts from noise"),
        ({"task": "reconstruct", "settings": {"layer": "a,b"}}, LayerError, "from one layer"),
        ({"task": "reconstruct", "settings": {"layer": "conv1_1", "blend": [1]}}, SettingsError, "cannot take effect"),
    ],
)
def test_what_is_wrong_is_said_at_once(tmp_path, ask, change, error, sentence):
    """And leaves no job behind."""
    jobs = Jobs.open(tmp_path)
    task, files, _ = ask()
    with pytest.raises(error, match=sentence):
        jobs.submit(change.get("task", task), change.get("files", files), change.get("settings", {}))
    assert jobs.list() == []
    assert list((tmp_path / "jobs").iterdir()) == []
    jobs.close()


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../../etc/passwd", "passwd"), ("C:\\a\\b.png", "b.png"), ("a\x1b[2Jb", "a_[2Jb"), ("", "content")],
)
def test_names_are_only_names(tmp_path, draw, name, kept):
    """No folders and nothing that moves a cursor; files are stored under their hash whatever they are called."""
    jobs = Jobs.open(tmp_path)
    job = jobs.submit("stylize", {"content": [(name, draw(1))], "styles": [draw(2)]}, {})
    assert job.names == {"content": (kept,), "styles": ("styles",)}
    assert {path.name for path in (tmp_path / "inputs").iterdir()} == {*job.inputs["content"], *job.inputs["styles"]}
    jobs.close()


def test_adjusting_remembers_and_supersedes(jobs, ask):
    """A strength takes the place of weights; what decides sizes stays."""
    job = jobs.submit(*ask(content_weight=1.0, style_weight=10.0))
    assert "content_weight" not in jobs.adjust(job.id, {"strength": 0.3}).settings
    entry = jobs.queue.get(job.id)
    assert entry.generation == 1
    assert entry.adjusted[0]["settings"]["style_weight"] == 10.0
    assert jobs.adjust(job.id, {"strength": None}).settings.get("strength") is None
    with pytest.raises(SettingsError, match="The setting size cannot change while a job runs"):
        jobs.adjust(job.id, {"size": 64})
    with pytest.raises(SettingsError, match="strength"):
        jobs.adjust(job.id, {"strength": 7})


def test_pruning_takes_old_jobs_and_strays_alone(jobs, ask, draw):
    """Inputs that another job shares stay; so do files too young to be strays."""
    gone, kept = jobs.submit(*ask(1)), jobs.submit(*ask(2))
    jobs.cancel(gone.id)
    assert jobs.prune(1) == 0
    with jobs.queue.writing() as connection:
        connection.execute(sql.update(JOBS).where(JOBS.c.id == gone.id).values(finished=time.time() - 90_000))
    young, old = jobs.store.put(draw(7)), jobs.store.put(draw(8))
    (jobs.home / "jobs" / "stray").mkdir()
    for path in (jobs.input(old), jobs.input(gone.inputs["content"][0]), jobs.home / "jobs" / "stray"):
        os.utime(path, (1, 1))
    assert jobs.prune(1) == 1
    assert [job.id for job in jobs.list()] == [kept.id]
    assert {path.name for path in (jobs.home / "jobs").iterdir()} == {kept.id}
    held = {*kept.inputs["content"], *kept.inputs["styles"]}
    assert {path.name for path in (jobs.home / "inputs").iterdir()} == held | {young}


def test_usage_counts_an_owners_share(jobs, ask, draw):
    """Inputs that two of its jobs share count once."""
    first = jobs.submit(*ask(1), owner="ann")
    jobs.submit(*ask(2), owner="ann")
    jobs.submit(*ask(3), owner="bob")
    jobs.queue.claim(first.id)
    (jobs.store.folder(first.id) / "preview.jpg").write_bytes(b"x" * 1000)
    found = jobs.usage("ann")
    assert (found.queued, found.running) == (1, 1)
    assert found.bytes == 1000 + len(draw(1)) + len(draw(2)) + len(draw(1000))


def test_deleting_forgets(jobs, ask):
    """The row, the log and the files."""
    job = jobs.submit(*ask())
    jobs.delete(job.id)
    assert jobs.list() == []
    assert not jobs.store.folder(job.id).exists()
    with pytest.raises(JobError, match="no job"):
        jobs.events(job.id)


def test_a_newer_database_is_refused_and_an_opened_one_stays(jobs, ask):
    """Opening again changes nothing; a version from the future is not touched."""
    job = jobs.submit(*ask())
    Jobs.open(jobs.home, jobs.database).close()
    with jobs.queue.writing() as connection:
        connection.execute(sql.text("UPDATE impasto_meta SET value = 99"))
    with pytest.raises(JobError, match=r"a database of version 99.*update impasto"):
        Jobs.open(jobs.home, jobs.database)
    assert jobs.get(job.id) == job


def test_jobs_of_a_newer_format_wait_for_a_newer_worker(jobs, ask):
    """They are neither taken nor spoiled."""
    job = jobs.submit(*ask())
    with jobs.queue.writing() as connection:
        connection.execute(sql.update(JOBS).values(format=2))
    assert jobs.queue.candidates() == []
    assert jobs.get(job.id).status is Status.QUEUED


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://host/name", "SQLite or PostgreSQL, but the database URL names mysql"),
        ("nonsense", "cannot be understood"),
        ("postgresql://nobody:secret@127.0.0.1:1/none", "cannot be used"),
    ],
)
def test_wrong_databases_are_named_without_their_password(tmp_path, url, sentence):
    """One sentence each."""
    with pytest.raises(JobError, match=sentence) as caught:
        Jobs.open(tmp_path, url)
    assert "secret" not in str(caught.value)


def test_the_folder_is_its_owners_alone(tmp_path):
    """Photos are private."""
    Jobs.open(tmp_path / "a" / "home").close()
    assert (tmp_path / "a" / "home").stat().st_mode & 0o777 == 0o700


def test_data_are_frozen(jobs, ask):
    """What one thread reads no other changes."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        jobs.submit(*ask()).title = "other"


def test_what_is_lost_may_be_reached_again(jobs, ask):
    """After a retry or a damaged checkpoint a job begins again, and getting where it was is getting further."""
    job = jobs.submit(*ask())
    jobs.queue.report(job.id, jobs.queue.claim(job.id).claim, _progress(40))
    jobs.cancel(job.id)
    jobs.retry(job.id)
    tries = []
    for made in (5, 10, 15, 20):
        entry = jobs.queue.claim(job.id)
        tries.append(entry.tries)
        jobs.queue.report(job.id, entry.claim, _progress(made))
    assert tries == [1, 1, 1, 1]
    entry = jobs.queue.claim(job.id)
    jobs.queue.begin_again(job.id, entry.claim)
    jobs.queue.report(job.id, entry.claim, _progress(1))
    assert jobs.queue.claim(job.id).tries == 1


def test_only_who_holds_a_job_says_that_it_begins_again(jobs, ask):
    """An old claim is void."""
    job = jobs.submit(*ask())
    first = jobs.queue.claim(job.id)
    jobs.queue.report(job.id, first.claim, _progress(9))
    second = jobs.queue.claim(job.id)
    jobs.queue.begin_again(job.id, first.claim)
    jobs.queue.report(job.id, second.claim, _progress(5))
    assert jobs.queue.claim(job.id).tries == 2


def test_what_is_shown_of_a_job_counts_and_goes_with_it(jobs, ask):
    """Copies for pages are part of the job's folder, whoever deletes it."""
    ids = [jobs.submit(*ask(seed), owner="ann").id for seed in (1, 2)]
    before = jobs.usage("ann").bytes
    for identifier in ids:
        deep = jobs.store.copies(identifier) / "zoom" / "0"
        deep.mkdir(parents=True)
        (deep / "0.jpg").write_bytes(b"x" * 1000)
        jobs.cancel(identifier)
    assert jobs.usage("ann").bytes >= before + 2000
    jobs.delete(ids[0])
    jobs.prune(0)
    assert list((jobs.home / "jobs").iterdir()) == []
