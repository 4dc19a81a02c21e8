"""Where which style goes: masks read, carried to the layers, and kept to."""

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import impasto
from impasto import images
from impasto.aims.regions import Regions
from impasto.errors import CheckpointError, ImageError, SettingsError
from impasto.losses import STYLE_LOSSES
from impasto.losses.gram import GramLoss
from impasto.pyramid import resize

LEFT, RIGHT = slice(None, 36), slice(36, None)


def half(columns=LEFT, shape=(54, 72)):
    """A mask, white in some columns."""
    mask = np.zeros(shape, np.uint8)
    mask[:, columns] = 255
    return mask


@pytest.fixture(scope="module")
def pair(painting, other_painting):
    """Two paintings."""
    return [painting, other_painting]


def term(run, name, shape=None):
    """A term of a run's objective by its name."""
    engine = run.targets(run.encoder).bare_engine_at(shape or run.levels[-1].shape)
    return next(term for term in engine.objective.terms if term.name == name)


def test_a_mask_of_everything_changes_nothing(prepare, photo, painting):
    """With one region that is everything, the value is that of no regions, and so is the gradient."""
    plain = prepare(photo, painting)
    masked = prepare(photo, painting, masks=[half(slice(None))])
    shape = plain.levels[-1].shape
    image = torch.rand(1, 3, *shape)
    expected, found = (run.targets(run.encoder).engine_at(shape).evaluate(image) for run in (plain, masked))
    assert found.value == pytest.approx(expected.value, rel=1e-5)
    assert torch.allclose(found.gradient, expected.gradient, rtol=1e-3, atol=1e-4 * expected.gradient.abs().max())


@pytest.mark.parametrize("name", [name for name, kind in STYLE_LOSSES.items() if kind.pointwise])
def test_every_style_loss_can_be_kept_to_a_region(paint, photo, pair, name):
    """And its value falls."""
    result = paint(photo, pair, masks=[half(), "rest"], style_losses=name, coarsest=48)
    assert result.history[-1].value < result.history[0].value
    variant = "" if name == "gram" else f"/{name}"
    assert {f"style/conv2_1{variant}/region{n}" for n in (1, 2)} <= set(result.delivered.losses)


def stripes(color, axis):
    """A painting of stripes along one axis."""
    wave = np.arange(64) // 4 % 2
    return (np.broadcast_to(np.expand_dims(wave, axis), (64, 64))[..., None] * np.array(color)).astype(np.uint8)


def test_each_region_has_the_style_it_was_given(paint, photo):
    """Inside each region the loss against its own style is at least 5 times below that of both styles everywhere."""
    styles, where = [stripes((250, 180, 40), 1), stripes((40, 120, 250), 0)], {"masks": [half(), "rest"]}
    guided, blended = (
        paint(photo, styles, strength=1, evaluations=(30, 20), pooling="avg", **given) for given in (where, {})
    )
    pictures = [images.quantize(x.tensor) for x in (guided, blended)]
    with_masks, without = impasto.score(photo, styles, pictures, settings=guided.settings, **where)
    for name, loss in with_masks.scores.losses.items():
        assert loss < without.scores.losses[name] / 5, name


def test_a_region_sees_its_part_of_the_painting_only(prepare, photo, painting):
    """The target is the mean over the masked part of the painting, at a layer as wide as the picture."""
    painted = half(LEFT, (64, 60))
    run = prepare(photo, painting, masks=[(half(), painted), "rest=rest"], size=72, coarsest=72)
    shape = run.levels[-1].shape
    seen = resize(images.read(painting).pixels, (72, 68))
    [(_, features)] = run.encoder.features(seen, ["conv1_1"])
    mask = run.regions.painting_mask(0, (72, 68))[0, 0]
    square = mask.square()
    expected = torch.einsum("cp,dp->cd", *(features[0].flatten(1) * square.flatten() ** 0.5,) * 2) / square.sum()
    found = term(run, "style/conv1_1/region1", shape).loss.inner
    assert isinstance(found, GramLoss)
    assert torch.allclose(found.target[0], expected, rtol=0.01, atol=1e-3 * expected.abs().max())
    rest = run.regions.painting_mask(1, (64, 60))
    assert torch.allclose(rest, 1 - run.regions.painting_mask(0, (64, 60)))


