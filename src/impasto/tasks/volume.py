"""Solid textures, and volumes in the style of pictures and of other volumes."""

from collections.abc import Mapping
from typing import Any

from impasto.choices import STYLE_LAYERS
from impasto.tasks import words
from impasto.tasks.task import ALL, MANY, Role, Task, Word

AXES = (0, 1, 2)
"""All axes of a volume: slices, rows and columns."""

_OF_PICTURES = {"color", "color_strength", "mask_strengths", "guidance", "photorealism", "preview_of"}
_OF_CONTENT = {"content_weight", "style_weight", "content_loss", "content_layers", "sharpness"}


def _solid_words(recipe: Mapping[str, Any]) -> dict[str, Any]:
    *shape, _ = recipe["levels"][-1]
    return {"shape": list(shape), "axes": recipe["axes"]}


def _volume_words(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {name: recipe[name] for name in ("depths", "color", "window")}


SOLID = Task(
    name="volume texture",
    help="Make a block of solid texture from a picture.",
    result="a solid texture",
    subject="A solid texture of {styles}",
    medium="volume",
    roles={"styles": Role(1, MANY, "The exemplar, or several to blend.", metavar="STYLE")},
    words={
        "shape": Word(
            "In voxels, each side at least 16.",
            words.extents(3, "a side such as 64, or 96x80x64 for width, height and depth"),
            default=64,
            option="--size",
            metavar="SIDE|WIDTHxHEIGHTxDEPTH",
            largest=max,
        ),
        "periodic": Word("Let copies side by side meet without a seam.", words.switch, metavar=""),
        "axes": Word(
            "Across which slices are compared: 0 slices, 1 rows, 2 columns.",
            words.axes("axes"),
            default="0,1,2",
            metavar="AXES",
        ),
    },
    settings=ALL - _OF_PICTURES - _OF_CONTENT - {"strength", "size"},
    usual={
        "init": "style-moments",
        "coarsest": 32,
        "style_layers": dict.fromkeys(STYLE_LAYERS[:4], 1.0),
        "pooling": "avg",
    },
    fixed={"strength": 1.0},
    inits=("noise", "style-moments"),
    prepare="impasto.runs.solids.solid:prepared",
    words_of=_solid_words,
    details="Its slices across its axes have the picture's style statistics. Starts from noise.",
)

VOLUME = Task(
    name="volume stylize",
    help="Bring a volume (CT, MRI, microscopy) into the style of pictures or of other volumes.",
    result="a volume",
    subject="{content} in the style of {styles}. Not for diagnosis.",
    medium="volume",
    roles={
        "content": Role(1, 1, "The volume: .nii, .nii.gz, .tif, .npy, or a folder with a DICOM series.", ("volume",)),
        "styles": Role(1, MANY, "A picture or a volume, or several to blend.", ("picture", "volume"), metavar="STYLE"),
        "init": Role(0, 1, "A volume to start from.", ("volume",), option="--init"),
    },
    words={
        "depths": Word(
            "Which axes are the network's depth in turn: 0 slices, 1 rows, 2 columns. One takes a third of the time.",
            words.axes("depths"),
            default="0,1,2",
            metavar="AXES",
        ),
        "color": Word("Let a volume of intensities become one of colors.", words.switch, metavar=""),
        "window": Word(
            "Intensities that are black and white; of 8 bits all, else the 0.5th and 99.5th percentile, unless given.",
            words.numbers("window", "-1000,400"),
            metavar="LOW,HIGH",
        ),
    },
    settings=ALL - _OF_PICTURES,
    usual={"coarsest": 32, "content_loss": "squared", "pooling": "avg"},
    prepare="impasto.runs.solids.volume:prepared",
    words_of=_volume_words,
    details="What comes out is a picture, not data, and not for diagnosis.",
)
