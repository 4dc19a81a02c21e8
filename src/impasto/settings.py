"""Everything that decides what a stylized picture looks like, in one frozen model.

The command line's options, presets, the metadata written into pictures and the keyword arguments of
:func:`impasto.stylize` all come from here, so every default has one home. Free of torch.
"""

import os
import re
import reprlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Self, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from impasto.choices import (
    LARGEST,
    OF_STYLE,
    STYLE_LAYERS,
    ColorName,
    ContentLossName,
    GuidanceName,
    OptimizerName,
    Padding,
    Pooling,
    Precision,
    StyleLossName,
    meant,
    nearest,
)
from impasto.errors import SettingsError
from impasto.files import is_file

HELD_LAYERS = {"image": 1.0, "conv3_1": 1.0, "conv4_1": 2.0}
"""What holds the content unless layers are named: the picture's own colors, lines, and parts of things."""
INITS = ("content", "style", "preview", "noise", "style-moments")
RANDOM_INITS = ("noise", "style-moments")

_NUMBERS = 2**16  # bytes of an array that may be a setting's numbers; pictures are larger
_EITHER = (("network", "weights"), ("style_layers", "layers_per_style"), ("style_scale", "style_size"))


def _weights(value: object, what: str) -> object:
    """``conv1_1,conv2_1:0.5`` or a list of such words, as a mapping from name to weight; a plain name weighs 1."""
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, (list, tuple)):
        return value
    weights: dict[str, float] = {}
    for word in (part for item in words for part in str(item).split(",")):
        name, _, weight = (side.strip() for side in word.replace("=", ":").partition(":"))
        if not name or name in weights:
            raise ValueError(
                f"the {what} {name!r} is named twice" if name else f"a {what} between the commas has no name"
            )
        try:
            weights[name] = float(weight) if weight else 1.0
        except ValueError:
            raise ValueError(f"{word!r} is not a {what}, or {what}:weight with a number") from None
    return weights


def _some_weight(weights: dict[str, float], what: str = "style loss") -> dict[str, float]:
    if not any(weights.values()):
        raise ValueError(f"the weights are all 0: name a {what} that has one")
    return weights


def _numbers(value: object) -> object:
    """``80,40,20``, or one number, as a tuple."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(","))
    return (value,) if isinstance(value, (int, float)) else value


def _per_style(value: object) -> object:
    """``conv4_1,conv5_1/conv1_1`` as a tuple with the words of each style."""
    return tuple(value.split("/")) if isinstance(value, str) else value


def plain(value: Any) -> Any:
    """Numbers and arrays of NumPy and torch as Python's own, paths as words; the rest as it is."""
    if hasattr(value, "tolist"):
        return value.tolist() if getattr(value, "nbytes", 0) <= _NUMBERS else value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    return type(value)(map(plain, value)) if type(value) in (list, tuple) else value


Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Scale = Annotated[float, Field(gt=0, le=16, allow_inf_nan=False)]
LayerWeights = Annotated[dict[str, Weight], BeforeValidator(partial(_weights, what="layer")), Field(min_length=1)]
LossWeights = Annotated[
    dict[StyleLossName, Weight],
    BeforeValidator(partial(_weights, what="style loss")),
    AfterValidator(_some_weight),
    Field(min_length=1),
]


