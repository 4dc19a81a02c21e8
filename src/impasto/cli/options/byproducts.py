"""Pictures that a run writes on its way: a preview to look at, and frames to keep."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cli.options.destination import Destination
from impasto.cli.options.outputs import Outputs
from impasto.errors import ImpastoError

if TYPE_CHECKING:
    from impasto.images import Picture
    from impasto.runs.events import Event
    from impasto.runs.result import Result
    from impasto.runs.run import Run

_SHARE = 0.05  # of the run's time, at most, goes into previews


class Product:
    """Something that a run writes beside its result."""

    def __call__(self, event: "Event") -> None:
        """Heed a step of the optimizer."""

    def finish(self, result: "Result") -> None:
        """Heed the end of the run."""


class PreviewWriter(Product):
    """A file that always holds a recent picture of the run, complete at every moment.

    Args:
        path: the file.
        run: of a picture, the preview takes over the photo's transparency and profile.
        outputs: the files that the run writes, this one among them.
        metadata: whether it says that it is impasto's.
        interval: the least time between two writes, in seconds; longer where writing itself takes long.
        clock: reads seconds.
    """

    def __init__(
        self,
        path: Path,
        run: "Run",
        outputs: Outputs | None = None,
        *,
        metadata: bool = True,
        interval: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self.run = run
        self.outputs = outputs or Outputs()
        self.metadata = metadata
        self.interval = interval
        self.clock = clock
        self._next = clock()

    def __call__(self, event: "Event") -> None:
        """Write the picture, if it is time."""
        from impasto import images

        began = self.clock()
        if began < self._next:
            return
        self.outputs.claim(self.path)
        text = images.mark("A preview")
        said: dict[str, Any] = {"parameters": text, "metadata": self.metadata, "original_exif": False}
        is_picture = self.run.task.medium == "picture"
        image = event.image if is_picture else self.run.medium.preview(event.image)
        images.write(self.path, image, like=self.run.like if is_picture else None, **said)
        self.outputs.written(self.path)
        done = self.clock()
        self._next = done + max(self.interval, (done - began) / _SHARE)


class FilmSoFar(Product):
    """A video that always holds the frames that are finished, complete at every moment.

    Args:
        path: the file.
        run: of a video.
        frames: the folder of its painted frames.
        outputs: the files that the run writes, this one among them.
        interval: the least time between two writes, in seconds; longer where writing itself takes long.
        clock: reads seconds.
    """

    def __init__(
        self,
        path: Path,
        run: "Run",
        frames: Path,
        outputs: Outputs,
        *,
        interval: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from impasto.videos.frames import FrameFolder

        self.path = path
        self.run = run
        self.frames = FrameFolder(frames, {})
        self.outputs = outputs
        self.interval = interval
        self.clock = clock
        self._next, self._count = clock(), 0

    def __call__(self, event: "Event") -> None:
        """Encode what there is, if it is time: while a frame is painted, all before it are finished."""
        if event.unit > self._count and self.clock() >= self._next:
            self._write(event.unit)

    def finish(self, result: "Result") -> None:
        """Encode all that there is."""
        self._write(result.made.count)

    def _write(self, count: int) -> None:
        from impasto import videos

        began = self.clock()
        self.outputs.claim(self.path)
        videos.write(self.path, videos.Painted(self.run.like, count, self.frames.pixels))
        self.outputs.written(self.path)
        done = self.clock()
        self._next, self._count = done + max(self.interval, (done - began) / _SHARE), count


class FrameWriter(Product):
    """A picture of every so many evaluations of a level, beside the output.

    A step of the optimizer may take several evaluations; a frame belongs to the first step that has made its number.
    """

    def __init__(self, every: int, destination: Destination, like: "Picture") -> None:
        self.every = every
        self.destination = destination
        self.like = like
        self._level, self._count = -1, 0

    def __call__(self, event: "Event") -> None:
        """Write the picture, if it is due."""
        before = self._count if event.level == self._level else 0
        self._level, self._count = event.level, event.evaluation // self.every
        if self._count > before:
            name = self.destination.frame_name(event.level + 1, event.evaluation)
            self.destination.save_beside(name, event.image, self.like)


class BestEffortWriter:
    """A by-product whose failure to be written is told and does not end the run.

    Args:
        product: writes it.
        tell: told of the failure.
        again: whether also of the ones after the first.
    """

    def __init__(self, product: Product, tell: Callable[[str], None], *, again: bool = False) -> None:
        self.product = product
        self.tell = tell
        self.again = again
        self._told = False

    def __call__(self, event: "Event") -> None:
        """Pass the event on."""
        self._tried(lambda: self.product(event), "The run goes on without it.")

    def finish(self, result: "Result") -> None:
        """Tell it that the run is over."""
        self._tried(lambda: self.product.finish(result), "The result is not touched by that.")

    def _tried(self, act: Callable[[], None], comfort: str) -> None:
        try:
            act()
        except (ImpastoError, OSError) as error:
            if self.again or not self._told:
                self.tell(f"{error} {comfort}")
            self._told = True