def test_weights_are_areas(prepare, photo, pair):
    """A region of a quarter weighs a quarter of what its style would everywhere, and strengths change that as told."""
    quarter = half(slice(None, 18))
    weighed = {"content_loss": "squared"}
    plain = prepare(photo, pair[0], **weighed)
    run = prepare(photo, pair, masks=[quarter, "rest"], **weighed)
    full = term(plain, "style/conv2_1").weight
    assert term(run, "style/conv2_1/region1").weight == pytest.approx(full / 4, rel=0.02)
    stronger = prepare(photo, pair, masks=[quarter, "rest"], mask_strengths=(0.75, 0.5))
    assert term(stronger, "style/conv2_1/region1").weight == pytest.approx(9 * full / 4, rel=0.02)
    assert term(stronger, "style/conv2_1/region2").weight == term(run, "style/conv2_1/region2").weight
    off = prepare(photo, pair, masks=[quarter, "rest"], mask_strengths=(0, 0.5))
    names = [t.name for t in off.targets(off.encoder).bare_engine_at(off.levels[-1].shape).objective.terms]
    assert "style/conv2_1/region1" not in names
    assert "style/conv2_1/region2" in names


def test_one_style_may_have_several_regions(prepare, photo, painting):
    """One painting, a mask of it for every mask of the photo."""
    run = prepare(
        photo, painting, masks=[(half(), half(LEFT, (64, 60))), (half(RIGHT), half(slice(30, None), (64, 60)))]
    )
    targets = [term(run, f"style/conv2_1/region{n}").loss.inner.target for n in (1, 2)]
    assert not torch.allclose(*targets, rtol=0.1)


def test_styles_keep_their_own_scale_and_layers_in_their_regions(prepare, photo, pair):
    """Settings per style hold for the region of the style."""
    own = ({"conv1_1": 1.0}, {"conv2_1": 1.0, "conv3_1": 1.0})
    base = {"masks": [half(), "rest"], "style_layers": impasto.Settings().style_layers, "content_loss": "squared"}
    run = prepare(photo, pair, layers_per_style=own, style_scales=(1, 0.5), **base)
    engine = run.targets(run.encoder).bare_engine_at(run.levels[-1].shape)
    weights = {t.name: t.weight for t in engine.objective.terms if t.kind == "style"}
    assert set(weights) == {"style/conv1_1/region1", "style/conv2_1/region2", "style/conv3_1/region2"}
    alone = prepare(photo, pair[0], style_layers={"conv1_1": 1.0}, content_loss="squared")
    assert weights["style/conv1_1/region1"] == pytest.approx(term(alone, "style/conv1_1").weight / 2, rel=0.02)


def test_inside_counts_positions_that_see_the_region_alone(prepare, photo, pair):
    """Positions near the border with the other region have no say, as far as the layer sees."""
    shape = (64, 72)
    run = prepare(photo, pair, masks=[half(), "rest"], guidance="inside")
    radius = run.stack.radius("conv2_1")
    weights = term(run, "style/conv2_1/region1", shape).loss.steps
    count = (36 - radius) // 2
    assert (weights[:, : count - 1] > 0).all()
    assert not weights[:, count + 1 :].any()
    average = prepare(photo, pair, masks=[half(), "rest"])
    assert (term(average, "style/conv2_1/region1", shape).loss.steps[:, :18] > 0).all()


def test_inside_takes_what_there_is_where_nothing_sees_the_region_alone(prepare, photo, pair):
    """A strip that is thinner than a layer's view keeps its style there."""
    run = prepare(photo, pair, masks=[half(slice(30, 36)), "rest"], guidance="inside")
    assert term(run, "style/conv3_1/region1").loss.steps.any()


@pytest.mark.parametrize(
    "values", [{}, {"init": "noise"}, {"content_loss": "squared"}, {"mask_strengths": "0.7"}], ids=str
)
def test_what_no_mask_covers_stays_the_photo(paint, photo, painting, values):
    """To the last level, from any start; inside, the picture changes."""
    result = paint(photo, painting, masks=[half()], size=72, coarsest=36, strength=0.8, **values)
    change = (images.quantize(result.tensor) - images.read(photo).pixels).abs()
    assert change[..., RIGHT].max() < 1e-5
    assert change[..., LEFT].mean() > 0.01


