"""Where a picture goes, found fit before the run begins."""

import io
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from impasto.cli.options.outputs import Outputs
from impasto.cli.terminal.keeping import Kept, Way, elsewhere, keep
from impasto.cli.terminal.streams import binary, on_terminal
from impasto.errors import ImageError, SettingsError
from impasto.files import not_written

if TYPE_CHECKING:
    from torch import Tensor

    from impasto.images import Picture

_LOSSLESS = ("PNG", "TIFF")
_UNNAMED = Path("impasto.png")  # what a picture is called that was meant for standard output


class Savable(Protocol):
    """A finished picture."""

    @property
    def tensor(self) -> "Tensor":
        """Its pixels, (1, 3, H, W) in [0, 1]."""

    def save(self, path: str | Path | BinaryIO, *, metadata: bool = True, **options: Any) -> object:
        """Write it."""


@dataclass(frozen=True)
class Destination:
    """A file, or standard output, and how the picture is stored there.

    Args:
        path: the file, or None for a PNG on standard output.
        quality: 1 to 100 for the formats that have one, or None for the usual.
        depth: 8 or 16 bits, or None for the photo's.
        metadata: whether the file says how it was made.
        outputs: the files that the command writes, this one among them.
    """

    path: Path | None
    quality: int | None = None
    depth: int | None = None
    metadata: bool = True
    outputs: Outputs = field(default_factory=Outputs)

    def __str__(self) -> str:
        return "standard output" if self.path is None else str(self.path)

    def check(self, like: "Picture | None" = None, shape: tuple[int, ...] | None = None) -> tuple[str, ...]:
        """Raise now what :meth:`save` would raise after the run, as far as the picture to come is known.

        Returns:
            Sentences on what of the photo's file there will be no room for.

        Raises:
            ImageError: if the name, the folder or the format will not do.
            SettingsError: if the quality will not.
        """
        from impasto import images

        target = io.BytesIO() if self.path is None else self.path
        notes = images.check_writable(target, like=like, shape=shape, metadata=self.metadata, **self._storage())
        kind = "PNG" if self.path is None else images.SUFFIXES.get(self.path.suffix.lower(), "DZI")
        if self.quality is not None and kind in _LOSSLESS:
            raise SettingsError(f"The quality cannot take effect in a {kind}, which is lossless; leave --quality out.")
        if self.path is None:
            self._check_stdout()
        return notes

    def _check_stdout(self) -> None:
        if on_terminal(sys.stdout):
            raise SettingsError("A picture would go to this terminal; send it on with | or >, or name a file with -o.")
        if binary() is None:
            raise SettingsError("Standard output takes no picture here, only words or nothing; name a file with -o.")

    def save(self, result: "Savable") -> Kept:
        """Write a finished picture; where that fails, it is kept elsewhere, at last as a PNG of its pixels alone."""
        if self.path is not None:
            return keep(self.path, self._ways(result, self.path.suffix), self.outputs)
        stream = io.BytesIO()
        result.save(stream, metadata=self.metadata, **self._storage())
        try:
            target = binary()
            assert target is not None
            target.write(stream.getvalue())
            target.flush()
        except (OSError, ValueError) as error:
            return elsewhere(
                _UNNAMED, self._ways(result, _UNNAMED.suffix), ImageError(not_written("Standard output", error))
            )
        return Kept(None)

    def _ways(self, result: "Savable", suffix: str) -> tuple[Way, ...]:
        from impasto import images

        depth: dict[str, Any] = {} if self.depth is None else {"depth": self.depth}
        return (
            Way(suffix, lambda path: result.save(path, metadata=self.metadata, **self._storage())),
            Way(".png", lambda path: result.save(path, metadata=self.metadata, **depth)),
            Way(".png", lambda path: images.write(path, result.tensor, **depth)),
        )

    def save_beside(self, name: str, pixels: "Tensor", like: "Picture") -> None:
        """Write an unfinished picture into the same folder, in the same way.

        Raises:
            ImpastoError: if it cannot be written, or would replace a file that impasto did not make.
        """
        from impasto import images

        assert self.path is not None
        path = self.path.with_name(name)
        self.outputs.claim(path)
        text = images.mark(f"On the way to {self.path.name}")
        images.write(path, pixels, like=like, parameters=text, metadata=self.metadata, **self._storage())

    def frame_name(self, level: int, evaluation: int) -> str:
        """The name of an intermediate picture: ``out_2_0040.png`` for ``out.png``."""
        assert self.path is not None
        return f"{self.path.stem}_{level}_{evaluation:04d}{self.path.suffix}"

    def frames(self) -> list[Path]:
        """The files that bear the name of an intermediate picture."""
        assert self.path is not None
        return sorted(path for path in self.path.absolute().parent.iterdir() if self.is_frame(path))

    def is_frame(self, path: Path) -> bool:
        """Whether a file bears the name of an intermediate picture of this destination."""
        if self.path is None or path.resolve().parent != self.path.resolve().parent:
            return False
        pattern = rf"{re.escape(self.path.stem)}_\d+_\d{{4,}}{re.escape(self.path.suffix)}"
        return re.fullmatch(pattern, path.name) is not None

    def _storage(self) -> dict[str, Any]:
        pairs = {"quality": self.quality, "depth": self.depth}
        return {name: value for name, value in pairs.items() if value is not None}
