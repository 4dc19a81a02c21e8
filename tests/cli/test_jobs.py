"""``impasto jobs`` and ``impasto worker``, on a queue in a folder of the test's own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

OPTIONS = ("--size", "48", "--coarsest", "24", "--evaluations", "2", "--precision", "fp32", "--device", "cpu")


@pytest.fixture
def album(room, monkeypatch):
    """The current folder, with a folder of three photos, and a home for jobs beside them."""
    monkeypatch.setenv("IMPASTO_HOME", str(room / "home"))
    monkeypatch.delenv("IMPASTO_DATABASE", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for name in ("a.png", "b.png", "deep/c.png"):
        (room / "album" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(room / "photo.png", room / "album" / name)
    return room


@pytest.fixture
def listed(call):
    """A function that returns what ``impasto jobs list --json`` prints."""
    return lambda *words: json.loads(call("jobs", "list", "--json", *words).out)


def test_a_folder_is_submitted_once(album, call, listed):
    """However often it is repeated; a picture that is new is added, and one that is none is named."""
    words = ("jobs", "submit", "album", "painting.png", *OPTIONS)
    assert call(*words).out.endswith("3 submitted, 0 were there already.\n")
    (album / "album" / "broken.jpg").write_bytes(b"no picture")
    shutil.copy(album / "painting.png", album / "album" / "d.png")
    again = call(*words)
    assert again.out == "1 submitted, 3 were there already, 1 refused.\n"
    assert again.code == 2
    assert "broken.jpg is not a picture" in again.err
    assert sorted(job["title"] for job in listed()) == ["a.png", "b.png", "d.png", "deep/c.png"]
    assert call("jobs", "submit", "album", "painting.png", *OPTIONS, "--strength", "0.7").out.startswith("4 submitted")


def test_masks_and_a_start_come_along(album, call, listed):
    """As inputs of the job, not as paths."""
    files = ("--mask", "painting.png", "--protect", "photo.png", "--init", "painting.png")
    assert call("jobs", "submit", "photo.png", "painting.png", *OPTIONS, *files).code == 0
    [job] = listed()
    assert {role: len(files) for role, files in job["inputs"].items()} == dict.fromkeys(
        ("content", "styles", "masks", "protect", "init"), 1
    )
    assert "init" not in job["settings"]


def test_jobs_are_steered_by_the_beginning_of_their_id(album, call, listed):
    """Each word does what it says, and says so."""
    call("jobs", "submit", "photo.png", "painting.png", *OPTIONS)
    [job] = listed()
    short = job["id"][:6]
    for word, said, status in (
        ("pause", "Paused", "paused"),
        ("resume", "Resumed", "queued"),
        ("cancel", "Canceled", "canceled"),
        ("retry", "Queued again", "queued"),
        ("stop", "Stopping", "canceled"),
    ):
        assert call("jobs", word, short).out == f"{said} {job['id']}  photo.png\n"
        assert listed()[0]["status"] == status
    refused = call("jobs", "pause", short)
    assert (refused.code, refused.out) == (2, "")
    assert "is canceled: only a waiting or running job can be paused." in refused.err
    assert call("jobs", "delete", short).out.startswith("Deleted")
    assert call("jobs", "list").out == "There are no jobs yet.\n"
    assert "There is no job 'abc'" in call("jobs", "show", "abc").err


def test_adjusting_changes_settings(album, call, listed):
    """Those that can change while a job runs."""
    call("jobs", "submit", "photo.png", "painting.png", *OPTIONS)
    [job] = listed()
    assert call("jobs", "adjust", job["id"], "--strength", "0.8").code == 0
    assert listed()[0]["settings"]["strength"] == 0.8
    assert "size cannot change while a job runs" in call("jobs", "adjust", job["id"], "--size", "64").err
    assert "nothing to change" in call("jobs", "adjust", job["id"]).err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["photo.png"], "There is no picture to take the style from"),
        (["photo.png", "none.png"], "none.png does not exist"),
        (["none", "painting.png"], "none does not exist"),
        (["photo.png", "painting.png", "--size", "3"], "The setting size is '3'"),
        (["photo.png", "painting.png", "--weights", "w.pth"], "weights names a file"),
        (["photo.png", "--task", "reconstruct"], "needs layer"),
        (
            ["photo.png", "painting.png", "--task", "reconstruct", "--layer", "conv2_1"],
            "one picture or one folder is taken",
        ),
        (["photo.png", "painting.png", "--database", "mysql://x/y"], "names mysql"),
    ],
)
def test_what_is_wrong_is_said(album, call, words, sentence):
    """In one sentence, with exit code 2."""
    outcome = call("jobs", "submit", *words)
    assert outcome.code == 2
    assert sentence in outcome.err


def test_from_submission_to_files(album, call, listed):
    """Submit, let a worker compute, watch, show, save, go on with more; the worker ends at SIGTERM."""
    call("jobs", "submit", "album", "painting.png", *OPTIONS)
    call("jobs", "submit", "photo.png", "--task", "reconstruct", "--layer", "conv2_1", *OPTIONS)
    worker = subprocess.Popen([sys.executable, "-m", "impasto", "worker", "--device", "cpu"], stderr=subprocess.PIPE)
    try:
        watched = call("jobs", "watch")
        assert watched.code == 0
        assert "deep/c.png  level 2/2  evaluation 2/2" in watched.err
        assert call("jobs", "save", "-o", "out").out == "Copied 4 of 4 results into out.\n"
        assert call("jobs", "save", "-o", "out").out == "Copied 0 of 4 results into out.\n"
        assert (album / "out" / "deep" / "c.png").read_bytes() != (album / "photo.png").read_bytes()
        shown = call("jobs", "show", listed()[0]["id"]).out
        assert "status" in shown
        assert "result.png" in shown
        assert call("show", "out/a.png").code == 0
        call("jobs", "more", listed()[-1]["id"], "--evaluations", "3")
        assert call("jobs", "watch", listed()[0]["id"]).code == 0
        assert call("jobs", "prune", "--older-than", "0").out == "Deleted 5 jobs.\n"
    finally:
        worker.send_signal(signal.SIGTERM)
        _, said = worker.communicate(timeout=240)
    assert worker.returncode == 0, said
    lines = said.decode().splitlines()
    assert re.fullmatch(r"impasto worker: (Waits for jobs, to compute them on cpu\.|.+ \(\w+\): begun\.)", lines[0])
    assert sum(line.endswith(": begun.") for line in lines) == sum(": done after " in line for line in lines) == 5
    assert lines[-1] == "impasto worker: Waits for jobs, to compute them on cpu."


def test_a_worker_that_waits_for_another_says_so(album, call):
    """Its device is another worker's; one that is to be quiet says nothing."""
    command = [sys.executable, "-m", "impasto", "worker", "--device", "cpu"]
    first = subprocess.Popen([*command, "-q"], stderr=subprocess.PIPE)
    second = None
    try:
        call("jobs", "submit", "photo.png", "painting.png", *OPTIONS)
        assert call("jobs", "watch").code == 0  # so the first one has the device
        second = subprocess.Popen(command, stderr=subprocess.PIPE)
        assert b"Another worker computes on cpu here" in second.stderr.readline()
    finally:
        said = []
        for worker in filter(None, (second, first)):
            worker.send_signal(signal.SIGTERM)
            said.append(worker.communicate(timeout=240)[1])
    assert said == [b"", b""]


