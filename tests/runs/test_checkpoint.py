"""A run that is killed or stopped at any moment goes on to the same picture, bit for bit."""

import contextlib
import json
import random
import resource
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.descent import Record
from impasto.errors import CheckpointError
from impasto.runs.checkpoint import Checkpoint, check_folder, read_checkpoint

# Runs as a process of its own: says where it is after every step, and saves a checkpoint before it says so. It takes the
# next step only when it is told to, or when nobody is there to tell it any more.
_RUN = """
import json, sys
import torch
import impasto
torch.set_num_threads(1)
content, style, folder, output, values = sys.argv[1:]
run = impasto.Transfer.of(content, style, **json.loads(values))

def listen(event):
    print(event.level, event.evaluation, flush=True)
    sys.stdin.readline()

run.run(listen, folder, checkpoint_interval=0).save(output)
"""


@pytest.fixture
def start(tmp_path):
    """A function that starts a process with a text on its standard output, ended with the test at the latest."""
    with contextlib.ExitStack() as stack:

        def started(*arguments):
            command = [sys.executable, "-c", _RUN, *map(str, arguments)]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            process = stack.enter_context(subprocess.Popen(command, **pipes, text=True, bufsize=1))
            stack.callback(process.kill)
            return process

        yield started


def _kill_at_a_random_moment(process, folder, chance):
    """Kill after a few steps: somewhere in the next evaluation, or as soon as its save is seen to begin."""
    for _ in range(chance.randint(1, 4)):
        assert process.stdout.readline(), "the run ended before it could be killed"
        process.stdin.write("go on\n")
    if chance.random() < 0.5:
        time.sleep(chance.uniform(0, 0.03))
    else:
        said = []
        reader = threading.Thread(target=lambda: said.append(process.stdout.readline()), daemon=True)
        reader.start()
        while (
            not (folder / ".impasto-checkpoint.tmp").exists() and not said
        ):  # it waits after the step, whatever we miss
            pass
    process.kill()
    process.wait()


@pytest.mark.parametrize("kills", [2, pytest.param(5, marks=pytest.mark.slow)])
def test_killed_at_any_moment_it_makes_the_same_file(tmp_path, photo, painting, prepare, start, *, kills):
    """SIGKILL in the middle of evaluations and of saves costs nothing but time: the PNG has the same bytes."""
    for name, pixels in (("photo.png", photo), ("painting.png", painting)):
        Image.fromarray(pixels).save(tmp_path / name)
    run = prepare(tmp_path / "photo.png", tmp_path / "painting.png", evaluations=(5 * kills, 10 * kills))
    run.run().save(tmp_path / "whole.png")
    folder, output = tmp_path / "run", tmp_path / "pieces.png"
    arguments = (*(tmp_path / name for name in ("photo.png", "painting.png")), folder, output)
    chance = random.Random(kills)  # of two kills, one is in an evaluation and one in a save
    for _ in range(kills):
        process = start(*arguments, json.dumps(run.settings.given()))
        _kill_at_a_random_moment(process, folder, chance)
        assert process.returncode != 0, "the run ended before it could be killed"
        assert not output.exists()
    process = start(*arguments, json.dumps(run.settings.given()))
    said, _ = process.communicate(timeout=240)
    assert process.returncode == 0
    assert not said.startswith("0 1\n"), "the run began from the start"
    assert output.read_bytes() == (tmp_path / "whole.png").read_bytes()
    assert [path.name for path in folder.iterdir()] == ["checkpoint.pt"]


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "gradient-descent"])
def test_stopped_after_every_step_it_makes_the_same_picture(tmp_path, photo, painting, paint, optimizer):
    """One step per session, each session going on from the last one's checkpoint, is the uninterrupted run."""
    events = []
    whole = paint(photo, painting, events.append, optimizer=optimizer, evaluations=(6, 5))
    sessions = 0
    complete = False
    while not complete:
        result = paint(photo, painting, lambda event: True, tmp_path, optimizer=optimizer, evaluations=(6, 5))
        sessions, complete = sessions + 1, result.complete
        assert len(result.history) == sessions
    assert sessions == len(events) > 4
    assert torch.equal(result.tensor, whole.tensor)
    assert result.history == whole.history
    assert result.delivered == whole.delivered
    assert result.recipe == whole.recipe


def test_stopped_in_bf16_it_makes_the_same_picture(tmp_path, photo, painting, paint):
    """The same holds in reduced precision, here with one stop on the finer level."""
    whole = paint(photo, painting, precision="bf16")
    paint(photo, painting, lambda event: event.level == 1, tmp_path, precision="bf16")
    assert torch.equal(paint(photo, painting, checkpoint=tmp_path, precision="bf16").tensor, whole.tensor)


