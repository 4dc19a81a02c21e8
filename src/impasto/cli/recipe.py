"""How a picture says it was made, read with care: the file may come from anywhere."""

import shlex
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from impasto.cli.options import arguments
from impasto.errors import ImageError


class Input(BaseModel):
    """A file that went into a picture."""

    model_config = ConfigDict(frozen=True)

    name: str
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

    def __str__(self) -> str:
        return f"{self.name} (SHA-256 {self.sha256[:12]}...)"


class Inputs(BaseModel):
    """The files that went into a picture."""

    model_config = ConfigDict(frozen=True)

    content: Input
    styles: tuple[Input, ...] = Field(min_length=1)
    init: Input | None = None
    weights: Input | None = None

    def by_role(self) -> list[tuple[str, Input]]:
        """Every file with what it was used for."""
        pairs = [("content", self.content), *(("style", style) for style in self.styles)]
        return pairs + [(role, file) for role, file in (("init", self.init), ("weights", self.weights)) if file]


class Recipe(BaseModel):
    """What :meth:`impasto.tasks.transfer.Transfer.run` writes into its pictures."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    impasto: str
    torch: str
    settings: dict[str, Any]
    inputs: Inputs
    precision: str
    device: str
    levels: tuple[tuple[int, int, int], ...] = Field(min_length=1)
    evaluations: int
    complete: bool
    losses: dict[str, float]

    def command(self, output: str) -> str:
        """A command line that makes such a picture."""
        files = [file.name for role, file in self.inputs.by_role() if role in {"content", "style"}]
        named = [f"./{name}" if name.startswith("-") else name for name in files]
        return shlex.join(["impasto", "stylize", *named, "-o", output, *arguments(self.settings)])


def recipe_of(path: Path) -> Recipe | None:
    """The recipe in a picture's file, or None if it has none.

    Raises:
        ImageError: if the file is not a picture, or its recipe is not one that this version understands.
    """
    from impasto import images

    data = images.read_recipe(path)
    if data is None:
        return None
    if data.get("task", "stylize") != "stylize":
        raise ImageError(
            f"{path} was made by the task {data['task']!r}, which this version does not know; update impasto."
        )
    try:
        return Recipe(**data)
    except (ValidationError, TypeError) as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) if isinstance(error, ValidationError) else "its keys"
        raise ImageError(
            f"{path} holds a recipe that cannot be understood ({where}); it was edited, or made by another version."
        ) from None
