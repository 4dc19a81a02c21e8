"""
Where a run starts
==================

.. image:: /pictures/figure-initialization.jpg

The same losses from the photo, from the painting and from four seeds of white noise. The start decides which of many good
pictures is found, not how good it is.

By command: ``impasto figure initialization -o figure.jpg``. By script: ``python examples/figure_initialization.py [PHOTO] [PAINTING]``.
"""

# sphinx_gallery_thumbnail_path = "pictures/figure-initialization.jpg"

import sys

from impasto.studies.figures import figure

if __name__ == "__main__":
    found = figure("initialization", *sys.argv[1:], size=256)
    print("figure-initialization.png", found.save("figure-initialization.png"))
