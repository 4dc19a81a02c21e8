"""Slices of a volume."""

import pytest
import torch

from impasto.volumes.slicing import across, diagonal


def ramp(*shape):
    """A volume whose three channels are the positions along its axes."""
    return torch.stack(torch.meshgrid(*(torch.arange(n).double() for n in shape), indexing="ij"))[None]


def test_slices_across():
    """At the ends and in between."""
    volume = ramp(5, 6, 7)
    for axis in range(3):
        for place, index in ((0.0, 0), (1.0, volume.shape[2 + axis] - 1)):
            assert (across(volume, axis, place)[:, axis] == index).all()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_diagonal_slices_are_at_45_degrees(axis):
    """Along the axis they move by one voxel; across, by the same along both other axes, one voxel in all."""
    volume = ramp(12, 12, 12)
    found = diagonal(volume, axis, 3)
    assert found.shape == (3, 3, 12, 12)
    down, right = found.diff(dim=2), found.diff(dim=3)
    others = [other for other in range(3) if other != axis]
    assert torch.allclose(down[:, axis], torch.ones(()).double())
    assert torch.allclose(down[:, others], torch.zeros(()).double(), atol=1e-9)
    assert torch.allclose(right[:, others], torch.tensor(0.5).double().sqrt())
    assert torch.allclose(right.square().sum(1), torch.ones(()).double())
    center = found[1].mean((1, 2))
    assert torch.allclose(center, torch.full((3,), 5.5).double())


def test_diagonal_slices_stay_inside():
    """Of a flat volume fewer are taken, and none reads beyond the border."""
    volume = ramp(4, 30, 8)
    for axis in range(3):
        found = diagonal(volume, axis, 8)
        assert len(found) >= 1
        for channel, length in enumerate((4, 30, 8)):
            assert found[:, channel].min() >= -1e-9
            assert found[:, channel].max() <= length - 1 + 1e-9
