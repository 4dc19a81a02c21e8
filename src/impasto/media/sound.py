"""Sounds as a medium."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray
from torch import Tensor

from impasto import sounds
from impasto.errors import SettingsError
from impasto.media.medium import Medium
from impasto.pyramid import resize
from impasto.sounds import Sound


class SoundMedium(Medium):
    """Sounds of one or two channels."""

    plain = ".wav"

    def read(self, path: Path, *, mask: bool = False) -> Sound:  # noqa: ARG002
        """A sound."""
        return sounds.read(path)

    def read_recipe(self, path: Path) -> dict[str, Any] | None:
        """From the file's comment."""
        return sounds.read_recipe(path)

    def check_name(self, path: Path) -> None:
        """The ending and the folder."""
        sounds.check_writable(path, 8000, 1)

    def check(
        self,
        path: Path | BinaryIO,
        like: Sound,
        shape: tuple[int, ...],  # noqa: ARG002
        *,
        metadata: bool = True,  # noqa: ARG002
        **storage: Any,
    ) -> tuple[str, ...]:
        """A short sound is encoded with everything that the file will carry."""
        sounds.check_writable(named(path, storage), like.rate, len(like.samples), like=like)
        return ()

    def write(
        self,
        path: str | Path | BinaryIO,
        made: Sound,
        like: Sound,
        recipe: Mapping[str, Any],
        *,
        metadata: bool = True,
        **storage: Any,
    ) -> tuple[str, ...]:
        """With the content's depth and tags."""
        where = named(path, storage)
        sounds.write(where, made.samples, made.rate, like=like, recipe=dict(recipe) if metadata else None)
        return ()

    def array(self, made: Sound) -> NDArray[Any]:
        """(channels, n) float32 in [-1, 1]."""
        return made.samples.numpy()

    def beside(self, path: Path) -> tuple[Path, ...]:
        """The spectrograms."""
        return (picture_beside(path),)

    def preview(self, image: Tensor) -> Tensor:
        """A spectrogram (channels, frequencies, times) with low frequencies below, or samples as their loudness."""
        return shown_over_time(image)


def named(path: str | Path | BinaryIO, storage: Mapping[str, Any]) -> Path:
    """The file that something goes to.

    Raises:
        SettingsError: for a stream, or for options of pictures.
    """
    if storage or not isinstance(path, (str, Path)):
        raise SettingsError("Only pictures go to streams and have options; name a file.")
    return Path(path)


def picture_beside(path: Path) -> Path:
    """``out.png`` beside ``out.wav``."""
    return path.with_suffix(".png") if path.name not in ("", ".", "..") else path / "out.png"


def shown_over_time(values: Tensor) -> Tensor:
    """Values (1 or channels, rows, times) as a gray picture, time to the right, the first row at the bottom."""
    rows = values.detach().float().cpu()[0]
    rows = rows.abs() if rows.shape[0] == 1 else rows
    low, high = float(rows.min()), float(rows.max())
    gray = ((rows - low) / max(high - low, 1e-12)).flip(0)[None, None]
    return resize(gray, (min(256, max(64, gray.shape[2])), 512)).clamp(0, 1).expand(1, 3, -1, -1)


MEDIUM = SoundMedium()
