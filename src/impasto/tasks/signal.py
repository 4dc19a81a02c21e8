"""Physiological signals in the style of others, and textures of signals. Not for diagnosis."""

from collections.abc import Mapping
from typing import Any

from impasto.tasks import words
from impasto.tasks.sequences import SETTINGS, TEXTURE_SETTINGS, USUAL
from impasto.tasks.task import MANY, Role, Task, Word

_READING = {
    "leads": Word("Leads by name or number, such as I,II; all unless given.", words.names, metavar="NAMES"),
    "rate": Word("Samples per second, instead of what the (first) file says.", words.real("rate"), metavar="FLOAT"),
}
_SEEING = {
    "scales": Word("How many, each twice as coarse; at most 8 unless given.", words.integer("scales"), metavar="INT"),
    "filters": Word("Random filters at every scale; 64 unless given.", words.integer("filters"), metavar="INT"),
    "width": Word("Of every filter, in samples; 11 unless given.", words.integer("width"), metavar="INT"),
    "filter_seed": Word("Of the random filters.", words.integer("filter_seed"), metavar="INT"),
}


def _words_of(recipe: Mapping[str, Any]) -> dict[str, Any]:
    length = {"samples": recipe["samples"]} if recipe["task"] == "signal texture" else {}
    return {**recipe["scales"], **length, **recipe.get("reading", {}), "leads": list(recipe["leads"])}


SIGNAL = Task(
    name="signal stylize",
    help="Give a record the style of others. The result is not for diagnosis.",
    result="a stylized signal",
    subject="{content} in the style of {styles}. Not for diagnosis",
    medium="signal",
    roles={
        "content": Role(1, 1, "The record: CSV, NPY or DICOM.", ("signal",)),
        "styles": Role(
            1, MANY, "The record to take the style from, or several to blend.", ("signal",), metavar="STYLE"
        ),
    },
    words={
        "style_rate": Word(
            "Samples per second of the styles, instead of what they say.", words.real("style_rate"), metavar="FLOAT"
        ),
        **_READING,
        **_SEEING,
    },
    settings=SETTINGS,
    usual=USUAL,
    inits=("content", "noise"),
    prepare="impasto.runs.sequences.signal:prepared",
    words_of=_words_of,
)

SIGNAL_TEXTURE = Task(
    name="signal texture",
    help="Make a record of any length with the statistics of an exemplar. The result is not for diagnosis.",
    result="a texture of a signal",
    subject="A texture of {styles}. Not for diagnosis",
    medium="signal",
    roles={"styles": Role(1, MANY, "The exemplar, or several to blend.", ("signal",), metavar="RECORD")},
    words={
        "samples": Word("Length; the exemplar's unless given.", words.integer("samples"), metavar="INT"),
        **_READING,
        **_SEEING,
    },
    settings=TEXTURE_SETTINGS,
    usual=USUAL,
    inits=("content", "noise"),
    fixed={"strength": 1.0, "init": "noise"},
    prepare="impasto.runs.sequences.signal:prepared_texture",
    words_of=_words_of,
)
