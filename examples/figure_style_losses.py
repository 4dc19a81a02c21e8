"""
What of the style is compared
=============================

.. image:: /pictures/figure-style-losses.jpg

One pair under each style loss, and under a fusion of two. Matching Gram matrices is one way among many to match distributions of
features (Li et al. 2017).

By command: ``impasto figure style-losses -o figure.jpg``. By script: ``python examples/figure_style_losses.py [PHOTO] [PAINTING]``.
"""

# sphinx_gallery_thumbnail_path = "pictures/figure-style-losses.jpg"

import sys

from impasto.studies.figures import figure

if __name__ == "__main__":
    found = figure("style-losses", *sys.argv[1:], size=256)
    print("figure-style-losses.png", found.save("figure-style-losses.png"))
