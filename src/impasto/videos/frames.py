"""The painted frames of a video in a folder: each is there whole or not at all, so a run that was killed goes on."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from impasto.errors import CheckpointError
from impasto.files import held, not_written, whole_file

_IDENTITY = "video.json"
_KEY = "impasto"  # of what a frame's file says about it


@dataclass(frozen=True)
class FrameFolder:
    """Where the frames are: ``000000.png`` and so on, beside ``video.json``, which says what they are frames of.

    Args:
        folder: made if it is missing.
        identity: what the run is, as plain data by the name that a user knows it by.
    """

    folder: Path
    identity: dict[str, Any]

    @contextmanager
    def held(self) -> Iterator[None]:
        """While the block runs, no other run paints into the folder.

        Raises:
            CheckpointError: if one does already, the folder cannot be made, or it holds other frames.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(f"The folder of frames {self.folder} cannot be made: {error.strerror}.") from None
        with held(self.folder) as free:
            if not free:
                raise CheckpointError(
                    f"Another run paints into {self.folder}; wait for its end, or give another folder."
                )
            self.check()
            self._put(self.folder / _IDENTITY, json.dumps(self.identity, indent=1).encode())
            yield

    def check(self) -> None:
        """Refuse a folder of frames of another video, and one with something else.

        Raises:
            CheckpointError: naming what differs.
        """
        path = self.folder / _IDENTITY
        if not path.exists():
            if self.folder.is_dir() and any(self.folder.iterdir()):
                raise CheckpointError(
                    f"{self.folder} is no folder of frames and not empty; give another one with --checkpoint."
                )
            return
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{path} is damaged ({error}); give another folder with --checkpoint.") from None
        now = json.loads(json.dumps(self.identity))
        other = [key for key in {**before, **now} if before.get(key) != now.get(key)]
        if other:
            raise CheckpointError(
                f"{self.folder} has the frames of a video that differs in: {', '.join(sorted(other))}; give that one's "
                "settings, or another folder with --checkpoint."
            )

    def path(self, index: int) -> Path:
        """The file of a frame."""
        return self.folder / f"{index:06d}.png"

    def load(self, index: int) -> tuple[Tensor, dict[str, Any]] | None:
        """A frame (1, 3, H, W) in steps of 1 / 255 with what was said of it, or None if it is not there."""
        try:
            with Image.open(self.path(index)) as picture:
                said = json.loads(getattr(picture, "text", {})[_KEY])
                values = np.array(picture.convert("RGB"))
        except (OSError, UnidentifiedImageError, KeyError, ValueError):
            return None
        return torch.from_numpy(values).permute(2, 0, 1)[None].float() / 255, said

    def save(self, index: int, image: Tensor, said: dict[str, Any]) -> None:
        """A frame, in steps of 1 / 255, and plain data about it.

        Raises:
            CheckpointError: if it cannot be written.
        """
        text = PngInfo()
        text.add_text(_KEY, json.dumps(said))
        stream = io.BytesIO()
        Image.fromarray(to_levels(image)).save(stream, "PNG", pnginfo=text)
        self._put(self.path(index), stream.getvalue())

    def pixels(self, index: int) -> NDArray[np.uint8]:
        """A frame that is there, (H, W, 3)."""
        with Image.open(self.path(index)) as picture:
            return np.array(picture.convert("RGB"))

    def _put(self, path: Path, data: bytes) -> None:
        try:
            with whole_file(path, path.with_name(f".{path.name}.tmp")) as stream:
                stream.write(data)
        except OSError as error:
            raise CheckpointError(not_written(path, error)) from error


def to_levels(image: Tensor) -> NDArray[np.uint8]:
    """An image (1, 3, H, W) in [0, 1] as (H, W, 3)."""
    found: NDArray[np.uint8] = (
        (image[0].clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    )
    return found
