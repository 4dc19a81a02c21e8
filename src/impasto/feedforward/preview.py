"""An instant preview of style transfer: one pass through an encoder, AdaIN, and a decoder."""

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import torch
import torch.nn.functional as nnf
from torch import Tensor

import impasto
from impasto import images, machine
from impasto.choices import Precision
from impasto.color import is_gray, luminance
from impasto.encoders import Encoder, load
from impasto.errors import LayerError, SettingsError
from impasto.feedforward.adain import ChannelMoments, adain
from impasto.feedforward.decoder import LAYER, STRIDE, Decoder
from impasto.images import Picture
from impasto.pyramid import fitted, resize
from impasto.settings import plain

SIZE = 512
"""Long side of a preview unless given, in pixels."""


@dataclass(frozen=True, eq=False, repr=False)
class Preview:
    """What :func:`impasto.preview` returns; a notebook shows it as its picture.

    Args:
        tensor: the image, (1, 3, H, W) float32 RGB in [0, 1].
        content: the photo as it was read.
        seconds: the time of the networks, without reading files and weights.
        recipe: plain data that says how the picture was made.
    """

    tensor: Tensor
    content: Picture
    seconds: float
    recipe: dict[str, Any]

    def __repr__(self) -> str:
        height, width = self.tensor.shape[2:]
        return f"Preview({width} x {height}, {self.seconds:.2f} s)"

    @property
    def pil(self) -> Any:
        """The picture as an 8-bit PIL image, with the photo's alpha if it has one."""
        return images.to_pil(self.tensor, self._alpha)

    def save(self, path: str | Path | BinaryIO, *, metadata: bool = True, **options: Any) -> tuple[str, ...]:
        """Write the picture; the format follows the name. ``options`` are those of :func:`impasto.images.write`.

        Returns:
            Sentences on what the photo's file says of it and the new one has no room for.

        Raises:
            ImageError: if it cannot be written; an existing file stays as it was.
        """
        text = _text(self.recipe)
        return images.write(path, self.tensor, like=self.content, parameters=text, metadata=metadata, **options)

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.pil.save(stream, format="PNG")
        return stream.getvalue()

    @property
    def _alpha(self) -> Tensor | None:
        alpha = self.content.alpha
        return None if alpha is None else resize(alpha, tuple(self.tensor.shape[2:]))


@machine.undisturbed()
def preview(
    content: Any,
    styles: Any,
    *,
    size: int = SIZE,
    strength: float = 1.0,
    blend: Sequence[float] | None = None,
    style_scale: float = 1.0,
    precision: Precision = "auto",
    device: str = "auto",
) -> Preview:
    """A picture in the style of paintings at once, by adaptive instance normalization (Huang and Belongie 2017).

    It takes a second where :func:`impasto.stylize` takes a minute, and shows colors and textures only roughly.

    Args:
        content: the photo: a path, PIL image, array (H, W, 3) or tensor (3, H, W).
        styles: a painting, or a list of them.
        size: long side of the picture, in pixels.
        strength: how much style, 0 to 1; not on the scale of :func:`impasto.stylize`.
        blend: share of each style, in order; relative. Equal shares unless given.
        style_scale: long side of the styles, relative to the picture's: larger gives larger strokes.
        precision: ``auto``, ``fp32`` or ``bf16``.
        device: as for :func:`impasto.stylize`.

    Raises:
        ImpastoError: with a sentence on what is wrong with an image or a value.
    """
    several = styles if isinstance(styles, (list, tuple)) else [styles]
    size, strength, blend, style_scale = map(plain, (size, strength, blend, style_scale))
    shares = _shares(blend, len(several))
    check_values(size, strength, style_scale)
    where = machine.device(device)
    dtype = machine.precision(precision, where)
    photo, *paintings = map(images.read, (content, *several))
    shape = fitted(photo.shape, size)
    seen = [resize(each.pixels, fitted(each.shape, max(1, round(size * style_scale)))) for each in paintings]
    encoder, decoder = _networks(dtype, where)
    if where.type == "cpu":
        machine.keep_freed_memory()
    began = time.perf_counter()
    tensor = transferred(resize(photo.pixels, shape), list(zip(seen, shares, strict=True)), strength, encoder, decoder)
    if all(is_gray(picture.pixels) for picture in (photo, *paintings)):
        tensor = luminance(tensor).expand_as(tensor).contiguous()
    machine.synchronize(where)
    seconds = time.perf_counter() - began
    values = {"size": size, "strength": strength, "style_scale": style_scale, "blend": shares}
    recipe = _recipe(photo, paintings, values, encoder)
    return Preview(tensor.cpu(), photo, seconds, recipe)


