"""Where slices are, and in which order that puts them."""

import numpy as np
import pytest

from impasto import volumes
from impasto.errors import VolumeError
from impasto.volumes.places import SlicePlace, arranged, finite_numbers

WIDE = (-900, 1200)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PixelSpacing", [1.25, 1.6], "pixels of 1.25 x 1.5 to 1.25 x 1.6 mm"),
        ("ImageOrientationPatient", [1, 0, 0, 0, 0, -1], "do not lie parallel"),
        ("ImagePositionPatient", [-10, -50, 11], "shifted sideways"),
    ],
)
def test_slices_that_do_not_fit_together_are_refused(series, name, value, sentence):
    """One of them has other pixels, lies across, or lies aside."""

    def change(index, item):
        if index == 2:
            setattr(item, name, value)

    with pytest.raises(VolumeError, match=sentence):
        volumes.read(series(change=change))


def test_without_places_the_numbers_count_and_that_is_said(series, intensities):
    """The first file is the last slice here, by its number."""

    def change(index, item):
        del item.ImagePositionPatient

    volume = volumes.read(series(change=change), window=WIDE)
    assert np.array_equal(volume.samples(), intensities[::-1])
    assert "order of their numbers" in volume.origin.remarks[0]
    assert "2 mm" in volume.origin.remarks[0]


def test_one_slice_without_spacing_is_like_the_others(series):
    """And that is said."""

    def change(index, item):
        if index == 1:
            del item.PixelSpacing

    volume = volumes.read(series(change=change))
    assert volume.spacing == pytest.approx((2.0, 1.25, 1.5))
    assert "Some slices of series do not say" in volume.origin.remarks[0]


def test_a_step_backwards_is_still_in_space():
    """Frames that are counted from the head down lie in the order of their places."""
    places = [SlicePlace((0.0, 0.0, -3.0 * index), (1, 0, 0, 0, 1, 0), (1.0, 1.0)) for index in range(4)]
    order, affine, remarks = arranged(places, "a")
    assert order == [3, 2, 1, 0]
    assert affine @ [0, 0, 0, 1] == pytest.approx([0, 0, -9, 1])
    assert remarks == []


@pytest.mark.parametrize("value", [None, "", "a", [1], [1, "b"], [1, float("nan")], [1, float("inf")]])
def test_what_is_no_two_numbers_is_none(value):
    """Of whatever kind."""
    assert finite_numbers({"PixelSpacing": value}, "PixelSpacing", 2) is None
    assert finite_numbers({}, "PixelSpacing", 2) is None
    assert finite_numbers({"PixelSpacing": ["1", 2.5]}, "PixelSpacing", 2) == (1.0, 2.5)
