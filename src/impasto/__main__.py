"""``python -m impasto``."""

import os
import sys

from impasto.choices import KEEP_MEMORY
from impasto.cli import main as run


def main() -> int:
    """The command line in a process of its own, which may keep memory as suits it best; so may those that it starts."""
    os.environ.setdefault(KEEP_MEMORY, "1")
    return run()


if __name__ == "__main__":
    sys.exit(main())
