"""How a level is computed within a budget."""

import dataclasses
import math

import pytest
import torch

from impasto.descent import Level
from impasto.engines.group import Group
from impasto.errors import SettingsError
from impasto.memory.budget import FOUNDATION, Budget, arrange, bytes_of, compact_from, demand, history_of

LAYERS, CONTENT = ("conv1_2", "conv2_1", "conv3_1"), ("conv2_1",)


class Four(Group):
    """Four processes, of which this is the first."""

    size = 4
    local = 2


@pytest.fixture
def want(tiny):
    """A function that makes the demand of a level of a tiny network."""

    def make(*shape, evaluations=10, style=10_000, divisible=True, **options):
        return demand(
            tiny(len(shape), **options),
            LAYERS,
            CONTENT,
            Level(shape, evaluations),
            pictures=0,
            style=style,
            divisible=divisible,
            optimizer=history_of("lbfgs", 12, evaluations),
        )

    return make


def arranged(want, spare, group=None, padding="zero"):
    """The layout within so many bytes beside the foundation."""
    return arrange(want, Budget(FOUNDATION + spare, group or Group()), 8, 4, padding)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("4GB", 4e9), ("800 MB", 8e8), ("1.5gib", 1.5 * 2**30), ("4g", 4e9), ("2000000", 2e6), (5e9, 5e9), (".5GB", 5e8)],
)
def test_amounts_are_read(text, amount):
    """With a unit of ten or of two, or in bytes."""
    assert bytes_of(text) == amount


@pytest.mark.parametrize("text", ["", "GB", "4 apples", "-4GB", "0", "nan", "4GBB", "1e9GB"])
def test_what_is_no_amount_is_refused(text):
    """With an example of one."""
    with pytest.raises(SettingsError, match=r"write it .*like 4GB"):
        bytes_of(text)


@pytest.mark.parametrize("given", ["4", 8, "500", "16.0", "900kB"])
def test_a_forgotten_unit_is_told(given):
    """Nobody means four bytes."""
    with pytest.raises(SettingsError, match=r"is \d+ bytes; write it with a unit, like 4GB"):
        bytes_of(given)


def test_nothing_given_is_a_share_of_what_is_free(monkeypatch):
    """Split among the processes of this machine."""
    free = {"cpu": 1000, "cuda": 8000}
    monkeypatch.setattr("impasto.machine.free_memory", lambda where: free[where.type])
    cpu, cuda = map(torch.device, free)
    assert Budget().bytes(cpu) == 700
    assert Budget(group=Four()).bytes(cpu) == 350
    assert Budget(group=Four()).bytes(cuda) == 5600
    assert Budget(5.0).bytes(cpu) == Budget(5.0).bytes(cuda) == 5


def test_what_fits_is_taken_whole(want):
    """One tile, no files, and no more work than there is."""
    level = want(300, 400)
    found = arranged(level, 1e9)
    assert (found.tiles, found.files, found.cost) == (None, 0.0, 1.0)
    assert found.memory > level.base + level.state + level.positions * level.peak


def test_less_memory_gives_smaller_tiles(want):
    """Each plan stays within its budget; the work grows, and what is left over keeps activations."""
    level = want(600, 800, style=0)
    whole = arranged(level, 1e9).memory - FOUNDATION
    costs, kept = [], []
    for share in (0.95, 0.6, 0.3, 0.15):
        found = arranged(level, whole * share)
        assert found.memory <= FOUNDATION + whole * share
        assert sum(tile.core.positions for tile in found.tiles) == level.positions
        largest = max(tile.box.positions for tile in found.tiles)
        assert found.memory >= level.base + level.peak * largest
        costs.append(found.cost)
        kept.append(found.keep)
    assert costs == sorted(costs)
    assert 1 <= costs[0] < costs[-1] < 3
    assert max(kept) > 1


def test_large_states_go_into_files(want):
    """Where the optimizer's images would leave no room for tiles; then half precision is enough to remember."""
    level = want(4000, 5000, style=0)
    found = arranged(level, 0.9 * level.state)
    assert found.files > 12 * 6 * level.positions
    assert found.memory < FOUNDATION + 0.9 * level.state
    assert compact_from([found]) == 3 * level.positions
    assert compact_from([arranged(want(40, 40), 1e9)]) == math.inf


def test_a_device_has_no_files_beside_its_memory(want):
    """Images that do not fit there are refused, where the processor would put them into files."""
    level = dataclasses.replace(want(4000, 5000, style=0), device=torch.device("cuda"))
    with pytest.raises(SettingsError, match="needs about"):
        arranged(level, 0.9 * level.state)
    assert arranged(level, 1.3 * level.state).tiles


def test_what_cannot_fit_is_refused(want):
    """Before anything is computed, with what it takes and what it may use."""
    with pytest.raises(SettingsError, match=r"5000 x 4000 needs about 1\.0 GB .* may use 0\.5 GB; .*--memory"):
        arranged(want(4000, 5000, style=0), 1e7)
    with pytest.raises(SettingsError, match="smaller paintings"):
        arranged(want(400, 500, style=10**9, divisible=False), 1e8)


def test_paintings_in_tiles_need_no_room_of_their_own(want):
    """If their statistics can be taken so."""
    assert arranged(want(400, 500, style=10**9), 1e8).tiles


def test_processes_share_large_levels(want):
    """In bands, with about a quarter of the work each; a small level is not worth it."""
    level = want(600, 2000)
    found = arranged(level, 1e9, Four())
    assert len(found.tiles) % 4 == 0
    assert 0.25 < found.cost < 0.3
    assert arranged(want(100, 100), 1e9, Four()).tiles is None


def test_panoramas_are_cut_between_rows(want):
    """Beyond a pole they go on half their width away, so all columns must be there."""
    level = want(600, 800, style=0)
    found = arranged(level, 0.3 * (arranged(level, 1e9).memory - FOUNDATION), padding="equirectangular")
    assert len(found.tiles) > 1
    assert all(tile.box.shape[1] == 800 for tile in found.tiles)


def test_history_is_as_long_as_the_level():
    """Pairs that will never be made take no room."""
    assert history_of("lbfgs", 12, 100) == (6.5, 24.0)
    assert history_of("lbfgs", 12, 6) == (6.5, 8.0)
    assert history_of("adam", 12, 6)[1] == history_of("gradient-descent", 12, 6)[1] == 0
