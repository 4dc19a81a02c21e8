"""What a person should know of a finished run that the picture does not show."""

from collections.abc import Iterator, Sequence

from impasto.descent import Level, Record
from impasto.images import Picture
from impasto.settings import Settings
from impasto.storage import Mapped, Storage
from impasto.storage import in_memory as files_in_memory

_ENLARGED = 0.75  # share of the size needed below which a picture counts as too small


def memory_remarks(storage: Storage) -> Iterator[str]:
    """Files beside memory that are in memory after all."""
    if isinstance(storage, Mapped) and files_in_memory(storage.folder):
        yield (
            f"The temporary files are in {storage.folder}, which is in memory itself, so the run took more than it was "
            "given; set TMPDIR to a folder on a disk."
        )


def unmoved(levels: Sequence[Level], history: Sequence[Record]) -> Iterator[str]:
    """A picture that is what it started from on every level, because no step lowered the losses."""
    made = {record.level: record.evaluation for record in history}
    early = all(made.get(index, 0) < level.evaluations for index, level in enumerate(levels))
    if early and history[-1].value and not any(record.moved for record in history):
        yield (
            "The picture is what it started from: no step that floating-point numbers tell apart lowers the losses. Where "
            "weights were given, bring them nearer to 1; only their ratio means something."
        )


def enlarged(
    shape: tuple[int, ...], settings: Settings, content: Picture | None, styles: Sequence[Picture]
) -> Iterator[str]:
    """Pictures that had too few pixels for a result of a shape."""
    longest = max(shape)
    photo = [] if content is None else [(content, float(longest))]
    for picture, size in [*photo, *((style, longest * settings.scale_of(index)) for index, style in enumerate(styles))]:
        if max(picture.shape) < size * _ENLARGED:
            yield (
                f"{picture.source.name} has {max(picture.shape)} pixels on its long side and was enlarged to "
                f"{round(size)}; a larger original would give more detail."
            )


def of_inputs(pictures: Sequence[Picture], start: Picture | None) -> Iterator[str]:
    """What was found in the pictures' files and not used, and a start whose transparent parts were filled."""
    every = [*pictures, *([start] if start else [])]
    yield from dict.fromkeys(note for picture in every for note in picture.source.notes)
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


def of_descent(storage: Storage, levels: Sequence[Level], history: Sequence[Record], *, stopped: bool) -> Iterator[str]:
    """How the descent went."""
    yield from memory_remarks(storage)
    yield from () if stopped else unmoved(levels, history)
    yield from settled(levels, history, stopped=stopped)
