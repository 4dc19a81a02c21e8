"""Color profiles against the formulas of the color spaces they describe."""

import numpy as np
import pytest
import pyvips
from PIL import ImageCms

from impasto.images import profiles

# Linear Display P3 to linear sRGB, both with white point D65 (from their published primaries).
P3_TO_SRGB = np.array([[1.2249402, -0.2249402, 0], [-0.0420570, 1.0420570, 0], [-0.0196376, -0.0786360, 1.0982736]])


def to_light(x):
    """The light of an sRGB or Display P3 value (IEC 61966-2-1)."""
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def from_light(x):
    """The sRGB or Display P3 value of an amount of light."""
    return np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055)


@pytest.fixture
def muted():
    """16-bit Display P3 colors that lie inside sRGB and away from its black corner."""
    return np.random.default_rng(0).integers(25_000, 45_000, (30, 40, 3)).astype(np.uint16)


def test_display_p3_follows_its_definition(muted, display_p3):
    """The conversion equals the matrix and curve of the color spaces within a third of an 8-bit level."""
    expected = from_light(to_light(muted / 65535) @ P3_TO_SRGB.T)
    converted = profiles.to_srgb(muted, display_p3) / 65535
    assert np.abs(converted - expected).max() < 1 / 3 / 255


def test_converting_back_restores_the_samples(muted, display_p3):
    """Into sRGB and back loses less than a quarter of an 8-bit level."""
    back = profiles.from_srgb(profiles.to_srgb(muted, display_p3), display_p3)
    assert np.abs(back.astype(int) - muted).max() < 65535 / 255 / 4


def test_srgb_is_recognized_by_what_it_does(display_p3, linear_gray):
    """Every maker's sRGB profile counts as sRGB, a wider one does not."""
    assert profiles.is_srgb(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert profiles.is_srgb(bytes(pyvips.Operation.call("profile_load", "srgb")))
    assert not profiles.is_srgb(display_p3)
    assert not profiles.is_srgb(linear_gray)


def test_cmyk_white_is_white_and_inks_have_their_hue(paper_cmyk):
    """No ink is white, full black ink dark, cyan ink bluish-green, with the profile and without."""
    inks = np.array([[[0, 0, 0, 0], [0, 0, 0, 65535], [65535, 0, 0, 0]]], np.uint16)
    for icc in (paper_cmyk, None):
        white, black, cyan = profiles.to_srgb(inks, icc)[0] / 65535
        assert white.min() > 0.99
        assert black.max() < 0.15
        assert cyan[0] < 0.2
        assert 0.5 < cyan[1] < cyan[2]


def test_gray_keeps_its_neutrality_in_an_rgb_profile(display_p3):
    """Gray pixels that kept their RGB profile become neutral sRGB."""
    gray = np.linspace(0, 65535, 40).astype(np.uint16).reshape(5, 8, 1)
    rgb = profiles.to_srgb(gray, display_p3).astype(int)
    assert rgb.shape == (5, 8, 3)
    assert (rgb.max(axis=2) - rgb.min(axis=2)).max() < 65535 / 255 / 4


def test_a_gray_profile_follows_its_curve(linear_gray):
    """Samples in proportion to light become the sRGB values of that light, in all three channels."""
    light = np.linspace(0.1, 1, 40).reshape(5, 8, 1)
    rgb = profiles.to_srgb((light * 65535).astype(np.uint16), linear_gray) / 65535
    assert np.abs(rgb - from_light(light)).max() < 1 / 255


def test_mismatch_names_both_sides(display_p3, paper_cmyk):
    """A profile has to open and to fit the channels of the pixels."""
    assert profiles.mismatch(display_p3, 3) is None
    assert profiles.mismatch(display_p3, 1) is None
    assert profiles.mismatch(paper_cmyk, 4) is None
    assert profiles.mismatch(paper_cmyk, 3) == "the profile is for CMYK but the pixels are RGB"
    assert profiles.mismatch(b"no profile at all", 3) == "the profile is damaged"


def test_only_rgb_profiles_are_restorable(display_p3, paper_cmyk, linear_gray):
    """RGB pixels do not go back into a press profile or a gray one."""
    assert profiles.is_restorable(display_p3)
    assert not profiles.is_restorable(paper_cmyk)
    assert not profiles.is_restorable(linear_gray)
