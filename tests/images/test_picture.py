"""Pictures in memory and their conversion to levels."""

import numpy as np
import pytest
import torch

from impasto.errors import ImageError, SettingsError
from impasto.images import Picture, Source, quantize, read, to_array, to_pil


@pytest.mark.parametrize(("depth", "levels"), [(8, 255), (16, 65535)])
def test_quantize_keeps_every_level_bit_for_bit(depth, levels):
    """A value that a file can hold is its own quantization, in exactly the float32 that read() returns for it."""
    exact = np.arange(levels + 1).astype(np.float32) / np.float32(levels)
    assert torch.equal(quantize(torch.from_numpy(exact), depth), torch.from_numpy(exact))


def test_quantize_rounds_to_the_nearest_level_and_clamps():
    """Values between two levels go to the nearer one; values outside [0, 1] go to its ends."""
    given = torch.tensor([-0.5, 0.4 / 255, 0.6 / 255, 1.5])
    assert torch.equal(quantize(given), torch.tensor([0.0, 0.0, 1 / 255, 1.0]))


def test_quantize_refuses_other_depths():
    """There are no pictures of 12 bits here."""
    with pytest.raises(SettingsError, match="12 bits"):
        quantize(torch.zeros(1), 12)


def test_to_array_and_to_pil_agree_with_quantize(pixels):
    """Both hold the levels that quantize() announces, channels last."""
    expected = (quantize(pixels)[0].permute(1, 2, 0) * 255).round().numpy().astype(np.uint8)
    assert np.array_equal(to_array(pixels), expected)
    assert np.array_equal(np.asarray(to_pil(pixels[0])), expected)


def test_to_pil_attaches_alpha(pixels):
    """An alpha channel makes an RGBA image."""
    alpha = torch.full((1, 1, 24, 32), 0.2)
    image = to_pil(pixels, alpha)
    assert image.mode == "RGBA"
    assert set(np.asarray(image)[..., 3].ravel()) == {51}


def test_to_pil_refuses_alpha_of_another_size(pixels):
    """Alpha is not resized behind the caller's back."""
    with pytest.raises(ImageError, match="resize"):
        to_pil(pixels, torch.ones(1, 1, 3, 3))


@pytest.mark.parametrize(
    ("tensor", "sentence"),
    [
        (torch.zeros(2, 3, 4, 4), r"shape \(2, 3, 4, 4\)"),
        (torch.zeros(4, 4, 3), r"shape \(4, 4, 3\)"),
        (torch.zeros(3, 0, 4), "shape"),
        (torch.zeros(3, 4, 4, dtype=torch.uint8), "torch.uint8"),
        (torch.full((3, 4, 4), torch.nan), "NaN"),
    ],
)
def test_tensors_that_are_no_picture_are_refused(tensor, sentence):
    """Shape, type and finite values are checked wherever a tensor comes in."""
    for consume in (to_array, to_pil, read):
        with pytest.raises(ImageError, match=sentence):
            consume(tensor)


def test_shape_is_height_first():
    """A picture's shape is (H, W)."""
    assert Picture(torch.zeros(1, 3, 5, 7), None, Source("a", None, "", "array")).shape == (5, 7)
