"""SIGKILL at random moments of workers and of whoever submits: every job ends once, with the right bytes.

The campaign of 20 kills over 20 jobs is slow and runs with ``pytest -m slow``; a small one always runs.
"""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

import impasto
from impasto.jobs import Jobs, Status, spawn_worker

FEW, MANY = (1, 2), (20, 20)  # kills, jobs
_SUBMIT = "import sys; from impasto.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # sums come out as in this process


@pytest.fixture
def folder(tmp_path, draw):
    """A function that makes a folder with so many pictures, and a painting beside it."""

    def made(count):
        (tmp_path / "photos").mkdir()
        for seed in range(count):
            (tmp_path / "photos" / f"p{seed:03}.png").write_bytes(draw(seed))
        (tmp_path / "painting.png").write_bytes(draw(1000))
        return tmp_path

    return made


def submission(folder, evaluations):
    """The command line that submits a folder."""
    layers = ("--content-layers", "conv2_2", "--style-layers", "conv1_1,conv2_1")
    sizes = ("--size", "32", "--coarsest", "16", "--evaluations", evaluations)
    words = (folder / "photos", folder / "painting.png", *sizes, *layers, "--precision", "fp32", "--device", "cpu")
    return ["jobs", "submit", *map(str, words)]


def started(words, jobs):
    """``impasto`` in a process group of its own, which can be killed as a whole."""
    surroundings = {**os.environ, "IMPASTO_HOME": str(jobs.home), "IMPASTO_DATABASE": jobs.database}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    return subprocess.Popen([sys.executable, "-c", _SUBMIT, *words], env=surroundings, **quiet)


def killed_while_submitting(jobs, words, times, count, chance):
    """Submit, kill when some of the jobs are there, and so on; then let it come to its end."""
    for _ in range(times):
        there = len(jobs.list(limit=1000))
        aim = min(count - 1, there + chance.randint(1, max(1, count // (times + 1))))
        with started(words, jobs) as process:
            while process.poll() is None and len(jobs.list(limit=1000)) < aim:
                time.sleep(0.001)
            process.kill()
    with started(words, jobs) as process:
        assert process.wait() == 0


def descendants(pid):
    """The processes under a process."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
    return [int(child) for child in found]


def kill(worker, chance):
    """Kill the worker with all that is under it, the worker alone, or only what computes."""
    victims = {
        "worker": [worker.pid],
        "computing": descendants(worker.pid),
        "all": [worker.pid, *descendants(worker.pid)],
    }
    which = chance.choice(sorted(victims))
    for victim in victims[which]:
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    if worker.pid in victims[which]:
        worker.wait()  # on a busy machine even that takes a moment


def campaign(jobs, kills, chance):
    """Kill so often while the queue is worked on; then let a worker finish it. How many jobs each kill met running."""
    met, ids = [], [job.id for job in jobs.list(limit=1000)]
    worker = spawn_worker(jobs.home, jobs.database, "cpu", interval=0.0)
    try:
        for _ in range(kills):
            _wait_for_work(jobs, worker)
            time.sleep(chance.uniform(0, 2))
            met.append(len(jobs.list(status=Status.RUNNING)))
            kill(worker, chance)
            if worker.poll() is not None:
                worker = spawn_worker(jobs.home, jobs.database, "cpu", interval=0.0)
        jobs.wait(ids, 240)
    finally:
        worker.terminate()
        worker.wait()
    return sum(met)


def _wait_for_work(jobs, worker):
    """Until a process has taken a job since the kill before, or there is none left."""
    before = sum(entry.claim for entry in map(jobs.queue.get, (job.id for job in jobs.list(limit=1000))))
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = [jobs.queue.get(job.id) for job in jobs.list(limit=1000)]
        if sum(entry.claim for entry in found) > before or all(entry.job.status.ended for entry in found):
            return
        time.sleep(0.01)


def check(jobs, count, expected):
    """Every job is done once, with the bytes that it should have, and nothing half-written is left."""
    found = jobs.list(limit=1000)
    assert sorted(job.title for job in found) == sorted(expected)
    assert len(found) == count
    for job in found:
        assert (job.title, job.status, job.error) == (job.title, Status.DONE, "")
        assert jobs.result(job.id).read_bytes() == expected[job.title], job.title
        ends = [e for e in jobs.events(job.id) if e.data.get("status") == "done"]
        assert len(ends) == 1, job.title
        left = {path.name for path in jobs.store.folder(job.id).iterdir()}
        assert left == {"lock", "preview.jpg", "result.png"}, job.title
    assert {path.name for path in (jobs.home / "jobs").iterdir()} >= {job.id for job in found}


def undisturbed(folder, evaluations):
    """The bytes that the runs make without any queue, by the photo's name."""
    made = {}
    for photo in sorted((folder / "photos").iterdir()):
        given = {"size": 32, "coarsest": 16, "evaluations": evaluations, "precision": "fp32", "device": "cpu"}
        layers = {"content_layers": "conv2_2", "style_layers": "conv1_1,conv2_1"}
        impasto.stylize(photo, folder / "painting.png", **given, **layers).save(folder / "result.png")
        made[photo.name] = (folder / "result.png").read_bytes()
    return made


def _campaign(jobs, folder, size, evaluations):
    kills, count = size
    chance = random.Random(kills)
    place = folder(count)
    expected = undisturbed(place, evaluations)
    killed_while_submitting(jobs, submission(place, evaluations), 1 if kills < 10 else 5, count, chance)
    met = campaign(jobs, kills, chance)
    check(jobs, count, expected)
    assert met >= kills // 2, "most kills met no job at work, so the campaign says little"


def test_a_few_kills(tmp_path, folder):
    """Of the submitting process once, and of the worker or what computes once."""
    jobs = Jobs.open(tmp_path / "home")
    _campaign(jobs, folder, FEW, "6,30")
    jobs.close()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_kills_over_twenty_jobs(jobs, folder):
    """On a database of each kind."""
    _campaign(jobs, folder, MANY, "6,40")
