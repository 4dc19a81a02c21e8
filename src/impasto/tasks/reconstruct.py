"""Content reconstruction: what a layer keeps of a photo."""

from collections.abc import Mapping
from typing import Any

from impasto.choices import OF_STYLE
from impasto.tasks import words
from impasto.tasks.task import ALL, Role, Task, Word


def _words_of(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {"layer": str(next(iter(recipe["settings"].get("content_layers", ("conv4_2",)))))}


RECONSTRUCT = Task(
    name="reconstruct",
    help="Show what a layer keeps of a photo.",
    result="a reconstruction",
    subject="{content}, reconstructed from its features",
    roles={
        "content": Role(1, 1, "The photo.", metavar="PHOTO"),
        "init": Role(0, 1, "A picture to start from.", option="--init"),
    },
    words={
        "layer": Word(
            "The layer whose features are kept, conv1_1 to conv5_4.", words.layer, needed=True, metavar="LAYER"
        )
    },
    settings=ALL
    - {"strength", "content_weight", "style_weight", "content_layers", "content_loss", "preview_of", "color_strength"}
    - set(OF_STYLE),
    # an error near 0 drowns in the rounding of bf16; the paper's pooling
    usual={"init": "noise", "precision": "fp32", "pooling": "avg"},
    fixed={"strength": 0.0},
    inits=("noise", "style-moments"),
    prepare="impasto.runs.pictures.reconstruct:prepared",
    words_of=_words_of,
    details="Starts from white noise unless --init says otherwise.",
)
