"""How content and style are weighed, and what the styles' targets are."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from impasto import images
from impasto.aims.strength import flatness, limit
from impasto.aims.style import StyleTargets
from impasto.encoders import Encoder
from impasto.errors import LayerError, SettingsError
from impasto.losses import IMAGE_LOSSES, ContentLoss
from impasto.objective import Term
from impasto.pyramid import resize


@pytest.fixture(scope="session")
def objective(prepare):
    """A function from a run's arguments to its objective at the finest level."""

    def of(content, styles, **values):
        run = prepare(content, styles, **values)
        return run.targets(run.encoder).engine_at(run.levels[-1].shape).objective

    return of


@pytest.fixture(scope="session")
def terms(objective):
    """The same, as its terms by name; content is weighed, unless that is given."""

    def of(content, styles, **values):
        return {term.name: term for term in objective(content, styles, **{"content_loss": "squared", **values}).terms}

    return of


@pytest.mark.parametrize("strength", [None, 0.2, 0.9])
def test_strength_weighs_relative_errors(photo, painting, terms, strength):
    """An image without features costs 0.025 (1 - s)^2 in content and s^2 in style, whatever the pair."""
    s = 0.5 if strength is None else strength
    found = terms(photo, painting, strength=strength, style_layers={"conv1_1": 3.0, "conv3_1": 1.0})
    costs = {}
    for name, term in found.items():
        summary = torch.zeros_like(term.loss.target)
        if term.kind == "content":
            costs[name] = term.weight * term.loss.value(summary).item()
        else:
            costs[name] = term.weight * term.loss.compare(summary, 1).item()
    expected = {"content/conv3_2": 0.025 * (1 - s) ** 2, "style/conv1_1": 0.75 * s**2, "style/conv3_1": 0.25 * s**2}
    assert costs == pytest.approx(expected, rel=1e-4)


HELD = {"content_loss": "cosine"}


@pytest.mark.parametrize("strength", [None, 0.2, 0.9])
def test_cosine_holds_content_at_a_distance(photo, painting, objective, strength):
    """The limit is that of the strength and the photo, and style is Gram matrices and nearest features, half each."""
    layers = {"content_layers": "image:1,conv3_2:3", "style_layers": "conv1_1:3,conv3_1:1"}
    found = objective(photo, painting, strength=strength, **layers, **HELD)
    terms = {term.name: term for term in found.terms}
    content = {"content/image/distance": 0.25, "content/conv3_2/cosine": 0.75}
    assert set(terms) == {*content, "style/conv1_1", "style/conv3_1", "style/conv3_1/nearest"}
    assert {name: terms[name].weight for name in content} == content
    assert found.limit.kind == "content"
    assert found.limit.most == limit(0.5 if strength is None else strength, flatness(images.read(photo).pixels))
    costs = {name: term.weight * term.loss.size() for name, term in terms.items() if term.kind == "style"}
    expected = {"style/conv1_1": 0.375, "style/conv3_1": 0.125, "style/conv3_1/nearest": 0.5}
    assert costs == pytest.approx(expected, rel=1e-4)


def test_each_content_loss_has_layers_of_its_own(photo, painting, terms):
    """Colors, lines and parts of things where content is held, and the paper's layer where it is weighed."""
    pictures = (photo.repeat(2, 0).repeat(2, 1), painting.repeat(2, 0).repeat(2, 1))
    values = {"content_layers": None, "size": 96}
    held, weighed = (
        {term.layer for term in terms(*pictures, content_loss=loss, **values).values() if term.kind == "content"}
        for loss in ("cosine", "squared")
    )
    assert (held, weighed) == ({"image", "conv3_1", "conv4_1"}, {"conv4_2"})


def test_named_style_losses_have_a_say_at_every_layer(photo, painting, terms):
    """The nearest features, too, once they are asked for."""
    found = terms(photo, painting, style_losses="nearest", style_layers="conv1_1,conv2_1", **HELD)
    assert set(found) == {"content/conv3_2/cosine", "style/conv1_1/nearest", "style/conv2_1/nearest"}


def test_what_a_strength_allows_grows_with_it():
    """From little; and is less for photos that are flat."""
    for flat in (0.0, 0.3, 1.0):
        limits = [limit(strength / 20, flat) for strength in range(1, 20)]
        assert limits == sorted(limits)
        assert limits[0] > 0
    assert limit(0.5, 0.0) > limit(0.5, 0.3) > limit(0.5, 1.0)
    assert limit(0.5, 0.0, 64) == limit(0.5, 0.0, 256) > limit(0.5, 0.0, 512) > limit(0.5, 0.0, 1024)
    assert limit(0.5, 0.0, 8192) == pytest.approx(limit(0.5, 0.0) / 2)


