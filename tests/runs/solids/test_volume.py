"""Volumes in the style of pictures and of volumes."""

from dataclasses import replace

import nibabel
import numpy as np
import pytest
import tifffile
import torch

from impasto import volumes
from impasto.errors import ImpastoError, SettingsError
from impasto.memory.budget import Budget, Layout
from impasto.memory.execution import Execution
from impasto.runs.solids.volume import VolumeTransfer, style_of, stylize_volume
from impasto.tiling import tiles

QUICK = {
    "content_layers": {"conv2_2": 1.0},
    "style_layers": {"conv1_1": 1.0, "conv2_1": 1.0},
    "evaluations": 3,
    "precision": "fp32",
    "device": "cpu",
    "depths": (0,),
}
AFFINE = np.diag([1.5, 1.25, 2.0, 1.0])


@pytest.fixture(scope="module")
def painting(bundled):
    """With much structure, (1, 3, 48, 40)."""
    return bundled("glass", (48, 40))


@pytest.fixture(scope="module")
def brain(tmp_path_factory):
    """A NIfTI file of smooth blobs: int16, columns 20, rows 18, slices 16."""
    z, y, x = np.mgrid[:16, :18, :20]
    blobs = np.exp(-((x - 8) ** 2 + (y - 9) ** 2 + (z - 8) ** 2) / 30) + 0.5 * np.sin(x / 2) * np.cos(y / 3 + z / 4)
    path = tmp_path_factory.mktemp("brain") / "brain.nii"
    nibabel.save(nibabel.Nifti1Image(np.swapaxes((blobs * 900).astype(np.int16), 0, 2), AFFINE), path)
    return path


@pytest.fixture(scope="module")
def painted(brain, painting):
    """The blobs in the style of the painting."""
    return stylize_volume(brain, painting, **QUICK)


def test_intensities_come_out(painted, brain, tmp_path):
    """Gray as before, of the same type, within the window, in the same place; with a caution."""
    content = volumes.read(brain)
    assert painted.made.gray
    assert painted.array.dtype == np.int16
    assert painted.array.shape == (16, 18, 20)
    low, high = painted.made.window
    assert painted.array.min() >= low - 1
    assert painted.array.max() <= high + 1
    assert np.allclose(painted.made.affine, content.affine)
    painted.save(tmp_path / "out.nii")
    again = volumes.read(tmp_path / "out.nii", window=(low - 10, high + 10))
    assert np.array_equal(again.samples(), painted.array)
    recipe = volumes.read_notes(tmp_path / "out.nii").recipe
    assert recipe == painted.recipe
    assert "Not for diagnosis" in recipe["caution"]
    assert (recipe["window"], recipe["depths"], recipe["color"]) == ([low, high], [0], False)


def test_the_loss_falls_and_the_content_stays(painted, brain):
    """Below that of the volume itself, and more like it than like noise."""
    history = [record.value for record in painted.history]
    assert history[-1] < 0.8 * history[0]
    content = volumes.read(brain).voxels
    assert torch.corrcoef(torch.stack([content.flatten(), painted.tensor.flatten()]))[0, 1] > 0.5
    assert torch.equal(painted.tensor[:, 0], painted.tensor[:, 1])


def test_only_grays_are_looked_at(brain, painting):
    """Unless colors are asked for: then the style's come out."""
    run = VolumeTransfer.of(brain, painting, **QUICK)
    engine = run.targets(run.encoder).engine_at((16, 18, 20))
    colored = torch.rand(1, 3, 16, 18, 20)
    gray = colored.mean(1, keepdim=True).expand_as(colored)
    assert engine.measure(colored).value == pytest.approx(engine.measure(gray).value, rel=1e-4)
    found = stylize_volume(brain, painting, color=True, **QUICK)
    assert found.array.dtype == np.uint8
    assert found.array.shape == (16, 18, 20, 3)
    assert np.ptp(found.array.astype(int), axis=-1).mean() > 2


def test_several_depths_are_a_mean(brain, painting):
    """Each axis is the depth of the network once, and each sees something else."""
    image, values = torch.rand(1, 3, 16, 18, 20), {}
    for depths in ((0,), (1,), (2,), (2, 0, 1)):
        run = VolumeTransfer.of(brain, painting, **{**QUICK, "depths": depths})
        values[depths] = run.targets(run.encoder).engine_at((16, 18, 20)).measure(image).value
    single = [values[(0,)], values[(1,)], values[(2,)]]
    assert values[(2, 0, 1)] == pytest.approx(sum(single) / 3, rel=1e-5)
    assert len({f"{value:.4g}" for value in single}) == 3


