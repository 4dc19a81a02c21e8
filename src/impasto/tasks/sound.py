"""Sounds in the style of others, and textures of sounds."""

from collections.abc import Mapping
from typing import Any, get_args

from impasto.choices import Phase
from impasto.tasks import words
from impasto.tasks.sequences import SETTINGS, TEXTURE_SETTINGS, USUAL
from impasto.tasks.task import MANY, Role, Task, Word

_FILTERS = {
    "filters": Word("How many random filters; 4096 unless given.", words.integer("filters"), metavar="INT"),
    "width": Word("Of every filter, in spectra; 11 unless given.", words.integer("width"), metavar="INT"),
    "window": Word("Samples of a spectrum; about 64 ms unless given.", words.integer("window"), metavar="INT"),
    "phase": Word(
        "descent (unless given): the descent goes on over the samples; griffin-lim; content: carried over.",
        words.one_of("phase", get_args(Phase)),
        metavar="CHOICE",
    ),
    "filter_seed": Word("Of the random filters.", words.integer("filter_seed"), metavar="INT"),
}


def _words_of(recipe: Mapping[str, Any]) -> dict[str, Any]:
    length = {"seconds": recipe["samples"] / recipe["rate"]} if recipe["task"] == "sound texture" else {}
    return {**recipe["hearing"], **length}


SOUND = Task(
    name="sound stylize",
    help="Play a sound in the style of others.",
    result="a stylized sound",
    subject="{content} in the style of {styles}",
    medium="sound",
    roles={
        "content": Role(1, 1, "The sound: WAV, FLAC, Ogg or MP3.", ("sound",)),
        "styles": Role(1, MANY, "The sound to take the style from, or several to blend.", ("sound",), metavar="STYLE"),
    },
    words=_FILTERS,
    settings=SETTINGS,
    usual=USUAL,
    inits=("content", "noise"),
    prepare="impasto.runs.sequences.sound:prepared",
    words_of=_words_of,
)

SOUND_TEXTURE = Task(
    name="sound texture",
    help="Make a sound of any length that sounds like an exemplar.",
    result="a texture of sound",
    subject="A texture of {styles}",
    medium="sound",
    roles={"styles": Role(1, MANY, "The exemplar, or several to blend.", ("sound",), metavar="STYLE")},
    words={
        "seconds": Word("Length; the exemplar's unless given.", words.real("seconds"), metavar="FLOAT"),
        **_FILTERS,
    },
    settings=TEXTURE_SETTINGS,
    usual=USUAL,
    inits=("content", "noise"),
    fixed={"strength": 1.0, "init": "noise"},
    prepare="impasto.runs.sequences.sound:prepared_texture",
    words_of=_words_of,
)
