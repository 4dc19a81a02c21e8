"""Functions to descend on."""

from dataclasses import dataclass

import pytest
import torch


@dataclass
class Point:
    """A value and gradient."""

    value: float
    gradient: torch.Tensor


class Counted:
    """A function of an image, from a formula and autograd, that remembers where it was asked."""

    def __init__(self, formula):
        self.formula = formula
        self.asked = []

    def __call__(self, image):
        """The value and gradient at an image."""
        leaf = image.detach().clone().requires_grad_()
        value = self.formula(leaf)
        (gradient,) = torch.autograd.grad(value, leaf)
        self.asked.append(image.clone())
        return Point(value.item(), gradient)


@pytest.fixture(scope="session")
def counted():
    """The class of functions that count their evaluations."""
    return Counted


@pytest.fixture(scope="session")
def quadratic():
    """A function that makes a random convex quadratic over images of a shape, of which many bounds hold at the minimum."""

    def make(shape=(1, 3, 5, 4), condition=100.0, spread=0.6, seed=0, dtype=torch.float64):
        generator = torch.Generator().manual_seed(seed)
        size = torch.Size(shape).numel()
        normal = torch.randn(size, size, generator=generator, dtype=torch.float64)
        axes, _ = torch.linalg.qr(normal)
        curvatures = torch.logspace(0, -torch.tensor(condition).log10().item(), size, dtype=torch.float64)
        matrix = (axes * curvatures @ axes.t()).to(dtype)
        center = (0.5 + spread * torch.randn(size, generator=generator, dtype=torch.float64)).to(dtype)

        def formula(image):
            away = image.flatten() - center
            return away @ matrix @ away / 2

        return Counted(formula)

    return make


@pytest.fixture(scope="session")
def start():
    """A function that makes a random image to start from."""

    def make(shape=(1, 3, 5, 4), seed=5, dtype=torch.float64):
        return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)

    return make


@pytest.fixture(scope="session")
def descend():
    """A function that steps until a budget is spent or the method stalls, and returns all states."""

    def run(optimizer, image, function, budget):
        states = [optimizer.init(image, function)]
        while states[-1].evaluations < budget and not states[-1].stalled:
            states.append(optimizer.step(states[-1], function, budget - states[-1].evaluations))
        return states

    return run
