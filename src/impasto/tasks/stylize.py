"""Style transfer: a photo and paintings in, the photo in their style out."""

from typing import Any

from impasto.tasks.task import ALL, MANY, Role, Shorthand, Task


def _over_preset(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """What was given, over a preset's settings; what cannot take effect beside it gives way."""
    from impasto.settings import preset, superseded  # noqa: PLC0415  # --help names tasks without pydantic

    base, gone = preset(name), superseded(given)
    return {**{key: value for key, value in base.items() if key not in gone}, **given}


STYLIZE = Task(
    name="stylize",
    help="Paint a photo in the style of paintings.",
    result="a stylized picture",
    subject="{content} in the style of {styles}",
    roles={
        "content": Role(1, 1, "The photo."),
        "styles": Role(1, MANY, "The painting, or several to blend.", metavar="STYLE"),
        "init": Role(0, 1, "A picture to start from.", option="--init"),
        "masks": Role(
            0,
            MANY,
            "Where a style goes, white on black, and from where in it; one for each style, in order, or several for "
            "one style. PHOTO_MASK may be the word rest.",
            option="--mask",
            metavar="PHOTO_MASK[=STYLE_MASK]",
        ),
        "protect": Role(0, 1, "Where the picture stays the photo.", option="--protect", metavar="MASK"),
    },
    settings=ALL,
    shorthands={
        "preset": Shorthand(
            "Settings to begin with; options given beside it override them.", "NAME|FILE.toml", _over_preset
        )
    },
    prepare="impasto.runs.pictures.stylize:prepared",
)
