"""Solid textures."""

import dataclasses
from types import SimpleNamespace

import pytest
import torch

from impasto import volumes
from impasto.aims.initial_image import starting_image
from impasto.errors import LayerError, SettingsError
from impasto.memory.budget import Budget
from impasto.quality import seam
from impasto.runs.solids.solid import SolidTexture, synthesize_block
from impasto.volumes.slicing import diagonal

LAYERS = {"conv1_1": 1.0, "conv2_1": 1.0}
QUICK = {"style_layers": LAYERS, "coarsest": 16, "evaluations": 3, "precision": "fp32", "device": "cpu"}


@pytest.fixture(scope="module")
def exemplar(bundled):
    """Marbled paper, (1, 3, 64, 64)."""
    return bundled("marble", (64, 64))


@pytest.fixture(scope="module")
def made(exemplar):
    """A block of 16, 16 and 24 after a second or two."""
    return synthesize_block(exemplar, (16, 16, 24), **{**QUICK, "coarsest": 24, "evaluations": 16})


def test_slices_take_on_the_style(exemplar, made):
    """Those across every axis, and those at 45 degrees, which no evaluation saw; as measured anew, one by one."""
    run = SolidTexture.of(exemplar, (16, 16, 24), **QUICK)
    engine = run.targets(run.encoder).bare_engine_at((16, 16, 24))
    noise = starting_image(run.settings.model_copy(update={"init": "noise"}), None, (), (16, 16, 24))

    def loss(block):
        return sum(
            engine.measure(block.select(2 + axis, k)).value / (3 * block.shape[2 + axis])
            for axis in range(3)
            for k in range(block.shape[2 + axis])
        )

    assert made.measures["noise"] == pytest.approx(loss(noise), rel=1e-4)
    assert made.measures["fall"] == pytest.approx(loss(noise) / loss(made.tensor), rel=1e-3)
    assert made.measures["fall"] > 4
    slanted = [sum(engine.measure(diagonal(x, axis)).value for axis in range(3)) for x in (noise, made.tensor)]
    assert made.measures["fall_diagonal"] == pytest.approx(slanted[0] / slanted[1], rel=1e-3)
    assert made.measures["fall_diagonal"] > 1.5


def test_every_slice_has_a_say(exemplar):
    """A change of any one slice changes the loss, and so does it across any axis."""
    run = SolidTexture.of(exemplar, 16, **QUICK)
    engine = run.targets(run.encoder).engine_at((16, 16, 16))
    gradient = engine.evaluate(torch.rand(1, 3, 16, 16, 16)).gradient
    assert (gradient != 0).all(1).float().mean() > 0.99


def test_some_axes_alone(exemplar):
    """Slices across the others are not looked at."""
    run = SolidTexture.of(exemplar, 16, axes=(2,), **QUICK)
    engine = run.targets(run.encoder).engine_at((16, 16, 16))
    block = torch.rand(1, 3, 16, 16, 16)
    turned = block.movedim(4, 2)[:, :, torch.randperm(16)].movedim(2, 4)  # the slices in another order
    assert engine.measure(turned).value == pytest.approx(engine.measure(block).value, rel=1e-5)
    every = SolidTexture.of(exemplar, 16, **QUICK)
    engine = every.targets(every.encoder).engine_at((16, 16, 16))
    assert engine.measure(turned).value != pytest.approx(engine.measure(block).value, rel=1e-5)


def test_a_periodic_block_has_no_seam(exemplar):
    """Across any axis."""
    many = {**QUICK, "coarsest": 24, "evaluations": 6}
    assert synthesize_block(exemplar, 16, periodic=True, **many).measures["fall"] > 1.5
    run = SolidTexture.of(exemplar, 16, periodic=True, **QUICK)
    engine = run.targets(run.encoder).engine_at((16, 16, 16))
    block = torch.rand(1, 3, 16, 16, 16)
    rolled = block.roll((4, 8, 12), (2, 3, 4))
    assert engine.measure(rolled).value == pytest.approx(engine.measure(block).value, rel=1e-4)
    lifted = run.lift(torch.rand(1, 3, 8, 8, 8), (16, 16, 16))
    assert seam(lifted, 2) < 1.1


