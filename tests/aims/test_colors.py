"""Whose colors a picture has: from the settings to the file."""

import numpy as np
import pytest
import torch

import impasto
from impasto import images
from impasto.aims.colors import ColorMode
from impasto.color import ColorMoments, chroma, is_gray, luminance
from impasto.errors import SettingsError
from impasto.pyramid import resize
from impasto.settings import Settings, make

MATCHING = ("match", "match-cholesky", "histogram")

every_color = pytest.mark.parametrize("color", ["style", *MATCHING, "luminance", "restore"])


def plain(kind):
    """A picture, (48, 60, 3) uint8, of one color or gray."""
    picture = np.full((48, 60, 3), (40, 90, 200), np.uint8)
    if kind == "gray":
        picture[:] = np.linspace(0, 255, 60, dtype=np.uint8)[None, :, None]
    return picture


@pytest.mark.parametrize("kind", ["gray", "one color"])
@pytest.mark.parametrize("side", ["photo", "painting"])
@every_color
def test_plain_pictures_are_painted(paint, photo, painting, *, color, side, kind):
    """Gray pictures and pictures of one color, as a photo or as a painting, give a finite picture in [0, 1]."""
    inputs = {"photo": photo, "painting": painting, side: plain(kind)}
    result = paint(inputs["photo"], inputs["painting"], color=color, coarsest=48, evaluations=2)
    assert result.tensor.isfinite().all()
    assert np.isfinite([result.optimized.value, result.delivered.value]).all()
    if side == "photo" and kind == "gray" and color in ("luminance", "restore", "match", "match-cholesky"):
        found = chroma(result.tensor).abs()
        assert found.mean() < 0.02 if color in MATCHING else found.max() < 1e-5


GRAY = plain("gray")
WAVES = np.repeat((127 + 120 * np.sin(np.mgrid[:48, :60].sum(0) / 2)).astype(np.uint8)[..., None], 3, 2)


@pytest.mark.parametrize(
    "values",
    [{}, {"content_loss": "squared"}, {"init": "noise"}, {"optimizer": "adam"}, {"padding": "circular"}],
    ids=str,
)
def test_gray_stays_gray(paint, values):
    """A gray photo in the style of gray pictures, from any start, by any method."""
    result = paint(GRAY, [WAVES, 255 - WAVES], strength=0.9, **values)
    assert chroma(result.tensor).abs().max() < 1e-5
    assert result.optimized.value < result.history[0].value


def test_gray_stays_gray_without_a_photo_or_a_painting():
    """In a texture and in a reconstruction, from noise."""
    quick = {"coarsest": 32, "evaluations": 3, "precision": "fp32", "device": "cpu"}
    texture = impasto.synthesize(WAVES, 48, style_layers="conv1_1,conv2_1", **quick)
    back = impasto.reconstruct(WAVES, "conv2_1", size=48, **quick)
    for result in (texture, back):
        assert chroma(result.tensor).abs().max() < 1e-5


@pytest.mark.parametrize("color", ["match", "histogram", "luminance", "restore"])
def test_a_gray_photo_with_its_own_colors_stays_gray(paint, painting, color):
    """Whatever the painting has."""
    assert chroma(paint(GRAY, painting, color=color).tensor).abs().max() < 1e-5
    if color != "luminance":
        assert chroma(paint(GRAY, painting, color=color, color_strength=0.5).tensor).abs().max() > 0.01


def test_colors_come_from_a_painting_or_a_photo(paint, photo, painting):
    """A gray photo takes a painting's, and a photo's are not lost at once to a gray painting."""
    for inputs in ((GRAY, painting), (photo, WAVES), (GRAY, [WAVES, painting])):
        assert chroma(paint(*inputs).tensor).abs().max() > 0.02


def test_what_is_gray():
    """Files of gray pictures may be off by a few levels, and have a speck."""
    picture = images.read(WAVES).pixels
    noise = torch.rand(picture.shape, generator=torch.Generator().manual_seed(1)) * 4 / 255 - 2 / 255
    assert is_gray(picture + noise)
    picture[..., 7, 7] = torch.tensor([1.0, 0, 0])
    assert is_gray(picture)
    picture[..., 7, :7] = torch.tensor([1.0, 0, 0])[:, None]
    assert not is_gray(picture)


def test_only_luminance_changes(paint, photo, painting):
    """The delivered file has the photo's chroma to within quantization, at every pixel, and another luminance."""
    result = paint(photo, painting, color="luminance", strength=0.9, evaluations=8)
    delivered = images.quantize(result.tensor)
    expected = resize(images.read(photo).pixels, tuple(delivered.shape[2:]))
    assert (chroma(delivered) - chroma(expected)).abs().max() < 1 / 255
    assert (chroma(result.tensor) - chroma(expected)).abs().max() < 1e-5
    assert (luminance(delivered) - luminance(expected)).abs().mean() > 0.02
    assert result.optimized.value < result.history[0].value


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "gradient-descent"])
@pytest.mark.parametrize("init", ["noise", "style"])
def test_only_luminance_changes_from_any_start(paint, photo, painting, optimizer, init):
    """With every method, and from a start that has other colors."""
    result = paint(photo, painting, color="luminance", optimizer=optimizer, init=init)
    expected = resize(images.read(photo).pixels, tuple(result.tensor.shape[2:]))
    assert (chroma(result.tensor) - chroma(expected)).abs().max() < 1e-5


