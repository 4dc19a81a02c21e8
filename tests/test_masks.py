"""Masks from the picture to the layers of a network."""

import pytest
import torch

from impasto.encoders import VGG19
from impasto.masks import averaged, inside, resampled_mask


def half(height=32, width=32, at=16):
    """A mask of the columns from ``at`` on."""
    mask = torch.zeros(1, 1, height, width)
    mask[..., at:] = 1
    return mask


@pytest.mark.parametrize("shape", [(16, 16), (24, 40), (64, 64), (33, 7)])
def test_resampling_keeps_zeros_and_ones(shape):
    """However it is resampled, a mask stays in [0, 1] and is exactly 0 and 1 away from its borders."""
    found = resampled_mask(half(), shape)
    assert found.shape == (1, 1, *shape)
    assert found.min() == 0
    assert found.max() == 1
    assert (found[..., 0] == 0).all()
    assert (found[..., -1] == 1).all()
    assert found.mean().item() == pytest.approx(0.5, abs=0.01)


def test_resampling_to_its_own_size_is_itself():
    """Nothing happens without need."""
    mask = torch.rand(1, 1, 9, 7) * 0.9 + 0.05
    assert torch.equal(resampled_mask(mask, (9, 7)), mask)


def test_averages_are_means_over_blocks():
    """Each position of a layer has the mean of its block; what a pooling drops at the end is dropped."""
    mask = torch.rand(1, 1, 9, 14)
    found = averaged(mask, 4)
    assert found.shape == (1, 1, 2, 3)
    assert found[0, 0, 1, 2].item() == pytest.approx(mask[0, 0, 4:8, 8:12].mean().item(), rel=1e-6)
    assert torch.equal(averaged(mask, 1), mask)


def test_averages_are_the_networks_own_pooling():
    """Averaging by the stride at once is pooling by two as often as the network does, odd sides included."""
    mask = torch.rand(1, 1, 45, 38)
    pooled = mask
    for _ in range(3):
        pooled = torch.nn.functional.avg_pool2d(pooled, 2)
    assert torch.allclose(averaged(mask, VGG19.stride("conv4_1")), pooled, rtol=1e-5)


@pytest.mark.parametrize("layer", ["conv1_1", "conv2_1", "conv3_1", "conv4_1"])
def test_inside_is_the_least_of_what_is_seen(layer):
    """By its definition, position by position."""
    mask = torch.rand(1, 1, 61, 50)
    stride, radius = VGG19.stride(layer), VGG19.radius(layer)
    found = inside(mask, stride, radius)
    assert found.shape[2:] == VGG19.extent(layer, (61, 50))
    for row, column in [(0, 0), (1, 2), (found.shape[2] - 1, found.shape[3] - 1)]:
        first, last = max(0, row * stride - radius), row * stride + stride + radius
        left, right = max(0, column * stride - radius), column * stride + stride + radius
        assert found[0, 0, row, column] == mask[0, 0, first:last, left:right].min()


def test_inside_keeps_off_the_border():
    """The region shrinks by the radius where it borders on another, and not at the border of the picture."""
    found = inside(half(64, 64, 32), 1, 5)
    assert torch.equal(found, half(64, 64, 37))
