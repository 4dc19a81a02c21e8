"""The loop from coarse to fine: budgets, history, and going on from anywhere."""

import dataclasses
import itertools

import pytest
import torch

from impasto.descent import WINDOW, Descent, Level, Record, Snapshot
from impasto.engines import Engine
from impasto.objective import Objective, Term
from impasto.optimizers import LBFGS, Adam, GradientDescent
from impasto.pyramid import resize

LEVELS = (Level((8, 10), 7), Level((12, 15), 9), Level((16, 20), 5))
OPTIMIZERS = {"lbfgs": LBFGS(history=4), "gradient-descent": GradientDescent(), "adam": Adam()}

every_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


class Ticking:
    """A clock that advances by a second whenever it is read."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        """The time."""
        self.now += 1
        return self.now


@pytest.fixture
def descent(tiny, picture, make_loss):
    """A function that makes a descent on content and style in float32, and lists the engines it asked for."""
    encoder = tiny(dtype=torch.float32)
    photo, painting = (picture(16, 20, seed=seed, dtype=torch.float32) for seed in (3, 4))

    def make(optimizer=OPTIMIZERS["lbfgs"], levels=LEVELS, **options):
        asked = []

        def engine_at(shape):
            asked.append(shape)
            ((_, content),) = encoder.features(resize(photo, shape), ("conv2_1",))
            style = dict(encoder.features(resize(painting, shape), ("conv1_1", "conv3_1")))
            terms = [Term("style", layer, make_loss("gram", x), 1.0) for layer, x in style.items()]
            return Engine(encoder, Objective((Term("content", "conv2_1", make_loss("content", content), 0.1), *terms)))

        made = Descent(levels, engine_at, optimizer, **{"clock": Ticking(), **options})
        return made, asked

    return make


@pytest.fixture
def noise(picture):
    """What to start from, at a size of its own."""
    return picture(9, 9, dtype=torch.float32)


def test_level_costs_its_positions_times_its_evaluations():
    """What the time is proportional to, in any number of dimensions."""
    assert Level((3, 4), 5).cost == 60
    assert Level((2, 3, 4), 5).cost == 120


@every_optimizer
def test_levels_are_visited_in_order_with_their_budgets(descent, noise, name):
    """Every level's engine is made once, its evaluations are spent to the last, and images have its shape."""
    made, asked = descent(OPTIMIZERS[name])
    snapshots = list(made.run(noise))
    assert asked == [level.shape for level in LEVELS]
    assert [s.level for s in snapshots] == sorted(s.level for s in snapshots)
    for index, level in enumerate(LEVELS):
        here = [s for s in snapshots if s.level == index]
        assert here[0].state.evaluations == 1
        assert [s.done for s in here] == [False] * (len(here) - 1) + [True]
        assert here[-1].state.evaluations == level.evaluations
        assert all(tuple(s.best.shape[2:]) == level.shape for s in here)
        counts = [s.state.evaluations for s in here]
        assert all(a < b for a, b in itertools.pairwise(counts))


def test_history_grows_by_one_record_per_snapshot(descent, noise):
    """Each says the level, the evaluation and the losses by term; older records never change."""
    made, _ = descent()
    snapshots = list(made.run(noise))
    for count, snapshot in enumerate(snapshots, start=1):
        assert len(snapshot.history) == count
        assert snapshot.history[: count - 1] == snapshots[count - 2].history[: count - 1]
        point = snapshot.state.point
        expected = Record(snapshot.level, snapshot.state.evaluations, point.value, point.losses, 0.0)
        assert dataclasses.replace(snapshot.history[-1], moved=0.0) == expected
        assert snapshot.losses == point.losses
        assert set(snapshot.losses) == {"content/conv2_1", "style/conv1_1", "style/conv3_1"}


@every_optimizer
def test_best_is_the_lowest_of_its_level(descent, noise, name):
    """Though Adam's values rise now and then; a new level begins a new count."""
    made, _ = descent(OPTIMIZERS[name])
    lowest = {}
    for snapshot in made.run(noise):
        value = snapshot.state.point.value
        lowest[snapshot.level] = min(value, lowest.get(snapshot.level, value))
        assert snapshot.value == lowest[snapshot.level]
        assert made.engine_at(LEVELS[snapshot.level].shape).measure(snapshot.best).value == pytest.approx(
            snapshot.value, rel=1e-5
        )


def test_next_level_starts_from_the_best_image_lifted(descent, noise):
    """The lift gets the best image of the level below and the next shape, and what it returns is where it begins."""
    lifted = []

    def lift(image, shape):
        lifted.append((image, shape, resize(image, shape)))
        return lifted[-1][2]

    made, _ = descent(Adam(rate=0.2), lift=lift)
    snapshots = list(made.run(noise))
    lasts = [[s for s in snapshots if s.level == index][-1] for index in range(3)]
    firsts = [next(s for s in snapshots if s.level == index) for index in range(3)]
    assert [shape for _, shape, _ in lifted] == [level.shape for level in LEVELS]
    assert lifted[0][0] is noise
    for index in (1, 2):
        assert lifted[index][0] is lasts[index - 1].best
    for (_, _, image), first in zip(lifted, firsts, strict=True):
        assert torch.equal(first.state.image, image)


