"""A film of a run: the picture emerging, from the first evaluation to the last."""

import shutil
import tempfile
import weakref
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cli.options.byproducts import Product
from impasto.cli.options.outputs import Outputs

if TYPE_CHECKING:
    from torch import Tensor

    from impasto.runs.events import Event
    from impasto.runs.result import Result
    from impasto.videos import Stills
    from impasto.videos.frames import FrameFolder

_RATE = 15  # steps of the optimizer in a second
_END = 20  # frames for which the finished picture stays


class FilmWriter(Product):
    """A frame for every step of the optimizer, all at the picture's size, encoded when the run is over.

    Args:
        path: the video.
        shape: of the finished picture.
        outputs: the files that the run writes, this one among them.
        metadata: whether it says how the picture was made.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], outputs: Outputs, *, metadata: bool = True) -> None:
        from impasto import videos

        self.path = path
        self.shape = videos.even(shape, max(shape))
        self.outputs = outputs
        self.metadata = metadata
        self.folder = Path(tempfile.mkdtemp(prefix="impasto-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self.count = 0

    def check(self) -> None:
        """Raise now what :meth:`finish` would.

        Raises:
            ImpastoError: if it cannot be written.
        """
        from impasto import videos

        videos.check_writable(self.path, self._clip(1), self.shape)

    def __call__(self, event: "Event") -> None:
        """The picture as it is."""
        self.add(event.image)

    def add(self, image: "Tensor") -> None:
        """One more frame: an image (1, 3, H, W) in [0, 1] of any size."""
        from impasto.pyramid import resize

        self._frames.save(self.count, resize(image.cpu(), self.shape), {})
        self.count += 1

    @property
    def _frames(self) -> "FrameFolder":
        from impasto.videos.frames import FrameFolder

        return FrameFolder(self.folder, {})

    def finish(self, result: "Result") -> None:
        """Encode what was seen, and the finished picture for a while.

        Raises:
            ImpastoError: if it cannot be written.
        """
        self.end(result.tensor, result.recipe)

    def end(self, image: "Tensor", recipe: Mapping[str, Any]) -> None:
        """Likewise, of a picture that was made in a way."""
        from impasto import videos

        self.add(image)
        self.outputs.claim(self.path)
        count, last = self.count + _END, self.count - 1
        painted = videos.Painted(self._clip(count), count, lambda index: self._frames.pixels(min(index, last)))
        videos.write(self.path, painted, recipe=recipe if self.metadata else None)
        self.outputs.written(self.path)

    def _clip(self, count: int) -> "Stills":
        """So many frames, each at its time."""
        from impasto import videos

        return videos.Stills(
            path=self.folder,
            name=self.path.name,
            sha256="",
            shape=self.shape,
            times=tuple(Fraction(index, _RATE) for index in range(count)),
            end=Fraction(count, _RATE),
            shots=(0,),
            files=(),
        )
