"""Texture synthesis: a picture of any size with the style of an exemplar and no content."""

from collections.abc import Mapping
from typing import Any

from impasto.errors import SettingsError
from impasto.tasks import words
from impasto.tasks.task import ALL, MANY, Role, Shorthand, Task, Word

_OF_CONTENT = {"content_weight", "content_loss", "content_layers", "sharpness", "photorealism"}
_OF_PHOTO = {"color", "color_strength", "mask_strengths", "guidance"}


def _words_of(recipe: Mapping[str, Any]) -> dict[str, Any]:
    height, width, _ = recipe["levels"][-1]
    return {"shape": [height, width]}


def _layers(last: str, given: dict[str, Any]) -> dict[str, Any]:
    from impasto.settings import up_to  # noqa: PLC0415  # --help names tasks without pydantic

    if "style_layers" in given:
        raise SettingsError("--up-to and --style-layers both choose layers; give one of them.")
    return {**given, "style_layers": up_to(last)}


TEXTURE = Task(
    name="texture",
    help="Make a texture of any size from an exemplar.",
    result="a texture",
    subject="A texture in the style of {styles}",
    roles={
        "styles": Role(1, MANY, "The exemplar, or several to blend.", metavar="STYLE"),
        "init": Role(0, 1, "A picture to start from.", option="--init"),
    },
    words={
        "shape": Word(
            "In pixels; the exemplar's unless given.",
            words.extents(2, "a side such as 512, or 640x480 for width and height"),
            option="--size",
            metavar="SIDE|WIDTHxHEIGHT",
            largest=max,
        ),
        "tileable": Word("Let copies side by side meet without a seam.", words.switch, metavar=""),
    },
    settings=ALL - _OF_CONTENT - _OF_PHOTO - {"strength", "size", "style_size", "preview_of"},
    usual={"init": "noise"},
    fixed={"strength": 1.0},
    inits=("noise", "style-moments", "style"),
    beside={"style_weight": {"content_weight": 0.0}},
    shorthands={
        "up_to": Shorthand("Take the style layers from conv1_1 to this one, such as conv3_1, alone.", "LAYER", _layers)
    },
    hints={"style_scale": "Long side of the exemplar, relative to the texture's; pixel for pixel unless given."},
    prepare="impasto.runs.pictures.texture:prepared",
    words_of=_words_of,
    details="Starts from white noise unless --init says otherwise.",
)
