"""How impasto made a picture, as text that its file carries.

A recipe (JSON) and its customary one-text form, ``parameters``, are stored where each format has room for them:

====================== ===========================================================
PNG                    text chunks ``impasto`` and ``parameters``
JPEG, WebP, TIFF, AVIF XMP properties ``impasto:recipe`` and ``impasto:parameters``,
                       and the EXIF UserComment, where other programs look for it,
                       unless the photo has one
Deep Zoom              ``impasto.json`` among its tiles
====================== ===========================================================
"""

import json
from dataclasses import dataclass
from typing import Any

from impasto.errors import ImageError, SettingsError


@dataclass(frozen=True)
class Stamp:
    r"""Everything but pixels and color profile that goes into a file; the empty stamp leaves no trace in it.

    Args:
        recipe: JSON text.
        parameters: The customary text form.
        exif: EXIF taken over from the source, with the prefix ``Exif\0\0``.
        dpi: Pixels per inch, horizontally and vertically.
        xmp: The source's packet, as far as it describes the scene.
        iptc: The source's captions and credits.
        texts: The source's texts, each under a key.
        scale: The size of the copy in that of the source, across and down.
    """

    recipe: str | None = None
    parameters: str | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()
    scale: tuple[float, float] = (1.0, 1.0)


def recipe_to_text(recipe: dict[str, Any] | None) -> str | None:
    """``recipe`` as ASCII JSON.

    Raises:
        SettingsError: If it holds something that JSON cannot.
    """
    if recipe is None:
        return None
    try:
        return json.dumps(recipe)
    except (TypeError, ValueError) as error:
        raise SettingsError(
            f"The recipe cannot be stored because it is not JSON ({error}); give strings, numbers, lists and dicts."
        ) from error


def recipe_from_text(text: str | None, name: str) -> dict[str, Any] | None:
    """The dict of a stored recipe.

    Raises:
        ImageError: If it is not a JSON object.
    """
    if text is None:
        return None
    try:
        recipe = json.loads(text)
    except (ValueError, RecursionError):
        recipe = None
    if not isinstance(recipe, dict):
        raise ImageError(f"{name} holds an impasto recipe that is damaged; use an unedited copy of the picture.")
    return recipe
