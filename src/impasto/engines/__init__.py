"""How one value and gradient of an objective is computed."""

from impasto.engines.evaluation import Computed, Engine, Evaluation
from impasto.engines.views import Evaluator, Part, Slices, Turned, Views

__all__ = ["Computed", "Engine", "Evaluation", "Evaluator", "Part", "Slices", "Turned", "Views"]