@every_optimizer
def test_going_on_from_anywhere_gives_the_same_picture(descent, noise, name):
    """From every snapshot on the way, the rest is bit for bit what it would have been."""
    made, _ = descent(OPTIMIZERS[name])
    snapshots = list(made.run(noise))
    for index, snapshot in enumerate(snapshots[:-1]):
        copied = dataclasses.replace(
            snapshot,
            best=snapshot.best.clone(),
            state=dataclasses.replace(snapshot.state, image=snapshot.state.image.clone()),
        )
        again, asked = descent(OPTIMIZERS[name])
        rest = list(again.run(copied))
        assert len(rest) == len(snapshots) - index - 1
        assert torch.equal(rest[-1].best, snapshots[-1].best)
        assert rest[-1].history == snapshots[-1].history
        assert rest[0].state.evaluations == snapshots[index + 1].state.evaluations
        assert len(asked) == len({s.level for s in snapshots[index + 1 :]})


def test_finished_descent_has_nothing_left(descent, noise):
    """From its last snapshot nothing is yielded and no engine is made."""
    made, asked = descent()
    last = list(made.run(noise))[-1]
    asked.clear()
    assert list(made.run(last)) == []
    assert asked == []


def test_time_is_counted_over_sessions(descent, noise):
    """The seconds of a snapshot go on from those of the one it was resumed from."""
    made, _ = descent()
    snapshots = list(made.run(noise))
    assert [s.seconds for s in snapshots] == [float(n) for n in range(1, len(snapshots) + 1)]
    again, _ = descent()
    assert [s.seconds for s in again.run(snapshots[3])] == [s.seconds for s in snapshots[4:]]


def test_stalled_level_is_over(make_loss, tiny):
    """Where nothing is left to gain, the rest of the evaluations is saved."""
    encoder = tiny(dtype=torch.float32)

    def flat(image, shape):
        return torch.full((1, 3, *shape), 0.5)

    def engine_at(shape):
        return Engine(encoder, Objective((Term("smoothness", "image", make_loss("total-variation", None), 1.0),)))

    made = Descent((Level((8, 10), 50), Level((16, 20), 50)), engine_at, LBFGS(), lift=flat, clock=Ticking())
    snapshots = list(made.run(flat(None, (4, 4))))
    assert [(s.level, s.state.evaluations, s.done) for s in snapshots] == [
        (0, 1, False),
        (0, 1, True),
        (1, 1, False),
        (1, 1, True),
    ]
    assert torch.equal(snapshots[-1].best, flat(None, (16, 20)))


def test_one_evaluation_is_enough_for_a_level(descent, noise):
    """The image is evaluated, and that is that."""
    made, _ = descent(levels=(Level((8, 10), 1), Level((12, 15), 1)))
    snapshots = list(made.run(noise))
    assert [s.done for s in snapshots] == [True, True]
    assert torch.equal(snapshots[0].best, resize(noise, (8, 10)))


def test_start_is_brought_into_bounds(descent):
    """An image beyond [0, 1] is clamped before its first evaluation."""
    made, _ = descent()
    first = next(iter(made.run(torch.full((1, 3, 8, 10), 7.0))))
    assert isinstance(first, Snapshot)
    assert torch.equal(first.best, torch.ones(1, 3, 8, 10))


def test_level_ends_once_its_image_has_settled(descent, noise):
    """With a bound above the way of 20 evaluations the level is left; the sum over the window is what decides."""
    levels = [Level((12, 12), 60), Level((16, 16), 30)]
    whole = list(descent(levels=levels)[0].run(noise))
    records = [r for r in whole[-1].history if r.level == 0]

    def way(index):
        return sum(
            r.moved for r in records if records[index].evaluation - WINDOW < r.evaluation <= records[index].evaluation
        )

    full = [index for index, record in enumerate(records) if record.evaluation > WINDOW]
    bound = way(full[len(full) // 2])
    first = next(index for index in full if way(index) < bound * 1.001)
    early = list(descent(levels=levels, settle=bound * 1.001)[0].run(noise))
    made = [r for r in early[-1].history if r.level == 0]
    assert made == records[: first + 1]
    assert records[first].evaluation < 60
    assert early[-1].level == 1


def test_a_record_says_how_far_the_image_moved(descent, noise):
    """The root mean square of the difference from the image before, 0 where a level begins."""
    snapshots = list(descent()[0].run(noise))
    for before, after in itertools.pairwise(snapshots):
        moved = after.history[-1].moved
        if before.level != after.level:
            assert moved == 0
        else:
            expected = (after.state.image - before.state.image).square().mean().sqrt().item()
            assert moved == pytest.approx(expected, rel=1e-4)