def test_luminance_gradient_is_the_derivative(prepare, photo, painting):
    """Along the one direction that changes no chroma, by central differences."""
    run = prepare(photo, painting, color="luminance")
    shape = run.levels[-1].shape
    engine, bounds = run.targets(run.encoder).engine_at(shape), run.bounds_at(shape)
    start = bounds.project(torch.rand(1, 3, *shape))
    found = engine.evaluate(start)
    step = torch.randn(1, 1, *shape).expand(1, 3, *shape) * 2e-4
    ahead, behind = (engine.measure(start + sign * step).value for sign in (1, -1))
    assert (found.gradient * step).sum().item() == pytest.approx((ahead - behind) / 2, rel=0.02)
    assert torch.equal(found.gradient[:, 0], found.gradient[:, 2])


def test_part_of_the_chroma_is_hidden(prepare, photo, painting):
    """At a strength below 1 the network sees the photo and the painting paler, and the gradient is the picture's."""
    run = prepare(photo, painting, color="luminance", color_strength=0.6)
    shape = run.levels[-1].shape
    whole = chroma(resize(run.canvas.pixels, shape))
    assert torch.allclose(chroma(run.color_mode.photo_at(shape)), 0.4 * whole, atol=1e-5)
    seen = run.color_mode.painting(run.styles[0].pixels)
    assert (
        ColorMoments.of(chroma(seen)).covariance.trace()
        < 0.25 * ColorMoments.of(chroma(run.styles[0].pixels)).covariance.trace()
    )
    start = resize(run.canvas.pixels, shape)
    found = run.targets(run.encoder).engine_at(shape).evaluate(start)
    assert found.losses["content/conv3_2/cosine"] == pytest.approx(0, abs=1e-6)  # of a mean of cosines in float32
    assert not torch.equal(found.gradient[:, 0], found.gradient[:, 2])


def test_restored_chroma_is_the_photos(paint, photo, painting):
    """The finished picture has the optimized one's luminance and the photo's hues, no stronger than they were."""
    plain = paint(photo, painting)
    result = paint(photo, painting, color="restore")
    expected = chroma(resize(images.read(photo).pixels, tuple(result.tensor.shape[2:])))
    assert torch.allclose(luminance(result.tensor), luminance(plain.tensor), atol=1e-5)
    found = chroma(result.tensor)
    assert (found.abs() <= expected.abs() + 1e-5).all()
    assert (found - expected).abs().mean() < 0.01
    assert result.optimized == plain.optimized
    assert result.delivered.losses["style/conv1_1"] > plain.delivered.losses["style/conv1_1"]


@pytest.mark.parametrize("color", MATCHING)
def test_matched_colors_are_between(photo, painting, color):
    """The painting's mean goes to the photo's in proportion to the strength, but for what is clipped."""
    pictures = [images.read(x).pixels for x in (photo, painting)]
    means = [x.mean((0, 2, 3)) for x in pictures]
    for strength in (0, 0.5, 1):
        color_mode = ColorMode(make({"color": color, "color_strength": strength}), pictures[0])
        found = color_mode.painting(pictures[1])
        assert torch.allclose(found.mean((0, 2, 3)), torch.lerp(means[1], means[0], strength), atol=0.03)
        assert found.min() >= 0
        assert found.max() <= 1
    assert ColorMode(make({"color": color, "color_strength": 0}), pictures[0]).painting(pictures[1]).equal(pictures[1])


@every_color
def test_color_of_none_changes_nothing(paint, photo, painting, color):
    """At a strength of 0 every way gives the picture that has the style's own colors."""
    plain = paint(photo, painting)
    values = {} if color == "style" else {"color_strength": 0.0}
    assert torch.allclose(paint(photo, painting, color=color, **values).tensor, plain.tensor, atol=1e-5)


def test_transparent_parts_have_no_say(photo, painting):
    """Colors are matched to what can be seen of the photo."""
    half = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
    half[:, 36:, 3] = 0
    cut = images.read(half)
    of_half = ColorMode(make({"color": "match"}), cut.pixels, cut.alpha).painting(images.read(painting).pixels)
    visible = images.read(np.ascontiguousarray(photo[:, :36])).pixels
    assert torch.allclose(
        of_half, ColorMode(make({"color": "match"}), visible).painting(images.read(painting).pixels), atol=1e-4
    )


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ({"color_strength": 0.5}, "Color_strength cannot take effect"),
        ({"color": "match", "strength": 0}, "Color cannot take effect"),
        ({"color": "sepia"}, "luminance"),
        ({"color": "match", "color_strength": 1.5}, "color_strength"),
    ],
)
def test_what_cannot_be_is_refused(values, hint):
    """In a sentence."""
    with pytest.raises(SettingsError, match=hint):
        make(values)


def test_colors_are_the_styles_unless_asked():
    """As in the paper."""
    assert Settings().color == "style"
