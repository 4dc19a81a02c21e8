"""Volumes as a medium."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray
from torch import Tensor

from impasto import images, volumes
from impasto.images.animation import write_gif
from impasto.media.medium import Medium
from impasto.media.sound import named
from impasto.volumes import Volume
from impasto.volumes.notes import beside_name
from impasto.volumes.rendering import turning
from impasto.volumes.volume import VOLUMES


class VolumeMedium(Medium):
    """Voxels with their window and their place in space."""

    plain = ".npy"

    def read(self, path: Path, *, mask: bool = False) -> Volume:  # noqa: ARG002
        """A volume."""
        return volumes.read(path)

    def read_recipe(self, path: Path) -> dict[str, Any] | None:
        """From the notes in the file or beside it."""
        notes = volumes.read_notes(path)
        return None if notes is None else notes.recipe

    def check_name(self, path: Path) -> None:
        """The ending and the folder."""
        VOLUMES.check_name(path)
        volumes.check_writable(path)

    def check(
        self,
        path: Path | BinaryIO,
        like: Volume,
        shape: tuple[int, ...],  # noqa: ARG002
        *,
        metadata: bool = True,
        **storage: Any,
    ) -> tuple[str, ...]:
        """A small volume is encoded with everything that the file will carry; and what becomes of its type."""
        where = named(path, storage)
        volumes.check_writable(where, like, metadata=metadata)
        changed = volumes.conversion(where, like)
        return () if changed is None else (changed,)

    def write(
        self,
        path: str | Path | BinaryIO,
        made: Volume,
        like: Volume,  # noqa: ARG002
        recipe: Mapping[str, Any],
        *,
        metadata: bool = True,
        **storage: Any,
    ) -> tuple[str, ...]:
        """A file, or a folder for a DICOM series."""
        volumes.write(named(path, storage), made, recipe=dict(recipe), metadata=metadata)
        return ()

    def array(self, made: Volume) -> NDArray[Any]:
        """Intensities (D, H, W) of the original's type, or colors (D, H, W, 3) uint8."""
        return made.samples()

    def beside(self, path: Path) -> tuple[Path, ...]:
        """The contact sheet and the turning block: ``out_sheet.png`` and ``out_turning.gif``."""
        name = path.name
        stem = name.removesuffix("".join(path.suffixes[-2:])) if name.endswith(".nii.gz") else path.stem
        return path.with_name(f"{stem}_sheet.png"), path.with_name(f"{stem}_turning.gif")

    def notes_beside(self, path: Path) -> tuple[Path, ...]:
        """Window and place of an array."""
        return (beside_name(path),) if path.suffix.lower() == ".npy" else ()

    def write_beside(self, path: Path, result: Any, *, metadata: bool = True) -> None:  # noqa: ARG002
        """The sheet, marked as impasto's, or the block as it turns."""
        if path.suffix == ".gif":
            write_gif(path, turning(result.made.voxels, result.made.spacing))
        else:
            images.write(path, result.picture, parameters=images.mark(result.subject))

    def preview(self, image: Tensor) -> Tensor:
        """The middle slice."""
        return super().preview(image[:, :, image.shape[2] // 2])


MEDIUM = VolumeMedium()
