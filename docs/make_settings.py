"""Write docs/settings.md from the settings model and the bundled presets: python docs/make_settings.py."""

from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from impasto.cli.options.settings import words
from impasto.settings import Settings, preset, presets

PAGE = Path(__file__).with_name("settings.md")

_INTRODUCTION = """\
# Settings

<!-- Made by docs/make_settings.py from src/impasto/settings.py; change that and run it again. -->

Everything that decides what a picture looks like. One name serves everywhere: `--style-scale 1.5` on the command line,
`impasto.stylize(photo, painting, style_scale=1.5)` in Python, `style_scale = 1.5` in a preset. What is typed on the
command line wins over the preset, and the preset over the default.
"""

_RULES = """\
Layers are written `conv1_1,conv2_1:0.5` (a plain name weighs 1), lists of numbers `80,40,20`. In Python a mapping and a
tuple do as well, and in a preset a table and a list.

A setting that could not take effect is refused, not ignored:

- `content_weight` and `style_weight` come together, and instead of `strength`. Their relation to the paper's alpha and
  beta is in [how it works](how-it-works.md#7-the-total-loss).
- `noise` means nothing beside `init` noise, which is all noise already.
- `rate` belongs to the optimizer adam, `history` to lbfgs.
- `weights` and another `network` than the default exclude each other; so do `style_scale` and `style_size`, and
  `style_layers` and `layers_per_style`.
"""


def page() -> str:
    """The whole page."""
    settings = table(("Setting", "Default", "Values", "Meaning"), rows())
    bundled = table(("Preset", "What it is", "Settings"), preset_rows())
    return f"{_INTRODUCTION}\n{settings}\n{_RULES}\n## Presets\n\n{bundled}"


def rows() -> Iterator[tuple[str, ...]]:
    """One row per field, in the model's order."""
    described = Settings.model_json_schema()["properties"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{words(field.default)}`"
        yield f"`{name}`", default, values(described[name]), field.description or ""


def values(schema: Mapping[str, Any]) -> str:
    """What a field takes, from its JSON schema."""
    if "anyOf" in schema:
        return " or ".join(values(part) for part in schema["anyOf"] if part.get("type") != "null")
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if schema["type"] == "array" and schema["items"].get("type") == "object":
        return f"{values(schema['items'])}; a slash between styles"
    if schema["type"] == "array":
        return f"list, each a {values(schema['items'])}"
    if schema["type"] == "object":
        return f"names, each with a {values(schema['additionalProperties'])}"
    kind = {"integer": "whole number", "number": "number", "string": "text"}[schema["type"]]
    return " ".join([kind, *_limits(schema)])


def _limits(schema: Mapping[str, Any]) -> Iterator[str]:
    phrases = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "up to", "exclusiveMaximum": "below"}
    found = ((phrase, schema[key]) for key, phrase in phrases.items() if key in schema)
    return (f"{phrase} {int(limit) if limit == int(limit) else limit}" for phrase, limit in found)


def preset_rows() -> Iterator[tuple[str, ...]]:
    """One row per bundled preset; the first line of its file says what it is."""
    folder = resources.files("impasto") / "presets"
    for name in presets():
        comment = (folder / f"{name}.toml").read_text(encoding="utf-8").splitlines()[0]
        given = ", ".join(f"`{key}` {words(value)}" for key, value in preset(name).items())
        yield f"`{name}`", comment.removeprefix("#").strip(), given


def table(head: tuple[str, ...], body: Iterator[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *body]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
