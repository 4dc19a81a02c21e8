"""Packages that others wrote: how they fail."""

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
