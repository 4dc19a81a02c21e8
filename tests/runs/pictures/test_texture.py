"""Texture synthesis."""

import numpy as np
import pytest
import torch

import impasto
from impasto.aims.initial_image import starting_image
from impasto.aims.style import style_shape
from impasto.errors import LayerError, SettingsError
from impasto.pyramid import resize
from impasto.quality import seam
from impasto.runs.pictures.texture import Texture
from impasto.settings import up_to

QUICK = {"coarsest": 32, "evaluations": (60, 40), "precision": "fp32", "device": "cpu"}
LAYERS = {"conv1_1": 1.0, "conv2_1": 1.0, "conv3_1": 1.0}


@pytest.fixture(scope="module")
def exemplar(bundled):
    """A painting with much structure, (1, 3, 96, 80)."""
    return bundled("glass", (96, 80))


def synthesize(exemplar, shape=64, **values):
    """A texture of a second or two."""
    return impasto.synthesize(exemplar, shape, **{"style_layers": LAYERS, **QUICK, **values})


def prepared(exemplar, shape=64, **values):
    """The same, not yet run."""
    return Texture.of(exemplar, shape, **{"style_layers": LAYERS, **QUICK, **values})


def test_the_style_loss_falls_far_below_that_of_noise(exemplar):
    """Fifty times in this short run, as measured anew; there is no other loss."""
    result = synthesize(exemplar)
    run = prepared(exemplar)
    noise = starting_image(result.settings, None, (), (64, 64))
    fresh = run.targets(run.encoder).engine_at((64, 64)).measure(noise)
    assert result.measures["noise"] == pytest.approx(fresh.value, rel=1e-4)
    assert result.measures["fall"] == pytest.approx(fresh.value / result.delivered.value, rel=1e-3)
    assert result.measures["fall"] > 50
    assert set(result.delivered.by_kind) == {"style"}


@pytest.mark.parametrize(
    "name", ["swirl", *(pytest.param(name, marks=pytest.mark.slow) for name in ("marble", "woodcut"))]
)
def test_tileable_textures_have_no_seam(name, bundled):
    """The seam differs no more than the inside, and does if the texture was not asked to tile."""
    painting = bundled(name, (96, 96))
    assert synthesize(painting, tileable=True).measures["seam"] < 1.2
    assert synthesize(painting).measures["seam"] > 1.4


def test_tiling_does_not_depend_on_where_the_tile_is_cut(exemplar):
    """The loss of a tileable texture, rolled round by whole blocks, is the same; by other padding it is not."""
    run = prepared(exemplar, tileable=True)
    engine = run.targets(run.encoder).engine_at((64, 64))
    image = torch.rand(1, 3, 64, 64)
    rolled = image.roll((24, 40), dims=(2, 3))
    assert engine.measure(rolled).value == pytest.approx(engine.measure(image).value, rel=1e-4)
    other = prepared(exemplar)
    mirrored = other.targets(other.encoder).engine_at((64, 64))
    assert mirrored.measure(rolled).value != pytest.approx(mirrored.measure(image).value, rel=1e-4)


def test_the_exemplar_need_not_tile(exemplar):
    """It is seen with mirrored borders whether or not the texture tiles: the targets are the same."""
    targets = []
    for tileable in (True, False):
        run = prepared(exemplar, tileable=tileable)
        terms = run.targets(run.encoder).engine_at((64, 64)).objective.terms
        targets.append([term.loss.target for term in terms])
    assert all((one == other).all() for one, other in zip(*targets, strict=True))


def test_levels_of_a_tileable_texture_tile(exemplar):
    """What is handed to the next level, and a run stopped on a coarse one, still tiles."""
    run = prepared(exemplar, 128, tileable=True)
    stopped = run.run(lambda event: event.level == 0 and event.evaluation >= 59)
    assert not stopped.complete
    assert stopped.tensor.shape == (1, 3, 128, 128)
    coarse = torch.rand(1, 3, 32, 32)
    assert seam(run.lift(coarse, (128, 128)), 4) < seam(resize(coarse, (128, 128)), 4) / 2


@pytest.mark.parametrize("shape", [(40, 56), (96, 80), (120, 160)])
def test_any_size_at_the_exemplars_scale(exemplar, shape):
    """Smaller than the exemplar, as large and larger: on the finest level it is seen pixel for pixel, below in step."""
    run = prepared(exemplar, shape, coarsest=40, evaluations=2)
    assert run.levels[-1].shape == shape
    assert style_shape(run.settings, (96, 80), shape) == (96, 80)
    coarse = run.levels[0].shape
    height, _ = style_shape(run.settings, (96, 80), coarse)
    assert height == pytest.approx(96 * max(coarse) / max(shape), abs=1)
    assert synthesize(exemplar, shape, coarsest=200, evaluations=2).tensor.shape == (1, 3, *shape)


