"""Textures from more and more layers; like ``impasto figure style-layers``.

Run ``python examples/figure_style_layers.py [PAINTING]``.
"""

import sys

from impasto.tasks.figures import figure

if __name__ == "__main__":
    found = figure("style-layers", *sys.argv[1:], size=256)
    print("figure-style-layers.png", found.save("figure-style-layers.png"))
