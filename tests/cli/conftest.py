"""What tests of the command line share: small pictures, and the command line in this process and in its own."""

import os
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from impasto.cli import main

FAST = ("--size", "64", "--coarsest", "32", "--evaluations", "2", "--precision", "fp32", "--device", "cpu")


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code and its words."""

    code: int
    out: str
    err: str


def textured(path, shape, seed):
    """Save a picture with smooth shapes and some noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]] / 12
    waves = np.stack([np.sin(x + seed), np.cos(y - seed), np.sin(x * y / 4)], axis=-1)
    Image.fromarray((128 + 90 * waves + rng.normal(0, 9, (*shape, 3))).clip(0, 255).astype(np.uint8)).save(path)
    return path


@pytest.fixture(scope="module", autouse=True)
def _shared_weights(shared_weights):
    """Commands in this process share their network's weights."""
    with shared_weights():
        yield


@pytest.fixture(scope="session")
def fast():
    """Options for two levels of two evaluations."""
    return FAST


@pytest.fixture(scope="session")
def originals(tmp_path_factory):
    """A photo and a painting that nobody writes to."""
    folder = tmp_path_factory.mktemp("originals")
    return textured(folder / "photo.png", (48, 64), 1), textured(folder / "painting.png", (64, 64), 2)


@pytest.fixture
def room(tmp_path, monkeypatch, originals):
    """An empty current folder with ``photo.png`` and ``painting.png``."""
    for path in originals:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def call(capsys):
    """A function that runs a command line in this process."""

    def run(*words):
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def start():
    """A function that starts ``python -m impasto`` with a command line, and keyword arguments of Popen."""
    running = []

    def begin(*words, python=(), **options):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        options["env"] = {**os.environ, "OMP_NUM_THREADS": "1", **options.get("env", {})}
        command = [sys.executable, *python, "-m", "impasto", *map(str, words)]
        process = subprocess.Popen(command, **{**pipes, **options})
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def made(originals, tmp_path_factory):
    """A picture made by a run that went to its end; nobody writes to it."""
    photo, painting = originals
    path = tmp_path_factory.mktemp("made") / "made.png"
    assert main(["stylize", str(photo), str(painting), "-o", str(path), "--quiet", *FAST]) == 0
    return path
