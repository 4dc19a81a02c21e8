"""How one value and gradient of an objective is computed."""

from impasto.engines.evaluation import Engine, Evaluation

__all__ = ["Engine", "Evaluation"]
