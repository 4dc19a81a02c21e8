"""Pictures of users, and those that everybody finds there."""

import pytest

from impasto import samples
from impasto.studio.library import PAINTINGS, PHOTOS, sample
from impasto.studio.refusals import Refusal


def test_samples_are_the_bundled_pictures():
    """All of them and nothing else."""
    assert set(PHOTOS) == set(samples.photos())
    assert set(PAINTINGS) == set(samples.paintings())
    assert sample("rocket") == samples.photo("rocket")
    assert sample("marble") == samples.painting("marble")
    with pytest.raises(Refusal, match="no such sample"):
        sample("../marble")