def test_a_worker_without_its_device_says_why(album, call):
    """Instead of trying for ever."""
    outcome = call("worker", "--device", "cuda:99")
    assert outcome.code == 2
    assert "The worker cannot compute here" in outcome.err


def test_a_picture_whose_settings_changed_is_not_made_again_in_silence(made):
    """Its recipe has the last settings alone."""
    from impasto.cli.commands.rerun import differences
    from impasto.cli.options.recipe import recipe_of

    recipe = recipe_of(made)
    assert differences(recipe) == []
    steered = recipe.model_copy(update={"adjusted": ({"settings": {}, "evaluations": 3},)})
    assert "settings were changed while the picture was made" in differences(steered)[0]


@pytest.fixture
def results(album):
    """A function that puts a finished job with a title into the queue, and returns its id."""
    from impasto.jobs import Jobs, Status

    jobs = Jobs.open(album / "home")

    def finished(title, made="photo.png"):
        data = (album / made).read_bytes()
        job = jobs.submit("stylize", {"content": data, "styles": data}, {}, title=title)
        jobs.store.folder(job.id).joinpath("result.png").write_bytes(data)
        jobs.queue.finish(jobs.queue.claim(job.id), Status.DONE)
        return job.id

    yield finished
    jobs.close()


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("/", "picture.png"),
        (".", "picture.png"),
        ("..", "picture.png"),
        ("../../up.png", "up.png"),
        ("/etc/passwd", "etc/passwd.png"),
        ("a\0b", "a_b.png"),
        ("My pic no. 3", "My pic no. 3.png"),
        ("sea.jpg after storm.png", "sea.jpg after storm.png"),
        ("deep/c.JPG", "deep/c.png"),
        (".png", ".png.png"),
        ("C:\\x", "C__x.png"),
        ("ü" * 300, "ü" * 100 + ".png"),
        ("x" * 300 + "/b.png", "x" * 200 + "/b.png"),
        (" ", "picture.png"),
    ],
)
def test_a_title_is_a_name_in_the_folder(album, call, results, title, name):
    """Whatever it says: titles come from anybody who may submit."""
    results(title)
    assert call("jobs", "save", "-o", "out").out == "Copied 1 of 1 results into out.\n"
    assert [path.relative_to(album / "out").as_posix() for path in (album / "out").rglob("*.png")] == [name]
    assert call("jobs", "save", "-o", "out").out == "Copied 0 of 1 results into out.\n"


