"""``impasto show``."""

import json
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from impasto.cli.options.settings import words
from impasto.cli.terminal.recipe import Recipe, recipe_of, refuse_pipe
from impasto.cli.terminal.streams import put, put_json, put_lines, shown
from impasto.errors import ImageError, SettingsError


def show(
    image: Annotated[Path, Parameter(help="A picture that impasto made, or a sound or a record.")],
    /,
    *,
    as_json: Annotated[bool, Parameter(name="--json", show_default=False, help="Print JSON.")] = False,
) -> None:
    """Show how a picture was made.

    The JSON form has ``image`` (the file), ``recipe`` (as :class:`impasto.cli.terminal.recipe.Recipe`, or null), ``parameters``
    (the text that other programs show, or null) and ``command`` (that makes such a picture, or null). For sounds and
    records, and the pictures beside them, it is ``file`` and ``recipe``.
    """
    from impasto import images

    refuse_pipe(image)
    sequence = _of_sequence(image)
    if sequence is not None:
        if as_json:
            put_json({"file": str(image), "recipe": sequence})
        else:
            put_lines(str(image), [(name, json.dumps(value)) for name, value in sequence.items()])
        return
    recipe, text = recipe_of(image), images.read_parameters(image)
    if recipe is None and text is None:
        raise ImageError(f"{image} does not say how it was made; impasto writes that unless told --no-metadata.")
    if as_json:
        put_json(_report(image, recipe, text))
    elif recipe is not None:
        put_lines(str(image), _lines(image, recipe))
    else:
        put("\n".join(shown(line) for line in (text or "").splitlines()))


def _of_sequence(path: Path) -> dict[str, Any] | None:
    """The recipe of a sound or a record, or of the picture beside one; None for other pictures.

    Raises:
        ImpastoError: if a sound or a record has none, or cannot be read.
    """
    from impasto import images, signals, sounds

    suffix = path.suffix.lower()
    if suffix in (*sounds.FORMATS, *signals.SUFFIXES):
        found = sounds.read_recipe(path) if suffix in sounds.FORMATS else signals.read_recipe(path)
        if found is None:
            raise SettingsError(f"{path} does not say how it was made; impasto writes that unless told --no-metadata.")
        return found
    found = images.read_recipe(path)
    return found if found and str(found.get("task", "")).startswith(("sound ", "signal ")) else None


def _report(image: Path, recipe: Recipe | None, text: str | None) -> dict[str, Any]:
    return {
        "image": str(image),
        "recipe": None if recipe is None else recipe.model_dump(mode="json"),
        "parameters": text,
        "command": None if recipe is None else recipe.command(image.name),
    }


def _lines(image: Path, recipe: Recipe) -> list[tuple[str, str]]:
    ended = "" if recipe.complete else ", then stopped"
    levels = ", ".join(f"{width}x{height} ({count})" for height, width, count in recipe.levels)
    return [
        ("made by", f"impasto {recipe.impasto}, torch {recipe.torch}, in {recipe.precision} on {recipe.device}"),
        *((role, f"{file.name}  SHA-256 {file.sha256}") for role, file in recipe.inputs.by_role()),
        ("levels", f"{levels}: {recipe.evaluations} evaluations{ended}"),
        ("losses", ", ".join(f"{name} {value:.4g}" for name, value in recipe.losses.items()) or "not measured"),
        ("settings", ", ".join(f"{name} {words(value)}" for name, value in recipe.settings.items()) or "the defaults"),
        ("command", recipe.command(image.name)),
    ]
