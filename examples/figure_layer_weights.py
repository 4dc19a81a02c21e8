"""
Weights of the style layers
===========================

.. image:: /pictures/figure-layer-weights.jpg

What the style is made of when one scale of it weighs more than the others.

By command: ``impasto figure layer-weights -o figure.jpg``. By script: ``python examples/figure_layer_weights.py [PHOTO] [PAINTING]``.
"""

# sphinx_gallery_thumbnail_path = "pictures/figure-layer-weights.jpg"

import sys

from impasto.studies.figures import figure

if __name__ == "__main__":
    found = figure("layer-weights", *sys.argv[1:], size=256)
    print("figure-layer-weights.png", found.save("figure-layer-weights.png"))
