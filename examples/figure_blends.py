"""
Blends of styles
================

.. image:: /pictures/figure-blends.jpg

From the statistics of one painting to those of another in equal steps; three paintings give a triangle, four a square.

By command: ``impasto figure blends -o figure.jpg``. By script:
``python examples/figure_blends.py [PHOTO] [PAINTING PAINTING ...]``.
"""

# sphinx_gallery_thumbnail_path = "pictures/figure-blends.jpg"

import sys

from impasto.studies.figures import figure

if __name__ == "__main__":
    found = figure("blends", *sys.argv[1:], size=256)
    print("figure-blends.png", found.save("figure-blends.png"))
