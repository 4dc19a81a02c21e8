"""Several real processes that share one picture."""

import json
import os
import socket
import subprocess
import sys
import time

import pytest

from impasto.engines.group import dealt
from impasto.engines.ranks import Ranks, process_group, region
from impasto.errors import SettingsError
from impasto.memory.budget import Layout
from impasto.tiling import Window, tiles

# What every process of the tests below runs, with a line of its own put in the middle.
SCRIPT = """
import sys, time, torch
torch.set_num_threads(1)
from impasto.encoders import Conv, Encoder, Parameters, Pool, Stack
from impasto.engines import Engine
from impasto.engines.ranks import process_group
from impasto.errors import RankError
from impasto.losses import LOSSES, ContentLoss, TotalVariationLoss
from impasto.losses.covariance import CovarianceLoss
from impasto.losses.gram import GramLoss
from impasto.objective import Objective, Term
from impasto.tiling import tiles

stack = Stack("s", (Conv("conv1_1", 3, 4), Conv("conv1_2", 4, 4), Pool("pool1"), Conv("conv2_1", 4, 5)))
torch.manual_seed(0)
weights = {c.name: (torch.randn(c.channels_out, c.channels_in, 3, 3, dtype=torch.float64) / 3,
                    torch.rand(c.channels_out, dtype=torch.float64)) for c in stack.convolutions}
parameters = Parameters(weights, torch.eye(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64))
image, photo = (torch.rand(1, 3, 41, 37, dtype=torch.float64) for _ in range(2))

def engine(group, padding, side, shape=(41, 37)):
    photo = globals()["photo"][:, :, :shape[0], :shape[1]]
    encoder = Encoder(stack, parameters, padding=padding, dtype=torch.float64)
    terms = [Term("smoothness", "image", TotalVariationLoss(), 0.3)]
    for layer, features in encoder.features(photo, ("conv1_2", "conv2_1")):
        terms += [Term("content", layer, ContentLoss(features), 1.0), Term("style", layer, GramLoss.of(features), 2.0),
                  Term("style", layer, CovarianceLoss.of(features), 3.0, "covariance")]
    objective = Objective(tuple(terms))
    cut = side and tiles(shape, side, objective.halo(stack), 2, wraps=padding == "circular")
    return Engine(encoder, objective, cut or None, 2, group)

def compare(group, padding, side, shape=(41, 37)):
    from impasto.engines.group import ALONE
    if group.rank:
        for _ in range(2):
            _, at, gradient = group.order()
            engine(group, padding, side, shape).assist(at, gradient=gradient)
        return
    image = globals()["image"][:, :, :shape[0], :shape[1]]
    many = engine(group, padding, side, shape)
    if side == (8, 26):
        assert many.tiles[1].box.shape == shape and many.tiles[1].box.start == (4, 0), many.tiles
    one, many = engine(ALONE, padding, 0, shape).evaluate(image), many.evaluate(image)
    assert abs(many.value / one.value - 1) < 1e-12, (padding, side, many.value, one.value)
    assert (many.gradient - one.gradient).abs().max() < 1e-10 * one.gradient.abs().max(), (padding, side)
    assert abs(engine(group, padding, side, shape).measure(image).value / one.value - 1) < 1e-12

def travel(group):
    x = torch.arange(15.0).view(3, 5)
    kinds = (torch.bfloat16, torch.float64, torch.int64)
    if group.rank == 0:
        group.send(1, [x.to(kind)[:, 1:] for kind in kinds], ("a", 2))
    else:
        note, found = group.receive_from(0)
        assert note == ("a", 2) and [y.dtype for y in found] == list(kinds)
        assert all(torch.equal(y, x.to(y.dtype)[:, 1:]) for y in found)

try:
    with process_group(float(sys.argv[1])) as group:
        LINE
except RankError as error:
    print(error)
    sys.exit(7)
print("fine")
"""


