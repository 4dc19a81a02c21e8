"""Where the slices of a DICOM series are in space, and in which order that puts them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import VolumeError

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""DICOM's axes point left and back where NIfTI's point right and front."""

_UNEVEN = 0.01  # of the distance between slices
_ALIKE = 1e-3  # of spacings and of directions
_ALONG = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))

Vector = tuple[float, ...]


@dataclass(frozen=True)
class SlicePlace:
    """What is said of one slice; None where nothing is said that can be.

    Args:
        position: of the center of its first voxel, in millimeters.
        directions: of its rows, and of its columns: six numbers.
        spacing: millimeters between rows and between columns.
        step: millimeters from one slice to the next, for slices without positions.
        number: its place in the order that the series gives itself.
    """

    position: Vector | None = None
    directions: Vector | None = None
    spacing: Vector | None = None
    step: float | None = None
    number: int = 0


def finite_numbers(item: Any, name: str, count: int) -> Vector | None:
    """So many finite numbers from an attribute of a data set, or None if it is missing, empty or anything else."""
    try:
        value = item.get(name)
        several = (value,) if isinstance(value, (int, float, str)) else tuple(value)
        found = tuple(float(one) for one in several)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return found if len(found) == count and all(map(math.isfinite, found)) else None


def number(item: Any, name: str, usual: float) -> float:
    """One finite number, or another."""
    found = finite_numbers(item, name, 1)
    return usual if found is None else found[0]


def place_of(item: Any, index: int = 0) -> SlicePlace:
    """What a data set says of its slice; what cannot be, such as pixels without width, counts as not said."""
    spacing = finite_numbers(item, "PixelSpacing", 2) or finite_numbers(item, "NominalScannedPixelSpacing", 2)
    directions = finite_numbers(item, "ImageOrientationPatient", 6)
    across = np.zeros(3) if directions is None else np.cross(directions[:3], directions[3:])
    step = next((found[0] for name in _STEPS if (found := finite_numbers(item, name, 1)) and found[0]), None)
    return SlicePlace(
        finite_numbers(item, "ImagePositionPatient", 3),
        directions if np.linalg.norm(across) > 0.5 else None,
        spacing if spacing and min(spacing) > 0 else None,
        step,
        int(number(item, "InstanceNumber", 0)) or index,
    )


_STEPS = ("SpacingBetweenSlices", "SliceThickness")


def arranged(places: Sequence[SlicePlace], name: str) -> tuple[list[int], NDArray[np.float64], list[str]]:
    """The order of slices, the affine of the volume that they make, and sentences on what was assumed of the series.

    Raises:
        VolumeError: if the slices make no volume: of several spacings, directions or distances.
    """
    remarks: list[str] = []
    rows, columns = _common_spacing(places, name, remarks)
    _check_directions(places, name)
    directions = next((place.directions for place in places if place.directions), None)
    row, column = np.array(directions or _ALONG, dtype=float).reshape(2, 3)
    known = directions is not None and all(place.position is not None for place in places)
    if known and len(places) > 1:
        order, step = _by_position(places, np.cross(row, column), min(rows, columns), name)
    else:
        order, step = _by_number(places, np.cross(row, column), name, remarks)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = row * columns, column * rows, step
    affine[:3, 3] = places[order[0]].position or (0.0, 0.0, 0.0)
    return order, LPS @ affine, remarks


def _common_spacing(places: Sequence[SlicePlace], name: str, remarks: list[str]) -> tuple[float, float]:
    """Millimeters between rows and between columns of all slices."""
    found = [place.spacing for place in places if place.spacing is not None]
    if not found:
        remarks.append(f"{name} does not say how far apart pixels are; 1 mm is assumed.")
        return 1.0, 1.0
    least, most = np.min(found, axis=0), np.max(found, axis=0)
    if (most > least * (1 + _ALIKE)).any():
        one, other = (" x ".join(f"{value:.4g}" for value in pair) for pair in (least, most))
        raise VolumeError(
            f"The slices in {name} have pixels of {one} to {other} mm; a volume needs pixels of one size, so take out the "
            "slices of the others, or resample them."
        )
    if len(found) < len(places):
        remarks.append(
            f"Some slices of {name} do not say how far apart pixels are; as far as in the others is assumed."
        )
    return float(found[0][0]), float(found[0][1])


def _check_directions(places: Sequence[SlicePlace], name: str) -> None:
    found = np.array([place.directions for place in places if place.directions is not None])
    if len(found) and np.ptp(found, axis=0).max() > _ALIKE * 10:
        raise VolumeError(
            f"The slices in {name} do not lie parallel, as in a scout; take out those that point elsewhere, or give a folder "
            "for each direction."
        )


def _by_position(
    places: Sequence[SlicePlace], normal: NDArray[np.float64], pixel: float, name: str
) -> tuple[list[int], NDArray[np.float64]]:
    """Slices in order along their normal, and the step from one to the next."""
    points = np.array([place.position for place in places], dtype=float)
    order = np.argsort(points @ normal, kind="stable")
    gaps = np.diff((points @ normal)[order])
    usual = float(np.median(gaps))
    if usual <= 0 or np.abs(gaps - usual).max() > _UNEVEN * usual:
        raise VolumeError(
            f"The slices in {name} are {gaps.min():.4g} to {gaps.max():.4g} mm apart; a volume needs one slice per place "
            "and one distance, so add what is missing and remove what is twice."
        )
    step = (points[order[-1]] - points[order[0]]) / (len(order) - 1)
    aside = points[order] - points[order[0]] - np.arange(len(order))[:, None] * step
    if np.linalg.norm(aside, axis=1).max() > max(pixel / 2, 2 * _UNEVEN * usual * len(order)):
        raise VolumeError(
            f"The slices in {name} do not lie behind one another in a line, but are shifted sideways; align them first."
        )
    return [int(index) for index in order], step


def _by_number(
    places: Sequence[SlicePlace], normal: NDArray[np.float64], name: str, remarks: list[str]
) -> tuple[list[int], NDArray[np.float64]]:
    """Slices in the order of their numbers, and a step along their normal."""
    order = sorted(range(len(places)), key=lambda index: places[index].number)
    step = places[order[0]].step
    if len(places) > 1:
        distance = "1 mm" if step is None else f"the {step:.4g} mm that they say"
        remarks.append(
            f"{name} does not say where each slice is; the order of their numbers is taken, and {distance} between them."
        )
    return order, normal * (step or 1.0)
