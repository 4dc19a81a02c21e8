"""How far apart the voxels of a TIFF are, as ImageJ and OME say it."""

import math
from pathlib import Path
from typing import Any

_CALLED = {
    1e-9: ("pm",),
    1e-7: ("Å",),
    1e-6: ("nm",),
    1e-3: ("µm", "\u03bcm", "um", "micron", "microns", "micrometer"),
    1.0: ("mm", "millimeter"),
    10.0: ("cm",),
    1e3: ("m", "meter"),
    0.0254: ("thou",),
    25.4 / 72: ("pt",),
    25.4: ("in", "inch", "inches"),
    304.8: ("ft",),
}
_MM = {name: length for length, names in _CALLED.items() for name in names}
"""Millimeters of the units of length that OME and ImageJ know, two of them with either of Unicode's two mus."""

_NAMES = {"Z": "slices", "Y": "rows", "X": "columns"}

Spacing = tuple[float, float, float]


def spacing_of(tifffile: Any, file: Any, path: Path) -> tuple[Spacing, tuple[str, ...]]:
    """Millimeters between slices, rows and columns, and what had to be assumed.

    Where some are missing, voxels are assumed as wide as they are high, or as deep as they are wide: beside one that is
    known, a millimeter would be a guess that is wrong by orders of magnitude. Where all are, each is 1.
    """
    said = _from_ome(tifffile, file) if file.ome_metadata else _from_imagej(file)
    if not any(said.values()):
        return (1.0, 1.0, 1.0), ()
    found, remarks = dict(said), []
    for axis, others in (("X", "YZ"), ("Y", "XZ"), ("Z", "XY")):
        if said[axis] is None:
            other = next(other for other in others if said[other] is not None)
            found[axis] = said[other]
            remarks.append(
                f"{path.name} does not say in a known unit how far apart {_NAMES[axis]} are; "
                f"as far as {_NAMES[other]} is assumed, {said[other]:.4g} mm."
            )
    return (found["Z"] or 1.0, found["Y"] or 1.0, found["X"] or 1.0), tuple(remarks)


def ome(tifffile: Any, file: Any) -> dict[str, Any]:
    """What OME says of the first picture."""
    found = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]
    return dict(found[0] if isinstance(found, list) else found)


def _from_ome(tifffile: Any, file: Any) -> dict[str, float | None]:
    pixels, names = ome(tifffile, file)["Pixels"], {axis: f"PhysicalSize{axis}" for axis in "ZYX"}
    return {axis: _length(pixels.get(name), pixels.get(f"{name}Unit", "µm")) for axis, name in names.items()}


def _from_imagej(file: Any) -> dict[str, float | None]:
    facts, page = file.imagej_metadata, file.pages[0]
    if not facts:
        return dict.fromkeys("ZYX")
    unit = str(facts.get("unit", "")).replace("\\u00B5", "µ")
    said = {"Z": facts.get("spacing"), **{axis: _per_pixel(page, f"{axis}Resolution") for axis in "YX"}}
    if unit not in _MM:  # pixels, or nothing: what is said holds relative to each other, and what is not said is 1
        return {axis: _length(value, "mm") or 1.0 for axis, value in said.items()}
    return {axis: _length(value, unit) for axis, value in said.items()}


def _per_pixel(page: Any, name: str) -> float | None:
    """Units per pixel, which ImageJ stores as pixels per unit."""
    tag = page.tags.get(name)
    return None if tag is None or not tag.value[0] else float(tag.value[1]) / float(tag.value[0])


def _length(value: Any, unit: str) -> float | None:
    """Millimeters, or None if it is no length of a known unit."""
    try:
        found = float(value) * _MM[str(unit)]
    except (TypeError, ValueError, KeyError):
        return None
    return found if math.isfinite(found) and found > 0 else None
