"""A shallow against a deep content layer; like ``impasto figure content-layer``.

Run ``python examples/figure_content_layer.py [PHOTO] [PAINTING]``.
"""

import sys

from impasto.tasks.figures import figure

if __name__ == "__main__":
    found = figure("content-layer", *sys.argv[1:], size=256)
    print("figure-content-layer.png", found.save("figure-content-layer.png"))
