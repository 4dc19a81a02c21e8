"""How long a descent still takes."""

import math

import pytest

from impasto.descent import Level
from impasto.runs.pace import Pace

LEVELS = (Level((96, 128), 40), Level((192, 256), 30), Level((384, 512), 80))


def history(cost, set_up=1.5, slow=3.0):
    """Steps of a descent whose evaluations take ``cost(positions)`` seconds, the very first ones ``slow`` seconds more."""
    seconds = slow
    for number, level in enumerate(LEVELS):
        each = cost(math.prod(level.shape))
        seconds += set_up * each
        for evaluation in range(1, level.evaluations + 1):
            seconds += each
            yield number, evaluation, seconds


def readings(steps, of=LEVELS):
    """Estimates beside what really remained, as (level, evaluation, estimate, truth)."""
    pace, steps = Pace(of), list(steps)
    return [(level, made, pace.remaining(level, made, at), steps[-1][2] - at) for level, made, at in steps]


@pytest.mark.parametrize("fixed", [0, 2000, 8000])
def test_readings_are_near_from_the_third_step_on(fixed):
    """Within 1.5 times, also on the first level, if evaluations cost not much beside their positions; nine in ten are."""
    found = readings(history(lambda positions: 1e-5 * (positions + fixed)))
    near = [abs(math.log(told / true)) < math.log(1.5) for _, _, told, true in found[2:-1]]
    assert sum(near) / len(near) >= 0.9


def test_once_two_levels_are_known_it_is_exact():
    """An affine cost is found from two levels; nothing of the slow beginning is left in it."""
    for fixed in (0, 5000, 40000):
        for level, made, told, true in readings(history(lambda positions, f=fixed: 1e-5 * (positions + f))):
            if level == 2 or (level == 1 and made > 1):
                assert told == pytest.approx(true, rel=1e-9, abs=1e-9)


def test_a_level_that_ends_early_leaves_nothing_of_it():
    """What remains are the levels after it; at the end of the last one, nothing."""
    pace = Pace(LEVELS[:2])
    pace.remaining(0, 1, 1.0)
    before = pace.remaining(0, 3, 3.0)
    assert pace.remaining(0, 4, 4.0, done=True) == pytest.approx(before - 37)
    pace.remaining(1, 1, 10.0)
    assert pace.remaining(1, 2, 14.0, done=True) == 0


def test_a_resumed_run_counts_from_where_it_goes_on():
    """Its first step tells nothing of the pace but what was set up; the next ones do."""
    pace = Pace(LEVELS)
    assert pace.remaining(2, 50, 1000.0) > 0
    assert pace.remaining(2, 51, 1002.0) == pytest.approx(58)