class Settings(BaseModel):
    """Every setting that decides how a picture looks, with its default.

    Raises:
        SettingsError: with one sentence on the first thing that is wrong.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    size: int = Field(512, ge=16, le=LARGEST, description="Long side of the result, in pixels.")
    preview_of: int | None = Field(
        None,
        ge=16,
        le=LARGEST,
        description="Long side of the picture that this one is a preview of: it is what the run for that picture has when it "
        "leaves the level of this size.",
    )
    strength: float | None = Field(
        None,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="How much style: 0 keeps the photo, 1 gives up on it; the same for every pair of pictures. "
        "0.5 unless weights are given.",
    )
    content_weight: Weight | None = Field(
        None, description="alpha: weight of the content loss. Replaces strength, together with style_weight."
    )
    style_weight: Weight | None = Field(
        None, description="beta: weight of the style loss. Replaces strength, together with content_weight."
    )
    content_loss: ContentLossName | None = Field(
        None,
        description="How content is kept: cosine lets the directions of features, and colors, go as far from the photo's as "
        "the strength says; squared weighs the squared error, as in the paper. cosine unless weights or mask_strengths are "
        "given.",
    )
    content_layers: LayerWeights | None = Field(
        None,
        description="Layers whose features keep the content, as layer or layer:weight. Unless given, "
        f"{', '.join(f'{name}:{weight:g}' for name, weight in HELD_LAYERS.items())} for the cosine loss (image stands for the "
        "picture's own colors), and conv4_2 for the squared one.",
    )
    style_layers: LayerWeights = Field(
        dict.fromkeys(STYLE_LAYERS, 1.0),
        description="Layers whose statistics carry the style, as layer or layer:weight (w_l); weights are relative.",
    )
    layers_per_style: (
        Annotated[
            tuple[Annotated[LayerWeights, AfterValidator(partial(_some_weight, what="layer"))], ...],
            BeforeValidator(_per_style),
            Field(min_length=1),
        ]
        | None
    ) = Field(
        None,
        description="The style layers of each style, in order, with a slash between styles; instead of style_layers. Deep "
        "layers take structures from a style, shallow ones its texture and colors.",
    )
    style_losses: LossWeights | None = Field(
        None,
        description="What of the style is compared, as name or name:weight; several, with relative weights, are fused: "
        f"{', '.join(get_args(StyleLossName))}. Unless given, gram and, at conv3_1 and conv4_1, nearest; gram alone beside the squared content loss.",
    )
    blend: Annotated[tuple[Weight, ...], BeforeValidator(_numbers)] | None = Field(
        None, description="Share of each style, in order; relative. Equal shares unless given."
    )
    style_scale: float = Field(
        1.0,
        gt=0,
        le=16,
        allow_inf_nan=False,
        description="Long side of the styles, relative to the result's: larger gives larger strokes.",
    )
    style_size: int | None = Field(
        None,
        ge=16,
        le=LARGEST,
        description="Long side of the styles in pixels, whatever the size of the result: strokes that do not grow with it. "
        "Replaces style_scale.",
    )
    style_scales: Annotated[tuple[Scale, ...], BeforeValidator(_numbers), Field(min_length=1)] | None = Field(
        None, description="Size of each style, in order, relative to what all have; 1 unless given."
    )
    color: ColorName = Field(
        "style",
        description="Whose colors: the style's; or the photo's, by recoloring the style first (match: mean and covariance, "
        "match-cholesky, histogram), by painting luminance only (luminance), or put back at the end (restore).",
    )
    color_strength: float = Field(
        1.0, ge=0, le=1, allow_inf_nan=False, description="How far colors go from the style's (0) to the photo's (1)."
    )
    mask_strengths: (
        Annotated[
            tuple[Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)], ...],
            BeforeValidator(_numbers),
            Field(min_length=1),
        ]
        | None
    ) = Field(None, description="The strength inside each mask, in order; the common strength unless given.")
    guidance: GuidanceName = Field(
        "average",
        description="What a mask is at a layer: the average over each position's pixels, or inside: only positions that see "
        "nothing beyond the region.",
    )
    evaluations: Annotated[tuple[Annotated[int, Field(ge=1, le=1_000_000)], ...], BeforeValidator(_numbers)] | None = (
        Field(
            None,
            min_length=1,
            description="Evaluations per level, coarse to fine; the last number also serves finer levels.",
        )
    )
    settle: float = Field(
        0.2,
        ge=0,
        le=255,
        allow_inf_nan=False,
        description="A level ends early once 20 evaluations moved the picture by less than this many levels of 255 "
        "(root mean square); 0 never.",
    )
    coarsest: int = Field(
        128,
        ge=16,
        le=LARGEST,
        description="The coarsest level's long side is at least this; the size itself gives one level, as in the paper.",
    )
    ratio: float = Field(2.0, gt=1.05, le=16, allow_inf_nan=False, description="How much larger each level is.")
    init: str = Field(
        "content",
        min_length=1,
        description="What to start from: content, style, preview (one pass of a network), noise, style-moments, or an "
        "image file.",
    )
    noise: float = Field(
        0.0, ge=0, le=1, allow_inf_nan=False, description="Share of white noise mixed into what to start from."
    )
    smoothness: Weight = Field(0.0, description="Weight of the total variation: smooths, at a loss of detail.")
    sharpness: Weight = Field(
        0.0, description="Weight of the photo's Laplacian: keeps its edges and fine lines, in whatever colors."
    )
    photorealism: Weight = Field(
        0.0, description="Weight of the matting Laplacian: colors change as in a photo, and brush strokes vanish."
    )
    network: str = Field("vgg19", description="vgg19 (normalized, as in the paper) or vgg19-original.")
    weights: str | None = Field(
        None,
        description="A VGG-16 or VGG-19 state dict to use instead of the network; with =caffe, =caffe-rgb or =torchvision "
        "after its name, what colors it expects.",
    )
    pooling: Pooling = Field("max", description="max (as the network was trained), avg (as in the paper) or l2.")
    padding: Padding = Field("reflect", description="What the network sees beyond the border; zero as in the paper.")
    optimizer: OptimizerName = Field("lbfgs", description="The method of descent.")
    rate: float | None = Field(
        None, gt=0, le=1, allow_inf_nan=False, description="Adam's step, in units of [0, 1]; 0.02 unless given."
    )
    history: int | None = Field(None, ge=1, le=200, description="Steps L-BFGS remembers; 12 unless given.")
    seed: int = Field(0, ge=0, lt=2**63, description="Seed of whatever is random.")
    precision: Precision = Field("auto", description="auto takes bf16 where this machine is fast at it, else fp32.")
    device: str = Field("auto", min_length=1, description="auto, cpu, cuda, cuda:1, mps, ...")

    def __init__(self, **values: Any) -> None:
        """Check the values: what users give by name may be wrong in ways that deserve a sentence."""
        try:
            super().__init__(**{name: plain(value) for name, value in values.items()})
        except ValidationError as error:
            raise SettingsError(_sentence(error)) from None

    @model_validator(mode="after")
    def _weighs_squares(self) -> Self:
        """Refuse a content loss without weights beside weights, and where it has no distance to keep."""
        if self.content_loss == "cosine":
            for name in ("content_weight", "mask_strengths"):
                if getattr(self, name) is not None:
                    raise ValueError(
                        f"content_loss cosine cannot take effect beside {name}, which needs the squared one"
                    )
            if self.strength == 0:
                raise ValueError(
                    "content_loss cosine cannot take effect at strength 0, which is the photo; leave it out"
                )
        return self

    @model_validator(mode="after")
    def _takes_effect(self) -> Self:
        """Refuse combinations in which something given could not do anything."""
        if (self.content_weight is None) != (self.style_weight is None):
            given, other = ("content", "style") if self.style_weight is None else ("style", "content")
            raise ValueError(
                f"the setting {given}_weight needs {other}_weight beside it: only their ratio means something"
            )
        if self.strength is not None and self.content_weight is not None:
            raise ValueError(
                "strength cannot take effect beside content_weight and style_weight; give one or the other"
            )
        if self.content_weight == 0 and self.style_weight == 0:
            raise ValueError("the settings content_weight and style_weight are both 0: there is nothing to optimize")
        if not any(self.style_layers.values()) or not any((self.content_layers or {"": 1.0}).values()):
            raise ValueError("the layer weights are all 0: leave the layers out, or set the loss's own weight to 0")
        if self.final_size < self.size:
            raise ValueError(
                f"preview_of is {self.preview_of}, less than the size, {self.size}; give the larger picture's"
            )
        if self.blend is not None and not any(self.blend):
            raise ValueError("the blend's shares are all 0: at least one style needs a share")
        for name, reason in self._idle():
            if getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name} cannot take effect {reason}")
        return self

    def _idle(self) -> Iterator[tuple[str, str]]:
        """Settings that have no say beside the others, and why."""
        if self.strength == 0 or self.style_weight == 0:
            for name in OF_STYLE:
                yield name, "without a style loss: strength or style_weight is 0"
        if self.strength == 1 or self.content_weight == 0:
            for name in ("content_layers", *(["content_loss"] if self.content_loss == "cosine" else [])):
                yield name, "without a content loss: strength is 1 or content_weight is 0"
        if self.color == "style":
            yield "color_strength", "with the style's own colors; choose a color"
        if self.content_weight is not None or self.strength == 1:
            yield "mask_strengths", "without a balance that they could change: give a strength below 1, and no weights"
        for name, other in _EITHER:
            if getattr(self, other) is not None:
                yield name, f"beside {other}; give one or the other"
        yield from self._idle_on_the_way()

    def _idle_on_the_way(self) -> Iterator[tuple[str, str]]:
        """Of these, the settings of how the picture comes about."""
        if self.final_size < self.coarsest * self.ratio:
            yield "ratio", f"with one level: the next would be smaller than coarsest, {self.coarsest}"
        if self.init not in RANDOM_INITS and not self.noise:
            yield "seed", f"with init {self.init!r} and no noise: nothing is random"
        if self.init == "noise":
            yield "noise", "beside init 'noise', which is all noise already"
        if self.optimizer != "adam":
            yield "rate", f"with the optimizer {self.optimizer!r}; it is Adam's"
        if self.optimizer != "lbfgs":
            yield "history", f"with the optimizer {self.optimizer!r}; it is L-BFGS's"

    @property
    def final_size(self) -> int:
        """Long side of the result, or of the picture that it is a preview of."""
        return self.preview_of or self.size

    def scale_of(self, index: int | None = None) -> float:
        """The long side of a style by its index, or of all, relative to the result's."""
        common = self.style_scale if self.style_size is None else self.style_size / self.final_size
        return common if index is None or self.style_scales is None else common * self.style_scales[index]

    def given(self) -> dict[str, Any]:
        """What differs from the defaults, as plain data."""
        return self.model_dump(mode="json", exclude_defaults=True)


