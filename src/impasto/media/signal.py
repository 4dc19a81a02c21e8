"""Physiological signals as a medium."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray
from torch import Tensor

from impasto import signals
from impasto.images.plot import curves
from impasto.media.medium import Medium
from impasto.media.sound import named, picture_beside
from impasto.signals import Signal


class SignalMedium(Medium):
    """Records of one or several leads."""

    plain = ".csv"

    def read(self, path: Path, *, mask: bool = False) -> Signal:  # noqa: ARG002
        """A record."""
        return signals.read(path)

    def read_recipe(self, path: Path) -> dict[str, Any] | None:
        """From the CSV, or from beside the NPY."""
        return signals.read_recipe(path)

    def check_name(self, path: Path) -> None:
        """The ending and the folder."""
        signals.check_writable(path)

    def check(
        self,
        path: Path | BinaryIO,
        like: Signal,
        shape: tuple[int, ...],  # noqa: ARG002
        *,
        metadata: bool = True,  # noqa: ARG002
        **storage: Any,
    ) -> tuple[str, ...]:
        """The record's names and units are encoded."""
        signals.check_writable(named(path, storage), like)
        return ()

    def write(
        self,
        path: str | Path | BinaryIO,
        made: Signal,
        like: Signal,  # noqa: ARG002
        recipe: Mapping[str, Any],
        *,
        metadata: bool = True,
        **storage: Any,
    ) -> tuple[str, ...]:
        """In the content's units."""
        signals.write(named(path, storage), made, recipe=dict(recipe) if metadata else None)
        return ()

    def array(self, made: Signal) -> NDArray[Any]:
        """(leads, n)."""
        return made.values.numpy()

    def beside(self, path: Path) -> tuple[Path, ...]:
        """The curves."""
        return (picture_beside(path),)

    def notes_beside(self, path: Path) -> tuple[Path, ...]:
        """Leads, rate and units of an array."""
        return (signals.beside_name(path),) if path.suffix.lower() == ".npy" else ()

    def preview(self, image: Tensor) -> Tensor:
        """The curves of the first leads."""
        return curves(image[0, :4].detach().float().cpu(), 512, 160)


MEDIUM = SignalMedium()
