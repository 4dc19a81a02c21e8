"""``impasto show``."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from impasto.cli.options.recipe import Recipe, recipe_of
from impasto.cli.options.settings import words
from impasto.cli.terminal.streams import printable, put, put_json, put_lines
from impasto.errors import ImageError


def show(
    image: Annotated[Path, Parameter(help="What impasto made: a picture, a sound, a signal or a volume.")],
    /,
    *,
    as_json: Annotated[bool, Parameter(name="--json", show_default=False, help="Print JSON.")] = False,
) -> None:
    """Show how a picture was made.

    The JSON form has ``image`` (the file; ``file`` of what is no picture), ``recipe`` (as
    :class:`impasto.cli.options.recipe.Recipe`, or null), ``parameters`` (the text that other programs show, or null) and
    ``command`` (that makes such a result, or null).
    """
    from impasto import images
    from impasto.media import media_of, medium_of, recipe_of_file

    recipe = recipe_of(image)
    is_picture = medium_of("picture") in media_of(image) if recipe is None else recipe.kind.medium == "picture"
    text = images.read_parameters(image) if is_picture else None
    if recipe is None and text is None:
        text = (recipe_of_file(image) or {}).get("parameters")
    if recipe is None and text is None:
        raise ImageError(f"{image} does not say how it was made; impasto writes that unless told --no-metadata.")
    if as_json:
        put_json(_report(image, recipe, text))
    elif recipe is not None:
        put_lines(str(image), _lines(image, recipe))
    else:
        put("\n".join(printable(line) for line in (text or "").splitlines()))


def _report(image: Path, recipe: Recipe | None, text: str | None) -> dict[str, Any]:
    from impasto.media import recipe_of_file

    picture = recipe is None or recipe.kind.medium == "picture"
    return {
        "image" if picture else "file": str(image),
        "recipe": None if recipe is None else recipe.model_dump(mode="json") if picture else recipe_of_file(image),
        "parameters": text,
        "command": None if recipe is None else recipe.command(recipe.file_like(image).name),
    }


def _lines(image: Path, recipe: Recipe) -> list[tuple[str, str]]:
    ended = "" if recipe.complete else ", then stopped"
    levels = ", ".join(f"{'x'.join(map(str, reversed(shape)))} ({count})" for *shape, count in recipe.levels)
    made = f"impasto {recipe.impasto}, torch {recipe.torch}"
    where = f", in {recipe.precision} on {recipe.device}" if recipe.precision else ""
    return [
        ("made by", made + where),
        *((role, f"{file.name}  SHA-256 {file.sha256}") for role, file in recipe.inputs.by_role()),
        ("levels", f"{levels or 'all'}: {recipe.evaluations} evaluations{ended}"),
        ("losses", ", ".join(f"{name} {value:.4g}" for name, value in recipe.losses.items()) or "not measured"),
        *((name, words(value)) for name, value in recipe.words.items() if value is not None),
        ("settings", ", ".join(f"{name} {words(value)}" for name, value in recipe.settings.items()) or "the defaults"),
        ("command", recipe.command(recipe.file_like(image).name)),
    ]
