"""Curves over time as a picture."""

import torch

from impasto.images.plot import curves


def test_curves_are_where_their_values_are():
    """A step is drawn low before and high after, in its own band; a flat row stays in the middle."""
    step = torch.cat([torch.zeros(50), torch.ones(50)])
    drawn = curves(torch.stack([step, torch.zeros(100)]), 200, 60)
    assert drawn.shape == (1, 3, 120, 200)
    dark = drawn[0].mean(0) < 0.6
    rows = dark.nonzero()[:, 0]
    assert dark[45:59, 10:90].any(0).all()
    assert not dark[:40, 10:90].any()
    assert dark[:15, 110:190].any(0).all()
    assert dark[85:95, 10:190].any(0).all()
    assert not dark[62:80].any()
    assert int(rows.max()) < 95


def test_marks_are_faint_lines():
    """From top to bottom, where they are asked for."""
    drawn = curves(torch.zeros(1, 101), 101, 40, marks=(50,))
    assert (drawn[0, :, 5, 50] < 1).all()
    assert (drawn[0, :, 5, 20] == 1).all()