def test_a_finished_run_is_not_run_again(tmp_path, photo, painting, paint):
    """Started once more, it gives its picture back without an evaluation."""
    first = paint(photo, painting, checkpoint=tmp_path)
    events = []
    again = paint(photo, painting, events.append, tmp_path)
    assert not events
    assert again.complete
    assert torch.equal(again.tensor, first.tensor)
    assert again.timings["descent"] == first.timings["descent"]


def test_time_adds_up_over_sessions(tmp_path, photo, painting, paint):
    """The descent's time is that of all sessions."""
    first = paint(photo, painting, lambda event: event.level == 1, tmp_path)
    assert paint(photo, painting, checkpoint=tmp_path).timings["descent"] > first.timings["descent"]


@pytest.fixture
def stopped(tmp_path, photo, painting, paint):
    """The folder of a run that was stopped after its second step."""
    paint(photo, painting, lambda event: event.evaluation > 1, tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"noise": 0.1, "seed": 1}, "noise, seed"),
        ({"size": 40, "strength": 0.7}, "size, strength"),
        ({"precision": "bf16"}, "precision"),
        ({"optimizer": "adam"}, "optimizer"),
    ],
)
def test_other_settings_are_refused(stopped, photo, painting, paint, *, values, named):
    """A checkpoint is not gone on from with settings that it was not made with, and the sentence names them."""
    with pytest.raises(CheckpointError, match=rf"differs in: {named}; give that run's"):
        paint(photo, painting, checkpoint=stopped, **values)


def test_other_inputs_are_refused(stopped, photo, painting, other_painting, paint):
    """Neither another photo, nor other paintings, nor the same bytes in another shape."""
    with pytest.raises(CheckpointError, match="differs in: content;"):
        paint(photo[::-1].copy(), painting, checkpoint=stopped)
    with pytest.raises(CheckpointError, match="differs in: styles;"):
        paint(photo, other_painting, checkpoint=stopped)
    with pytest.raises(CheckpointError, match="differs in: styles;"):
        paint(photo, [painting, painting], checkpoint=stopped)
    with pytest.raises(CheckpointError, match="differs in: styles;"):
        paint(photo, painting.reshape(60, 64, 3), checkpoint=stopped)


def test_another_starting_file_of_the_same_name_is_refused(tmp_path, photo, painting, paint):
    """A file that settings name counts with its content."""
    values = {"init": str(tmp_path / "init.png"), "checkpoint": tmp_path / "run"}
    Image.fromarray(photo).save(tmp_path / "init.png")
    paint(photo, painting, lambda event: True, **values)
    Image.fromarray(photo[::-1]).save(tmp_path / "init.png")
    with pytest.raises(CheckpointError, match="differs in: files;"):
        paint(photo, painting, **values)


def _flip_a_bit(path):
    """In the middle of the file, where the tensors are."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        _flip_a_bit,
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("not a checkpoint"),
        lambda path: torch.save({"format": 1}, path),
        lambda path: torch.save([1, 2], path),
    ],
    ids=["flipped bit", "cut", "empty", "text", "incomplete", "list"],
)
def test_a_damaged_checkpoint_is_refused(stopped, photo, painting, paint, damage):
    """Nothing is painted from a file that is not as it was written, be it one bit."""
    damage(stopped / "checkpoint.pt")
    with pytest.raises(CheckpointError, match="no checkpoint of impasto's; start over in another folder"):
        paint(photo, painting, checkpoint=stopped)


def test_a_checkpoint_of_another_format_is_refused(stopped, photo, painting, paint):
    """A version that writes checkpoints differently says so, whatever is in them."""
    torch.save({"format": 99, "identity": {}, "news": 1}, stopped / "checkpoint.pt")
    with pytest.raises(CheckpointError, match="another version"):
        paint(photo, painting, checkpoint=stopped)


def test_a_folder_that_cannot_be_is_refused(tmp_path, photo, painting, paint):
    """A checkpoint's folder is made if need be, but not in the place of a file."""
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match=r"cannot be made because .*file is not a folder"):
        paint(photo, painting, checkpoint=tmp_path / "file")
    with pytest.raises(CheckpointError, match=r"cannot be made because .*file is not a folder"):
        paint(photo, painting, checkpoint=tmp_path / "file" / "run")


