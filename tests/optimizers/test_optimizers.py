"""What holds for every optimizer: bounds, budgets, states that are values, functions that fail in places."""

import copy
import io
import itertools

import pytest
import torch

from impasto.optimizers import LBFGS, Adam, Bounds, GradientDescent, State
from impasto.optimizers.base import root_mean_square

OPTIMIZERS = {"lbfgs": LBFGS(), "plain lbfgs": LBFGS(spectrum=0), "gradient-descent": GradientDescent(), "adam": Adam()}
MONOTONE = ["lbfgs", "plain lbfgs", "gradient-descent"]

every_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)
monotone = pytest.mark.parametrize("name", MONOTONE)


def saved_and_loaded(state):
    """The state after a trip through a file, as a checkpoint makes it."""
    stream = io.BytesIO()
    torch.save({"image": state.image, "gradient": state.gradient, "memory": state.memory}, stream)
    stream.seek(0)
    data = torch.load(stream, weights_only=True)
    point = copy.copy(state.point)
    point.gradient = data["gradient"]
    return State(data["image"], point, data["memory"], state.evaluations, state.stalled)


@every_optimizer
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_evaluation_is_inside_the_bounds(quadratic, start, descend, name, dtype):
    """From the first, even when the start is outside, and though the minimum is far outside."""
    function = quadratic(spread=5.0, dtype=dtype)
    states = descend(OPTIMIZERS[name], 3 * start(dtype=dtype) - 1, function, 40)
    assert all(image.min() >= 0 for image in function.asked)
    assert all(image.max() <= 1 for image in function.asked)
    assert all(state.image.dtype == dtype for state in states)


@every_optimizer
def test_bounds_are_what_was_asked_for(quadratic, start, descend, name):
    """Another box than [0, 1]."""
    optimizer = type(OPTIMIZERS[name])(bounds=Bounds(-0.25, 0.5))
    function = quadratic(spread=2.0)
    descend(optimizer, start(), function, 30)
    assert min(image.min() for image in function.asked) == -0.25
    assert max(image.max() for image in function.asked) == 0.5


@monotone
@pytest.mark.parametrize("seed", range(2))
def test_value_never_rises(quadratic, start, descend, name, seed):
    """Step after step, and the last is far below the first."""
    states = descend(OPTIMIZERS[name], start(), quadratic(seed=seed), 60)
    values = [state.point.value for state in states]
    assert all(after <= before for before, after in itertools.pairwise(values))
    assert values[-1] < values[0] * 0.9


@every_optimizer
def test_state_holds_the_evaluation_of_its_image(quadratic, start, descend, name):
    """Value and gradient belong to the image they come with."""
    function = quadratic()
    for state in descend(OPTIMIZERS[name], start(), function, 25):
        again = function(state.image)
        assert again.value == state.point.value
        assert torch.equal(again.gradient, state.gradient)


@every_optimizer
@pytest.mark.parametrize("budget", [1, 2, 3, 7, 30])
def test_budget_is_spent_exactly(quadratic, start, descend, name, budget):
    """The count of evaluations is the true one, and no step takes more than it may."""
    function = quadratic(condition=1e4)
    states = descend(OPTIMIZERS[name], start(), function, budget)
    assert len(function.asked) == states[-1].evaluations == budget


@every_optimizer
@pytest.mark.parametrize("budget", [1, 2, 5, 13])
def test_budget_holds_where_no_step_helps(start, name, budget, counted):
    """A function that lies about its gradient makes a search fail; it still stops in time."""
    function = counted(lambda image: image.square().sum())

    def lying(image):
        point = function(image)
        point.gradient = -point.gradient
        return point

    optimizer = OPTIMIZERS[name]
    state = optimizer.init(start(), lying)
    after = optimizer.step(state, lying, budget)
    assert len(function.asked) == after.evaluations <= budget + 1
    if name in MONOTONE:
        assert torch.equal(after.image, state.image)


@every_optimizer
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_state_is_a_value(quadratic, start, descend, name, dtype):
    """From a saved copy of any state the next ones are the same bit for bit, and stepping does not change a state."""
    function, optimizer = quadratic(dtype=dtype), OPTIMIZERS[name]
    states = descend(optimizer, start(dtype=dtype), function, 40)
    for index, state in enumerate(states[:-3:4]):
        resumed = saved_and_loaded(state)
        for expected in states[4 * index + 1 :][:3]:
            resumed = optimizer.step(resumed, function, 40 - resumed.evaluations)
            assert torch.equal(resumed.image, expected.image)
            assert resumed.point.value == expected.point.value
            assert resumed.evaluations == expected.evaluations


@monotone
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_search_survives_a_function_without_value_in_places(start, descend, counted, name, bad):
    """Where half of the box has no value, the descent goes on beside it, to the minimum at its edge."""

    def formula(image):
        mean = image.mean()
        return (image - 0.9).square().sum() + (bad if mean > 0.6 else 0)

    states = descend(OPTIMIZERS[name], 0.3 * start(), counted(formula), 300)
    last = states[-1]
    assert all(torch.isfinite(torch.tensor(state.point.value)) for state in states)
    assert last.image.isfinite().all()
    assert 0.5 < last.image.mean() <= 0.6


def test_adam_comes_back_from_where_there_is_no_value(start, descend, counted):
    """A gradient of NaN is not remembered: the image stays finite and inside, and goes on moving."""

    def formula(image):
        return (image - 0.9).square().sum() * (float("nan") if image.mean() > 0.6 else 1.0)

    function = counted(formula)
    states = descend(Adam(), 0.3 * start(), function, 120)
    assert all(image.isfinite().all() for image in function.asked)
    assert any(state.point.value != state.point.value for state in states)
    assert not torch.equal(states[-1].image, states[-2].image)


@every_optimizer
def test_flat_function_changes_nothing(start, name, counted, descend):
    """Without a gradient there is nowhere to go, and no NaN."""
    states = descend(OPTIMIZERS[name], start(), counted(lambda image: (image * 0).sum() + 3), 10)
    assert torch.equal(states[-1].image, start())
    assert states[-1].stalled == (name in MONOTONE)


@monotone
def test_minimum_at_a_corner_stalls_there(start, name, counted, descend):
    """Every variable held at its bound: the descent is over and says so."""
    states = descend(OPTIMIZERS[name], start(), counted(lambda image: (image - 7).square().sum()), 200)
    assert torch.equal(states[-1].image, torch.ones_like(start()))
    assert states[-1].stalled
    assert states[-1].evaluations < 60


@every_optimizer
@pytest.mark.parametrize("factor", [1e-8, 1e8])
def test_scaled_function_gives_the_same_descent(quadratic, start, descend, name, factor):
    """Weights that are all larger or all smaller change no picture."""
    function = quadratic()
    scaled = type(function)(lambda image: function.formula(image) * factor)
    expected, found = (descend(OPTIMIZERS[name], start(), f, 15)[-1] for f in (function, scaled))
    assert torch.allclose(found.image, expected.image, rtol=1e-6)


def test_held_is_where_a_bound_stops_the_descent():
    """At the bound, pushed outward; a variable at its bound that is pulled inward is free."""
    image = torch.tensor([0.0, 0.0, 1.0, 1.0, 0.5, 0.0])
    gradient = torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0, 0.0])
    assert Bounds().held(image, gradient).tolist() == [True, False, False, True, False, False]


def test_root_mean_square():
    """Of all values together."""
    assert root_mean_square(torch.tensor([[3.0, 4.0], [0.0, 0.0]])) == pytest.approx(2.5)
