"""The same pair under every style loss, and under two of them fused; like ``impasto figure style-losses``.

Run ``python examples/figure_style_losses.py [PHOTO] [PAINTING]``.
"""

import sys

from impasto.tasks.figures import figure

if __name__ == "__main__":
    found = figure("style-losses", *sys.argv[1:], size=256)
    print("figure-style-losses.png", found.save("figure-style-losses.png"))