def test_a_folder_is_tried_without_being_made(tmp_path):
    """What would be made below it is not there afterwards."""
    check_folder(tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())
    for name in ("x" * 256, "a\0b", "y" * 256 + "/z"):
        with pytest.raises(CheckpointError, match=r"cannot be (written to|made) .*; choose another"):
            check_folder(tmp_path / name)


def test_a_file_of_somebody_else_stays_and_nobody_is_told_to_delete_it(tmp_path, photo, painting, paint):
    """Others call their files so, too."""
    path = tmp_path / "checkpoint.pt"
    torch.save({"model": torch.ones(3)}, path)
    before = path.read_bytes()
    with pytest.raises(CheckpointError) as caught:
        paint(photo, painting, checkpoint=tmp_path)
    assert str(caught.value) == f"{path} is no checkpoint of impasto's; start over in another folder."
    assert path.read_bytes() == before


def test_two_runs_do_not_share_a_folder(stopped, photo, painting, prepare):
    """The second one is refused before it computes, for as long as the first one runs, and goes on after that."""
    refused = []

    def try_another(event):
        other = prepare(photo, painting)
        with pytest.raises(
            CheckpointError, match="in use by another run; wait for its end, or give another folder"
        ) as e:
            other.run(lambda _: pytest.fail("it computed"), stopped)
        refused.append(e)
        return True

    prepare(photo, painting).run(try_another, stopped)
    assert len(refused) == 1
    assert prepare(photo, painting).run(checkpoint=stopped).complete


def test_a_word_that_means_the_same_goes_on(stopped, photo, painting, paint):
    """The word auto is what it comes to on this machine: its device and its precision."""
    whole = paint(photo, painting)
    device, precision = whole.recipe["device"], whole.recipe["precision"]
    for name, words in (("one", {"device": device}), ("other", {"device": "auto", "precision": precision})):
        folder = stopped.with_name(name)
        shutil.copytree(stopped, folder)
        assert paint(photo, painting, checkpoint=folder, **words).history == whole.history


def test_who_goes_on_elsewhere_is_told(stopped, photo, painting, paint):
    """A checkpoint of a GPU is of use on the processor; the picture may differ by roundings."""
    path = stopped / "checkpoint.pt"
    torch.save({**torch.load(path), "device": "cuda"}, path)
    result = paint(photo, painting, checkpoint=stopped)
    assert "The checkpoint is from cuda, and cpu, which went on from it, rounds otherwise." in result.notes


def test_who_goes_on_with_other_threads_is_told(stopped, photo, painting, paint):
    """Sums are rounded in another order then; with the number of before they would not be."""
    path = stopped / "checkpoint.pt"
    torch.save({**torch.load(path), "threads": 7}, path)
    result = paint(photo, painting, checkpoint=stopped)
    assert any("computed by 7 threads" in note and "OMP_NUM_THREADS=7" in note for note in result.notes)


def test_a_long_history_is_a_table(tmp_path, snapshot):
    """Ten thousand records take a hundred bytes each and come back as they were, whatever their losses are called."""
    _, one = snapshot
    names = [f"style/conv{place}" for place in range(5)]
    first = [Record(0, n, n / 3, dict.fromkeys(names, n / 7), 1 / n) for n in range(1, 10_000)]
    rest = [Record(1, 2, float("inf"), {"content/conv1": -0.0}, 0.0)]
    checkpoint = Checkpoint(tmp_path / "long", {})
    checkpoint.save(replace(one, history=()), force=True)
    before = checkpoint.path.stat().st_size
    checkpoint.save(replace(one, history=(*first, *rest)), force=True)
    assert checkpoint.path.stat().st_size - before < 100 * 10_000
    assert checkpoint.load().history == (*first, *rest)


@pytest.fixture
def snapshot(stopped):
    """A snapshot in the middle of a run, with its checkpoint."""
    identity, _ = read_checkpoint(stopped / "checkpoint.pt")
    checkpoint = Checkpoint(stopped, identity)
    return checkpoint, checkpoint.load()


def test_a_snapshot_comes_back_as_it_was(tmp_path, snapshot):
    """Everything the descent depends on is in the file, also a best image that is not the current one."""
    _, one = snapshot
    checkpoint = Checkpoint(tmp_path / "second", {})
    for given in (one, replace(one, best=one.best / 2)):
        assert checkpoint.save(given, force=True)
        back = checkpoint.load()
        assert torch.equal(back.state.image, given.state.image)
        assert back.state.image.stride() == given.state.image.stride()
        assert torch.equal(back.best, given.best)
        assert torch.equal(back.state.gradient, given.state.gradient)
        assert back.history == given.history
        for before, after in zip(given.state.memory["pairs"], back.state.memory["pairs"], strict=True):
            assert all(map(torch.equal, before, after))


