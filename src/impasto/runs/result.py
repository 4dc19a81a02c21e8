"""A finished picture, and everything about how it came to be."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from torch import Tensor

from impasto import images
from impasto.descent import Record
from impasto.images import Picture
from impasto.pyramid import resize
from impasto.settings import Settings


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


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """What :func:`impasto.stylize` returns; a notebook shows it as its picture.

    Args:
        tensor: the image, (1, 3, H, W) float32 RGB in [0, 1], as it was optimized.
        content: the photo as it was read; what belongs to the file (alpha, profile, depth) is restored from it.
        settings: the settings in force.
        recipe: plain data that says how the picture was made, as written into files.
        history: one record per optimizer step.
        optimized: the losses of ``tensor``.
        delivered: the losses of the image quantized to the photo's bit depth, as a lossless file holds it.
        timings: seconds for ``setup``, ``descent`` and ``final``.
        complete: False if the run was stopped before its last evaluation.
        measures: what else the task found out about the picture, by name.
        notes: sentences about what the user may want to know.
    """

    tensor: Tensor
    content: Picture
    settings: Settings
    recipe: dict[str, Any]
    history: tuple[Record, ...]
    optimized: Scores
    delivered: Scores
    timings: dict[str, float]
    complete: bool
    notes: tuple[str, ...] = ()
    measures: Mapping[str, float | None] = field(default_factory=dict)

    def __repr__(self) -> str:
        height, width = self.tensor.shape[2:]
        return f"Result({width} x {height}, {len(self.history)} steps, loss {self.delivered.value:.4g})"

    @property
    def pil(self) -> PIL.Image.Image:
        """The picture as an 8-bit PIL image, with the photo's alpha if it has one."""
        return images.to_pil(self.tensor, self.alpha)

    @property
    def array(self) -> NDArray[np.uint8]:
        """The picture as (H, W, 3) uint8."""
        return images.to_array(self.tensor)

    @property
    def alpha(self) -> Tensor | None:
        """The photo's alpha at the result's size, (1, 1, H, W) in [0, 1], or None."""
        alpha = self.content.alpha
        return None if alpha is None else resize(alpha, tuple(self.tensor.shape[2:]))

    def save(self, path: str | Path | BinaryIO, *, metadata: bool = True, **options: Any) -> tuple[str, ...]:
        """Write the picture; the format follows the name. ``options`` are those of :func:`impasto.images.write`.

        Returns:
            Sentences on what the photo's file says of it and the new one has no room for.

        Raises:
            ImageError: if it cannot be written; an existing file stays as it was.
        """
        return images.write(
            path,
            self.tensor,
            like=self.content,
            recipe=self.recipe,
            parameters=parameters_text(self.recipe),
            metadata=metadata,
            **options,
        )

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.pil.save(stream, format="PNG")
        return stream.getvalue()


_SUBJECTS = {
    "stylize": "{content} in the style of {styles}",
    "reconstruct": "{content}, reconstructed from its features",
    "texture": "A texture in the style of {styles}",
}


def parameters_text(recipe: dict[str, Any]) -> str:
    """The recipe in the one-line-per-input form that picture browsers show as ``parameters``."""
    subject = _SUBJECTS[recipe["task"]].format(
        content=recipe["inputs"].get("content", {}).get("name", ""),
        styles=" + ".join(str(style["name"]) for style in recipe["inputs"]["styles"]),
    )
    settings = ", ".join(f"{key.replace('_', ' ')}: {value}" for key, value in recipe["settings"].items())
    made = f"impasto {recipe['impasto']}, torch {recipe['torch']}, {recipe['precision']} on {recipe['device']}"
    return f"{subject}\n{settings}\nSeed: {recipe['seed']}, Version: {made}"
