"""How a picture says it was made, read with care: the file may come from anywhere."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, field_validator, model_validator

from impasto.cli.options.settings import arguments, words
from impasto.errors import ImageError
from impasto.files import is_there
from impasto.media import MEDIA
from impasto.tasks import TASKS, Task


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
    """What :meth:`impasto.runs.run.Run.run` writes into results."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    impasto: str
    torch: str
    task: str = "stylize"
    words: dict[str, Any] = {}
    settings: dict[str, Any]
    in_force: dict[str, Any]
    inputs: Inputs
    precision: str | None = None
    device: str | None = None
    threads: int | None = None
    levels: tuple[tuple[int, ...], ...] = ()
    evaluations: int
    complete: bool
    losses: dict[str, float]
    adjusted: tuple[dict[str, Any], ...] = ()  # of a job whose settings changed while it ran, those before

    @model_validator(mode="before")
    @classmethod
    def _of_task(cls, data: dict[str, Any]) -> dict[str, Any]:
        """The task's own words are where the task says; sequences note only what is in force."""
        try:
            task = TASKS[data.get("task", "stylize")]
            words = task.words_of(data)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, StopIteration, ArithmeticError):
            raise ValueError("the words of the task are missing") from None
        usual = {"in_force": data.get("settings")} if task.medium in ("sound", "signal") else {}
        return {**usual, **data, "words": words}

    @model_validator(mode="after")
    def _has_inputs(self) -> Self:
        """Every task needs its inputs."""
        roles, given = TASKS[self.task].roles, {"content": [self.inputs.content] * bool(self.inputs.content)}
        if any(role.least > len(given.get(name, self.inputs.styles)) for name, role in roles.items()):
            raise ValueError("an input is missing")
        if TASKS[self.task].medium in ("picture", "volume") and (not self.levels or self.precision is None):
            raise ValueError("its levels are missing")
        return self

    @field_validator("in_force")
    @classmethod
    def _of_then(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Before there was a choice, content was weighed by its squared error."""
        return {"content_loss": "squared", **values}

    @property
    def kind(self) -> Task:
        """The task."""
        return TASKS[self.task]

    def file_like(self, path: Path) -> Path:
        """A name for such a result like that of a file, which may be a picture of it."""
        if self.kind.medium == "picture" or path.suffix.lower() not in (".png", ".gif"):
            return path
        return path.with_name(path.stem + "".join(Path(MEDIA[self.kind.medium][1]).suffixes))

    def command(self, output: str) -> str:
        """A command line that makes such a result."""
        files = [file.name for role, file in self.inputs.by_role() if role in {"content", "style"}]
        named = [f"./{name}" if name.startswith("-") else name for name in files]
        own = [word for name, value in self.words.items() for word in _option(self.kind, name, value)]
        usual = (*self.kind.usual, *self.kind.hints)  # these have other defaults in the task
        told = {**self.settings, **{name: self.in_force[name] for name in usual if name in self.in_force}}
        rest = {name: value for name, value in told.items() if name in self.kind.settings}
        places = [word for pair in self.inputs.masks for word in ("--mask", pair.written(lambda file: file.name))]
        places += ["--protect", self.inputs.protect.name] if self.inputs.protect else []
        return shlex.join(["impasto", *self.task.split(), *named, "-o", output, *own, *places, *arguments(rest)])


def _option(task: Task, name: str, value: Any) -> list[str]:
    """A word of a task as the command line gives it."""
    word = task.words.get(name)
    option = f"--{name.replace('_', '-')}" if word is None or not word.option else word.option
    if word is None or value is None or value is False:
        return []
    if value is True:
        return [option]
    text = "x".join(str(side) for side in reversed(value)) if word.largest else words(value)
    return [f"{option}={text}"] if text[:1] == "-" else [option, text]


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
    """The recipe in a file, or None if it has none.

    Raises:
        ImpastoError: if the file cannot be read, or its recipe is not one that this version understands.
    """
    from impasto.media import recipe_of_file

    refuse_pipe(path)
    data = recipe_of_file(path)
    if data is None or data.keys() == {"impasto", "parameters"}:  # made by the flags of another program
        return None
    if str(data.get("task", "stylize")) not in TASKS:
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
