"""The same losses from six starts; like ``impasto figure initialization``.

Run ``python examples/figure_initialization.py [PHOTO] [PAINTING]``.
"""

import sys

from impasto.tasks.figures import figure

if __name__ == "__main__":
    found = figure("initialization", *sys.argv[1:], size=256)
    print("figure-initialization.png", found.save("figure-initialization.png"))