def make(values: Mapping[str, Any]) -> Settings:
    """Settings from plain data.

    Raises:
        SettingsError: with one sentence on the first thing that is wrong.
    """
    return Settings(**values)


SUPERSEDED = {
    "strength": ("content_weight", "style_weight"),
    "content_weight": ("strength",),
    "style_weight": ("strength",),
    "layers_per_style": ("style_layers",),
    "style_layers": ("layers_per_style",),
    "style_size": ("style_scale",),
    "style_scale": ("style_size",),
    "network": ("weights",),
    "weights": ("network",),
    "optimizer": ("rate", "history"),
    "init": ("noise",),
    "color": ("color_strength",),
}
"""What else of a preset gives way when a setting is given beside it, because the two could not both take effect."""


def superseded(given: Iterable[str]) -> set[str]:
    """The settings of a preset that give way to those that are given."""
    return {other for name in given for other in SUPERSEDED.get(name, ())}


def up_to(layer: str) -> dict[str, float]:
    """The style layers from conv1_1 to ``layer``, with equal weights, as in the figures of Gatys et al.

    >>> list(up_to("conv3_1"))
    ['conv1_1', 'conv2_1', 'conv3_1']

    Raises:
        SettingsError: if it is not one of them.
    """
    name = layer.strip().lower().replace("relu", "conv")
    if name not in STYLE_LAYERS:
        raise SettingsError(f"The style layers go up to one of {', '.join(STYLE_LAYERS)}, but {layer!r} was given.")
    return dict.fromkeys(STYLE_LAYERS[: STYLE_LAYERS.index(name) + 1], 1.0)


