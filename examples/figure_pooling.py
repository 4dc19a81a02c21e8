"""Average against maximum pooling; like ``impasto figure pooling``.

Run ``python examples/figure_pooling.py [PHOTO] [PAINTING]``.
"""

import sys

from impasto.tasks.figures import figure

if __name__ == "__main__":
    found = figure("pooling", *sys.argv[1:], size=256)
    print("figure-pooling.png", found.save("figure-pooling.png"))
