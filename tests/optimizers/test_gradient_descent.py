"""Projected gradient descent."""

import pytest
import torch

from impasto.optimizers import GradientDescent


@pytest.mark.parametrize("seed", range(3))
def test_bounded_quadratic_ends_where_nothing_is_left_to_gain(quadratic, start, descend, seed):
    """At the minimum a step along the gradient, projected, goes nowhere."""
    last = descend(GradientDescent(), start(), quadratic(condition=10, seed=seed), 400)[-1]
    assert (last.image - (last.image - last.gradient).clamp(0, 1)).abs().max() < 1e-6


def test_step_is_along_the_negative_gradient(quadratic, start):
    """Where no bound is near, the change is a multiple of the gradient, and the multiple is remembered."""
    function, image = quadratic(), 0.4 + 0.2 * start()
    before = GradientDescent().init(image, function)
    after = GradientDescent().step(before, function, 10)
    assert torch.allclose(after.image - before.image, -after.memory["scale"] * before.gradient, rtol=1e-12)


def test_step_can_grow_again(descend, counted, start):
    """On a gentle slope after a first step of 0.02 the step doubles."""
    states = descend(GradientDescent(), start() * 0.01, counted(lambda image: image.mul(-1).mean()), 5)
    scales = [state.memory["scale"] for state in states[1:]]
    assert scales[1:3] == [2 * scales[0], 4 * scales[0]]
