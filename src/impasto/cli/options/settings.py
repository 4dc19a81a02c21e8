"""One option for every field of the settings, made from the settings themselves, and the way back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict, get_args, get_origin

from cyclopts import Group, Parameter
from pydantic.fields import FieldInfo

from impasto.panels import PANELS
from impasto.settings import Settings, make, preset, superseded
from impasto.tasks import TASKS

SCORING = (
    *PANELS["Balance"],
    *PANELS["Color and places"],
    "style_scale",
    "style_size",
    "style_scales",
    *PANELS["Network"],
    "device",
)
"""The fields that have a say in the losses of a picture that is already there."""

ALIASES = {
    "size": ("--end-scale", "-s"),
    "coarsest": ("--min-scale", "-ms"),
    "evaluations": ("--iterations", "-i"),
    "blend": ("--style-weights", "-sw"),
    "style_scale": ("--style-scale-fac",),
    "rate": ("--step-size", "-ss"),
    "seed": ("--random-seed", "-r"),
    "style_losses": ("--style-loss",),
}
"""Other spellings of an option: style-transfer-pytorch's, where they mean the same, and the singular."""

if TYPE_CHECKING:
    Given = dict[str, str]


def options(*names: str, hints: Mapping[str, str] | None = None) -> Any:
    """A dictionary type with one optional key per setting, which cyclopts turns into options; all settings by default.

    ``hints`` are what is said of settings whose default is a task's own. Values stay the words that were typed: the settings model reads them, so that there is one set of rules and
    sentences, and only what was given is there.
    """
    fields = Settings.model_fields
    told = hints or {}
    types = {name: Annotated[str, _parameter(name, fields[name], told.get(name))] for name in names or fields}
    return TypedDict("Given", types, total=False)  # type: ignore[operator]


def words_of_tasks() -> Any:
    """A dictionary type with one optional key per word of any task, as :func:`options` has one per setting."""
    group, found = Group("Words of tasks", sort_key=0), dict[str, Any]()
    every = [(name, word, task.name) for task in TASKS.values() for name, word in task.words.items()]
    for name, first, _ in every:
        if name in Settings.model_fields:
            continue  # given as a setting is, and a word where the task has one
        told: dict[str, list[str]] = {}
        for other, word, task in every:
            if other == name:
                told.setdefault(word.help, []).append(task)
        help_ = " ".join(f"{', '.join(tasks)}: {sentence}" for sentence, tasks in told.items())
        kind, metavar = (str, first.metavar) if first.metavar else (bool, None)
        found[name] = Annotated[kind, Parameter(help=help_, metavar=metavar, group=group, allow_leading_hyphen=True)]
    return TypedDict("Words", found, total=False)  # type: ignore[operator]


def _parameter(name: str, field: FieldInfo, hint: str | None) -> Parameter:
    choices, word = _values(field.annotation)
    return Parameter(
        alias=ALIASES.get(name, ()),
        help=hint or field.description,
        group=group_of(name),
        metavar=word,
        choices=choices or None,
        show_default=False if field.default is None or hint else words(field.default),
    )


def group_of(name: str) -> Group:
    """The panel of the help that a field stands in."""
    titles = [*PANELS, "More"]
    title = next((title for title, names in PANELS.items() if name in names), "More")
    return Group(title, sort_key=titles.index(title) + 1)


def _values(hint: Any) -> tuple[tuple[str, ...], str]:
    """The words that a field chooses from, if it does, and what its values are called in the help."""
    if get_origin(hint) is Literal:
        return get_args(hint), "CHOICE"
    base = get_origin(hint) or hint
    called = {int: "INT", float: "NUMBER", str: "TEXT", dict: "NAMES", tuple: "NUMBERS"}
    if base in called:
        return (), called[base]
    return next((_values(part) for part in get_args(hint) if part is not type(None)), ((), "TEXT"))


def words(value: object) -> str:
    """A setting's value as it is typed: ``conv1_1,conv2_1:0.5``, ``80,40`` or ``0.7``."""
    if isinstance(value, (list, tuple)) and any(isinstance(part, Mapping) for part in value):
        return "/".join(map(words, value))
    if isinstance(value, Mapping):
        return ",".join(name if weight == 1 else f"{name}:{weight}" for name, weight in value.items())
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def arguments(values: Mapping[str, Any]) -> list[str]:
    """Settings as the command line that gives them."""
    pairs = ((f"--{name.replace('_', '-')}", words(value)) for name, value in values.items() if value is not None)
    return [
        word for option, value in pairs for word in ((f"{option}={value}",) if value[:1] == "-" else (option, value))
    ]


def chosen(given: Mapping[str, str] | None, preset_name: str | None = None) -> Settings:
    """The settings of a command line: what was given, over the preset's, over the defaults.

    Raises:
        SettingsError: with one sentence on the first thing that is wrong.
    """
    own = dict(given or {})
    base = preset(preset_name) if preset_name else {}
    gone = superseded(own)
    return make({**{name: value for name, value in base.items() if name not in gone}, **own})
