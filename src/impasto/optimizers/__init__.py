"""Ways to descend inside bounds. One file per method; the state of a descent is a value that can be saved."""

from impasto.optimizers.adam import Adam
from impasto.optimizers.base import Bounds, Evaluate, Optimizer, Point, State
from impasto.optimizers.gradient_descent import GradientDescent
from impasto.optimizers.lbfgs import LBFGS

__all__ = ["LBFGS", "Adam", "Bounds", "Evaluate", "GradientDescent", "Optimizer", "Point", "State"]
