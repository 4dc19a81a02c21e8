"""Pictures as a medium."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray
from torch import Tensor

from impasto import images
from impasto.images import Picture
from impasto.images.decoding import MAX_PIXELS, check_header
from impasto.media.medium import Medium
from impasto.tasks import parameters_text


class PictureMedium(Medium):
    """Photos, paintings, masks, and what becomes of them."""

    stream = True

    def read(self, path: Path, *, mask: bool = False) -> Picture:
        """A picture; of a mask its samples as they are stored."""
        return images.read(path, as_stored=mask)

    def check_input(self, data: bytes, name: str) -> None:
        """By its header: damage further inside is found when it is read."""
        check_header(data, name, MAX_PIXELS)

    def read_recipe(self, path: Path) -> dict[str, Any] | None:
        """From the file's text."""
        return images.read_recipe(path)

    def check_name(self, path: Path) -> None:
        """The ending and the folder."""
        images.check_writable(path)

    def check(
        self, path: Path | BinaryIO, like: Picture, shape: tuple[int, ...], *, metadata: bool = True, **storage: Any
    ) -> tuple[str, ...]:
        """A small picture is encoded with everything that the file will carry."""
        return images.check_writable(path, like=like, shape=shape, metadata=metadata, **storage)

    def write(
        self,
        path: str | Path | BinaryIO,
        made: Tensor,
        like: Picture,
        recipe: Mapping[str, Any],
        *,
        metadata: bool = True,
        **storage: Any,
    ) -> tuple[str, ...]:
        """With the photo's transparency, profile, depth and words; ``storage`` as for :func:`impasto.images.write`."""
        said: dict[str, Any] = {"recipe": dict(recipe), "parameters": parameters_text(recipe)}
        return images.write(path, made, like=like, metadata=metadata, **{**said, **storage})

    def array(self, made: Tensor) -> NDArray[Any]:
        """(H, W, 3) uint8."""
        return images.to_array(made)


MEDIUM = PictureMedium()