def test_flatness_is_the_share_that_is_flat():
    """1 of a photo of one color, 0 of noise, and half where half is noise; whatever the size."""
    noise = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(3))
    half = noise.clone()
    half[..., :128] = 0.5
    assert flatness(torch.full((1, 3, 40, 64), 0.7)) == pytest.approx(1, abs=1e-5)
    assert flatness(noise) < 0.04
    assert flatness(half) == pytest.approx(0.5, abs=0.07)
    assert flatness(half.repeat_interleave(4, 2).repeat_interleave(4, 3)) == pytest.approx(0.5, abs=0.07)


def test_style_falls_as_far_as_the_strength_allows(photo, painting, paint):
    """Held content is at its limit, or a little beyond it where the style pulls."""
    strengths = (0.05, 0.1, 0.2, 0.3)
    found = [paint(photo, painting, strength=s, coarsest=48, evaluations=50, **HELD) for s in strengths]
    losses = [result.optimized.losses for result in found]
    style = [parts["style/conv3_1"] for parts in losses]
    assert style == sorted(style, reverse=True)
    assert style[0] > 1.5 * style[-1]
    for strength, parts in zip(strengths, losses, strict=True):
        reached = parts["content/conv3_2/cosine"] / limit(strength, flatness(images.read(photo).pixels))
        assert 0.95 < reached < 1.3, strength


def test_the_ends_of_strength_leave_a_term_out(photo, painting, terms):
    """Strength 1 has no content terms and strength 0 no style terms."""
    assert {term.kind for term in terms(photo, painting, strength=1).values()} == {"style"}
    assert {term.kind for term in terms(photo, painting, strength=0).values()} == {"content"}


def test_weights_are_alpha_and_beta(photo, painting, terms):
    """With weights, content terms weigh alpha and style terms beta w_l, with w_l adding up to 1 (eq. 5 and 7)."""
    layers = {"conv1_1": 3.0, "conv2_1": 0.0, "conv3_1": 1.0}
    found = terms(photo, painting, content_weight=7, style_weight=20, style_layers=layers)
    weights = {name: term.weight for name, term in found.items()}
    assert weights == {"content/conv3_2": 7, "style/conv1_1": 15, "style/conv3_1": 5}
    assert set(terms(photo, painting, content_weight=0, style_weight=1)) == {f"style/conv{n}_1" for n in (1, 2, 3)}
    assert set(terms(photo, painting, content_weight=1, style_weight=0)) == {"content/conv3_2"}


def _targets(found):
    return {name: term.loss.target for name, term in found.items() if term.kind == "style"}


@pytest.mark.parametrize(("blend", "share"), [(None, 0.5), ((1, 1), 0.5), ((3, 1), 0.75), ((0, 2), 0.0)])
def test_a_blend_is_the_mean_of_gram_matrices(photo, painting, other_painting, terms, *, blend, share):
    """Every style counts with its share; equal shares unless given."""
    first, second = (_targets(terms(photo, style)) for style in (painting, other_painting))
    both = _targets(terms(photo, [painting, other_painting], blend=blend))
    for name, gram in both.items():
        torch.testing.assert_close(gram, share * first[name] + (1 - share) * second[name], rtol=1e-5, atol=1e-6)
        assert not torch.allclose(first[name], second[name], rtol=0.1)


