"""L-BFGS inside a box, with SciPy's L-BFGS-B as the oracle."""

import itertools
from dataclasses import replace

import pytest
import torch
from scipy.optimize import minimize
from torch.overrides import TorchFunctionMode

from impasto.optimizers import LBFGS, GradientDescent


def oracle(function, image):
    """The minimum in [0, 1] that L-BFGS-B finds, and its value."""

    def flat(x):
        point = function(torch.from_numpy(x).view_as(image))
        return point.value, point.gradient.flatten().numpy()

    x = image.flatten().numpy().copy()
    tight = {"ftol": 1e-15, "gtol": 1e-11, "maxiter": 5000, "maxfun": 10000}
    found = minimize(flat, x, jac=True, method="L-BFGS-B", bounds=[(0, 1)] * x.size, options=tight)
    return torch.from_numpy(found.x).view_as(image), found.fun


def rosenbrock(image):
    """The chained valley of Rosenbrock over all values, stretched so that its minimum 0 is at 0.75 everywhere."""
    u = 4 * image.flatten() - 2
    return (100 * (u[1:] - u[:-1] ** 2) ** 2 + (1 - u[:-1]) ** 2).sum()


@pytest.mark.parametrize("problem", [{"condition": 10, "seed": 0}, {"condition": 1000, "seed": 1}])
@pytest.mark.parametrize("spectrum", [0.0, 0.4])
def test_bounded_quadratic_has_the_oracles_minimum(quadratic, start, descend, spectrum, problem):
    """With about half of the bounds active there."""
    function, image = quadratic(**problem), start()
    best, value = oracle(function, image)
    assert 0.2 < ((best == 0) | (best == 1)).double().mean() < 0.8
    last = descend(LBFGS(spectrum=spectrum), image, function, 250)[-1]
    assert last.point.value == pytest.approx(value, rel=1e-9)
    assert torch.allclose(last.image, best, atol=1e-4)


@pytest.mark.parametrize("history", [1, 12])
def test_valley_is_followed_to_its_end(start, descend, counted, history):
    """Rosenbrock's function of ten values, whatever number of pairs is remembered."""
    function = counted(rosenbrock)
    image = start((1, 1, 2, 5))
    best, value = oracle(function, image)
    last = descend(LBFGS(history=history, spectrum=0), image, function, 2000)[-1]
    assert last.point.value == pytest.approx(value, abs=1e-8)
    assert torch.allclose(last.image, best, atol=1e-3)


def test_few_evaluations_suffice_where_gradient_descent_needs_many(start, descend, counted):
    """In the valley it is a different order of effort."""
    image = start((1, 1, 2, 5))

    def effort(optimizer):
        states = descend(optimizer, image, counted(rosenbrock), 3000)
        return next((state.evaluations for state in states if state.point.value < 1e-3), 3000)

    assert effort(LBFGS(spectrum=0)) < 200
    assert effort(GradientDescent()) > 600


def test_unbounded_quadratic_ends_at_its_center(quadratic, start, descend):
    """Where no bound is in the way."""
    function = quadratic(spread=0.05)
    last = descend(LBFGS(), start(), function, 300)[-1]
    assert last.gradient.abs().max() < 1e-7


def test_preconditioner_helps_where_coarse_structure_is_weakly_held(descend, counted):
    """A smooth target seen through differences of neighbors, as pictures are: fewer evaluations with the spectrum."""
    y, x = torch.meshgrid(*[torch.linspace(0, 3, 24, dtype=torch.float64)] * 2, indexing="ij")
    target = 0.5 + 0.3 * torch.sin(x) * torch.cos(y)

    def formula(image):
        away = image - target
        return sum(away.diff(dim=axis).square().sum() for axis in (2, 3)) + 1e-3 * away.square().sum()

    image = torch.rand(1, 1, 24, 24, dtype=torch.float64)

    def effort(optimizer):
        states = descend(optimizer, image, counted(formula), 400)
        return next((state.evaluations for state in states if state.point.value < 1e-3), 400)

    assert effort(LBFGS()) < 0.8 * effort(LBFGS(spectrum=0))


def test_history_is_bounded(quadratic, start, descend):
    """The newest pairs are kept, each a step and a change of the gradient."""
    states = descend(LBFGS(history=3), start(), quadratic(), 20)
    lengths = [len(state.memory.get("pairs", [])) for state in states]
    assert lengths[:4] == [0, 1, 2, 3]
    assert max(lengths) == 3
    step, change = states[-1].memory["pairs"][-1]
    assert torch.equal(step, states[-1].image - states[-2].image)
    assert torch.equal(change, states[-1].gradient - states[-2].gradient)


def test_a_pair_is_read_for_two_products_per_step(quadratic, start, descend):
    """With the direction, on the way down and on the way up; what belongs to the pair alone is known."""
    function, optimizer = quadratic(), LBFGS(history=5)
    products = []
    for state in descend(optimizer, start(), function, 12)[:5]:
        with Products() as made:
            optimizer.step(state, function, 1)
        products.append(made.count)
    assert [after - before for before, after in itertools.pairwise(products)][1:] == [2, 2, 2]


def test_pairs_alone_are_enough_to_go_on(quadratic, start, descend):
    """A state that does not say what its pairs' products are takes the same step."""
    function, optimizer = quadratic(), LBFGS()
    state = descend(optimizer, start(), function, 9)[5]
    bare = replace(state, memory={"pairs": state.memory["pairs"]})
    first, second = (optimizer.step(one, function, 20) for one in (state, bare))
    assert torch.equal(first.image, second.image)
    assert first.memory["curvatures"] == second.memory["curvatures"]


class Products(TorchFunctionMode):
    """Counts the scalar products that are taken."""

    count = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.count += func is torch.dot
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("size", [0.02, 0.005])
def test_first_step_has_a_size_in_units_of_the_image(quadratic, start, size):
    """About five levels of 255 unless given, whatever the scale of the function."""
    optimizer, function = LBFGS() if size == LBFGS.first_step else LBFGS(first_step=size), quadratic(spread=0.05)
    image = 0.4 + 0.2 * start()
    before = optimizer.init(image, function)
    after = optimizer.step(before, function, 20)
    change = after.image - before.image
    assert change.square().mean().sqrt().item() == pytest.approx(size, rel=1e-5)


@pytest.mark.parametrize("near", [1e-2, 1e-4, 1e-6, 1e-9, 0.0])
def test_value_next_to_its_bound_does_not_end_the_descent(descend, counted, near):
    """A single value pushed hard against a bound it has nearly reached must not stop all the others.

    The preconditioner spreads its push over its neighbors, and what is left of the direction after clipping ascends.
    """
    weight, target = torch.ones(1, 1, 17, 17, dtype=torch.float64), torch.ones(1, 1, 17, 17, dtype=torch.float64)
    weight[..., 8, 8], target[..., 8, 8] = 300, -1
    image = torch.full_like(weight, 0.5)
    image[..., 8, 8] = near
    function = counted(lambda image: (weight * (image - target).square()).sum() / 2)
    last = descend(LBFGS(), image, function, 300)[-1]
    assert last.point.value == pytest.approx(150, rel=1e-9)
