"""
Textures from more and more layers
==================================

.. image:: /pictures/figure-style-layers.jpg

White noise is given the Gram matrices of a painting at conv1_1 alone, then up to conv2_1, and so on to conv5_1 (eq. 3 to 5). With
depth the structures grow from colors and dots to strokes and things. Each is measured against the noise it came from.

By command: ``impasto figure style-layers -o figure.jpg``. By script: ``python examples/figure_style_layers.py [PAINTING]``.
"""

# sphinx_gallery_thumbnail_path = "pictures/figure-style-layers.jpg"

import sys

from impasto.studies.figures import figure

if __name__ == "__main__":
    found = figure("style-layers", *sys.argv[1:], size=256)
    print("figure-style-layers.png", found.save("figure-style-layers.png"))
