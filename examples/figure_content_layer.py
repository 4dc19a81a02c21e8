"""
A shallow against a deep content layer
======================================

.. image:: /pictures/figure-content-layer.jpg

The same pair with content kept at conv2_2 and at conv4_2: the shallow layer holds on to the photo's own edges and colors, the deep one
lets the painting draw them anew.

By command: ``impasto figure content-layer -o figure.jpg``. By script: ``python examples/figure_content_layer.py [PHOTO] [PAINTING]``.
"""

# sphinx_gallery_thumbnail_path = "pictures/figure-content-layer.jpg"

import sys

from impasto.studies.figures import figure

if __name__ == "__main__":
    found = figure("content-layer", *sys.argv[1:], size=256)
    print("figure-content-layer.png", found.save("figure-content-layer.png"))
