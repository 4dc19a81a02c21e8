"""Content reconstruction."""

import itertools

import pytest

import impasto
from impasto.errors import LayerError, SettingsError
from impasto.runs.pictures.reconstruct import Reconstruction

QUICK = {"size": 48, "coarsest": 48, "evaluations": 40, "precision": "fp32", "device": "cpu"}


def reconstruct(photo, layer="conv2_1", **values):
    """A reconstruction of a fraction of a second."""
    return impasto.reconstruct(photo, layer, **{**QUICK, **values})


def test_shallow_layers_give_back_the_pixels_and_deep_ones_do_not(photo):
    """The deeper the layer, the farther is the picture from the photo, by both measures (Gatys et al. 2016, figure 1)."""
    measured = [
        reconstruct(photo, layer, evaluations=60).measures for layer in ("conv1_1", "conv2_1", "conv3_1", "conv4_1")
    ]
    for name, apart in (("psnr", 0.3), ("ssim", 0.02)):
        values = [measures[name] for measures in measured]
        assert all(near > far + apart for near, far in itertools.pairwise(values)), (name, values)
    assert all(measures["feature_error"] < 0.1 for measures in measured)


def test_the_feature_error_is_relative(photo):
    """It is sum (F - P)^2 over sum P^2, recomputed here from the picture."""
    result = reconstruct(photo)
    run = Reconstruction.of(photo, "conv2_1", **QUICK)
    shape = run.levels[-1].shape
    pictures = [result.tensor.mul(255).round() / 255, impasto.pyramid.resize(run.canvas.pixels, shape)]
    F, P = (dict(run.encoder.features(x, ["conv2_1"]))["conv2_1"] for x in pictures)
    assert result.measures["feature_error"] == pytest.approx(
        ((F - P).square().sum() / P.square().sum()).item(), rel=1e-3
    )


def test_more_evaluations_come_closer(photo):
    """To the features and to the photo."""
    few, many = (reconstruct(photo, evaluations=count).measures for count in (5, 50))
    assert many["feature_error"] < few["feature_error"] / 5
    assert many["psnr"] > few["psnr"]


def test_the_seed_decides_the_start(photo):
    """Noise of another seed leads elsewhere, the same seed to the same picture."""
    one, same, other = (reconstruct(photo, evaluations=3, seed=seed).tensor for seed in (1, 1, 2))
    assert (one == same).all()
    assert not (one == other).all()


def test_the_recipe_names_the_task(photo):
    """One photo, no style, and the measures."""
    recipe = reconstruct(photo, "relu2_2", evaluations=2).recipe
    assert (recipe["task"], recipe["inputs"]["styles"]) == ("reconstruct", [])
    assert recipe["settings"]["content_layers"] == {"conv2_2": 1.0}
    assert set(recipe["measures"]) == {"feature_error", "psnr", "ssim"}


def test_a_checkpoint_goes_on(photo, tmp_path):
    """A stopped run goes on to the picture of an unstopped one."""
    stopped = reconstruct(photo, checkpoint=tmp_path, on_event=lambda event: event.evaluation > 10)
    assert not stopped.complete
    assert (reconstruct(photo, checkpoint=tmp_path).tensor == reconstruct(photo).tensor).all()


@pytest.mark.parametrize(
    "values", [{"strength": 0.5}, {"style_layers": {"conv1_1": 1}}, {"blend": (1,)}, {"content_layers": {"conv1_1": 1}}]
)
def test_what_cannot_take_effect_is_refused(photo, values):
    """A reconstruction has no style, and one layer."""
    with pytest.raises(SettingsError, match=f"The setting {next(iter(values))} cannot take effect in a reconstruction"):
        reconstruct(photo, **values)


def test_the_photo_is_no_start(photo):
    """It is the solution."""
    with pytest.raises(SettingsError, match="a reconstruction starts from noise"):
        reconstruct(photo, init="content")


@pytest.mark.parametrize(("layer", "sentence"), [("conv9_9", "has no layer"), ("conv1_1,conv2_1", "from one layer")])
def test_layers_are_checked(photo, layer, sentence):
    """One, by its name."""
    with pytest.raises(LayerError, match=sentence):
        reconstruct(photo, layer)
