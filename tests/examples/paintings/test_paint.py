"""The way to ask for paintings, and that the bundled ones are theirs."""

import pytest
import torch

from impasto import images, samples
from impasto.errors import SettingsError
from impasto.quality import psnr
from paintings import PAINTERS, SMALLEST, paint


def test_a_painting_is_a_picture_of_the_shape_asked_for():
    """A painting is float32 RGB of (1, 3, height, width), whichever of the sides is longer."""
    picture = paint("woodcut", (40, 24), seed=3)
    assert (picture.dtype, tuple(picture.shape)) == (torch.float32, (1, 3, 40, 24))
    assert picture.is_contiguous()


@pytest.mark.parametrize("name", PAINTERS)
def test_the_bundled_paintings_are_drawn_by_these_painters(name):
    """The JPEG is the painting of its name at its shape."""
    assert set(samples.paintings()) == set(PAINTERS)
    bundled = images.read(samples.painting(name)).pixels
    assert psnr(paint(name, tuple(bundled.shape[2:])), bundled) > 24


def test_an_unknown_painting_is_refused_with_the_known_ones():
    """As a bundled picture is."""
    with pytest.raises(SettingsError, match=r"There is no painting called 'swir'.*Did you mean swirl"):
        paint("swir")


@pytest.mark.parametrize("shape", [(15, 64), (64, 15), (1, 1), (0, 32), (-32, 32), (32.0, 32), (32,), (32, 32, 3)])
def test_a_shape_too_small_or_of_another_kind_is_refused(shape):
    """Sides below 16 pixels and anything but two whole numbers get a sentence with the smallest size."""
    with pytest.raises(SettingsError, match=f"at least {SMALLEST} pixels"):
        paint("swirl", shape)


@pytest.mark.parametrize("seed", [-1, 0.5, "0"])
def test_a_seed_of_another_kind_is_refused(seed):
    """A seed is a whole number of at least 0."""
    with pytest.raises(SettingsError, match="at least 0"):
        paint("swirl", (32, 32), seed)
