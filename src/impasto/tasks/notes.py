"""What a person should know of a finished run that the picture does not show."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from impasto.descent import Level, Record
from impasto.settings import INITS

if TYPE_CHECKING:
    from impasto.tasks.transfer import Transfer

_ENLARGED = 0.75  # share of the size needed below which a picture counts as too small


def enlarged(run: "Transfer") -> Iterator[str]:
    """Pictures that had too few pixels."""
    longest = max(run.levels[-1].shape)
    seen = [(style, longest * run.settings.scale_of(index)) for index, style in enumerate(run.styles)]
    for picture, size in [(run.content, longest), *seen]:
        if max(picture.shape) < size * _ENLARGED:
            yield (
                f"{picture.source.name} has {max(picture.shape)} pixels on its long side and was enlarged to "
                f"{round(size)}; a larger original would give more detail."
            )


def of_inputs(run: "Transfer") -> Iterator[str]:
    """What was found in the pictures' files and not used, and a start whose transparent parts were filled."""
    start = None if run.settings.init in INITS else run.source
    pictures = [run.content, *run.styles, *([start] if start else [])]
    yield from dict.fromkeys(note for picture in pictures for note in picture.source.notes)
    if start is not None and start.alpha is not None:
        yield (
            f"{start.source.name} has transparent parts, and the run began with the visible colors around them there; "
            "the picture is transparent where the photo is."
        )


def settled(levels: Sequence[Level], history: Sequence[Record], *, stopped: bool) -> Iterator[str]:
    """Levels that ended before their evaluations were spent; the last one does not count where a person stopped it."""
    made = {record.level: record.evaluation for record in history}
    ended = history[-1].level if stopped else history[-1].level + 1
    for index, level in enumerate(levels[:ended]):
        if made[index] < level.evaluations:
            size = "x".join(map(str, reversed(level.shape)))
            yield f"At {size} the picture had settled after {made[index]} of {level.evaluations} evaluations."
