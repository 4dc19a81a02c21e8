"""``python -m impasto``."""

import sys

from impasto.cli import main as run
from impasto.libraries import tell_own_process


def main() -> int:
    """The command line in a process of its own, which uses memory and cores as suits it best; so do those that it starts."""
    tell_own_process()
    return run()


if __name__ == "__main__":
    sys.exit(main())
