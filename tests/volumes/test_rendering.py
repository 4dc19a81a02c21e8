"""The turning block."""

import math

import pytest
import torch

from impasto.volumes.rendering import block, turning


def painted():
    """A block whose columns, rows and slices grow from dark to bright in red, green and blue."""
    axes = torch.meshgrid(*(torch.linspace(0, 1, 16),) * 3, indexing="ij")
    return torch.stack([axes[2], axes[1], axes[0]])[None]


def test_a_block_stands_on_white():
    """The corners of the picture are empty and its middle is not."""
    picture = block(torch.zeros(1, 3, 8, 8, 8), side=64)
    assert picture.shape == (1, 3, 64, 64)
    for y, x in ((0, 0), (0, 63), (63, 0), (63, 63)):
        assert (picture[0, :, y, x] == 1).all()
    assert (picture[0, :, 32, 32] == 0).all()


def test_a_corner_is_cut_away():
    """Where the sight falls into the missing octant, the middle of the block is seen, not its surface."""
    picture = block(painted(), side=101)[0, :, 50, 50]
    assert picture.max() < 0.62
    behind = block(painted(), angle=math.pi, side=101)[0, :, 50, 50]
    assert behind[:2].max() < 0.1  # the far faces of columns and rows, where nothing is cut


def test_slices_are_stacked_upward():
    """Blue, which grows with slices, is brighter above than below."""
    picture = block(painted(), angle=math.pi, side=80)[0]
    inside = (picture < 1).any(0)
    column = [y for y in range(80) if inside[y, 40]]
    top, bottom = picture[2, column[len(column) // 3], 40], picture[2, column[-2], 40]
    assert top > bottom + 0.2


def test_spacing_gives_the_proportions():
    """Slices twice as far apart make a higher block."""
    voxels = torch.zeros(1, 3, 8, 8, 8)

    def height(spacing):
        inside = (block(voxels, spacing, angle=math.pi, side=100)[0] < 1).any(0)
        width = int(inside.any(0).sum())
        return int(inside.any(1).sum()) / width

    assert height((3.0, 1.0, 1.0)) > 1.5 * height((1.0, 1.0, 1.0))


def test_it_turns_once():
    """Frames differ, and the one after the last would be the first."""
    frames = list(turning(painted(), frames=5, side=32))
    assert len(frames) == 5
    assert all(not torch.equal(frames[0], other) for other in frames[1:])
    assert torch.allclose(block(painted(), angle=2 * math.pi, side=32), frames[0], atol=1e-3)
    assert all(frame.min() >= 0 and frame.max() <= 1 for frame in frames)


@pytest.mark.parametrize("angle", [0.0, math.pi / 4, math.pi / 2, 3.0])
def test_edges_on_do_not_break(angle):
    """A face that is seen from its edge has no area, and nothing is not a number."""
    assert block(painted(), angle=angle, side=32).isfinite().all()
