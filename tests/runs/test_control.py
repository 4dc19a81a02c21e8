"""SignalScales of styles, layers of their own, and what is asked of the picture itself."""

import numpy as np
import pytest
import torch

from impasto import images
from impasto.errors import LayerError, SettingsError
from impasto.pyramid import resize
from impasto.studies.score import score

ALIKE = {"size": 48, "coarsest": 48, "evaluations": 8}


@pytest.fixture(scope="session")
def terms(prepare):
    """A function that makes the objective's terms of a run, by name, at the size of one of its levels."""

    def of(content, styles, *, level=-1, **values):
        run = prepare(content, styles, **{"content_loss": "squared", **values})
        engine = run.targets(run.encoder).engine_at(run.levels[level].shape)
        return {term.name: term for term in engine.objective.terms}

    return of


def _targets(found):
    return {name: term.loss.target for name, term in found.items() if term.kind == "style"}


def test_size_in_pixels_is_a_scale(photo, painting, terms):
    """24 pixels of a style in a picture of 48 are half its size, on every level."""
    for level in (0, 1):
        pixels = _targets(terms(photo, painting, style_size=24, level=level))
        scale = _targets(terms(photo, painting, style_scale=0.5, level=level))
        assert all(pixels[name].equal(scale[name]) for name in scale)


def test_size_in_pixels_does_not_grow_with_the_result(photo, painting, terms):
    """At twice the size the styles are the same, pixel for pixel, where a relative size makes them twice as large."""
    small, large = (_targets(terms(photo, painting, size=size, style_size=48)) for size in (48, 96))
    assert all(small[name].equal(large[name]) for name in small)
    relative = _targets(terms(photo, painting, size=96))
    assert not any(torch.allclose(small[name], relative[name], rtol=0.01) for name in small)


def test_preview_is_the_large_picture_on_its_way(photo, painting, paint):
    """Bit for bit what the large run has when it leaves the preview's level, with the same losses on the way there."""
    seen = {}
    values = {"coarsest": 24, "evaluations": (5, 4, 3), "style_size": 72}
    large = paint(photo, painting, size=96, on_event=lambda event: seen.update({event.level: event.image}), **values)
    small = paint(photo, painting, size=48, preview_of=96, **values)
    assert [record.value for record in small.history] == [r.value for r in large.history if r.level < 2]
    assert small.tensor.equal(seen[1])
    other = paint(photo, painting, size=48, **{**values, "evaluations": (5, 4)})
    assert not other.tensor.equal(seen[1])  # its style would be seen at another size


def test_preview_has_the_usual_evaluations_of_the_large_picture(photo, painting, prepare):
    """A level far below the finest has more of them."""
    found = prepare(photo, painting, size=48, preview_of=192, coarsest=24, evaluations=None).levels
    large = prepare(photo, painting, size=192, coarsest=24, evaluations=None).levels
    assert found == large[:2]
    assert found[-1].evaluations > prepare(photo, painting, size=48, evaluations=None).levels[-1].evaluations


def test_preview_of_no_level_is_refused(photo, painting, prepare):
    """With the sizes that there are."""
    with pytest.raises(SettingsError, match=r"one of its levels, which are 24, 48, 96; the size is 50\."):
        prepare(photo, painting, size=50, preview_of=96)


def test_score_takes_the_size_in_pixels_as_it_is(photo, painting, terms):
    """A picture of 96 pixels is measured against a style of 48, whatever the size of results would be."""
    values = {"style_layers": {"conv1_1": 1.0}, "content_layers": {"conv1_2": 1.0}, "strength": 0.5}
    large = np.asarray(images.quantize(resize(images.read(photo).pixels, (72, 96)), 8)[0].permute(1, 2, 0))
    fixed = score(photo, painting, large, style_size=48, **values)[0].scores
    relative = score(photo, painting, large, style_scale=0.5, **values)[0].scores
    assert fixed.losses == relative.losses


def test_every_style_can_have_a_scale(photo, painting, other_painting, terms):
    """Relative to what all have: the blend's statistics are those of the styles at their own sizes."""
    single = [
        _targets(terms(photo, style, style_scale=scale)) for style, scale in ((painting, 1.0), (other_painting, 1.5))
    ]
    for values in ({"style_scales": "1,1.5"}, {"style_scales": (0.5, 0.75), "style_scale": 2.0}):
        both = _targets(terms(photo, [painting, other_painting], **values))
        for name, gram in both.items():
            torch.testing.assert_close(gram, (single[0][name] + single[1][name]) / 2, rtol=1e-5, atol=1e-6)


