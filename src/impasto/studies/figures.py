"""The figures of the papers on neural style transfer, drawn from anyone's pictures.

To add one: write a function of :class:`Materials` that returns a :class:`~impasto.studies.figure_sheet.Sketch`, and add it to
``FIGURES``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from impasto import images, samples
from impasto.choices import STYLE_LAYERS, meant
from impasto.errors import SettingsError
from impasto.images import Picture
from impasto.losses import STYLE_LOSSES
from impasto.pyramid import fitted
from impasto.runs.events import Listener
from impasto.runs.pictures.reconstruct import Reconstruction
from impasto.runs.pictures.stylize import Transfer
from impasto.runs.pictures.texture import Texture
from impasto.runs.plan import from_noise
from impasto.runs.result import Result
from impasto.settings import make, up_to
from impasto.studies.figure_sheet import Cell, Figure, Row, Sketch, drawn
from impasto.studies.score import score

SIZE = 256
"""Long side of a figure's pictures unless given, in pixels."""

_PHOTO, _PAINTING = "chelsea", "swirl"
_PAPER = {"content_loss": "squared", "pooling": "avg"}
"""What the papers' figures were made with, where a setting has another default."""

_RATIOS = ("1e-5", "1e-4", "1e-3", "1e-2")  # alpha / beta
_PAINTINGS = {"painting": _PAINTING, "second painting": "glass"}
_BLENDS = 5  # pictures from one painting to the next
_CORNERS = 4  # pictures along a side between three or four
_ABREAST = 4  # cells in a row where rows mean nothing


