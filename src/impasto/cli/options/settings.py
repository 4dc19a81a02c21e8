"""One option for every field of the settings, made from the settings themselves, and the way back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict, get_args, get_origin

from cyclopts import Group, Parameter
from pydantic.fields import FieldInfo

from impasto.panels import PANELS
from impasto.settings import Settings, make, preset

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

_SUPERSEDED = {
    "strength": ("content_weight", "style_weight"),
    "content_weight": ("strength",),
    "style_weight": ("strength",),
    "layers_per_style": ("style_layers",),
    "style_layers": ("layers_per_style",),
    "style_size": ("style_scale",),
    "style_scale": ("style_size",),
    "network": ("weights",),
    "weights": ("network",),
    "optimizer": ("rate", "history"),
    "init": ("noise",),
    "color": ("color_strength",),
}
"""What else of a preset gives way when an option is given, because the two could not both take effect."""

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


def options(*names: str) -> Any:
    """A dictionary type with one optional key per setting, which cyclopts turns into options; all settings by default.

    Values stay the words that were typed: the settings model reads them, so that there is one set of rules and
    sentences, and only what was given is there.
    """
    fields = Settings.model_fields
    types = {name: Annotated[str, _parameter(name, fields[name])] for name in names or fields}
    return TypedDict("Given", types, total=False)  # type: ignore[operator]


def _parameter(name: str, field: FieldInfo) -> Parameter:
    choices, word = _values(field.annotation)
    return Parameter(
        alias=ALIASES.get(name, ()),
        help=field.description,
        group=group_of(name),
        metavar=word,
        choices=choices or None,
        show_default=False if field.default is None else words(field.default),
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
    gone = {other for name in own for other in _SUPERSEDED.get(name, ())}
    return make({**{name: value for name, value in base.items() if name not in gone}, **own})