def preset(name: str) -> dict[str, Any]:
    """The values of a bundled preset, or of a TOML file when the name ends in ``.toml``, however that is written.

    Raises:
        SettingsError: if there is no such preset, or the file is missing or is not TOML.
    """
    if name.lower().endswith(".toml"):
        path = Path(name)
        if not is_file(path):
            raise SettingsError(f"The preset file {name} does not exist.")
        try:
            text = path.read_text(encoding="utf-8-sig", errors="replace")  # editors may put a mark before it
        except OSError as error:
            raise SettingsError(f"The preset file {name} cannot be read ({error.strerror}); check the path.") from None
    elif name in presets():
        text = (_preset_folder() / f"{name}.toml").read_text(encoding="utf-8")
    else:
        raise SettingsError(
            f"There is no preset {name!r}; choose one of {', '.join(presets())}, or give a .toml file."
            f"{meant(name, presets())}"
        )
    try:
        values = tomllib.loads(text)
        make(values)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The preset {name} is not valid TOML: {error}.") from None
    except RecursionError:
        raise SettingsError(f"The preset {name} holds lists or tables in a thousand others; make it plain.") from None
    return values


def presets() -> tuple[str, ...]:
    """The names of the bundled presets."""
    return tuple(sorted(item.name.removesuffix(".toml") for item in _preset_folder().iterdir()))


def _preset_folder() -> Any:
    return resources.files("impasto") / "presets"


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    apart = {"function-before", "tuple", "float", "int", "[key]"}
    name = ".".join(str(part) for part in first["loc"] if part not in apart)
    message = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        near = nearest(name, Settings.model_fields)
        return f"There is no setting {name!r}" + (f"; did you mean {near!r}?" if near else ".")
    if not name:
        return f"{message[0].upper()}{message[1:]}."
    words = re.findall(r"'([^']+)'", str(first["ctx"]["expected"])) if first["type"] == "literal_error" else ()
    what = Settings.model_fields[name.split(".")[0]].description or ""
    given = f"The setting {name} is {' '.join(_REPR.repr(first['input']).split())}"
    return f"{given}, but: {message[0].lower()}{message[1:]}.{meant(str(first['input']), words)} {what}".strip()


_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 80