def transferred(
    photo: Tensor, styles: Sequence[tuple[Tensor, float]], strength: float, encoder: Encoder, decoder: Decoder
) -> Tensor:
    """One pass: the photo (1, 3, H, W) with the styles' moments at conv4_1, decoded, of the photo's shape.

    The styles are of any shapes, each with its share of 1; the strength is from 0 to 1, the encoder the normalized VGG-19.
    """
    with torch.no_grad():
        parts = [(ChannelMoments.of(_features(encoder, style)), share) for style, share in styles if share]
        style = ChannelMoments.mixed(*zip(*parts, strict=True))
        features = adain(_features(encoder, photo), style, strength)
        height, width = photo.shape[2:]
        return decoder(features)[:, :, :height, :width].contiguous()


@cache
def _networks(dtype: torch.dtype, where: torch.device) -> tuple[Encoder, Decoder]:
    stack, parameters = load("vgg19")
    encoder = Encoder(stack, parameters, pooling="max", padding="reflect", dtype=dtype, device=where)
    return encoder, Decoder.load(dtype, where)


def _features(encoder: Encoder, image: Tensor) -> Tensor:
    """The features of an image, continued by its mirror image to whole positions."""
    short = [-length % STRIDE for length in image.shape[2:]]
    mode = "reflect" if all(rest < length for rest, length in zip(short, image.shape[2:], strict=True)) else "replicate"
    wide = nnf.pad(image, (0, short[1], 0, short[0]), mode=mode)
    return next(features for _, features in encoder.features(wide.to(encoder.device), [LAYER]))


def check_values(size: int, strength: float, style_scale: float) -> None:
    """Refuse values out of their range.

    Raises:
        SettingsError: for a strength or a style scale.
        LayerError: for a size.
    """
    if not 0 <= strength <= 1:
        raise SettingsError(f"The strength is {strength}, but it goes from 0 to 1.")
    if not 0 < style_scale <= 16:
        raise SettingsError(f"The style scale is {style_scale}, but it has to be more than 0 and at most 16.")
    if not STRIDE <= size <= 20_000:
        raise LayerError(f"The size is {size} pixels, but a preview has {STRIDE} to 20000; choose one of these.")


def _shares(blend: Sequence[float] | None, count: int) -> list[float]:
    if not count:
        raise SettingsError("There is no style image; give at least one.")
    parts = [1.0] * count if blend is None else [float(part) for part in blend]
    if len(parts) != count:
        raise SettingsError(f"The blend has {len(parts)} shares for {count} styles; give one share each.")
    if min(parts) < 0 or not 0 < sum(parts) < float("inf"):
        raise SettingsError("The blend's shares have to be at least 0, and not all 0.")
    return [part / sum(parts) for part in parts]


def _recipe(photo: Picture, paintings: Sequence[Picture], values: dict[str, Any], encoder: Encoder) -> dict[str, Any]:
    return {
        "impasto": impasto.__version__,
        "torch": torch.__version__,
        "task": "preview",
        "settings": values,
        "content": photo.source.name,
        "styles": [painting.source.name for painting in paintings],
        "precision": "bf16" if encoder.dtype == torch.bfloat16 else "fp32",
        "device": str(encoder.device),
    }


def _text(recipe: dict[str, Any]) -> str:
    """The recipe as people and picture browsers read it."""
    settings = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in recipe["settings"].items())
    made = f"impasto {recipe['impasto']}, torch {recipe['torch']}, {recipe['precision']} on {recipe['device']}"
    return (
        f"A preview of {recipe['content']} in the style of {' + '.join(recipe['styles'])}\n{settings}\nVersion: {made}"
    )
