"""How one value and gradient of an objective is computed."""

from impasto.engines.evaluation import Engine, Evaluation
from impasto.engines.views import Evaluator, Part, Slices, Turned, Views

__all__ = ["Engine", "Evaluation", "Evaluator", "Part", "Slices", "Turned", "Views"]
