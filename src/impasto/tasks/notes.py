"""What a person should know of a finished run that the picture does not show."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from impasto.descent import Level, Record

if TYPE_CHECKING:
    from impasto.tasks.transfer import Transfer

_ENLARGED = 0.75  # share of the size needed below which a picture counts as too small


def notes(run: "Transfer", history: Sequence[Record], *, stopped: bool) -> Iterator[str]:
    """Sentences on a run that was made with this history, and stopped there or not."""
    yield from _enlarged(run)
    ended = history[-1].level if stopped else history[-1].level + 1
    yield from _settled(run.levels[:ended], history)


def _enlarged(run: "Transfer") -> Iterator[str]:
    """Pictures that had too few pixels."""
    longest = max(run.levels[-1].shape)
    seen = [(style, longest * run.settings.scale_of(index)) for index, style in enumerate(run.styles)]
    for picture, size in [(run.content, longest), *seen]:
        if max(picture.shape) < size * _ENLARGED:
            yield (
                f"{picture.source.name} has {max(picture.shape)} pixels on its long side and was enlarged to "
                f"{round(size)}; a larger original would give more detail."
            )


def _settled(levels: Sequence[Level], history: Sequence[Record]) -> Iterator[str]:
    """Which of these levels ended before their evaluations were spent."""
    made = {record.level: record.evaluation for record in history}
    for index, level in enumerate(levels):
        evaluations = made[index]
        if evaluations < level.evaluations:
            size = "x".join(map(str, reversed(level.shape)))
            yield f"At {size} the picture had settled after {evaluations} of {level.evaluations} evaluations."
