"""``impasto volume info``."""

from typing import Annotated, Any

from cyclopts import Parameter

from impasto.cli.options.settings import words
from impasto.cli.terminal.streams import put_json, put_lines


def info(
    source: Annotated[str, Parameter(name="VOLUME", help="A file, or a folder of DICOM files.")],
    /,
    *,
    as_json: Annotated[bool, Parameter(name="--json", show_default=False, help="Print JSON.")] = False,
) -> None:
    """Describe a volume, and show how it was made if impasto made it.

    The JSON form has volume, format, width, height, depth (in voxels), spacing (millimeters
    between columns, rows and slices), affine, window, type, gray, sha256, recipe (or null) and
    caution (or null).
    """
    from impasto import volumes

    volume, notes = volumes.read(source), volumes.read_notes(source)
    depth, height, width = volume.shape
    facts: dict[str, Any] = {
        "volume": source,
        "format": volume.origin.format,
        "width": width,
        "height": height,
        "depth": depth,
        "spacing": list(reversed(volume.spacing)),
        "affine": volume.affine.tolist(),
        "window": list(volume.window),
        "type": volume.origin.dtype,
        "gray": volume.gray,
        "sha256": volume.origin.sha256,
        "recipe": None if notes is None else notes.recipe,
        "caution": None if notes is None else notes.caution,
        "notes": list(volume.origin.remarks),
    }
    if as_json:
        put_json(facts)
        return
    recipe = facts["recipe"] or {}
    put_lines(
        source,
        [
            ("voxels", f"{width}x{height}x{depth}, {volume.origin.dtype}{'' if volume.gray else ' colors'}"),
            ("spacing", " x ".join(f"{step:.4g}" for step in facts["spacing"]) + " mm"),
            ("window", " to ".join(f"{value:g}" for value in volume.window)),
            *(("made by", f"impasto {recipe.get('impasto')}, {recipe.get('task')}") for _ in recipe and [0]),
            *(("settings", _settings(recipe["settings"])) for _ in [0] if "settings" in recipe),
            *(("caution", facts["caution"]) for _ in [0] if facts["caution"]),
            *(("note", sentence) for sentence in facts["notes"]),
        ],
    )


def _settings(given: dict[str, Any]) -> str:
    return ", ".join(f"{name} {words(value)}" for name, value in given.items()) or "the defaults"
