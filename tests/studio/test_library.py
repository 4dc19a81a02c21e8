"""Pictures of users, and those that everybody finds there."""

import pytest
import torch

from impasto import images, samples
from impasto.studio.library import Samples
from impasto.studio.refusals import Refusal


def test_a_painting_is_drawn_when_it_is_first_asked_for(tmp_path, monkeypatch):
    """It is a file from then on, as a photo is from the start."""
    drawn = []

    def paint(name, shape):
        drawn.append((name, *shape))
        return torch.full((1, 3, 20, 25), 0.5)

    monkeypatch.setattr("impasto.samples.paint", paint)
    found = Samples(tmp_path)
    assert found.file("rocket") == samples.photo("rocket")
    assert not drawn
    assert found.file("marble") == found.file("marble")
    assert drawn == [("marble", 640, 800)]
    assert images.read(found.file("marble")).shape == (20, 25)
    with pytest.raises(Refusal, match="no such sample"):
        found.file("../marble")
