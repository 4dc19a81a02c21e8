"""How one value and gradient of an objective is computed."""

from impasto.engines.evaluation import Computed, Engine, Evaluation
from impasto.engines.weighted_sum import AxisFirst, Evaluator, Part, Slices, WeightedSum

__all__ = ["AxisFirst", "Computed", "Engine", "Evaluation", "Evaluator", "Part", "Slices", "WeightedSum"]
