"""Videos: a clip and paintings in, the clip painted in their style out, steady and with its sound."""

from collections.abc import Mapping
from typing import Any

from impasto.tasks import words
from impasto.tasks.task import ALL, MANY, Role, Task, Word


def _words_of(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {name: recipe[name] for name in VIDEO.words if recipe.get(name) is not None}


VIDEO = Task(
    name="video",
    help="Paint a video in the style of paintings.",
    result="a painted video",
    subject="{content} in the style of {styles}",
    medium="video",
    roles={
        "content": Role(
            1,
            1,
            "The video, a folder of frames, or a pattern such as 'frames/*.png'.",
            media=("video",),
            metavar="CLIP",
        ),
        "styles": Role(1, MANY, "The painting, or several to blend.", metavar="STYLE"),
        "masks": Role(
            0,
            MANY,
            "Where a style goes in the frames, white on black, as a picture or a video, and from where in it; one for each "
            "style, in order, or several for one style. FRAME_MASK may be the word rest.",
            media=("picture", "video"),
            option="--mask",
            metavar="FRAME_MASK[=STYLE_MASK]",
        ),
        "protect": Role(
            0,
            1,
            "Where the frames stay as they are, as a picture or a video.",
            media=("picture", "video"),
            option="--protect",
            metavar="MASK",
        ),
    },
    words={
        "temporal_weight": Word(
            "How much a frame keeps to the one before, moved along the optical flow; 0 lets it boil.",
            words.real("temporal weight"),
            10.0,
            option="--temporal-weight",
            metavar="FLOAT",
        ),
        "frame_evaluations": Word(
            "Evaluations of a frame that follows another; the first of a shot has those of a picture.",
            words.integer("number of evaluations"),
            7,
            option="--frame-evaluations",
            metavar="INT",
        ),
        "strengths": Word(
            "A strength that changes: seconds and strengths, 0:0.2,4:0.8; straight between them, and instead of --strength.",
            words.over_time("strengths", "0:0.2,4:0.8", words.inner_share),
            metavar="TIMES",
        ),
        "blends": Word(
            "Shares of several styles that change: 0:1/0,4:0/1 fades from the first to the second; instead of --blend.",
            words.over_time("blends", "0:1/0,4:0/1", words.blend),
            metavar="TIMES",
        ),
        "boil": Word(
            "The share of every frame that is painted anew, 0 to 1: paint that moves, as in films painted by hand; 0 unless "
            "given.",
            words.real("boil"),
            metavar="FLOAT",
        ),
        "keyframes": Word(
            "Paint each one so many frames further in a shot alone, or auto: when a third of the last one is out of sight. "
            "A folder as output is laid out as EbSynth wants it.",
            words.integer_or("distance of keyframes", "auto"),
            metavar="INT",
        ),
        "rate": Word(
            "Frames per second of a folder or a pattern; 25 unless given.", words.real("rate"), metavar="FLOAT"
        ),
    },
    settings=ALL - {"preview_of"},
    inits=("content", "preview"),
    prepare="impasto.runs.videos.video:prepared",
    words_of=_words_of,
    details="The first frame of every shot is painted like a photo; the others begin where the ones before led.",
)
