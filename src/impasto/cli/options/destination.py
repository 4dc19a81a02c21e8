"""Where a result goes, found fit before the run begins."""

import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from impasto.cli.options.keeping import Kept, Way, all_kept, bare_way, elsewhere, keep
from impasto.cli.options.outputs import Outputs
from impasto.cli.terminal.streams import binary, on_terminal
from impasto.errors import ImageError, SettingsError
from impasto.files import not_written

if TYPE_CHECKING:
    from torch import Tensor

    from impasto.images import Picture
    from impasto.media.medium import Medium
    from impasto.runs.run import Run

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
    """A file, or standard output, and how a result is stored there.

    Args:
        path: the file, or None for a PNG on standard output.
        quality: 1 to 100 for the formats that have one, or None for the usual.
        depth: 8 or 16 bits, or None for the photo's.
        metadata: whether the file says how it was made.
        outputs: the files that the command writes, this one among them.
        medium: what the result is, by name.
        pictures: whether pictures of what is no picture go beside it.
        codec: of a video, how its pictures are encoded, or None for the usual.
        sound: whether a video has its sound.
    """

    path: Path | None
    quality: int | None = None
    depth: int | None = None
    metadata: bool = True
    outputs: Outputs = field(default_factory=Outputs)
    medium: str = "picture"
    pictures: bool = False
    codec: str | None = None
    sound: bool = True

    def __str__(self) -> str:
        return "standard output" if self.path is None else str(self.path)

    @property
    def beside(self) -> tuple[Path, ...]:
        """The pictures that go beside it."""
        return self._medium.beside(self.path) if self.pictures and self.path is not None else ()

    def claim_all(self) -> None:
        """Note everything that is written, after the checks that need no result.

        Raises:
            ImpastoError: if a name will not do.
        """
        from impasto.images.picture import PICTURES

        self.check()
        if self.path is None:
            return
        self.outputs.add(self.path, "The output")
        for path in self._medium.notes_beside(self.path):
            self.outputs.add(path, "The file of notes")
        for path in self.beside:
            if path != self.path:
                self.outputs.add(path, "The picture")
                PICTURES.replace(path, None)

    def check(self, like: Any = None, shape: tuple[int, ...] | None = None) -> tuple[str, ...]:
        """Raise now what :meth:`save` would raise after the run, as far as the result to come is known.

        Returns:
            Sentences on what of the input's file there will be no room for.

        Raises:
            ImpastoError: if the name, the folder or the format will not do.
            SettingsError: if the quality will not.
        """
        target = io.BytesIO() if self.path is None else self.path
        if self.medium == "picture":
            notes = self._check_picture(target, like, shape)
        elif like is None:
            assert self.path is not None
            self._medium.check_name(self.path)
            notes = ()
        else:
            notes = self._medium.check(target, like, shape or (), metadata=self.metadata, **self._storage())
        if self.path is None:
            self._check_stdout()
        return notes

    def check_run(self, run: "Run") -> tuple[str, ...]:
        """:meth:`check` for what a run will make.

        Raises:
            ImpastoError: as there.
        """
        return self.check(run.like, run.levels[-1].shape)

    def _check_picture(
        self, target: Path | BinaryIO, like: "Picture | None", shape: tuple[int, ...] | None
    ) -> tuple[str, ...]:
        from impasto import images

        notes = images.check_writable(target, like=like, shape=shape, metadata=self.metadata, **self._storage())
        kind = "PNG" if self.path is None else images.SUFFIXES.get(self.path.suffix.lower(), "DZI")
        if self.quality is not None and kind in _LOSSLESS:
            raise SettingsError(f"The quality cannot take effect in a {kind}, which is lossless; leave --quality out.")
        return notes

    @property
    def _medium(self) -> "Medium":
        from impasto.media import medium_of

        return medium_of(self.medium)

    def _check_stdout(self) -> None:
        if on_terminal(sys.stdout):
            raise SettingsError("A picture would go to this terminal; send it on with | or >, or name a file with -o.")
        if binary() is None:
            raise SettingsError("Standard output takes no picture here, only words or nothing; name a file with -o.")

    def save(self, result: "Savable") -> Kept:
        """Write a finished result; where that fails, it is kept elsewhere, at last as its values alone."""
        if self.path is not None:
            kept = [keep(self.path, self._ways(result, self._suffix), self.outputs)]
            way = self._picture_way(result)
            beside = (path for path in self.beside if path != self.path)
            kept += [keep(path, (Way(path.suffix, way),), self.outputs) for path in beside]
            return all_kept(kept)
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

    @property
    def _suffix(self) -> str:
        assert self.path is not None
        return ".nii.gz" if self.path.name.endswith(".nii.gz") else self.path.suffix

    def _ways(self, result: "Savable", suffix: str) -> tuple[Way, ...]:
        from impasto import images

        depth: dict[str, Any] = {} if self.depth is None else {"depth": self.depth}
        tensor = result.tensor
        bare = Way(".png", lambda path: images.write(path, tensor, **depth))
        return (
            Way(suffix, lambda path: result.save(path, metadata=self.metadata, **self._storage())),
            Way(self._medium.plain, lambda path: result.save(path, metadata=self.metadata, **depth)),
            bare if self.medium == "picture" else bare_way(tensor),
        )

    def _picture_way(self, result: Any) -> Callable[[Path], object]:
        return lambda path: result.save_picture(path, metadata=self.metadata)

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
        pairs = {
            "quality": self.quality,
            "depth": self.depth,
            "codec": self.codec,
            "sound": None if self.sound else False,
        }
        return {name: value for name, value in pairs.items() if value is not None}
