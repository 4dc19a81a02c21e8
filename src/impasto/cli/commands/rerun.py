"""``impasto rerun``."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter

import impasto
from impasto.choices import file_and_colors
from impasto.cli.options.finding import digest_of, find
from impasto.cli.options.performing import perform
from impasto.cli.options.recipe import Input, Recipe, recipe_of
from impasto.cli.options.running import NO_OPTIONS, AnyOptions
from impasto.errors import ImageError
from impasto.files import is_folder
from impasto.settings import INITS, Settings, make

if TYPE_CHECKING:
    from impasto.runs.events import Event
    from impasto.runs.run import Run

_INPUTS = Group("Inputs", sort_key=-1, help="Files are recognized by their SHA-256, whatever they are called.")


def rerun(
    image: Annotated[Path, Parameter(help="What impasto made: a picture, a sound, a signal or a volume.")],
    /,
    *,
    content: Annotated[
        Path | None,
        Parameter(group=_INPUTS, metavar="FILE", help="The photo, video, sound, record or volume, if it moved."),
    ] = None,
    style: Annotated[
        tuple[Path, ...],
        Parameter(group=_INPUTS, metavar="FILE", help="A painting or mask, if it moved; may be repeated."),
    ] = (),
    search: Annotated[
        tuple[Path, ...],
        Parameter(
            group=_INPUTS,
            metavar="DIR",
            help="A folder to search, with those in it; may be repeated. "
            "The picture's folder, the current one and the bundled photos are searched in any case.",
        ),
    ] = (),
    run: Annotated[AnyOptions, Parameter(name="*")] = NO_OPTIONS,
) -> int:
    """Make a result again, from what its file says about it.

    The output is its name with ``_again`` unless given.
    """
    recipe = recipe_of(image)
    if recipe is None:
        raise ImageError(f"{image} does not say how it was made, so it cannot be made again.")
    given = [path for path in (content, *style) if path is not None]
    paths = _located(image, recipe, given, search)
    like = recipe.file_like(image)
    stem, ending = (like.name[:-7], ".nii.gz") if like.name.endswith(".nii.gz") else (like.stem, like.suffix)
    usual = str(like.with_name(f"{stem}_again{ending}"))
    where = run.destination([image, *paths.values()], usual, medium=recipe.kind.medium)

    again = prepared_rerun(recipe, paths)
    notes = [*differences(recipe), *_other_threads(recipe, again)]
    return perform(
        again, where, run.settled(where), until=None if recipe.complete else _after(recipe.evaluations), notes=notes
    )


def prepared_rerun(recipe: Recipe, paths: dict[str, Path]) -> "Run":
    """The run of a recipe's task, with the files of the recipe by their SHA-256."""
    words, _ = recipe.kind.split(recipe.words)
    run: Run = recipe.kind.prepared(_inputs(recipe, paths), words, _settings(recipe, paths))
    return run


def _inputs(recipe: Recipe, paths: dict[str, Path]) -> dict[str, list[Any]]:
    """The files of a recipe by role; ``init`` is named by its setting."""

    def located(side: Input | str | None) -> Path | str | None:
        return paths[side.sha256] if isinstance(side, Input) else side

    given = recipe.inputs
    found: dict[str, list[Any]] = {
        "content": [located(given.content)] if given.content else [],
        "styles": [located(style) for style in given.styles],
        "masks": [(located(pair.photo), located(pair.painting)) for pair in given.masks],
        "protect": [located(given.protect)] if given.protect else [],
    }
    return {role: files for role, files in found.items() if files and role in recipe.kind.roles}


def _located(image: Path, recipe: Recipe, given: Sequence[Path], search: Sequence[Path]) -> dict[str, Path]:
    """The files of a recipe by their SHA-256.

    Raises:
        ImageError: if one is not found, or a given file is none of them.
    """
    wanted = recipe.inputs.by_role()
    digests = {digest_of(path): path for path in given}
    for digest, path in digests.items():
        if digest not in {file.sha256 for _, file in wanted}:
            raise ImageError(f"{path} (SHA-256 {digest[:12]}...) is none of the files that {image} was made from.")
    missing = [file for _, file in wanted if file.sha256 not in digests]
    found = {**find(missing, _places(image, search)), **digests}
    for role, file in wanted:
        if file.sha256 not in found:
            raise ImageError(
                f"The {role} {file} was not found; name it with {_option(role)}, or its folder with --search DIR."
            )
    return found


def _option(role: str) -> str:
    return "--content FILE" if role == "content" else "--style FILE"


def _places(image: Path, search: Sequence[Path]) -> Iterator[Iterator[Path]]:
    from impasto import samples

    for folder in search:
        if not is_folder(folder):
            raise ImageError(f"The folder {folder}, to be searched, does not exist; check --search.")
    yield image.resolve().parent.iterdir()
    yield Path().iterdir()
    yield from (folder.rglob("*") for folder in search)
    yield (samples.photo(name) for name in samples.photos())
    yield (samples.painting(name) for name in samples.paintings())


def _settings(recipe: Recipe, paths: dict[str, Path]) -> Settings:
    """All of the recipe's settings, for today's defaults may not be those of then, and a task has some of its own.

    Paths are those of today, and the precision is that of then.
    """
    import torch

    from impasto import machine

    values = dict(recipe.in_force)
    for name, file in (("init", recipe.inputs.init), ("weights", recipe.inputs.weights)):
        if file is not None and values.get(name) not in (None, *INITS):
            _, colors = file_and_colors(values[name])
            values[name] = f"{paths[file.sha256]}={colors}" if colors else str(paths[file.sha256])
    settings = make(values)
    if recipe.precision is None:
        return settings
    here = machine.precision(settings.precision, machine.device(settings.device))
    return (
        settings
        if (here == torch.bfloat16) == (recipe.precision == "bf16")
        else make({**values, "precision": recipe.precision})
    )


def _after(evaluations: int) -> Callable[["Event"], bool]:
    """Whether a run has made so many evaluations on all its levels: where a stopped run had stopped."""
    made: dict[int, int] = {}

    def reached(event: "Event") -> bool:
        made[event.level] = event.evaluation
        return sum(made.values()) >= evaluations

    return reached


def _other_threads(recipe: Recipe, run: "Run") -> Iterator[str]:
    """Whether another number of threads computes than did."""
    from impasto import machine

    now = machine.threads(run.device)
    if None not in (recipe.threads, now) and recipe.threads != now:
        yield (
            f"The picture was computed by {recipe.threads} thread{'s' * (recipe.threads != 1)}, and now by {now}: sums are "
            f"rounded in another order, and it may come out different. OMP_NUM_THREADS={recipe.threads} makes it the same."
        )


def differences(recipe: Recipe) -> list[str]:
    """What is not as it was, and might change the picture."""
    import torch

    then, now = (recipe.impasto, recipe.torch), (impasto.__version__, str(torch.__version__))
    steered = "The settings were changed while the picture was made; it is made again with the last ones alone."
    notes = [steered] if recipe.adjusted else []
    if then == now:
        return notes
    made, again = (f"impasto {impasto_} with torch {torch_}" for impasto_, torch_ in (then, now))
    return [*notes, f"The picture was made by {made}, and now by {again}: it may come out slightly different."]
