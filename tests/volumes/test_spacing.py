"""How far apart voxels of TIFF stacks are."""

import numpy as np
import pytest
import tifffile

from impasto import volumes

STACK = np.random.default_rng(0).integers(0, 255, (5, 6, 7)).astype(np.uint8)
OME = [
    ({"X": 0.5, "Y": 0.5, "Z": 2}, (2e-3, 0.5e-3, 0.5e-3), 0),
    ({"X": 0.5, "Z": 2}, (2e-3, 0.5e-3, 0.5e-3), 1),
    ({"Y": 0.5, "Z": 2}, (2e-3, 0.5e-3, 0.5e-3), 1),
    ({"X": 0.5, "Y": 0.25}, (0.5e-3, 0.25e-3, 0.5e-3), 1),
    ({"Z": 2}, (2e-3, 2e-3, 2e-3), 2),
    ({"X": 0, "Y": 0.5, "Z": 2}, (2e-3, 0.5e-3, 0.5e-3), 1),
    ({"X": "nan", "Y": 0.5, "Z": 2}, (2e-3, 0.5e-3, 0.5e-3), 1),
    ({}, (1, 1, 1), 0),
]


@pytest.mark.parametrize(("sizes", "spacing", "remarks"), OME)
def test_sizes_that_ome_does_not_say(tmp_path, sizes, spacing, remarks):
    """Are as those that it says: a millimeter beside micrometers would be a guess wrong a thousand times over."""
    facts = {f"PhysicalSize{axis}": size for axis, size in sizes.items()}
    tifffile.imwrite(
        tmp_path / "a.ome.tif", STACK, ome=True, photometric="minisblack", metadata={"axes": "ZYX", **facts}
    )
    volume = volumes.read(tmp_path / "a.ome.tif")
    assert volume.spacing == pytest.approx(spacing)
    assert len(volume.origin.remarks) == remarks


@pytest.mark.parametrize(("unit", "scale"), [("nm", 1e-6), ("cm", 10), ("in", 25.4), ("µm", 1e-3), ("Å", 1e-7)])
def test_units_of_ome(tmp_path, unit, scale):
    """Micrometers unless said."""
    facts = {f"PhysicalSize{axis}": 2.0 for axis in "XYZ"} | {f"PhysicalSize{axis}Unit": unit for axis in "XYZ"}
    tifffile.imwrite(
        tmp_path / "a.ome.tif", STACK, ome=True, photometric="minisblack", metadata={"axes": "ZYX", **facts}
    )
    assert volumes.read(tmp_path / "a.ome.tif").spacing == pytest.approx([2 * scale] * 3)


@pytest.mark.parametrize("spacing", [0, -3, float("nan")])
def test_distances_of_imagej_that_cannot_be(tmp_path, spacing):
    """Zero, negative, no number."""
    tifffile.imwrite(
        tmp_path / "a.tif",
        STACK,
        imagej=True,
        resolution=(2, 2),
        metadata={"spacing": spacing, "unit": "um", "axes": "ZYX"},
    )
    volume = volumes.read(tmp_path / "a.tif")
    assert volume.spacing == pytest.approx((0.5e-3,) * 3)
    assert "how far apart slices are" in volume.origin.remarks[0]


def test_imagej_without_a_unit_counts_pixels(tmp_path):
    """What it does not say is one, without a word."""
    tifffile.imwrite(tmp_path / "a.tif", STACK, imagej=True, metadata={"axes": "ZYX"})
    volume = volumes.read(tmp_path / "a.tif")
    assert volume.spacing == (1, 1, 1)
    assert volume.origin.remarks == ()


def test_other_stacks_say_nothing_in_space(tmp_path):
    """Dots per inch are those of a printer."""
    tifffile.imwrite(tmp_path / "a.tif", STACK, photometric="minisblack", resolution=(72, 72), resolutionunit="inch")
    volume = volumes.read(tmp_path / "a.tif")
    assert volume.spacing == (1, 1, 1)
    assert volume.origin.remarks == ()
