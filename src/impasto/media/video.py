"""Videos as a medium."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from impasto import videos
from impasto.errors import SettingsError
from impasto.media.medium import Medium
from impasto.videos import Clip, Painted


class VideoMedium(Medium):
    """Clips, and what becomes of them."""

    plain = ".mkv"

    def read(self, path: Path, *, mask: bool = False) -> Clip:  # noqa: ARG002
        """A clip."""
        return videos.read(path)

    def read_recipe(self, path: Path) -> dict[str, Any] | None:
        """From the container's comment."""
        return videos.read_recipe(path)

    def check_name(self, path: Path) -> None:
        """The ending and the folder."""
        videos.check_name(path)

    def check(
        self, path: Path | BinaryIO, like: Clip, shape: tuple[int, ...], *, metadata: bool = True, **storage: Any
    ) -> tuple[str, ...]:
        """A few frames are encoded, with the sound and what the file will say."""
        height, width = shape
        recipe = {"impasto": "", "a trial": "x" * 8_000} if metadata else None
        return videos.check_writable(Path(str(path)), like, (height, width), recipe=recipe, **storage)

    def write(
        self,
        path: str | Path | BinaryIO,
        made: Painted,
        like: Clip,  # noqa: ARG002
        recipe: Mapping[str, Any],
        *,
        metadata: bool = True,
        **storage: Any,
    ) -> tuple[str, ...]:
        """Encode the painted frames; ``storage`` as for :func:`impasto.videos.write`."""
        if not isinstance(path, (str, Path)):
            raise SettingsError("Only pictures go to streams; name a file for the video.")
        return videos.write(Path(path), made, recipe=recipe if metadata else None, **storage)

    def array(self, made: Painted) -> NDArray[Any]:
        """(frames, H, W, 3) uint8."""
        return np.stack(list(made.frames()))


MEDIUM = VideoMedium()
