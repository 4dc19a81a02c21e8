"""The flags of neural-style and neural-style-pt, with their names, meanings and defaults. Free of torch."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from impasto.choices import Precision
from impasto.errors import SettingsError

BUNDLED = {
    "vgg19-d01eb7cb.pth": "vgg19-original",
    "VGG_ILSVRC_19_layers.caffemodel": "vgg19-original",
    "vgg_normalised.caffemodel": "vgg19",
}
"""The model files whose networks come with this package, by the names they are downloaded under."""

LBFGS_PAIRS = 100
"""What L-BFGS remembers in both programs unless told otherwise; 0 means this in the Lua program."""


@dataclass(frozen=True, kw_only=True)
class Flags:
    """What decides the picture. The names are those of the flags; defaults are neural-style-pt's.

    Where the two programs differ, the flag's line says so. ``normalize_gradients`` is None unless given, "" as the
    plain switch of neural-style-pt, and a number as in the Lua program, where 0 is off.

    Raises:
        SettingsError: if a value is out of range, with one sentence.
    """

    content_image: str
    style_image: tuple[str, ...]
    style_blend_weights: tuple[float, ...] | None = None
    image_size: int = 512
    content_weight: float = 5.0
    style_weight: float = 100.0
    tv_weight: float = 1e-3
    normalize_weights: bool = False
    normalize_gradients: float | Literal[""] | None = None
    num_iterations: int = 1000
    init: Literal["random", "image"] = "random"
    init_image: str | None = None
    optimizer: Literal["lbfgs", "adam"] = "lbfgs"
    learning_rate: float = 1.0  # 10 in the Lua program
    lbfgs_num_correction: int = LBFGS_PAIRS  # 0 in the Lua program, which means 100
    style_scale: float = 1.0
    original_colors: bool = False
    pooling: Literal["max", "avg"] = "max"
    model_file: str = "models/vgg19-d01eb7cb.pth"
    seed: int = -1
    content_layers: tuple[str, ...] = ("relu4_2",)
    style_layers: tuple[str, ...] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    device: str = "auto"  # from -gpu
    precision: Precision = "auto"  # this package's own

    def __post_init__(self) -> None:
        """Check every range."""
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise SettingsError(f"-{name} is {getattr(self, name)}, but it has to be at least {least}.")
        for name in ("style_scale", "learning_rate"):
            if getattr(self, name) <= 0:
                raise SettingsError(f"-{name} is {getattr(self, name)}, but it has to be more than 0.")
        if self.content_weight == self.style_weight == 0:
            raise SettingsError("-content_weight and -style_weight are both 0; there is nothing to optimize.")
        shares = self.style_blend_weights
        if shares is not None and (min(shares) < 0 or not any(shares)):
            raise SettingsError("-style_blend_weights are shares; give numbers of at least 0 that are not all 0.")

    @property
    def style_size(self) -> int:
        """The long side that the paintings are seen at, in pixels."""
        return int(self.image_size * self.style_scale)

    @property
    def network(self) -> str | None:
        """The bundled network that ``model_file`` names, or None where a file has to be read."""
        return BUNDLED.get(PurePath(self.model_file).name)

    @property
    def scales_weights(self) -> bool:
        """Whether gradients are normalized as neural-style-pt does it."""
        return self.normalize_gradients == ""

    @property
    def gradient_exponent(self) -> float:
        """The power of its gradient's norm that every loss's gradient is divided by, as the Lua program does it."""
        return 0.0 if isinstance(self.normalize_gradients, str) else self.normalize_gradients or 0.0


_LEAST = {
    "image_size": 16,
    "content_weight": 0,
    "style_weight": 0,
    "tv_weight": 0,
    "num_iterations": 1,
    "lbfgs_num_correction": 0,
}
