"""Packages that others wrote: how they fail."""

import os
import subprocess
import sys

import pytest

from impasto.errors import ImageError, SignalError
from impasto.libraries import understood


def failing(error):
    """Read something, and fail with an error."""
    with understood(SignalError, "x.csv cannot be read", "copy it again"):
        raise error


@pytest.mark.parametrize(
    ("error", "reason"), [(KeyError("a"), "'a'"), (ValueError("one:\n two."), "one: two"), (OSError(), "OSError")]
)
def test_whatever_a_library_raises_becomes_a_sentence(error, reason):
    """With the library's own words, or the name of its error."""
    with pytest.raises(SignalError) as found:
        failing(error)
    assert str(found.value) == f"x.csv cannot be read ({reason}); copy it again."


def test_sentences_of_our_own_are_let_through():
    """As they are."""
    with pytest.raises(ImageError, match="so it is"):
        failing(ImageError("so it is"))


@pytest.mark.parametrize("module", ["impasto.__main__", "impasto.jobs.__main__"])
@pytest.mark.parametrize(
    ("said", "spins"), [({}, "4000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "ACTIVE"}, None)], ids=str
)
def test_own_processes_give_their_cores_back(module, said, spins):
    """Before torch is there, unless the user has said how threads wait."""
    code = (
        f"import os, sys, {module} as own\n"
        "sys.argv = ['impasto', '--help']\n"
        "try: own.main()\n"
        "except SystemExit: pass\n"
        "print(os.environ.get('GOMP_SPINCOUNT'), 'torch' in sys.modules)"
    )
    environment = {
        name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    }
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment | said, capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines()[-1] == f"{spins} False"
