"""Style layers against the weight of content, with both losses in the papers' units; like ``impasto figure trade-off``.

Run ``python examples/figure_trade_off.py [PHOTO] [PAINTING]``.
"""

import sys

from impasto.tasks.figures import figure

if __name__ == "__main__":
    found = figure("trade-off", *sys.argv[1:], size=256)
    print("figure-trade-off.png", found.save("figure-trade-off.png"))
