"""
How much content, how much style
================================

.. image:: /pictures/figure-trade-off.jpg

Rows take style layers from conv1_1 alone to all up to conv5_1; columns raise alpha / beta from 1e-5 to 1e-2 (figure 3 of the
2015 preprint). Along every row content loss falls and style loss rises.

By command: ``impasto figure trade-off -o figure.jpg``. By script: ``python examples/figure_trade_off.py [PHOTO] [PAINTING]``.
"""

# sphinx_gallery_thumbnail_path = "pictures/figure-trade-off.jpg"

import sys

from impasto.studies.figures import figure

if __name__ == "__main__":
    found = figure("trade-off", *sys.argv[1:], size=256)
    print("figure-trade-off.png", found.save("figure-trade-off.png"))
