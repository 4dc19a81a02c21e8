"""How a picture says it was made, read with care: the file may come from anywhere."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from impasto.cli.options.settings import arguments
from impasto.errors import ImageError
from impasto.files import is_there


class Input(BaseModel):
    """A file that went into a picture."""

    model_config = ConfigDict(frozen=True)

    name: str
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

    def __str__(self) -> str:
        return f"{self.name} (SHA-256 {self.sha256[:12]}...)"


class MaskPair(BaseModel):
    """A region of the photo and where in a painting its style comes from."""

    model_config = ConfigDict(frozen=True)

    photo: Input | Literal["rest"]
    painting: Input | Literal["rest"] | None = None

    def written(self, called: Callable[[Input], str]) -> str:
        """The pair as ``--mask`` takes it, with files called as told."""
        sides = [side if isinstance(side, str) else called(side) for side in (self.photo, self.painting) if side]
        return "=".join(sides)


class Inputs(BaseModel):
    """The files that went into a picture."""

    model_config = ConfigDict(frozen=True)

    content: Input | None = None
    styles: tuple[Input, ...] = ()
    init: Input | None = None
    weights: Input | None = None
    masks: tuple[MaskPair, ...] = ()
    protect: Input | None = None

    def by_role(self) -> list[tuple[str, Input]]:
        """Every file with what it was used for."""
        styles = [("style", style) for style in self.styles]
        sides = [side for pair in self.masks for side in (pair.photo, pair.painting)]
        masks = [("mask", side) for side in (*sides, self.protect) if isinstance(side, Input)]
        pairs = [("content", self.content), *styles, ("init", self.init), ("weights", self.weights), *masks]
        return [(role, file) for role, file in pairs if file]


class Recipe(BaseModel):
    """What :meth:`impasto.runs.run.Transfer.run` writes into its pictures."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    impasto: str
    torch: str
    task: Literal["stylize", "reconstruct", "texture"] = "stylize"
    settings: dict[str, Any]
    in_force: dict[str, Any]
    inputs: Inputs
    precision: str
    device: str
    threads: int | None = None
    levels: tuple[tuple[int, int, int], ...] = Field(min_length=1)
    evaluations: int
    complete: bool
    losses: dict[str, float]
    adjusted: tuple[dict[str, Any], ...] = ()  # of a job whose settings changed while it ran, those before

    @model_validator(mode="after")
    def _has_inputs(self) -> Self:
        """Every task needs its inputs."""
        content, styles = self.task != "texture", self.task != "reconstruct"
        if (content and not self.inputs.content) or (styles and not self.inputs.styles):
            raise ValueError("an input is missing")
        return self

    @field_validator("in_force")
    @classmethod
    def _of_then(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Before there was a choice, content was weighed by its squared error."""
        return {"content_loss": "squared", **values}

    @property
    def layer(self) -> str:
        """The layer of a reconstruction."""
        return str(next(iter(self.settings.get("content_layers", ("conv4_2",)))))

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the picture."""
        height, width, _ = self.levels[-1]
        return height, width

    def command(self, output: str) -> str:
        """A command line that makes such a picture."""
        files = [file.name for role, file in self.inputs.by_role() if role in {"content", "style"}]
        named = [f"./{name}" if name.startswith("-") else name for name in files]
        height, width = self.shape
        # Of each task its words, the settings that it decides, and those it has defaults of its own for.
        extent = ["--size", f"{width}x{height}"]
        own, implied, usual = {
            "stylize": ([], (), ()),
            "reconstruct": (["--layer", self.layer], ("strength", "content_layers"), ("precision", "pooling")),
            "texture": (extent, ("strength", "content_weight", "size"), ("style_scale", "coarsest")),
        }[self.task]
        told = {**self.settings, **{name: self.in_force[name] for name in usual if name in self.in_force}}
        rest = {name: value for name, value in told.items() if name not in implied}
        places = [word for pair in self.inputs.masks for word in ("--mask", pair.written(lambda file: file.name))]
        places += ["--protect", self.inputs.protect.name] if self.inputs.protect else []
        return shlex.join(["impasto", self.task, *named, "-o", output, *own, *places, *arguments(rest)])


def refuse_pipe(path: Path) -> None:
    """Refuse what can be read only once, for a recipe is looked for in several places.

    Raises:
        ImageError: if it is a pipe, as a shell's ``<(...)`` is.
    """
    if is_there(path) and path.is_fifo():
        raise ImageError(
            f"{path} is a pipe, in which no recipe is looked for; keep the picture in a file and name that."
        )


def recipe_of(path: Path) -> Recipe | None:
    """The recipe in a picture's file, or None if it has none.

    Raises:
        ImageError: if the file is not a picture, or its recipe is not one that this version understands.
    """
    from impasto import images

    refuse_pipe(path)
    data = images.read_recipe(path)
    if data is None:
        return None
    if data.get("task", "stylize") not in get_args(Recipe.model_fields["task"].annotation):
        raise ImageError(
            f"{path} was made by the task {data['task']!r}, which this version does not know; update impasto."
        )
    try:
        return Recipe(**data)
    except (ValidationError, TypeError) as error:
        place = error.errors()[0]["loc"] if isinstance(error, ValidationError) else ["its keys"]
        where = ".".join(map(str, place)) or "its inputs"
        raise ImageError(
            f"{path} holds a recipe that cannot be understood ({where}); it was edited, or made by another version."
        ) from None
