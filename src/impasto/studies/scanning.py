"""Every picture of a folder, one after the other at one size."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from impasto import images
from impasto.errors import ImageError
from impasto.images.folder import pictures_in
from impasto.pyramid import fitted, resize

Progress = Callable[[int, int], object]
"""Told how many steps are done, and of how many."""


@dataclass
class Scan:
    """A stream of pictures; only the current one and the next are in memory.

    Args:
        folder: where they are, folders below it included.
        size: the long side that every picture is brought to, in pixels.
        least: the least short side at that size; pictures that are narrower are left out.
        paths: the files, sorted; ``read`` counts in this order.
        skipped: a sentence for every picture that was left out, because it is too narrow or cannot be read.
    """

    folder: Path
    size: int
    least: int = 1
    paths: tuple[Path, ...] = ()
    skipped: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.paths = pictures_in(self.folder)

    def each(self, progress: Progress | None = None) -> Iterator[tuple[int, Tensor]]:
        """The place in ``paths`` and the pixels (1, 3, H, W) of every picture that can be used.

        Raises:
            ImageError: at the end, if there was none.
        """
        count = 0
        for index in range(len(self.paths)):
            if progress:
                progress(index, len(self.paths))
            try:
                pixels = self.read(index)
            except ImageError as error:
                self.skipped.append(str(error))
                continue
            count += 1
            yield index, pixels
        if progress:
            progress(len(self.paths), len(self.paths))
        if not count:
            raise ImageError(f"No picture in {self.folder} could be used; the first: {self.skipped[0]}")

    def read(self, index: int) -> Tensor:
        """One picture (1, 3, H, W) at the size of the scan.

        Raises:
            ImageError: if it cannot be read, or is too narrow.
        """
        picture = images.read(self.paths[index])
        shape = fitted(picture.shape, self.size)
        if min(shape) < self.least:
            given = " x ".join(map(str, reversed(shape)))
            raise ImageError(
                f"{self.paths[index]} would be seen at {given} pixels, but the layer needs at least {self.least} along "
                "every side; choose a larger size or a shallower layer."
            )
        return resize(picture.pixels, shape)