def test_the_same_block_again(exemplar, tmp_path):
    """From the same seed, and from a checkpoint of a run that was stopped."""
    whole = synthesize_block(exemplar, 16, **QUICK)
    run = SolidTexture.of(exemplar, 16, **QUICK)
    stopped = run.run(lambda event: True, tmp_path)
    assert not stopped.complete
    assert torch.equal(run.run(None, tmp_path).tensor, whole.tensor)
    other = dataclasses.replace(run, axes=(0, 1))
    with pytest.raises(Exception, match="differs in: axes"):
        other.run(None, tmp_path)


def test_the_recipe_says_how(exemplar, made, tmp_path):
    """The task, the axes, the measures and the caution, in the file too."""
    assert made.recipe["task"] == "volume texture"
    assert made.recipe["axes"] == [0, 1, 2]
    assert set(made.recipe["inputs"]) == {"styles"}
    made.save(tmp_path / "block.tif")
    assert volumes.read_notes(tmp_path / "block.tif").recipe == made.recipe
    again = volumes.read(tmp_path / "block.tif")
    assert again.shape == (16, 16, 24)
    assert torch.equal(again.voxels, made.made.voxels)


@pytest.mark.parametrize(
    ("shape", "values", "sentence"),
    [
        (8, {}, "each at least 16"),
        ((16, 16), {}, "give slices, rows and columns"),
        (16, {"axes": ()}, "give some of 0"),
        (16, {"axes": (0, 0)}, "give some of 0"),
        (16, {"axes": (3,)}, "give some of 0"),
        (18, {"periodic": True, "style_layers": {"conv3_1": 1.0}}, "multiples of 4"),
        (16, {"init": "content"}, "starts from noise"),
        (16, {"strength": 0.5}, "strength cannot take effect in a solid texture"),
        (16, {"color": "luminance"}, "color cannot take effect in a solid texture"),
        (16, {"photorealism": 1.0}, "photorealism cannot take effect"),
    ],
)
def test_bad_requests_get_a_sentence(exemplar, shape, values, sentence):
    """Before anything is computed."""
    with pytest.raises(SettingsError, match=sentence):
        SolidTexture.of(exemplar, shape, **{**QUICK, **values})


def test_no_exemplar_and_deep_layers(exemplar):
    """As for pictures."""
    with pytest.raises(SettingsError, match="no exemplar"):
        synthesize_block([], 16)
    with pytest.raises(LayerError, match="too small for conv5_2"):
        SolidTexture.of(exemplar, (16, 24, 8 + 8), **{**QUICK, "style_layers": {"conv5_2": 1}, "style_scale": 0.3})


def test_memory(exemplar):
    """What slices need does not grow with the block; too little of it is refused before anything is computed."""
    small, large = (SolidTexture.of(exemplar, side, **QUICK) for side in (64, 256))
    assert all(layout.tiles is None for layout in large.layouts.values())
    state = 12 * 30 * (256**3 - 64**3)
    assert large.layouts[256, 256, 256].memory < small.layouts[64, 64, 64].memory + state
    with pytest.raises(SettingsError, match="A block of 64 x 64 x 64 needs about"):
        small.within(Budget(0.4e9))


def test_spheres_and_several_processes_are_refused(exemplar):
    """Neither means anything here."""
    with pytest.raises(SettingsError, match="a picture of a sphere"):
        SolidTexture.of(exemplar, 16, padding="equirectangular", **QUICK)
    with pytest.raises(SettingsError, match="in one process"):
        SolidTexture.of(exemplar, 16, **QUICK).within(Budget(group=SimpleNamespace(size=2)))
