"""Weights of the style layers; like ``impasto figure layer-weights``.

Run ``python examples/figure_layer_weights.py [PHOTO] [PAINTING]``.
"""

import sys

from impasto.tasks.figures import figure

if __name__ == "__main__":
    found = figure("layer-weights", *sys.argv[1:], size=256)
    print("figure-layer-weights.png", found.save("figure-layer-weights.png"))
