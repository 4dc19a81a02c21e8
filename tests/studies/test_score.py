"""The losses of any picture, from any tool."""

import numpy as np
import pytest
import torch
from PIL import Image

import impasto
from impasto import images
from impasto.encoders import Encoder, load
from impasto.errors import ImageError, LayerError, SettingsError
from impasto.pyramid import fitted, resize
from impasto.quality import ssim
from impasto.settings import STYLE_LAYERS


def _measured(run, result, pictures):
    """Score as the run of a result would: with its settings, whatever they say about size and precision."""
    return impasto.score(run.canvas, list(run.styles), pictures, settings=result.settings)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("padding", ["reflect", "zero"])
def test_a_delivered_loss_is_the_score_of_the_file(tmp_path, photo, painting, prepare, *, deep, padding, precision):
    """What a result says about itself is what anyone measures who has the file, to float32."""
    run = prepare(photo, painting, padding=padding, precision=precision, smoothness=0.1, **deep)
    result = run.run()
    result.save(tmp_path / "out.png")
    (scored,) = _measured(run, result, tmp_path / "out.png")
    assert scored.name == "out.png"
    assert scored.shape == (36, 48)
    assert scored.scores.value == pytest.approx(result.delivered.value, rel=1e-4)
    assert scored.scores.by_kind == pytest.approx(result.delivered.by_kind, rel=1e-4)
    assert scored.scores.losses == pytest.approx(result.delivered.losses, rel=1e-4)
    assert set(scored.scores.by_kind) == {"content", "style", "smoothness"}


@pytest.mark.parametrize("depth", [8, 16])
def test_that_holds_for_both_depths(tmp_path, photo, painting, prepare, depth):
    """A file of 16 bits is scored as such, and one of 8 bits has lost what its rounding cost."""
    source = tmp_path / "photo.png"
    images.write(source, images.read(photo).pixels, depth=depth)
    run = prepare(source, painting)
    result = run.run()
    result.save(tmp_path / "out.png")
    (scored,) = _measured(run, result, tmp_path / "out.png")
    assert scored.scores.value == pytest.approx(result.delivered.value, rel=1e-4)
    assert abs(result.delivered.value / result.optimized.value - 1) < 0.05
    assert (result.delivered.value == pytest.approx(result.optimized.value, rel=1.5e-6)) == (depth == 16)


def test_that_holds_for_weights_and_several_styles(tmp_path, photo, painting, other_painting, prepare):
    """The paper's alpha and beta and a blend are in the score too."""
    styles, values = [painting, other_painting], {"content_weight": 3, "style_weight": 2, "blend": (1, 3)}
    run = prepare(photo, styles, style_scale=0.8, **values)
    result = run.run()
    result.save(tmp_path / "out.png")
    (scored,) = _measured(run, result, tmp_path / "out.png")
    assert scored.scores.losses == pytest.approx(result.delivered.losses, rel=1e-4)
    assert scored.scores.value == pytest.approx(result.delivered.value, rel=1e-4)


def test_the_optimized_image_is_scored_from_its_tensor(photo, painting, prepare):
    """Every form of picture is taken."""
    run = prepare(photo, painting)
    result = run.run()
    (scored,) = _measured(run, result, result.tensor)
    assert scored.scores == result.optimized


def test_several_pictures_are_scored_in_order(photo, painting, paint):
    """One line each, in any mixture of forms and sizes."""
    painted = paint(photo, painting).array
    small = Image.fromarray(photo).resize((36, 27))
    found = impasto.score(photo, painting, [photo, painted, small])
    assert [scored.shape for scored in found] == [(54, 72), (36, 48), (27, 36)]
    assert [scored.scores for scored in impasto.score(photo, painting, painted)] == [found[1].scores]


def test_the_photo_is_its_own_content_and_the_painting_its_own_style(photo, painting):
    """Each costs nothing in its own loss."""
    (as_photo,) = impasto.score(photo, painting, photo)
    assert as_photo.scores.by_kind["content"] == 0
    assert as_photo.scores.by_kind["style"] > 0.01
    (as_painting,) = impasto.score(painting, painting, painting)
    assert as_painting.scores.value < 1e-10


def test_settings_come_by_name_or_all_at_once(photo, painting):
    """As for stylize, and not both."""
    chosen = impasto.Settings(strength=0.8, style_layers="conv1_1")
    one = impasto.score(photo, painting, photo, settings=chosen)
    assert one == impasto.score(photo, painting, photo, strength=0.8, style_layers="conv1_1")
    assert set(one[0].scores.losses) == {
        *(f"content/{name}" for name in ("image/distance", "conv3_1/cosine", "conv4_1/cosine")),
        "style/conv1_1",
    }
    with pytest.raises(SettingsError, match="settings or single values, not both"):
        impasto.score(photo, painting, photo, settings=chosen, strength=0.5)


