"""
What each layer keeps of a photo
================================

.. image:: /pictures/figure-content-layers.jpg

A photo is made anew from white noise by matching its features at one layer alone (Gatys et al. 2016, eq. 1 and figure 1). Low layers
give back the pixels; high layers keep what is where and forget what it looked like. Beside each picture: its feature error at the
layer, and how alike it is to the photo (PSNR, SSIM).

By command: ``impasto figure content-layers -o figure.jpg``. By script: ``python examples/figure_content_layers.py [PHOTO]``.
"""

# sphinx_gallery_thumbnail_path = "pictures/figure-content-layers.jpg"

import sys

from impasto.studies.figures import figure

if __name__ == "__main__":
    found = figure("content-layers", *sys.argv[1:], size=256)
    print("figure-content-layers.png", found.save("figure-content-layers.png"))