def test_the_exemplars_own_size_and_scale_can_be_changed(exemplar):
    """Without a size the texture has the exemplar's; style_scale is relative to the texture as in style transfer."""
    run = prepared(exemplar, None, style_scale=0.5)
    assert run.levels[-1].shape == (96, 80)
    assert style_shape(run.settings, (96, 80), (96, 80)) == (48, 40)


def test_a_texture_larger_than_its_exemplar_does_not_start_from_a_speck(exemplar):
    """The coarsest level is one on which the exemplar still has 64 pixels."""
    run = Texture.of(exemplar, 512, precision="fp32")
    assert max(style_shape(run.settings, (96, 80), run.levels[0].shape)) >= 64


def test_several_exemplars_are_mixed(exemplar, painting):
    """With a share each."""
    result = synthesize([exemplar, painting], 32, evaluations=3, blend=(3, 1))
    assert len(result.recipe["inputs"]["styles"]) == 2


def test_the_recipe_names_the_task(exemplar):
    """It has exemplars, no photo, and the measures."""
    recipe = synthesize(exemplar, 32, evaluations=2).recipe
    assert recipe["task"] == "texture"
    assert set(recipe["inputs"]) == {"styles"}
    assert set(recipe["measures"]) == {"seam", "noise", "fall"}


@pytest.mark.parametrize("shape", [np.int64(64), np.array([64, 96]), (np.int32(64), 96), torch.tensor(64)], ids=str)
def test_sides_may_be_numbers_of_numpy_and_torch(exemplar, shape):
    """Alone or in pairs."""
    run = prepared(exemplar, shape)
    assert run.levels[-1].shape in {(64, 64), (64, 96)}
    assert all(type(side) is int for side in run.levels[-1].shape)


def test_nothing_is_called_enlarged_that_is_not(exemplar):
    """The exemplar at its own scale calls for no remark, however large the texture; enlarged it does."""
    assert synthesize(exemplar, 160, coarsest=200, evaluations=1).notes == ()
    (note,) = synthesize(exemplar, 160, coarsest=200, evaluations=1, style_scale=1.0).notes
    assert "enlarged to 160" in note


def test_the_papers_sum_weighs_every_layer_as_it_is(exemplar):
    """With style_weight the terms have equal weights and a hundredth of the loss of noise is soon reached."""
    run = prepared(exemplar, style_weight=1.0)
    engine = run.targets(run.encoder).engine_at((64, 64))
    assert {term.weight for term in engine.objective.terms} == {1 / len(LAYERS)}
    assert synthesize(exemplar, style_weight=1.0).measures["fall"] > 100


@pytest.mark.parametrize(
    "values", [{"strength": 0.5}, {"content_weight": 1, "style_weight": 1}, {"content_layers": "conv4_2"}, {"size": 50}]
)
def test_what_cannot_take_effect_is_refused(exemplar, values):
    """A texture has no content, and its size is its shape."""
    with pytest.raises(SettingsError, match=f"The setting {next(iter(values))} cannot take effect in a texture"):
        synthesize(exemplar, **values)


@pytest.mark.parametrize(
    ("shape", "values", "sentence"),
    [
        ((50, 64), {"tileable": True}, "multiples of 4; choose 64 x 48"),
        ((0, 64), {}, "at least 1 pixel"),
        (64, {"init": "content"}, "a texture starts from noise"),
        (64, {"tileable": True, "padding": "zero"}, "padding cannot take effect"),
    ],
)
def test_bad_requests_get_a_sentence(exemplar, shape, values, sentence):
    """Before anything is computed."""
    with pytest.raises(SettingsError, match=sentence):
        prepared(exemplar, shape, **values)


def test_no_exemplar():
    """There must be one."""
    with pytest.raises(SettingsError, match="no exemplar"):
        impasto.synthesize([], 64)


def test_up_to():
    """The style layers down to one of them."""
    assert up_to("conv1_1") == {"conv1_1": 1.0}
    assert list(up_to(" Relu3_1")) == ["conv1_1", "conv2_1", "conv3_1"]
    with pytest.raises(SettingsError, match="go up to one of"):
        up_to("conv3_2")


def test_layers_that_are_too_deep_for_a_size(exemplar):
    """As everywhere."""
    with pytest.raises(LayerError, match="too small for conv5_1"):
        prepared(exemplar, 20, style_layers={"conv5_1": 1.0, "conv1_1": 1.0}, style_scale=0.5, evaluations=1)