def test_how_a_picture_came_about_has_no_say(photo, painting):
    """Size, precision and levels of the settings do not change a score."""
    plain = impasto.score(photo, painting, photo)
    assert impasto.score(photo, painting, photo, size=16, precision="bf16", evaluations=3, init="noise") == plain


def test_a_narrow_picture_is_scored_at_its_own_size():
    """The size that a run would have by default does not matter, too small as it would be here."""
    strip = np.random.default_rng(0).integers(0, 255, (16, 540, 3), np.uint8)
    assert impasto.score(strip, strip, strip)[0].shape == (16, 540)
    with pytest.raises(LayerError, match="would be seen at 512 x 15 pixels"):
        impasto.Transfer.of(strip, strip)


@pytest.mark.parametrize(("shape", "fits"), [((36, 48), True), ((37, 48), True), ((48, 48), False), ((48, 36), False)])
def test_other_proportions_are_refused(photo, painting, shape, fits):
    """A picture is compared with the photo it was made from, off by no more than rounding."""
    picture = np.zeros((*shape, 3), np.uint8)
    if fits:
        assert impasto.score(photo, painting, picture)[0].shape == shape
        return
    sentence = rf"array is {shape[1]} x {shape[0]}, but the photo's proportions are 72 x 54"
    with pytest.raises(ImageError, match=sentence):
        impasto.score(photo, painting, picture)


def test_too_small_a_picture_is_refused(photo, painting):
    """With a sentence like that of a run."""
    with pytest.raises(LayerError, match="would be seen at 16 x 12 pixels, too small for conv5_1"):
        impasto.score(photo, painting, np.zeros((12, 16, 3), np.uint8))
    with pytest.raises(LayerError, match="array has 1 x 1 pixels, too small for conv3_1"):
        impasto.score(np.zeros((1, 1, 3), np.uint8), painting, np.zeros((1, 1, 3), np.uint8))


def test_measures_that_no_setting_has_a_say_in(photo, painting, paint):
    """Likeness to the photo, and relative distances from the painting: by hand, and the same whatever the losses."""
    result = paint(photo, painting)
    plain, other = (
        impasto.score(photo, painting, result.tensor, device="cpu", **values)[0]
        for values in ({}, {"content_weight": 3, "style_weight": 1, "style_layers": "conv1_1", "smoothness": 1})
    )
    small = resize(images.read(photo).pixels, plain.shape)
    assert plain.ssim == pytest.approx(ssim(result.tensor, small), rel=1e-6)
    assert (plain.ssim, plain.gram, plain.moments) == (other.ssim, other.gram, other.moments)
    assert set(plain.gram) == set(plain.moments) == set(STYLE_LAYERS)
    encoder = Encoder(*load("vgg19"), pooling="max", padding="reflect", dtype=torch.float32)
    seen = resize(images.read(painting).pixels, fitted((64, 60), max(plain.shape)))
    for layer in ("conv1_1", "conv4_1"):
        F, S = (next(iter(encoder.features(x, [layer])))[1][0].flatten(1).double() for x in (result.tensor, seen))
        G, A = (x @ x.t() / x.shape[1] for x in (F, S))
        assert plain.gram[layer] == pytest.approx(((G - A).square().sum() / A.square().sum()).item(), rel=1e-3)
        moments = [torch.stack([x.mean(1), x.std(1, correction=0)]) for x in (F, S)]
        expected = (moments[0] - moments[1]).square().sum() / moments[1].square().sum()
        assert plain.moments[layer] == pytest.approx(expected.item(), rel=1e-2)


def test_the_painting_itself_is_at_no_distance(photo, painting):
    """And the photo is like itself."""
    (scored,) = impasto.score(photo, photo, photo, device="cpu")
    assert scored.ssim == pytest.approx(1)
    assert max(*scored.gram.values(), *scored.moments.values()) < 1e-8


def test_layers_that_a_picture_is_too_small_for_are_left_out(photo):
    """Of the measures, too."""
    small = photo[:12, :16]
    (scored,) = impasto.score(small, small, small, style_layers="conv1_1", content_layers="conv1_1", device="cpu")
    assert set(scored.gram) == {"conv1_1", "conv2_1", "conv3_1", "conv4_1"}
