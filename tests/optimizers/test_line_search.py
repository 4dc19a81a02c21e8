"""Backtracking along a projected path."""

import pytest
import torch

from impasto.optimizers import Bounds, State
from impasto.optimizers.line_search import search

BOUNDS = Bounds()


def at(function, *values):
    """The state at an image (1, 1, n)."""
    image = torch.tensor([[values]], dtype=torch.float64)
    return State(image, function(image))


def test_good_first_try_is_taken(counted):
    """One evaluation, at the full scale."""
    function = counted(lambda x: (x - 0.5).square().sum())
    state = at(function, 0.1, 0.9)
    (image, point, scale), used = search(state, -state.gradient, 0.5, function, bounds=BOUNDS, budget=10)
    assert used == 1
    assert scale == 0.5
    assert torch.allclose(image, torch.full_like(image, 0.5))
    assert point.value == pytest.approx(0)


def test_overshoot_is_cut_to_the_minimum_of_a_parabola(counted):
    """On a quadratic inside the box the second try is exact."""
    function = counted(lambda x: 10 * (x - 0.5).square().sum())
    state = at(function, 0.3)
    (image, _, _), used = search(state, -state.gradient, 0.12, function, bounds=BOUNDS, budget=10)
    assert used == 2
    assert image.item() == pytest.approx(0.5)


def test_every_accepted_point_descends_enough(counted):
    """Armijo's condition with the move that was really made, for a function with many dips."""
    function = counted(lambda x: (x.square() + 0.3 * torch.cos(40 * x)).sum())
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        state = at(function, *torch.rand(4, generator=generator, dtype=torch.float64).tolist())
        found, _ = search(state, -state.gradient, 5.0, function, bounds=BOUNDS, budget=30)
        if found is None:
            continue
        image, point, _ = found
        slope = ((image - state.image) * state.gradient).sum()
        assert point.value <= state.point.value + 1e-4 * slope
        assert slope < 0


def test_path_bends_at_the_bounds(counted):
    """A variable that arrives at its bound stays there while the others go on."""
    function = counted(lambda x: (x - torch.tensor([-5.0, 0.8])).square().sum())
    state = at(function, 0.2, 0.2)
    (image, _, _), _ = search(state, -state.gradient, 0.5, function, bounds=BOUNDS, budget=10)
    assert image.flatten().tolist() == pytest.approx([0, 0.8])


def test_ascending_or_idle_directions_cost_nothing(counted):
    """Uphill, outward at a bound, or NaN: None, and not one evaluation."""
    function = counted(lambda x: x.sum())
    state = at(function, 0.0, 0.5)
    spent = len(function.asked)
    for direction in ([-1.0, 1.0], [-1.0, 0.0], [float("nan"), 0.0]):
        assert search(
            state, torch.tensor([[direction]], dtype=torch.float64), 0.1, function, bounds=BOUNDS, budget=5
        ) == (None, 0)
    assert len(function.asked) == spent


@pytest.mark.parametrize("budget", [0, 1, 4])
def test_failure_spends_the_budget_and_no_more(counted, budget):
    """A function that lies about its slope."""
    function = counted(lambda x: x.sum())
    state = at(function, 0.5)
    state.point.gradient = -state.point.gradient
    function.asked.clear()
    assert search(state, torch.ones_like(state.image), 0.1, function, bounds=BOUNDS, budget=budget) == (None, budget)
    assert len(function.asked) == budget


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_value_that_is_not_finite_is_rejected(counted, bad):
    """The next try is a tenth as far."""
    function = counted(lambda x: (x - 1).square().sum() + (bad if x.max() > 0.6 else 0))
    state = at(function, 0.5)
    (image, point, scale), used = search(state, -state.gradient, 0.4, function, bounds=BOUNDS, budget=10)
    assert used == 2
    assert scale == pytest.approx(0.04)
    assert image.item() == pytest.approx(0.54)
    assert point.value < state.point.value