def test_a_copy_that_was_cut_short_is_completed(album, call, results):
    """And what is somebody else's is left alone."""
    results("a.png")
    whole = (album / "photo.png").read_bytes()
    (album / "out").mkdir()
    (album / "out" / "a.png").write_bytes(whole[: len(whole) // 2])
    assert call("jobs", "save", "-o", "out").out == "Copied 1 of 1 results into out.\n"
    assert (album / "out" / "a.png").read_bytes() == whole
    identifier = results("a.png", "painting.png")
    assert call("jobs", "save", "-o", "out").out == "Copied 1 of 2 results into out.\n"
    assert (album / "out" / "a.png").read_bytes() == whole
    (album / "out" / f"a_{identifier}.png").write_bytes(b"mine")
    outcome = call("jobs", "save", "-o", "out")
    assert outcome.code == 2
    assert "is there already; choose another folder" in outcome.err
    assert (album / "out" / f"a_{identifier}.png").read_bytes() == b"mine"


def test_what_cannot_be_copied_keeps_nothing_else_back(album, call, results):
    """A file where a folder should be, a job without a result: each is said, and the exit code tells."""
    results("in/a.png")
    results("b.png")
    (album / "out").mkdir()
    (album / "out" / "in").write_text("a file")
    outcome = call("jobs", "save", "-o", "out")
    assert (outcome.code, outcome.out) == (2, "Copied 1 of 2 results into out; 1 could not be copied.\n")
    assert "is not copied: out/in/a.png cannot be written" in outcome.err
    assert "Traceback" not in outcome.err
    assert (album / "out" / "b.png").is_file()
    call("jobs", "submit", "photo.png", "painting.png", *OPTIONS)
    outcome = call("jobs", "save", json.loads(call("jobs", "list", "--json").out)[0]["id"], "-o", "out")
    assert outcome.code == 2
    assert "is queued and has no result" in outcome.err


def test_a_file_is_no_folder_for_results(album, call, results):
    """Nor is a full disk."""
    results("b.png")
    (album / "out").write_text("a file")
    outcome = call("jobs", "save", "-o", "out")
    assert (outcome.code, outcome.out) == (2, "Copied 0 of 1 results into out; 1 could not be copied.\n")
    assert "cannot be written" in outcome.err
    assert (album / "out").read_text() == "a file"


def test_names_that_are_not_utf8_stop_nothing(album, call, listed):
    """They are submitted like the others, and printed so that every terminal takes them."""
    shutil.copy(album / "photo.png", album / "album" / os.fsdecode(b"caf\xe9.png"))
    outcome = call("jobs", "submit", "album", "painting.png", *OPTIONS)
    assert (outcome.code, outcome.out) == (0, "4 submitted, 0 were there already.\n")
    assert "caf_.png" in [job["title"] for job in listed()]
    assert call("jobs", "submit", "album", "painting.png", *OPTIONS).out == "0 submitted, 4 were there already.\n"


def test_files_that_are_no_pictures_are_counted(album, call):
    """With their kinds, so that nobody waits for them; hidden ones are not meant."""
    for name in ("a.HEIC", "b.nef", "deep/c.mp4", "notes", ".hidden"):
        (album / "album" / name).write_bytes(b"x")
    said = call("jobs", "submit", "album", "painting.png", *OPTIONS).out
    assert "4 passed over that are of no kind that is taken (.heic, .mp4, .nef, notes)." in said


@pytest.mark.parametrize("words", [("jobs", "list"), ("worker",), ("studio", "--no-browser", "--port", "0")])
def test_a_user_without_a_home_is_told_what_to_give(room, call, monkeypatch, words):
    """In every command that keeps jobs."""
    import pwd

    def nobody(number):
        raise KeyError(number)

    for name in ("HOME", "IMPASTO_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    outcome = call(*words)
    assert outcome.code == 2
    assert "name a folder by --home or by IMPASTO_HOME" in outcome.err
