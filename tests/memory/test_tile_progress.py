"""How the work goes on."""

import pytest

from impasto.descent import Level
from impasto.memory.budget import Layout
from impasto.memory.tile_progress import TileMeter

LEVELS = (Level((10, 10), 4), Level((20, 20), 3), Level((40, 40), 2))


@pytest.fixture
def clock():
    """A clock that is moved by hand."""

    class Clock:
        now = 100.0

        def __call__(self):
            return self.now

    return Clock()


def layouts(costs=(1, 1, 1)):
    """Layouts of so much work."""
    return {level.shape: Layout(level.shape, None, 1, 0, 0, cost) for level, cost in zip(LEVELS, costs, strict=True)}


def test_time_left_is_known_from_the_first_tile(clock):
    """A quarter of an evaluation took 2 seconds: it takes 8, and there are three of them and two of four times the size."""
    told = []
    count = TileMeter(told.append, LEVELS, layouts(), clock).at((20, 20))
    clock.now += 2
    count(0.25)
    assert told[-1].level == 1
    assert told[-1].share == 0.25
    assert told[-1].seconds == 8
    assert told[-1].remaining == pytest.approx(2.75 * 8 + 2 * 4 * 8)


def test_tiles_cost_more(clock):
    """What a level costs in tiles is in the estimate."""
    told = []
    count = TileMeter(told.append, LEVELS, layouts((1, 1, 1.5)), clock).at((20, 20))
    clock.now += 2
    count(0.25)
    assert told[-1].remaining == pytest.approx(2.75 * 8 + 2 * 4 * 8 * 1.5)


def test_evaluations_follow_each_other(clock):
    """Shares add up to one, and the next begins; after the last nothing is left."""
    told = []
    count = TileMeter(told.append, LEVELS, layouts(), clock).at((40, 40))
    for _ in range(8):
        clock.now += 1
        count(0.25)
    assert [work.share for work in told] == [0.25, 0.5, 0.75, 1.0] * 2
    assert [work.seconds for work in told] == [4] * 8
    assert [work.remaining for work in told] == [7, 6, 5, 4, 3, 2, 1, 0]


def test_other_shapes_are_not_levels():
    """Nothing is told of them."""
    assert TileMeter(print, LEVELS, layouts()).at((7, 7)) is None
