"""
Average against maximum pooling
===============================

.. image:: /pictures/figure-pooling.jpg

The paper replaces maximum by average pooling because the pictures look slightly better.

By command: ``impasto figure pooling -o figure.jpg``. By script: ``python examples/figure_pooling.py [PHOTO] [PAINTING]``.
"""

# sphinx_gallery_thumbnail_path = "pictures/figure-pooling.jpg"

import sys

from impasto.studies.figures import figure

if __name__ == "__main__":
    found = figure("pooling", *sys.argv[1:], size=256)
    print("figure-pooling.png", found.save("figure-pooling.png"))