def test_styles_can_have_layers_of_their_own(photo, painting, other_painting, terms):
    """Where only one has a say, its statistics are the target; where both, the mean by share and weight."""
    first, second = (
        _targets(terms(photo, style, style_layers="conv1_1,conv2_1,conv3_1")) for style in (painting, other_painting)
    )
    layers = "conv1_1,conv2_1/conv2_1:3,conv3_1:2"
    found = terms(photo, [painting, other_painting], layers_per_style=layers, blend=(1, 1), strength=0.5)
    targets = _targets(found)
    assert targets["style/conv1_1"].equal(first["style/conv1_1"])
    assert targets["style/conv3_1"].equal(second["style/conv3_1"])
    mixed = 0.25 * first["style/conv2_1"] + 0.75 * second["style/conv2_1"]
    torch.testing.assert_close(targets["style/conv2_1"], mixed, rtol=1e-5, atol=1e-6)
    weighed = {name: term.weight * term.loss.size() for name, term in found.items() if term.kind == "style"}
    shares = {"style/conv1_1": 1, "style/conv2_1": 4, "style/conv3_1": 2}
    assert weighed == pytest.approx({name: 0.25 * share / 7 for name, share in shares.items()}, rel=1e-5)


def test_equal_layers_for_all_are_the_layers_of_all(photo, painting, other_painting, terms):
    """Naming the same layers for every style changes nothing."""
    common = terms(photo, [painting, other_painting], blend=(1, 3))
    own = "conv1_1,conv2_1,conv3_1/relu1_1,relu2_1,relu3_1"
    each = terms(photo, [painting, other_painting], blend=(1, 3), layers_per_style=own)
    assert list(common) == list(each)
    for name, term in common.items():
        assert term.weight == pytest.approx(each[name].weight, rel=1e-6)
        torch.testing.assert_close(term.loss.target, each[name].loss.target, rtol=1e-6, atol=1e-7)


def test_a_style_without_a_share_brings_no_layers(photo, painting, other_painting, terms):
    """Its layers are left out with it."""
    layers = {"layers_per_style": "conv1_1/conv3_1"}
    found = terms(photo, [painting, other_painting], blend=(1, 0), **layers)
    assert [name for name in found if name.startswith("style")] == ["style/conv1_1"]


def test_small_styles_may_serve_shallow_layers(photo, painting, prepare):
    """A painting too small for deep layers is refused only where it is asked for them."""
    small = painting[:4, :4]
    prepare(photo, [painting, small], size=64, layers_per_style="conv3_1/conv1_1")
    with pytest.raises(LayerError, match="too small for conv4_1"):
        prepare(photo, [painting, small], size=64, layers_per_style="conv3_1/conv4_1")


@pytest.mark.parametrize("name", ["sharpness", "photorealism"])
def test_what_is_asked_of_the_picture_is_a_term_of_its_own(photo, painting, paint, terms, name):
    """With its weight, aimed at the photo at the level's size; and what it asks for is better fulfilled."""
    term = terms(photo, painting, **{name: 2.5})[f"{name}/image"]
    assert (term.layer, term.weight) == ("image", 2.5)
    assert torch.equal(term.loss.target, resize(images.read(photo).pixels, (36, 48)))
    assert f"{name}/image" not in terms(photo, painting)
    without, with_it = (paint(photo, painting, **ALIKE, strength=0.8, **more) for more in ({}, {name: 10.0}))
    assert set(with_it.optimized.by_kind) == {"content", "style", name}
    assert term.loss.value(with_it.tensor) < 0.5 * term.loss.value(without.tensor)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"style_scales": (1, 2, 3)}, "style_scales has 3 scales for 2 styles; give one scale each"),
        (
            {"layers_per_style": "conv1_1"},
            "layers_per_style has the layers of 1 styles for 2 styles; give layers for each",
        ),
        ({"layers_per_style": "conv1_1/conv9_1"}, "no layer 'conv9_1'"),
        ({"layers_per_style": "conv1_1/conv1_1,relu1_1"}, "layers_per_style names a layer twice"),
    ],
)
def test_what_does_not_fit_the_styles_is_refused(photo, painting, prepare, values, sentence):
    """With what was given and what is needed."""
    with pytest.raises((SettingsError, LayerError), match=sentence):
        prepare(photo, [painting, painting], **values)