def test_a_style_may_be_a_volume(brain, tmp_path):
    """A stack is recognized by its pages; a volume in its own style costs next to nothing."""
    run = VolumeTransfer.of(brain, brain, **QUICK)
    value = run.targets(run.encoder).engine_at((16, 18, 20)).measure(volumes.read(brain).voxels).value
    assert value < 1e-6
    rng = np.random.default_rng(0)
    tifffile.imwrite(
        tmp_path / "stack.tif", rng.integers(0, 255, (16, 17, 18)).astype(np.uint8), photometric="minisblack"
    )
    tifffile.imwrite(tmp_path / "picture.tif", rng.integers(0, 255, (17, 18, 3)).astype(np.uint8), photometric="rgb")
    assert style_of(tmp_path / "stack.tif").shape == (16, 17, 18)
    assert style_of(tmp_path / "picture.tif").shape == (17, 18)


def test_another_size_keeps_the_place(brain, painting):
    """Larger by a quarter, with smaller voxels in the same box."""
    found = stylize_volume(brain, painting, **{**QUICK, "size": 25, "evaluations": 1})
    assert found.made.shape == (20, 22, 25)
    assert found.made.spacing == pytest.approx((2.0 / 1.25, 1.25 * 18 / 22, 1.2))


def test_a_stopped_run_goes_on(painted, brain, painting, tmp_path):
    """To the same volume."""
    run = VolumeTransfer.of(brain, painting, **QUICK)
    assert not run.run(lambda event: True, tmp_path).complete
    assert torch.equal(run.run(None, tmp_path).tensor, painted.tensor)
    other = VolumeTransfer.of(brain, painting, window=(0, 500), **QUICK)
    with pytest.raises(ImpastoError, match="differs in: window"):
        other.run(None, tmp_path)


def test_half_precision(brain, painting):
    """Runs to its end and lowers the loss, on processors too."""
    found = stylize_volume(brain, painting, **{**QUICK, "precision": "bf16"})
    assert found.history[-1].value < found.history[0].value


def test_from_noise(brain, painting):
    """Nothing is left of its colors in a volume of intensities."""
    found = stylize_volume(brain, painting, init="noise", **QUICK)
    assert torch.equal(found.made.voxels[:, 0], found.made.voxels[:, 2])


@pytest.mark.parametrize("depths", [(0,), (0, 1, 2)])
def test_tiles_change_nothing(brain, painting, depths):
    """A volume in boxes, whichever axis is the depth: the value and the gradient of the whole."""
    chosen = {**QUICK, "depths": depths, "content_layers": {"conv2_1": 1.0}}
    run = VolumeTransfer.of(brain, [painting, brain], **chosen)
    image, shape = torch.rand(1, 3, 16, 18, 20), (16, 18, 20)
    cut = tiles(shape, 8, 16, 2)
    assert len(cut) > 4
    targets = run.targets(run.encoder)
    layout = Layout(shape, cut, 1, 0.0, 0.0, 1.0)
    whole, tiled = (
        replace(targets, execution=room).engine_at(shape).evaluate(image)
        for room in (Execution(), Execution({shape: layout}))
    )
    assert tiled.value == pytest.approx(whole.value, rel=1e-5)
    assert torch.allclose(tiled.gradient, whole.gradient, rtol=1e-3, atol=1e-4 * whole.gradient.abs().max().item())


def test_memory(brain, painting):
    """Too little of it is refused before anything is computed."""
    with pytest.raises(SettingsError, match="20 x 18 x 16 needs about"):
        VolumeTransfer.of(brain, painting, **QUICK).within(Budget(0.2e9))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"depths": ()}, "give some of 0"),
        ({"depths": (0, 4)}, "give some of 0"),
        ({"init": "preview"}, "cannot start from preview"),
        ({"init": "style"}, "cannot start from style, which is a picture"),
        ({"photorealism": 1.0}, "photorealism cannot take effect in a volume"),
        ({"guidance": "inside"}, "guidance cannot take effect in a volume"),
        ({"padding": "circular"}, "does not tile"),
        ({"padding": "equirectangular"}, "a picture of a sphere"),
        ({"window": (4, 2)}, "a lower and a higher"),
    ],
)
def test_bad_requests_get_a_sentence(brain, painting, values, sentence):
    """Before anything is computed."""
    with pytest.raises(ImpastoError, match=sentence):
        VolumeTransfer.of(brain, painting, **{**QUICK, **values})


def test_no_style(brain):
    """There must be one."""
    with pytest.raises(SettingsError, match="no style"):
        stylize_volume(brain, [])