def test_tensors_come_back_on_the_device_that_is_asked_for(snapshot):
    """A run on an accelerator finds its state there."""
    loaded = snapshot[0].load("meta")
    tensors = [loaded.best, loaded.state.image, loaded.state.gradient, *loaded.state.memory["pairs"][0]]
    assert {tensor.device.type for tensor in tensors} == {"meta"}


def test_saves_keep_their_distance(tmp_path, snapshot):
    """Within the interval only a forced save is made, and none is missed at interval 0."""
    _, one = snapshot
    slow, eager = (Checkpoint(tmp_path / str(interval), {}, interval) for interval in (1e9, 0))
    assert not slow.save(one)
    assert slow.load() is None
    assert slow.save(one, force=True)
    assert eager.save(one)
    assert eager.save(one)


def test_a_save_replaces_the_file_at_once(snapshot, tmp_path):
    """The file before it is not written into: whoever still has it open, or linked, has it whole."""
    checkpoint, one = snapshot
    before = checkpoint.path.read_bytes()
    (tmp_path / "link").hardlink_to(checkpoint.path)
    checkpoint.save(replace(one, seconds=99.0), force=True)
    assert (tmp_path / "link").read_bytes() == before
    assert checkpoint.load().seconds == 99


@contextlib.contextmanager
def _full_disk():
    """No file can grow beyond a few kilobytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_last_checkpoint(snapshot, stopped):
    """A save that fails halfway says so, and takes nothing away."""
    checkpoint, one = snapshot
    before = checkpoint.path.read_bytes()
    with _full_disk(), pytest.raises(CheckpointError, match=r"cannot be written .*; free some space"):
        checkpoint.save(one, force=True)
    assert checkpoint.path.read_bytes() == before
    assert [path.name for path in stopped.iterdir()] == ["checkpoint.pt"]


def test_a_full_disk_does_not_cost_the_run(tmp_path, photo, painting, prepare):
    """The picture is made all the same, and a note says once that there is no checkpoint."""
    run = prepare(photo, painting)
    with _full_disk():
        result = run.run(checkpoint=tmp_path, checkpoint_interval=0)
    (note,) = result.notes
    assert "cannot be written" in note, note
    assert note.endswith("The run went on without it.")
    assert result.complete
    assert torch.equal(result.tensor, run.run().tensor)
    assert not list(tmp_path.iterdir())


def test_a_failed_save_keeps_the_distance_too(snapshot, tmp_path):
    """A full disk is not tried at every step."""
    checkpoint = Checkpoint(tmp_path, {}, 1e9)
    with _full_disk(), pytest.raises(CheckpointError):
        checkpoint.save(snapshot[1], force=True)
    assert not checkpoint.save(snapshot[1])


def test_a_checkpoint_moves_with_its_folder(stopped, tmp_path, photo, painting, paint):
    """It belongs to inputs and settings, not to a place."""
    whole = paint(photo, painting)
    shutil.move(stopped, tmp_path / "elsewhere")
    assert np.array_equal(paint(photo, painting, checkpoint=tmp_path / "elsewhere").array, whole.array)


def test_large_checkpoints_are_mapped(snapshot):
    """What comes from a mapped file is what was saved, and stays when the file is replaced."""
    checkpoint, one = snapshot
    checkpoint.mapped = 0
    mapped = checkpoint.load()
    checkpoint.save(replace(one, state=replace(one.state, image=one.state.image / 2), best=one.best / 2), force=True)
    assert torch.equal(mapped.state.image, one.state.image)
    assert torch.equal(checkpoint.load().state.image, one.state.image / 2)


def test_saving_for_long_keeps_a_longer_distance(tmp_path, snapshot, monkeypatch):
    """At most a twentieth of the time goes into saves."""
    now = [100.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])  # its own: servers of other tests live by the real one
    monkeypatch.setattr("impasto.runs.checkpoint.time", clock)
    checkpoint = Checkpoint(tmp_path, {}, 1.0)
    write = torch.save

    def slowly(*words):
        now[0] += 10
        write(*words)

    monkeypatch.setattr("impasto.runs.checkpoint.torch.save", slowly)
    now[0] += 1
    assert checkpoint.save(snapshot[1])
    now[0] += 150
    assert not checkpoint.save(snapshot[1])
    now[0] += 50
    assert checkpoint.save(snapshot[1])
