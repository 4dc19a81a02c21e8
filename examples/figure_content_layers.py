"""What each layer keeps of a photo; like ``impasto figure content-layers``.

Run ``python examples/figure_content_layers.py [PHOTO]``.
"""

import sys

from impasto.tasks.figures import figure

if __name__ == "__main__":
    found = figure("content-layers", *sys.argv[1:], size=256)
    print("figure-content-layers.png", found.save("figure-content-layers.png"))
