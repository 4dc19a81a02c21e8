"""What a run has made, and everything about how it came to be."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import PIL.Image
from numpy.typing import NDArray
from torch import Tensor

from impasto import images
from impasto.descent import Record
from impasto.media.medium import Medium
from impasto.pyramid import resize
from impasto.settings import Settings
from impasto.tasks import subject_of


@dataclass(frozen=True)
class Scores:
    """The losses of one image, evaluated in float32.

    Args:
        value: the weighted sum that was minimized.
        by_kind: its parts: content, style, smoothness, each with its weight.
        losses: every term's plain loss without its weight, by name (``style/conv3_1``).
    """

    value: float
    by_kind: dict[str, float]
    losses: dict[str, float]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Result:
    """What :func:`impasto.stylize` and every other task returns; a notebook shows it as a picture.

    Args:
        tensor: the values: of a picture (1, 3, H, W) float32 RGB in [0, 1], as it was optimized; of a volume
            (1, 3, D, H, W); of a sound (channels, n) in [-1, 1]; of a signal (leads, n) in its units.
        made: what a file of it holds: of a picture the tensor, else a :class:`impasto.volumes.Volume`,
            :class:`impasto.sounds.Sound` or :class:`impasto.signals.Signal`.
        like: the input whose file its file is like: alpha, profile, depth, tags and units are taken over.
        medium: how it is written and shown.
        settings: the settings in force.
        recipe: plain data that says how it was made, as written into files.
        history: one record per optimizer step.
        losses: by moment: ``optimized`` (the values as computed), ``delivered`` (as a lossless file holds them), and of
            sounds and signals ``started``; empty before they are measured.
        timings: seconds for ``setup``, ``descent`` and ``final``.
        complete: False if the run was stopped before its last evaluation.
        measures: what else the task found out about it, by name.
        notes: sentences about what the user may want to know.
        draw: draws the picture of what is no picture itself.
    """

    tensor: Tensor
    made: Any
    like: Any
    medium: Medium
    settings: Settings
    recipe: dict[str, Any]
    history: tuple[Record, ...]
    timings: dict[str, float]
    complete: bool
    losses: Mapping[str, Scores] = field(default_factory=dict)
    measures: Mapping[str, float | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    draw: Callable[[Any], Tensor] | None = None

    def __repr__(self) -> str:
        shape = " x ".join(map(str, reversed(self.tensor.shape[2:] or self.tensor.shape)))
        loss = f", loss {self.delivered.value:.4g}" if "delivered" in self.losses else ""
        return f"Result({shape}, {len(self.history)} steps{loss})"

    @property
    def optimized(self) -> Scores:
        """The losses of ``tensor``."""
        return self.losses["optimized"]

    @property
    def delivered(self) -> Scores:
        """The losses of what a lossless file holds: of a picture, quantized to the photo's bit depth."""
        return self.losses["delivered"]

    @property
    def subject(self) -> str:
        """What it is called: ``photo.jpg in the style of painting.jpg``."""
        return subject_of(self.recipe)

    @property
    def picture(self) -> Tensor:
        """What people look at, (1, 3, H, W) in [0, 1]: the picture, a volume's slices, spectrograms or curves."""
        return self.tensor if self.draw is None else self.draw(self)

    @property
    def pil(self) -> PIL.Image.Image:
        """The picture as an 8-bit PIL image, with the photo's alpha if it has one."""
        return images.to_pil(self.picture, self.alpha)

    @property
    def array(self) -> NDArray[Any]:
        """The values as NumPy has them: a picture (H, W, 3) uint8, a volume in the original's type."""
        return self.medium.array(self.made)

    @property
    def alpha(self) -> Tensor | None:
        """The photo's alpha at the picture's size, (1, 1, H, W) in [0, 1], or None."""
        alpha = getattr(self.like, "alpha", None) if self.draw is None else None
        return None if alpha is None else resize(alpha, tuple(self.tensor.shape[2:]))

    def save(
        self, path: str | Path | BinaryIO, *, metadata: bool = True, pictures: bool = False, **options: Any
    ) -> tuple[str, ...]:
        """Write it; the format follows the name.

        Args:
            path: where to.
            metadata: whether the file says how it was made.
            pictures: whether pictures of what is no picture are written beside it.
            options: of pictures, those of :func:`impasto.images.write`.

        Returns:
            Sentences on what the input's file says of it and the new one has no room for.

        Raises:
            ImpastoError: if it cannot be written; an existing file stays as it was.
        """
        notes = self.medium.write(path, self.made, self.like, self.recipe, metadata=metadata, **options)
        for beside in self.medium.beside(Path(path)) if pictures and isinstance(path, (str, Path)) else ():
            self.save_picture(beside, metadata=metadata)
        return notes

    def save_picture(self, path: str | Path, *, metadata: bool = True) -> None:
        """Write a picture of it; of a volume, a ``.gif`` shows the block as it turns.

        Raises:
            ImageError: if it cannot be written.
        """
        self.medium.write_beside(Path(path), self, metadata=metadata)

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.pil.save(stream, format="PNG")
        return stream.getvalue()