@dataclass(frozen=True, eq=False)
class Materials:
    """What a figure is made from.

    Args:
        inputs: the pictures by what they are: ``photo``, ``painting``.
        size: long side of its pictures.
        values: settings for every cell.
        usual: settings of every stylized cell where neither these nor its own say otherwise.
    """

    inputs: Mapping[str, Picture]
    size: int
    values: Mapping[str, Any]
    usual: Mapping[str, Any] = field(default_factory=dict)

    def settings(self, own: Mapping[str, Any], usual: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The settings of one cell: its own, which the figure is about, beside those given.

        Raises:
            SettingsError: if what is given is what the figure decides.
        """
        for name in own:
            if name in self.values:
                raise SettingsError(f"The setting {name} is decided by this figure in each of its cells; leave it out.")
        return {"size": self.size, **(usual or {}), **self.values, **own}

    @property
    def paintings(self) -> list[Picture]:
        """All of them, in their order."""
        return [picture for what, picture in self.inputs.items() if what.endswith("painting")]

    def stylized(self, heading: str, own: Mapping[str, Any], *, far: bool = False) -> Cell:
        """A cell with the photo in the style of the paintings; ``far`` takes the evaluations that noise needs."""
        settings = make(self.settings(own, self.usual))
        if far:
            settings = from_noise(settings)

        def prepare() -> Transfer:
            return Transfer.of(self.inputs["photo"], self.paintings, settings=settings)

        return Cell(heading, prepare, relative_losses)


def figure(
    name: str,
    *inputs: Any,
    size: int = SIZE,
    on_event: Listener | None = None,
    **values: Any,
) -> Figure:
    """Draw a figure of the papers from any pictures.

    Args:
        name: one of ``FIGURES``.
        inputs: what the figure takes, see ``INPUTS``: a photo, a painting or both; bundled ones where they are missing.
        size: long side of its pictures, in pixels.
        on_event: called after every optimizer step; return True to stop there and keep the cells so far.
        values: settings for every cell, such as ``evaluations`` and ``seed``.

    Raises:
        ImpastoError: with a sentence on what is wrong.
    """
    return drawn(sketch(name, *inputs, size=size, **values), on_event)


def sketch(name: str, *inputs: Any, size: int = SIZE, **values: Any) -> Sketch:
    """What :func:`figure` will show; everything that can be wrong with it is found here.

    Raises:
        ImpastoError: as :func:`figure`.
    """
    if name not in FIGURES:
        raise SettingsError(f"There is no figure {name!r}; choose one of {', '.join(FIGURES)}.{meant(name, FIGURES)}")
    wanted = INPUTS.get(name, ("photo", "painting"))
    more = MORE.get(name, ())
    if len(inputs) > len(wanted + more):
        raise SettingsError(
            f"The figure {name} takes a {' and a '.join(wanted + more)}, but {len(inputs)} pictures came."
        )
    bundled = {"photo": samples.photo(_PHOTO), **{what: samples.painting(name) for what, name in _PAINTINGS.items()}}
    given = {what: bundled[what] for what in wanted} | dict(zip(wanted + more, inputs, strict=False))
    pictures = {what: images.read(source) for what, source in given.items()}
    planned = replace(FIGURES[name](Materials(pictures, size, values, _PAPER)), name=name)
    for row, column in planned.places():
        planned.rows[row].cells[column].prepare()
    return planned


def content_layers(given: Materials) -> Sketch:
    """What each layer keeps of a photo (Gatys et al. 2016, figure 1, below; the layers of the preprint and of the paper)."""

    def cell(layer: str) -> Cell:
        settings = given.settings({})
        return Cell(layer, lambda: Reconstruction.of(given.inputs["photo"], layer, **settings), _measures)

    rows = tuple(Row(tuple(cell(f"conv{block}_{index}") for block in range(1, 6))) for index in (1, 2))
    return _sketch(given, "Content reconstructions, from white noise: shallow layers keep the pixels", rows)


def style_layers(given: Materials) -> Sketch:
    """Textures from more and more layers (Gatys et al. 2016, figure 1, above)."""

    def cell(layer: str) -> Cell:
        settings = given.settings({"style_layers": up_to(layer)}, {"style_scale": 1.0, "pooling": "avg"})
        del settings["size"]
        painting = given.inputs["painting"]
        shape = fitted(painting.shape, given.size)
        heading = layer if layer == "conv1_1" else f"up to {layer}"
        return Cell(heading, lambda: Texture.of(painting, (shape[0], shape[1]), **settings), _texture_losses)

    title = "Style reconstructions, from white noise: structures grow with the layers"
    return _sketch(given, title, (Row(tuple(map(cell, STYLE_LAYERS))),))


def trade_off(given: Materials) -> Sketch:
    """Style layers against alpha / beta (Gatys, Ecker and Bethge 2015, figure 3).

    The content loss is the mean of :class:`impasto.losses.ContentLoss`; with the paper's sum, N M times larger, all four
    columns would be the photo.
    """
    layer = "conv4_2"

    def numbers(result: Result) -> dict[str, float | None]:
        found = result.delivered
        return {"content": found.losses[f"content/{layer}"], "style": found.by_kind["style"]}

    def cell(last: str, ratio: str) -> Cell:
        layers = {"content_layers": {layer: 1.0}, "style_layers": up_to(last)}
        own = {**layers, "content_weight": float(ratio), "style_weight": 1.0, "init": "noise"}
        return replace(given.stylized(f"alpha/beta = {ratio}", own, far=True), numbers=numbers)

    rows = tuple(
        Row(tuple(cell(last, ratio) for ratio in _RATIOS), last if last == "conv1_1" else f"to {last}")
        for last in STYLE_LAYERS
    )
    return _sketch(given, "Style layers (down) against the weight of content (across)", rows)


def content_layer(given: Materials) -> Sketch:
    """A shallow against a deep content layer (Gatys et al. 2016, figure 5)."""
    cells = [given.stylized(layer, {"content_layers": {layer: 1.0}}) for layer in ("conv2_2", "conv4_2")]
    return _sketch(given, "Content from a shallow and from a deep layer", (Row(tuple(cells)),))


def initialization(given: Materials) -> Sketch:
    """The same losses from different starts (Gatys et al. 2016, figure 6)."""
    starts: dict[str, dict[str, Any]] = {"content": {"init": "content"}, "style": {"init": "style"}}
    starts |= {f"noise, seed {seed}": {"init": "noise", "seed": seed} for seed in range(4)}
    weighed = {"content_weight", "style_weight"} & set(given.values)
    common = {} if weighed else {"strength": 0.3}  # the photo stays visible
    cells = [given.stylized(heading, {**common, **own}, far=True) for heading, own in starts.items()]
    return _sketch(given, "Where the descent starts", (Row(tuple(cells[:2])), Row(tuple(cells[2:]))))


def layer_weights(given: Materials) -> Sketch:
    """Equal weights w_l, weights that favor shallow or deep layers, and every layer alone."""
    falling = {layer: 2.0**-index for index, layer in enumerate(STYLE_LAYERS)}
    rising = dict(zip(STYLE_LAYERS, reversed(falling.values()), strict=True))
    weights = {"equal": up_to(STYLE_LAYERS[-1]), "halved per layer": falling, "doubled per layer": rising}
    weights |= {f"{layer} alone": {layer: 1.0} for layer in STYLE_LAYERS}
    cells = [given.stylized(heading, {"style_layers": chosen}) for heading, chosen in weights.items()]
    return _sketch(given, "Weights of the style layers", _abreast(cells))


def pooling(given: Materials) -> Sketch:
    """Average pooling, as in the paper, and maximum pooling, as the network was trained."""
    cells = [given.stylized(kind, {"pooling": kind}) for kind in ("avg", "max")]
    return _sketch(given, "How the network pools", (Row(tuple(cells)),))


def style_losses(given: Materials) -> Sketch:
    """The same pair under every style loss, and two of them fused (Li, Wang, Liu and Hou 2017)."""
    kinds: dict[str, dict[str, float]] = {name: {name: 1.0} for name in STYLE_LOSSES}
    kinds["gram + moments"] = {"gram": 1.0, "moments": 1.0}
    common = {name: value for name, value in given.values.items() if name not in ("style_losses", "seed", "init")}

    def numbers(result: Result) -> dict[str, float | None]:
        found = score(given.inputs["photo"], given.inputs["painting"], result.pil, **common)[0].scores.by_kind
        return {**relative_losses(result), "style by gram": found["style"]}

    cells = [
        replace(given.stylized(heading, {"style_losses": chosen}), numbers=numbers) for heading, chosen in kinds.items()
    ]
    return _sketch(given, "What of the style is compared", _abreast(cells))


def blends(given: Materials) -> Sketch:
    """Two styles in a row, three in a triangle or four in a square, with shares that change in equal steps."""
    count = len(given.paintings)

    def cell(blend: tuple[float, ...]) -> Cell:
        return given.stylized(" : ".join(f"{share:.3g}" for share in blend), {"blend": blend})

    rows = tuple(Row(tuple(map(cell, line))) for line in _GRIDS[count]())
    called = {2: "from one to the other", 3: "one in each corner", 4: "one in each corner"}[count]
    return _sketch(given, f"Blends of {count} styles, {called}", rows)


def _in_a_row() -> list[list[tuple[float, ...]]]:
    last = _BLENDS - 1
    return [[((last - at) / last, at / last) for at in range(_BLENDS)]]


def _in_a_triangle() -> list[list[tuple[float, ...]]]:
    last = _CORNERS - 1
    return [[((last - r) / last, (r - c) / last, c / last) for c in range(r + 1)] for r in range(_CORNERS)]


def _in_a_square() -> list[list[tuple[float, ...]]]:
    steps = [at / (_CORNERS - 1) for at in range(_CORNERS)]
    return [[((1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x) for x in steps] for y in steps]


_GRIDS = {2: _in_a_row, 3: _in_a_triangle, 4: _in_a_square}


def relative_losses(result: Result) -> dict[str, float | None]:
    """The weighted parts of what was minimized."""
    return dict(result.delivered.by_kind)


def _measures(result: Result) -> dict[str, float | None]:
    names = {"psnr": "PSNR (dB)", "ssim": "SSIM", "feature_error": "feature error"}
    return {shown: result.measures[name] for name, shown in names.items()}


def _texture_losses(result: Result) -> dict[str, float | None]:
    return {"style": result.delivered.value, "times below noise": result.measures["fall"]}


def _sketch(given: Materials, title: str, rows: tuple[Row, ...]) -> Sketch:
    return Sketch("", title, given.inputs, given.size, rows)


def _abreast(cells: list[Cell]) -> tuple[Row, ...]:
    return tuple(Row(tuple(cells[at : at + _ABREAST])) for at in range(0, len(cells), _ABREAST))


INPUTS = {
    "content-layers": ("photo",),
    "style-layers": ("painting",),
    "blends": ("photo", "painting", "second painting"),
}
"""What a figure takes, where that is not a photo and a painting."""

MORE = {"blends": ("third painting", "fourth painting")}
"""What it takes besides, if it is given."""

_DRAWN = (
    *(content_layers, style_layers, trade_off, content_layer, initialization),
    *(layer_weights, pooling, style_losses, blends),
)
FIGURES: dict[str, Callable[[Materials], Sketch]] = {plan.__name__.replace("_", "-"): plan for plan in _DRAWN}
"""Every figure by its name, which is that of its function with hyphens."""