def test_any_number_of_styles_is_blended(photo, painting, other_painting, terms):
    """Three with unequal shares, one of them none."""
    styles = [other_painting, painting, photo]
    single = [_targets(terms(photo, style)) for style in styles]
    for blend in ((1, 2, 5), (0, 3, 5)):
        for name, gram in _targets(terms(photo, styles, blend=blend)).items():
            mean = sum(share * one[name] for share, one in zip(blend, single, strict=True)) / 8
            torch.testing.assert_close(gram, mean, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("blend", [None, (1, 1), (0.1, 0.9)])
def test_a_style_given_twice_is_that_style(photo, painting, terms, blend):
    """Whatever the shares."""
    once, twice = _targets(terms(photo, painting)), _targets(terms(photo, [painting, painting], blend=blend))
    for name, gram in once.items():
        torch.testing.assert_close(twice[name], gram, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("blend", [(1,), (1, 2, 3)])
def test_a_blend_needs_one_share_per_style(photo, painting, other_painting, prepare, blend):
    """Another number of shares is refused with both numbers."""
    with pytest.raises(SettingsError, match=f"The blend has {len(blend)} shares for 2 styles; give one share each."):
        prepare(photo, [painting, other_painting], blend=blend)


def test_style_scale_changes_the_size_of_the_painting(photo, painting, terms):
    """A style seen at half the size has the Gram matrices of that size, which a result of that size would have."""
    half = _targets(terms(photo, painting, style_scale=0.5))
    small = _targets(terms(photo, painting, size=24))
    whole = _targets(terms(photo, painting))
    for name, gram in half.items():
        assert torch.equal(gram, small[name])
        assert not torch.allclose(gram, whole[name], rtol=0.01)


def test_layers_of_either_naming_are_the_same(photo, painting, paint, prepare):
    """``relu3_1`` means ``conv3_1``, in the picture and in what the file says about it."""
    first = paint(photo, painting, content_layers="relu3_2", style_layers="relu1_1,relu2_1,RELU3_1")
    second = paint(photo, painting)
    assert torch.equal(first.tensor, second.tensor)
    assert first.recipe == second.recipe
    assert prepare(photo, painting, style_layers="relu1_1").layers == ("conv3_2", "conv1_1")


def test_a_layer_under_two_names_is_refused(photo, painting, prepare):
    """One weight per layer."""
    with pytest.raises(SettingsError, match=r"style_layers names a layer twice \(conv2_1, relu2_1\)"):
        prepare(photo, painting, style_layers="conv2_1,relu2_1:0.5")


@pytest.mark.parametrize("values", [{"style_layers": "conv9_1"}, {"content_layers": {"conv1_1": 1, "conv9_1": 0}}])
def test_an_unknown_layer_is_refused(photo, painting, prepare, values):
    """Even one without a weight, with the layers there are."""
    with pytest.raises(LayerError, match=r"no layer 'conv9_1'; it has conv1_1, .*conv5_4"):
        prepare(photo, painting, **values)


def test_the_image_itself_can_be_a_layer(photo, painting, paint):
    """Content kept in the pixels' own colors, and style as the Gram matrix of colors."""
    result = paint(photo, painting, content_layers="image", style_layers="image", strength=0.8)
    assert set(result.delivered.losses) == {"content/image/distance", "style/image"}
    values = [record.value for record in result.history if record.level == 1]
    assert values[-1] < values[0]


def test_style_falls_and_content_rises_with_strength(photo, painting, paint):
    """One number, monotone in both losses; near 1, where content hardly counts, as far as the descent has come."""
    strengths = (0.1, 0.3, 0.5, 0.7, 0.9)
    common = {"content_loss": "squared", "coarsest": 48, "evaluations": 50}
    found = [paint(photo, painting, strength=s, **common).optimized.by_kind for s in strengths]
    style = [parts["style"] / s**2 for parts, s in zip(found, strengths, strict=True)]
    content = [parts["content"] / (1 - s) ** 2 for parts, s in zip(found, strengths, strict=True)]
    assert style[0] > style[1] > style[2] > style[3] > 0.98 * style[4]
    assert content[0] < content[1] < content[2] < content[3] < content[4]
    assert style[0] > 3 * style[4]
    assert content[4] > 3 * content[0]


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "gradient-descent"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_strength_zero_gives_the_photo_back(photo, painting, paint, precision, optimizer):
    """To the last bit of a file, though it went through a coarser level."""
    result = paint(photo, painting, strength=0, size=72, optimizer=optimizer, precision=precision)
    assert (result.array == photo).all()


def test_a_setting_means_the_same_at_twice_the_size(paint, deep):
    """The same strength keeps as much of the photo at 64 and at 128 pixels, with losses of style of the same order."""
    from skimage import data

    photo, painting = data.astronaut()[::2, ::2], data.coffee()[::2, ::2]
    small, large = (
        paint(photo, painting, size=size, coarsest=32, evaluations=counts, **deep).optimized.losses
        for size, counts in ((64, (12, 8)), (128, (12, 8, 6)))
    )
    for name, loss in small.items():
        assert abs(math.log2(loss / large[name])) < (0.3 if name.startswith("content") else 2), name


class Seen(Encoder):
    """An encoder that notes the shape of every image whose features it is asked for."""

    def __init__(self, run, dtype=torch.float32):
        super().__init__(run.stack, run.parameters, dtype=dtype)
        self.shapes = []

    def features(self, image, layers, *rest):
        """Those of the network."""
        self.shapes.append(tuple(image.shape[2:]))
        return super().features(image, layers, *rest)


@pytest.mark.parametrize("masks", [None, ["left", "rest"]])
def test_photos_share_the_statistics_of_paintings(photo, painting, other_painting, prepare, masks):
    """They are found once for each shape, and the engines are the same as those that find their own."""
    if masks:
        left = np.zeros(photo.shape[:2], np.uint8)
        left[:, :30] = 255
        masks = [left, "rest"]
    runs = [prepare(each, [painting, other_painting], masks=masks) for each in (photo, 255 - photo)]
    encoder = Seen(runs[0])
    first, second = (run.targets(encoder) for run in runs)
    shared = StyleTargets(encoder, first.styles, runs[0].settings, first.regions)
    shape = runs[0].levels[-1].shape
    image = torch.rand(1, 3, *shape)
    for count, targets in ((3, first), (1, second), (1, second)):
        alone = targets.bare_engine_at(shape).evaluate(image)
        encoder.shapes.clear()
        found = dataclasses.replace(targets, style=shared).bare_engine_at(shape).evaluate(image)
        assert len(encoder.shapes) == count
        assert found.losses == alone.losses
        assert torch.equal(found.gradient, alone.gradient)
    encoder.shapes.clear()
    dataclasses.replace(second, style=shared).bare_engine_at(runs[0].levels[0].shape)
    assert len(encoder.shapes) == 3


def test_statistics_are_not_shared_among_precisions(photo, painting, prepare):
    """A measurement in float32 has its own, whatever the run was in."""
    run = prepare(photo, painting)
    half, exact = Seen(run, torch.bfloat16), Seen(run)
    targets = run.targets(exact)
    with pytest.raises(ValueError, match="another encoder"):
        dataclasses.replace(targets, style=StyleTargets(half, targets.styles, run.settings))


def test_a_task_adds_terms_of_its_own(photo, painting, prepare):
    """They are made for each shape, and count in value and gradient."""
    run = prepare(photo, painting)

    def held(shape):
        return [Term("temporal", "image", ContentLoss(torch.full((1, 3, *shape), 0.5)), 2.0)]

    targets = run.targets(run.encoder)
    shape = run.levels[0].shape
    image = torch.rand(1, 3, *shape)
    plain = targets.engine_at(shape).evaluate(image)
    found = dataclasses.replace(targets, extra_terms=held).engine_at(shape).evaluate(image)
    assert found.weighted == pytest.approx({**plain.weighted, "temporal/image": (image - 0.5).square().mean().item()})
    expected = plain.gradient + 2 * (image - 0.5) / image.numel()
    assert (found.gradient - expected).abs().max() < 1e-5 * expected.abs().max()


@pytest.mark.parametrize("name", IMAGE_LOSSES)
def test_every_loss_on_pictures_has_a_setting(photo, painting, terms, name):
    """Its weight, with which it is there; and it is aimed at the photo as the network sees it, if it is aimed."""
    term = terms(photo, painting, **{name: 0.25})[f"{name}/image"]
    assert term.weight == 0.25
    photo_seen = resize(images.read(photo).pixels, (36, 48))
    assert torch.equal(getattr(term.loss, "target", photo_seen), photo_seen)
    assert not [found for found in terms(photo, painting) if found.startswith(name)]


@pytest.mark.parametrize("blend", [(1.0, 0.0), (0.0, 3.0), (1.0, 3.0)])
def test_blends_from_single_statistics_are_those_of_the_blend(photo, painting, prepare, blend):
    """For every loss that mixes means; paintings whose layers differ keep their shares of each layer."""
    layers = ({"conv1_1": 1.0, "conv2_1": 2.0}, {"conv2_1": 1.0, "conv3_1": 1.0})
    common = {"style_losses": {"gram": 1.0, "moments": 1.0}, "layers_per_style": layers}
    run = prepare(photo, [painting, photo], blend=(1.0, 1.0), **common)
    direct = StyleTargets(run.encoder, run.paintings, run.settings.model_copy(update={"blend": blend})).losses_at(
        (32, 32)
    )
    mixed = StyleTargets(run.encoder, run.paintings, run.settings).blended(blend).losses_at((32, 32))
    assert mixed.keys() == direct.keys()
    for key, loss in direct.items():
        scale = float(loss.target.abs().max())
        assert (mixed[key].target - loss.target).abs().max() <= 1e-5 * scale
