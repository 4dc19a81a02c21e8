"""A run that several processes share, lose one of, and goes on alone."""

import os
import socket
import subprocess
import sys
import time

import pytest
from PIL import Image

import impasto

SETTINGS = {
    "size": 320,  # as many pixels as are worth sharing
    "coarsest": 160,
    "evaluations": [2, 4],
    "precision": "fp32",
    "device": "cpu",
    "content_layers": "conv2_1",
    "style_layers": "conv1_1,conv2_1",
}

# The first process waits on the larger level, whose checkpoint is saved then, until it is told to go on.
SCRIPT = """
import pathlib, sys, time, torch
torch.set_num_threads(1)
import impasto
from impasto.engines.ranks import DONE, joined
from impasto.errors import RankError
from impasto.memory.budget import Budget
def listen(event):
    if event.level == 1:
        pathlib.Path("there").touch()
        while not pathlib.Path("go").exists():
            time.sleep(0.01)

try:
    with joined(200) as group:
        run = impasto.Transfer.of("photo.png", "painting.png", **SETTINGS).within(Budget(4e9, group))
        if group.rank:
            run.assist()
        else:
            run.run(listen, checkpoint="run", checkpoint_interval=0).save("out.png")
            group.announce(DONE)
except RankError as error:
    sys.exit(str(error))
"""


@pytest.fixture
def folder(tmp_path, photo, painting, monkeypatch):
    """A current folder with a photo and a painting, both square."""
    for name, picture in (("photo.png", photo), ("painting.png", painting)):
        Image.fromarray(picture[:54, :54]).resize((256, 256)).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def started(count):
    """The processes of a shared run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count)}
    command = [sys.executable, "-c", SCRIPT.replace("SETTINGS", repr(SETTINGS))]
    return [
        subprocess.Popen(command, env={**common, "RANK": str(rank)}, stderr=subprocess.PIPE, text=True)
        for rank in range(count)
    ]


@pytest.mark.slow
def test_a_run_that_loses_a_rank_goes_on_alone(folder):
    """The others end with a sentence; one process goes on from the checkpoint to the picture that one alone makes."""
    first, second = started(2)
    patience = time.monotonic() + 200
    while not (folder / "there").exists() and time.monotonic() < patience and first.poll() is None:
        time.sleep(0.02)
    second.kill()
    second.communicate()
    (folder / "go").touch()
    _, said = first.communicate(timeout=240)
    assert (folder / "there").exists(), said
    assert first.returncode == 1
    assert "Process 1 of the run was lost" in said
    assert not (folder / "out.png").exists()
    run = impasto.Transfer.of("photo.png", "painting.png", **SETTINGS)
    resumed, alone = run.run(checkpoint="run"), run.run()
    assert resumed.complete
    assert resumed.history[0] == alone.history[0]
    assert resumed.delivered.value == pytest.approx(alone.delivered.value, rel=0.02)
    assert (resumed.tensor - alone.tensor).abs().mean() < 0.01