def test_a_strength_is_meant_for_what_is_left(prepare, photo, painting):
    """Half a picture may go as far from the photo, on average over its half, as a whole one."""
    whole, part = (
        run.targets(run.encoder).bare_engine_at(run.levels[-1].shape).objective.limit.most
        for run in (prepare(photo, painting, **given) for given in ({}, {"protect": half()}))
    )
    assert part == pytest.approx(whole / 2, rel=0.02)


@pytest.mark.parametrize(
    ("init", "color"), [("content", "style"), ("noise", "luminance"), ("style", "restore"), ("noise", "style")]
)
def test_protected_pixels_stay(paint, photo, painting, init, color):
    """At every pixel that the mask covers the result is the photo, to far less than a level, and elsewhere it is not."""
    result = paint(photo, painting, protect=half(), init=init, color=color, size=72, coarsest=36, strength=0.8)
    change = (images.quantize(result.tensor) - images.read(photo).pixels).abs()
    assert change[..., LEFT].max() < 1e-5
    assert change[..., RIGHT].mean() > 0.01


def test_protected_pixels_stay_when_resampled(paint, photo, painting):
    """At another size they are those of the photo at that size."""
    result = paint(photo, painting, protect=half())
    shape = tuple(result.tensor.shape[2:])
    expected = resize(images.read(photo).pixels, shape)
    assert (images.quantize(result.tensor) - expected).abs()[..., : shape[1] // 2 - 1].max() <= 0.5 / 255 + 1e-6


def test_protection_in_part_limits_the_change(paint, photo, painting):
    """A gray of 3/4 leaves a quarter of the way to black and white."""
    gray = np.full((54, 72), 191, np.uint8)
    result = paint(photo, painting, protect=gray, size=72, strength=0.95)
    change = result.tensor - images.read(photo).pixels
    assert change.abs().max() <= 0.26
    assert change.abs().max() > 0.1


def test_style_counts_only_where_it_can_be(prepare, photo, painting):
    """Protected pixels are left out of the statistics."""
    run = prepare(photo, painting, protect=half())
    loss = term(run, "style/conv1_1").loss
    assert not loss.steps[:, : loss.steps.shape[1] // 2 - 1].any()
    assert loss.steps[:, loss.steps.shape[1] // 2 + 1 :].all()


def test_colors_are_matched_region_by_region(prepare, photo, pair):
    """The painting of each region has the mean color of that region."""
    run = prepare(photo, pair, masks=[half(), "rest"], color="match")
    pixels = images.read(photo).pixels
    for found, columns in zip(run.paintings, (LEFT, RIGHT), strict=True):
        assert torch.allclose(found.mean((0, 2, 3)), pixels[..., columns].mean((0, 2, 3)), atol=0.03)


def test_masks_come_in_every_form(tmp_path, photo, painting):
    """Files, words, arrays of numbers and truths, tensors; white on black, and painted on nothing."""
    read = images.read(photo), [images.read(painting)]
    Image.fromarray(half()).save(tmp_path / "left.png")
    Image.fromarray(half(LEFT, (64, 60))).save(tmp_path / "there.png")
    painted = np.zeros((54, 72, 4), np.uint8)
    painted[:, LEFT] = (255, 255, 255, 255)
    Image.fromarray(painted).save(tmp_path / "painted.png")
    forms = [
        tmp_path / "left.png",
        str(tmp_path / "left.png"),
        f"{tmp_path / 'left.png'}={tmp_path / 'there.png'}",
        (tmp_path / "left.png", half(LEFT, (64, 60))),
        half() > 0,
        half() / 255,
        torch.from_numpy(half() / 255).expand(3, -1, -1),
        tmp_path / "painted.png",
    ]
    for form in forms:
        regions = Regions.of([form], None, *read)
        (mask,) = regions.masks_at((54, 72))
        assert torch.equal(mask[0, 0], torch.from_numpy(half() / 255).float()), form


def test_a_file_named_with_an_equals_sign_is_that_file(tmp_path, photo, painting):
    """Or in Python, a pair."""
    Image.fromarray(half()).save(tmp_path / "a=b.png")
    regions = Regions.of([str(tmp_path / "a=b.png")], None, images.read(photo), [images.read(painting)])
    assert regions.pairs[0].painting is None


BLACK = np.zeros((54, 72), np.uint8)


@pytest.mark.parametrize(
    ("values", "error", "hint"),
    [
        ({"masks": [half()]}, SettingsError, "1 masks for 2 styles"),
        ({"masks": [half()] * 3}, SettingsError, "3 masks for 2 styles"),
        ({"masks": ["rest", "rest"]}, SettingsError, "given two styles"),
        ({"masks": [half(), BLACK]}, ImageError, "dark everywhere"),
        ({"masks": [half(), half(shape=(54, 54))]}, ImageError, "54 x 54"),
        ({"masks": [(half(), half()), "rest"]}, ImageError, "painting"),
        ({"masks": [half(slice(None)), "rest"]}, SettingsError, "what no mask covers"),
        ({"masks": [half(), half(RIGHT)], "protect": half(slice(None, 40))}, SettingsError, "not protected"),
        ({"protect": half(slice(None))}, SettingsError, "no pixel"),
        ({"masks": [half(), "nowhere.png"]}, ImageError, "nowhere.png"),
        ({"masks": [(half(), None, None), "rest"]}, SettingsError, "pair of masks"),
        ({"masks": [half(), "rest"], "blend": (1, 2)}, SettingsError, "blend cannot take effect"),
        ({"masks": [half(), "rest"], "strength": 0}, SettingsError, "without a style loss"),
        ({"masks": [half(), "rest"], "mask_strengths": (0.5,)}, SettingsError, "1 numbers for 2 masks"),
        ({"mask_strengths": (0.5,)}, SettingsError, "for 0 masks"),
        ({"guidance": "inside"}, SettingsError, "without masks"),
        ({"masks": [half(), "rest"], "style_losses": "patches"}, SettingsError, "looks at neighbors"),
        (
            {"masks": [half(), "rest"], "mask_strengths": (0.5, 0.5), "strength": 1},
            SettingsError,
            "Mask_strengths cannot",
        ),
        ({"masks": [half(), "rest"], "mask_strengths": (0.5, 1)}, SettingsError, "less than 1"),
    ],
)
def test_what_cannot_be_is_refused(prepare, photo, pair, *, values, error, hint):
    """In a sentence, before anything is computed."""
    with pytest.raises(error, match=hint):
        prepare(photo, pair, **values)


def test_masks_are_in_the_recipe(paint, photo, pair):
    """With the hashes of what they were."""
    inputs = paint(photo, pair, masks=[half(), "rest"], protect=half(slice(60, None)), evaluations=1).recipe["inputs"]
    digest = images.read(half()).source.sha256
    assert inputs["masks"] == [
        {"photo": {"name": "array", "sha256": digest}, "painting": None},
        {"photo": "rest", "painting": None},
    ]
    assert inputs["protect"]["sha256"] == images.read(half(slice(60, None))).source.sha256


def test_a_checkpoint_goes_on_with_its_masks_only(prepare, photo, pair, tmp_path):
    """The same picture with them, bit for bit, and a refusal with others."""
    run = prepare(photo, pair, masks=[half(), "rest"], protect=half(slice(60, None)), color="luminance")
    whole = run.run()
    stopped = run.run(lambda event: event.level == 1 and event.evaluation >= 2, tmp_path)
    assert not stopped.complete
    assert torch.equal(run.run(None, tmp_path).tensor, whole.tensor)
    other = prepare(photo, pair, masks=[half(RIGHT), "rest"], protect=half(slice(60, None)), color="luminance")
    with pytest.raises(CheckpointError, match="masks"):
        other.run(None, tmp_path)


def test_a_masks_samples_are_shares_not_light(tmp_path, photo, painting, prepare):
    """Half is half, though a gamma says that such a sample is three quarters of the way to white."""
    gray = np.full((54, 72), 128, np.uint8)
    info = PngInfo()
    info.add(b"gAMA", (100_000).to_bytes(4, "big"))
    Image.fromarray(gray).save(tmp_path / "half.png", pnginfo=info)
    assert (images.read(tmp_path / "half.png").pixels - 128 / 255).abs().max() > 0.2
    for given in ({"masks": [(tmp_path / "half.png", None)]}, {"protect": tmp_path / "half.png"}):
        run = prepare(photo, painting, **given)
        mask = run.regions.protected_at((54, 72)) if "protect" in given else run.regions.masks_at((54, 72))[0]
        assert (mask - 128 / 255).abs().max() < 1e-6
