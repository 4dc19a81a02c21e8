"""Adam, with torch's own as the oracle."""

import pytest
import torch

from impasto.optimizers import Adam, Bounds

FREE = Bounds(-1e9, 1e9)


@pytest.mark.parametrize(("rate", "betas"), [(0.02, (0.9, 0.99)), (0.3, (0.5, 0.999))])
def test_without_bounds_every_step_is_torchs(quadratic, start, rate, betas):
    """Thirty steps; torch's epsilon is absolute, ours relative to the mean absolute value of the first gradient."""
    function, image = quadratic(), start()
    epsilon = 1e-3  # large enough to matter
    optimizer = Adam(bounds=FREE, rate=rate, betas=betas, epsilon=epsilon)
    state = optimizer.init(image, function)
    leaf = image.clone().requires_grad_()
    absolute = epsilon * state.gradient.abs().mean().item()
    reference = torch.optim.Adam([leaf], lr=rate, betas=betas, eps=absolute)
    for _ in range(30):
        leaf.grad = function(leaf.detach()).gradient
        reference.step()
        state = optimizer.step(state, function, 1)
        assert torch.allclose(state.image, leaf.detach(), rtol=1e-11, atol=1e-12)


def test_first_step_is_the_rate(quadratic, start):
    """Every value moves by eta against the sign of its gradient."""
    optimizer, function, image = Adam(rate=0.05), quadratic(), 0.3 + 0.4 * start()
    before = optimizer.init(image, function)
    after = optimizer.step(before, function, 1)
    assert torch.allclose(after.image, image - 0.05 * before.gradient.sign(), atol=1e-6)


def test_minimum_is_approached(quadratic, start, descend):
    """On a bounded quadratic, to within its rate."""
    function = quadratic(condition=10)
    states = descend(Adam(), start(), function, 300)
    last = states[-1]
    assert (last.image - (last.image - last.gradient).clamp(0, 1)).abs().max() < 0.02
