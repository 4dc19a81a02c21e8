"""What every medium can do."""

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from impasto import images
from impasto.errors import ImpastoError
from impasto.pyramid import fitted, resize

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

_LONGEST = 193  # bytes of a name: file systems take 255, and something is added
SIDE = 512
"""Pixels along a preview, at most."""


class Medium(ABC):
    """A kind of result.

    Where ``made`` is an argument, it is what :attr:`impasto.runs.result.Result.made` holds: for pictures the pixels
    (1, 3, H, W), else what reading a file of the kind gives. ``like`` is the input from which a file takes over what it
    says beside its values.
    """

    plain = ".png"
    """The ending of the format that asks least of a result."""
    stream = False
    """Whether it can be written to standard output."""

    @abstractmethod
    def read(self, path: Path, *, mask: bool = False) -> Any:
        """What a file holds.

        Raises:
            ImpastoError: if it cannot be read.
        """

    def check_input(self, data: bytes, name: str) -> None:
        """Refuse at once what is not of this kind, given a file's bytes and its name.

        Raises:
            ImpastoError: if it is not.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / file_name(name)
            path.write_bytes(data)
            try:
                self.read(path)
            except ImpastoError as error:
                raise type(error)(str(error).replace(str(path), name)) from None

    @abstractmethod
    def read_recipe(self, path: Path) -> dict[str, Any] | None:
        """How the file says that it was made, or None.

        Raises:
            ImpastoError: if it cannot be read.
        """

    @abstractmethod
    def check_name(self, path: Path) -> None:
        """Refuse a name that cannot be written to, before anything is read.

        Raises:
            ImpastoError: if the ending, the folder or the format will not do.
        """

    @abstractmethod
    def check(
        self, path: Path | BinaryIO, like: Any, shape: tuple[int, ...], *, metadata: bool = True, **storage: Any
    ) -> tuple[str, ...]:
        """Raise now what :meth:`write` would raise after the run, and return what it would.

        Args:
            path: where the result goes.
            like: of the kind that comes out.
            shape: its spatial shape.
            metadata: whether the file says how it was made.
            storage: how it is stored, where there is a choice.

        Raises:
            ImpastoError: if the format cannot hold the result.
        """

    @abstractmethod
    def write(
        self,
        path: str | Path | BinaryIO,
        made: Any,
        like: Any,
        recipe: Mapping[str, Any],
        *,
        metadata: bool = True,
        **storage: Any,
    ) -> tuple[str, ...]:
        """Write a result; an existing file is replaced as a whole or not at all.

        Returns:
            Sentences on what the file has no room for.

        Raises:
            ImpastoError: if it cannot be written.
        """

    @abstractmethod
    def array(self, made: Any) -> "NDArray[Any]":
        """The values of a result as NumPy has them."""

    def beside(self, path: Path) -> tuple[Path, ...]:  # noqa: ARG002
        """The pictures of a result that are written beside its file."""
        return ()

    def notes_beside(self, path: Path) -> tuple[Path, ...]:  # noqa: ARG002
        """The files that a result's own file needs beside it."""
        return ()

    def write_beside(self, path: Path, result: Any, *, metadata: bool = True) -> None:
        """Write one of the pictures of a result.

        Raises:
            ImpastoError: if it cannot be written.
        """
        images.write(path, result.picture, recipe=result.recipe, metadata=metadata)

    def preview(self, image: "Tensor") -> "Tensor":
        """What to look at while a run goes on: (1, 3, H, W) in [0, 1], from where its descent is."""
        return small(image)


def small(image: "Tensor") -> "Tensor":
    """An image (1, 3, H, W) as a preview shows it: at most 512 pixels along a side."""
    shape = tuple(image.shape[2:])
    return resize(image, fitted(shape, SIDE)) if max(shape) > SIDE else image


def file_name(name: str) -> str:
    """A name that people gave as one that any file may have, with its ending, which says what is in it.

    >>> file_name(".."), file_name("a/b.wav"), len(file_name("\u00e9" * 300 + ".nii.gz"))
    ('file', 'b.wav', 100)
    """
    last = name.replace("\0", "_").replace("\\", "/").rpartition("/")[2].lstrip(".")
    return last.encode(errors="replace")[-_LONGEST:].decode(errors="ignore") or "file"