def started(line, count, patience=60):
    """The processes of a group, each of which runs a line."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    everywhere = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count)}
    command = [sys.executable, "-c", SCRIPT.replace("LINE", line), str(patience)]
    pipe = subprocess.PIPE
    return [
        subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env={**everywhere, "RANK": str(rank)})
        for rank in range(count)
    ]


def ended(processes, seconds=240):
    """What each printed, and its exit code."""
    try:
        return [(process.communicate(timeout=seconds), process.returncode) for process in processes]
    finally:
        for process in processes:
            process.kill()


def test_ranks_find_what_one_process_finds():
    """For every padding and more or fewer tiles than processes: the value to 1e-12, the gradient to 1e-10.

    Before that, tensors of several types arrive as they were sent; after it, boxes as long as an image that wraps, which
    begin elsewhere.
    """
    line = "travel(group); [compare(group, p, side) for p in ('zero', 'reflect', 'circular') for side in (0, 12, 24)]"
    line += "; compare(group, 'circular', (8, 26), (16, 26))"
    for (out, err), code in ended(started(line, 2)):
        assert (out, code) == ("fine\n", 0), err


@pytest.mark.parametrize(
    ("name", "value"),
    [("IMPASTO_PATIENCE", "abc"), ("IMPASTO_PATIENCE", "-1"), ("IMPASTO_PATIENCE", "inf"), ("WORLD_SIZE", "x")],
)
def test_numbers_of_the_environment_are_numbers(monkeypatch, name, value):
    """Or a sentence says which variable is not."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv(name, value)
    with (
        pytest.raises(SettingsError, match=f"The environment variable {name} is '{value}', but a number"),
        process_group(),
    ):
        pass


def test_orders_are_plain(monkeypatch):
    """What travels beside tensors' values is JSON, and comes back with the tuples that it was sent with."""
    heads = []
    monkeypatch.setattr("torch.distributed.send", lambda tensor, rank: heads.append(tensor))
    monkeypatch.setattr("torch.distributed.get_rank", lambda: 0)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 2)
    layout = arrange_small()
    Ranks().announce(("engine", layout.plain(), True))
    (word, _, exact), kinds = json.loads(heads[1].numpy().tobytes())
    assert (word, exact, kinds) == ("engine", True, [])
    incoming = iter(heads)
    monkeypatch.setattr("torch.distributed.recv", lambda tensor, rank: tensor.copy_(next(incoming)))
    assert Layout.of(Ranks().order()[1]) == layout


def arrange_small():
    """A layout of a few tiles."""
    return Layout((41, 37), tiles((41, 37), 16, 8, 4), 2, 3e9, 0.0, 1.25)


def test_a_lost_rank_ends_the_run_at_once():
    """With a sentence, though one was ready to wait for minutes; whichever process is lost."""
    began = time.monotonic()
    both = "compare(group, 'zero', 12)"  # once together, so that they have found each other
    lines = [f"{both}; sys.exit(3) if group.rank == {lost} else {both}" for lost in (0, 1)]
    groups = [started(line, 2, patience=300) for line in lines]
    for lost, results in enumerate([ended(group) for group in groups]):
        (out, err), code = results[1 - lost]
        assert (code, results[lost][1]) == (7, 3), err
        assert f"Process {lost} of the run was lost" in out
        assert "goes on from the last --checkpoint, on any number of processes" in out
    assert time.monotonic() - began < 120


def test_a_stuck_rank_is_given_up():
    """Stopped, but still connected: after the patience it counts as lost."""
    first, second = started("compare(group, 'zero', 12) if group.rank == 0 else time.sleep(100)", 2, patience=4)
    [((out, err), code)] = ended([first])
    second.kill()
    second.communicate()
    assert code == 7, err
    assert "Process 1 of the run was lost" in out


def test_tiles_are_dealt_in_runs_of_equal_work():
    """Neighbors together, all of them, in order."""
    cut = tiles((64, 48), 16, 8, 4)
    shares = dealt(cut, 3)
    assert [tile for share in shares for tile in share] == list(cut)
    work = [sum(tile.box.positions for tile in share) for share in shares]
    assert max(work) - min(work) <= max(tile.box.positions for tile in cut)
    assert [len(share) for share in dealt(cut[:1], 3)].count(0) == 2


def test_only_the_region_of_a_share_travels():
    """The image positions that its boxes look at; all along an axis on which one wraps."""
    cut = tiles((64, 48), 16, 8, 4)
    assert region(cut[:3], (64, 48)) == Window((0, 0), (24, 48))
    assert region(cut[:1], (64, 48)) == Window((0, 0), (24, 24))
    wrapping = tiles((64, 48), 16, 8, 4, wraps=True)
    assert region(wrapping[:1], (64, 48)) == Window((0, 0), (64, 48))
