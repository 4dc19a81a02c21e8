"""The settings as a form: what the page offers, and what a client may set at all."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from impasto.errors import ImpastoError, SettingsError
from impasto.panels import PANELS
from impasto.settings import INITS, Settings
from impasto.studio.library import one_line
from impasto.studio.limits import Limits
from impasto.tasks import TASKS, Task, task_of

OFFERED = tuple(task.name for task in TASKS.values() if task.medium == "picture")
"""The tasks that a client may ask for: those that make a picture of pictures."""

WORDS: dict[str, tuple[str, ...]] = {"init": INITS, "network": ("vgg19", "vgg19-original")}
"""The free-text settings that a client may give, and the words that it may give for them. Any other free text could
name a file or a device of the server, and is refused."""


_COSTLY = {
    *("size", "preview_of", "coarsest", "ratio", "evaluations"),
    *("style_scale", "style_size", "style_scales", "history"),
}
_USUAL_EVALUATIONS = 80  # the most on a level unless given
_HISTORY = 12  # steps that are remembered at the largest size, which is what L-BFGS does unless told


@cache
def _schema() -> dict[str, Any]:
    properties: dict[str, Any] = Settings.model_json_schema()["properties"]
    return properties


def fields(limits: Limits) -> list[dict[str, Any]]:
    """A description of every setting that a client may give, in the order of the groups."""
    schema = _schema()
    found = [_field(name, schema[name], limits) for name in schema if _is_offered(name, schema[name])]
    order = [name for names in PANELS.values() for name in names]
    return sorted(found, key=lambda field: order.index(field["name"]))


def checked_form(task: str, values: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """Settings from a client, without those that are None.

    Whether they hold together is for the jobs to say; here it is only found out whether they may be given.

    Raises:
        SettingsError: for what only the server's owner may choose, and for more work than one may ask for.
    """
    given = {name: value for name, value in values.items() if value is not None}
    schema = _schema()
    for name, value in given.items():
        if name in schema and not _is_offered(name, schema[name]):
            raise SettingsError(f"The setting {name} belongs to the machine and cannot be chosen from the page.")
        if name in WORDS and value not in WORDS[name]:
            raise SettingsError(f"The setting {name} must be one of {', '.join(WORDS[name])} here.")
    kind = task_of(task)
    words = _check_words(kind, {name: value for name, value in given.items() if name not in schema}, limits)
    settings = {name: value for name, value in given.items() if name in schema}
    _bound(settings, _shape(kind, words), limits)
    return {**settings, **words}


def _shape(task: Task, words: Mapping[str, Any]) -> tuple[int, int] | None:
    """The height and width that a word of the task asks for, if one does."""
    sizes = (value for name, value in words.items() if task.words[name].largest)
    return next(((height, width) for height, width in sizes), None)


def _check_words(task: Task, given: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """What a task takes beside the settings, as plain data."""
    for name in given:
        if name not in task.words:
            raise SettingsError(f"There is no setting {one_line(name, 40)!r} for this task.")
    words = {}
    for name, value in given.items():
        word = task.words[name]
        try:
            words[name] = word.read(value)
        except ImpastoError as error:
            given_word = one_line(str(value), 40)
            raise SettingsError(f"The setting {name} cannot be {given_word!r}. {one_line(str(error), 200)}") from None
        if word.largest and word.largest(words[name]) > limits.side:
            raise SettingsError(
                f"The setting {name} cannot be {one_line(str(value), 40)!r}; sides go up to {limits.side}."
            )
    return words


def _bound(given: Mapping[str, Any], shape: tuple[int, int] | None, limits: Limits) -> None:
    settings = Settings()
    for name in _COSTLY & given.keys():  # each by itself, whatever else is wrong
        beside = {"size": 16} if name == "preview_of" else {}
        try:
            settings = settings.model_copy(update={name: getattr(Settings(**{**beside, name: given[name]}), name)})
        except ValueError:
            continue  # the jobs say what is wrong with it
    if settings.size > limits.side:
        raise SettingsError(f"The size {settings.size} is above this studio's limit of {limits.side} pixels.")
    _bound_styles(settings, limits)
    if max(settings.evaluations or (0,)) > limits.evaluations:
        raise SettingsError(f"More than {limits.evaluations} evaluations per level are not allowed in this studio.")
    if _work(settings, shape) > limits.work:
        raise SettingsError(
            f"The size times the evaluations of all levels is above this studio's limit of {limits.work / 1e9:g} thousand "
            "million; choose a smaller size, fewer evaluations, or a larger ratio."
        )
    if (settings.history or 0) * _pixels(settings, shape) > _HISTORY * limits.side**2:
        raise SettingsError(
            f"A history of {settings.history} steps at this size needs more memory than this studio allows; choose fewer."
        )


def _bound_styles(settings: Settings, limits: Limits) -> None:
    """Refuse paintings that are enlarged beyond the largest result."""
    if settings.final_size > limits.side:
        raise SettingsError(f"The setting preview_of is above this studio's limit of {limits.side} pixels.")
    for index in range(len(settings.style_scales or (1,))):
        side = settings.scale_of(None if settings.style_scales is None else index) * settings.final_size
        if side > limits.side:
            raise SettingsError(
                f"The paintings would have {side:.0f} pixels along a side, above this studio's limit of {limits.side}; "
                "choose a smaller style_scale, style_size or style_scales."
            )


def _pixels(settings: Settings, shape: tuple[int, int] | None) -> int:
    """The most pixels that the result may have."""
    return settings.size**2 if shape is None else shape[0] * shape[1]


def _work(settings: Settings, shape: tuple[int, int] | None) -> float:
    """Pixels times evaluations of all levels, at most."""
    sides: list[float] = []
    side = float(max(shape or (settings.size, settings.size)))
    pixels = _pixels(settings, shape) / side**2
    while side >= settings.coarsest or not sides:
        sides.append(side)
        side /= settings.ratio
    given = settings.evaluations or (_USUAL_EVALUATIONS,)
    counts = [given[min(index, len(given) - 1)] for index in range(len(sides))]
    return sum(pixels * side**2 * count for side, count in zip(reversed(sides), counts, strict=True))


def _is_offered(name: str, schema: Mapping[str, Any]) -> bool:
    return name in WORDS or not has_free_text(schema)


def has_free_text(schema: Mapping[str, Any]) -> bool:
    """Whether some value that fits the schema holds a string of the client's choice. Names of layers are keys."""
    if schema.get("type") == "string" and "enum" not in schema and "const" not in schema:
        return True
    return any(has_free_text(part) for part in _parts(schema))


def _parts(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        yield from schema.get(key, ())
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), Mapping):
            yield schema[key]


def _field(name: str, schema: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    plain = next((part for part in schema.get("anyOf", ()) if part.get("type") != "null"), schema)
    group = next(title for title, names in PANELS.items() if name in names)
    low, high = plain.get("minimum", plain.get("exclusiveMinimum")), plain.get("maximum", plain.get("exclusiveMaximum"))
    if name == "size":
        high = limits.side
    return {
        "name": name,
        "label": name.replace("_", " ").capitalize(),
        "group": group,
        "kind": "choice" if _choices(name, plain) else _kind(plain),
        "choices": _choices(name, plain),
        "default": schema.get("default"),
        "minimum": low,
        "maximum": high,
        "help": schema.get("description", ""),
        "tasks": [task for task in OFFERED if name in TASKS[task].settings],
    }


def _choices(name: str, schema: Mapping[str, Any]) -> list[str]:
    return list(WORDS.get(name, schema.get("enum", ())))


def _kind(schema: Mapping[str, Any]) -> str:
    kinds = {"integer": "integer", "number": "number", "boolean": "switch", "object": "names", "array": "numbers"}
    return kinds.get(schema.get("type", ""), "text")
