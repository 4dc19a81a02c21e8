"""What a caller has done to torch does not reach a picture, and what we do does not reach the caller."""

import functools
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import torch

import impasto
from impasto import images, machine, samples, signals, sounds
from impasto.errors import SettingsError
from impasto.libraries import KEEP_MEMORY
from impasto.pyramid import resize
from impasto.runs.sequences.signal import SignalTransfer
from impasto.runs.sequences.sound import SoundTransfer
from impasto.runs.solids.solid import synthesize_block
from impasto.runs.solids.volume import stylize_volume
from impasto.studies.normalization import normalize
from impasto.studies.visualization import visualize_unit

LAYERS = {"content_layers": {"conv2_1": 1.0}, "style_layers": {"conv1_1": 1.0, "conv2_1": 1.0}}
QUICK = {"size": 32, "coarsest": 16, "evaluations": 2, "precision": "fp32", "device": "cpu"}


@contextmanager
def default_dtype(dtype):
    """As some scripts begin."""
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def default_device(name):
    """Of tensors that nobody says a place for; nothing can be computed with those on ``meta``."""
    torch.set_default_device(name)
    try:
        yield
    finally:
        torch.set_default_device(None)


@contextmanager
def deterministic():
    """Uninitialized memory is filled, and what would not be deterministic is refused."""
    torch.use_deterministic_algorithms(mode=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(mode=False)


def everything(dtype):
    """All at once, of which each alone would be noticed."""
    stack = ExitStack()
    for context in (
        default_dtype(dtype),
        default_device("meta"),
        deterministic(),
        torch.inference_mode(),
        torch.autocast("cpu", dtype=torch.bfloat16),
    ):
        stack.enter_context(context)
    return stack


@functools.cache
def small(name, shape=(32, 32)):
    """A bundled painting, read before anything is around."""
    return resize(images.read(samples.painting(name)).pixels, shape)


def stylized(**values):
    """A picture of four evaluations, starting in part from noise."""
    settings = {**LAYERS, **QUICK, "noise": 0.3, **values}
    return impasto.stylize(small("marble"), small("glass"), **settings).tensor


def previewed():
    """A preview."""
    return impasto.preview(small("marble"), small("glass"), size=32, precision="fp32", device="cpu").tensor


def textured():
    """A texture, whose start is all noise."""
    values = {name: value for name, value in QUICK.items() if name != "size"}
    return impasto.synthesize(small("glass"), 32, style_layers=LAYERS["style_layers"], **values).tensor


def reconstructed():
    """A reconstruction."""
    return impasto.reconstruct(small("marble"), "conv2_1", **QUICK).tensor


def scored():
    """Losses, as numbers."""
    settings = {**LAYERS, "precision": "fp32", "device": "cpu"}
    [found] = impasto.score(small("marble"), small("glass"), [small("marble")], **settings)
    return torch.tensor(list(found.scores.losses.values()), dtype=torch.float64, device="cpu")


def wave(count):
    """Values of a few frequencies."""
    times = np.arange(count, dtype=np.float32)
    return np.sin(times / 7) / 3 + np.sin(times / 31) / 3


def signaled():
    """A signal in the style of another."""
    content, style = (signals.as_record(values, 100.0) for values in (wave(300), wave(300) ** 2))
    return SignalTransfer.of(content, [style], evaluations=2, device="cpu").run().tensor


def sounded():
    """A sound in the style of another, whose phases begin with noise."""
    content, style = (sounds.as_sound(values, 8000) for values in (wave(6000), wave(6000) ** 2))
    return SoundTransfer.of(content, [style], evaluations=(1, 1), device="cpu").run().tensor


def solid():
    """A block of texture."""
    values = {name: value for name, value in QUICK.items() if name != "size"}
    return synthesize_block(small("glass"), (16, 16, 16), style_layers={"conv1_1": 1.0}, **values).tensor


def volumetric():
    """A volume in the style of a picture."""
    block = np.random.default_rng(0).random((16, 16, 16), dtype=np.float32)
    values = {name: value for name, value in QUICK.items() if name != "size"}
    layers = {"content_layers": {"conv1_1": 1.0}, "style_layers": {"conv1_1": 1.0}}
    return stylize_volume(block, small("glass"), depths=(0,), **layers, **values).tensor


def liked():
    """What a channel likes best."""
    return visualize_unit("conv1_2", 3)


VERBS = {
    "stylize": lambda: stylized(
        style_losses="gram,moments,wasserstein,histogram,patches", color="match", photorealism=0.1, sharpness=0.1
    ),
    "preview": previewed,
    "texture": textured,
    "reconstruct": reconstructed,
    "score": scored,
    "signal": signaled,
    "sound": sounded,
    "solid texture": solid,
    "volume": volumetric,
    "visualize": liked,
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_picture_is_the_same_whatever_is_around(verb):
    """Bit for bit, in float32; and the surroundings are as they were."""
    usual = VERBS[verb]()
    with everything(torch.float64):
        before = surroundings()
        found = VERBS[verb]()
        assert surroundings() == before
    assert found.dtype == usual.dtype
    assert torch.equal(found, usual)


def test_a_network_is_normalized_alike_whatever_is_around(tmp_path):
    """Bit for bit."""
    images.write(tmp_path / "one.png", small("marble"))
    usual = normalize(tmp_path, size=32, device="cpu")
    with everything(torch.float64):
        found = normalize(tmp_path, size=32, device="cpu")
    assert all(torch.equal(found.scales[name], scales) for name, scales in usual.scales.items())


def surroundings():
    """What a caller may have chosen."""
    return (
        torch.get_default_dtype(),
        torch.get_default_device().type,
        torch.is_autocast_enabled("cpu"),
        torch.is_inference_mode_enabled(),
        torch.is_grad_enabled(),
    )


def test_two_at_once_are_as_each_alone():
    """In threads of one process."""
    found = {}

    def make(name, verb):
        found[name] = verb()

    verbs = {"one": stylized, "other": lambda: stylized(optimizer="adam")}
    alone = {name: verb() for name, verb in verbs.items()}
    running = [threading.Thread(target=make, args=pair) for pair in verbs.items()]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert all(torch.equal(found[name], alone[name]) for name in verbs)


FORKED = """
import multiprocessing, os, sys, torch
import impasto
from impasto import images, samples
from impasto.errors import ImpastoError

x = images.read(samples.painting("marble")).pixels[..., :32, :32]
verbs = {
    "stylize": lambda: impasto.stylize(x, x),
    "Transfer": lambda: impasto.Transfer.of(x, x),
    "synthesize": lambda: impasto.synthesize(x, 32),
    "reconstruct": lambda: impasto.reconstruct(x, "conv2_1"),
    "preview": lambda: impasto.preview(x, x),
    "score": lambda: impasto.score(x, x, [x]),
}
torch.set_num_threads(2)
try:
    impasto.Transfer.of(x, x, strength=2)  # computed, or about to
except ImpastoError:
    pass
for name, verb in verbs.items():
    child = os.fork()
    if child == 0:
        try:
            verb()
        except ImpastoError as error:
            os._exit(7 if 'get_context("spawn")' in str(error) else 1)
        os._exit(2)
    print(name, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_child_is_told_that_it_cannot_compute():
    """By every verb at once, instead of waiting for threads that it has not inherited."""
    if not hasattr(sys, "platform") or sys.platform == "win32":
        pytest.skip("this system does not fork")
    command = [sys.executable, "-W", "ignore", "-c", FORKED]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    lines = found.stdout.split("\n")[:-1]
    assert lines == [f"{name} 7" for name in ("stylize", "Transfer", "synthesize", "reconstruct", "preview", "score")]


def test_the_memory_of_a_process_is_its_own(monkeypatch):
    """How its C library frees memory is changed only where that was allowed, by 1 or 0."""
    monkeypatch.delenv(KEEP_MEMORY, raising=False)
    assert machine.keep_freed_memory.__wrapped__() is False
    monkeypatch.setenv(KEEP_MEMORY, "yes")
    with pytest.raises(SettingsError, match=f"variable {KEEP_MEMORY} is 'yes'; set it to 1 or 0"):
        machine.keep_freed_memory.__wrapped__()


def test_the_recipe_says_how_many_threads(monkeypatch):
    """Of the processor, where it decides in which order sums are taken."""
    settings = {**LAYERS, **QUICK}
    assert impasto.stylize(small("marble"), small("glass"), **settings).recipe["threads"] == torch.get_num_threads()
    assert machine.threads(torch.device("meta")) is None
