"""What impasto can make, one file per task: what it takes, which settings have a say, and where its run is prepared."""

from collections.abc import Mapping
from typing import Any

from impasto.errors import JobError
from impasto.tasks.reconstruct import RECONSTRUCT
from impasto.tasks.signal import SIGNAL, SIGNAL_TEXTURE
from impasto.tasks.sound import SOUND, SOUND_TEXTURE
from impasto.tasks.stylize import STYLIZE
from impasto.tasks.task import Task
from impasto.tasks.texture import TEXTURE
from impasto.tasks.video import VIDEO
from impasto.tasks.volume import SOLID, VOLUME

__all__ = ["TASKS", "Task", "parameters_text", "subject_of", "task_of"]

TASKS = {
    task.name: task
    for task in (STYLIZE, TEXTURE, RECONSTRUCT, VIDEO, SOUND, SOUND_TEXTURE, SIGNAL, SIGNAL_TEXTURE, SOLID, VOLUME)
}
"""All tasks by name."""


def task_of(name: str) -> Task:
    """The task of a name.

    Raises:
        JobError: if there is none.
    """
    if name not in TASKS:
        raise JobError(f"There is no task {name!r}; choose one of {', '.join(TASKS)}.")
    return TASKS[name]


def subject_of(recipe: Mapping[str, Any]) -> str:
    """What a recipe's result is called: ``photo.jpg in the style of painting.jpg``."""
    inputs = recipe["inputs"]
    return task_of(recipe["task"]).subject.format(
        content=(inputs.get("content") or {}).get("name", ""),
        styles=" + ".join(str(style["name"]) for style in inputs["styles"]),
    )


def parameters_text(recipe: Mapping[str, Any]) -> str:
    """A picture's recipe in the one-line-per-input form that picture browsers show as ``parameters``."""
    settings = ", ".join(f"{key.replace('_', ' ')}: {value}" for key, value in recipe["settings"].items())
    made = f"impasto {recipe['impasto']}, torch {recipe['torch']}, {recipe['precision']} on {recipe['device']}"
    return f"{subject_of(recipe)}\n{settings}\nSeed: {recipe['seed']}, Version: {made}"
