"""Stylized pictures that tile, and panoramas without a seam or poles."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import impasto
from impasto.pyramid import resize_within
from impasto.quality import seam
from impasto.runs.pictures.stylize import Transfer

QUICK = {
    "size": 64,
    "coarsest": 32,
    "evaluations": (12, 10),
    "precision": "fp32",
    "device": "cpu",
    "style_layers": "conv1_1,conv2_1,conv3_1",
    "content_layers": "conv3_1",
}


@pytest.fixture(scope="module")
def photo():
    """A photo that does not tile: bright on the left and dark on the right, with some detail."""
    y, x = np.mgrid[:48, :64] / 64
    waves = 0.1 * np.sin(40 * x * y)[..., None] + np.stack([0.8 - 0.6 * x, 0.3 + 0.4 * y, 0.2 + 0.6 * x * y], -1)
    return waves.clip(0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def painting(bundled):
    """A small painting."""
    return bundled("woodcut", (64, 64))


def test_a_stylized_photo_tiles(photo, painting):
    """With circular padding, from a photo that does not."""
    seams = [seam(impasto.stylize(photo, painting, padding=p, **QUICK).tensor, 2) for p in ("reflect", "circular")]
    assert seams[0] > 2.5
    assert seams[1] < 1.5


def test_a_shifted_photo_gives_a_shifted_objective(photo, painting):
    """Nothing is special about the border of a tiling picture: every loss is the same wherever it is cut."""
    run = Transfer.of(photo, painting, padding="circular", **QUICK)
    other = replace(run, canvas=replace(run.canvas, pixels=run.canvas.pixels.roll((16, 32), (2, 3))))
    image = torch.rand(1, 3, 48, 64)
    first = run.targets(run.encoder).engine_at((48, 64)).measure(image)
    second = other.targets(other.encoder).engine_at((48, 64)).measure(image.roll((16, 32), (2, 3)))
    assert second.value == pytest.approx(first.value, rel=1e-5)


def test_a_turned_panorama_gives_a_turned_objective(photo, painting):
    """Around the axis."""
    panorama = np.concatenate([photo[:32], photo[:32, ::-1]], axis=1)[:, ::2]
    run, other = (
        Transfer.of(pixels, painting, padding="equirectangular", **QUICK)
        for pixels in (panorama, np.ascontiguousarray(np.roll(panorama, 16, 1)))
    )
    image = torch.rand(1, 3, 32, 64)
    first = run.targets(run.encoder).engine_at((32, 64)).evaluate(image)
    second = other.targets(other.encoder).engine_at((32, 64)).evaluate(image.roll(16, 3))
    assert second.value == pytest.approx(first.value, rel=1e-5)
    assert torch.allclose(
        second.gradient, first.gradient.roll(16, 3), atol=1e-4 * float(first.gradient.abs().max())
    )  # in float32


@pytest.mark.parametrize("shape", [(20, 40), (10, 16), (13, 27)])
def test_panoramas_are_resampled_as_spheres(shape):
    """A turn before is a turn after, and a smooth function on the sphere is followed across border and pole."""

    def sphere(height, width, turn=0.0):
        latitude = (torch.arange(height) + 0.5) / height * torch.pi
        longitude = (torch.arange(width) + 0.5) / width * 2 * torch.pi + turn
        x = torch.sin(latitude)[:, None] * torch.cos(longitude)
        return (0.5 + 0.4 * x).expand(1, 3, -1, -1)

    found = resize_within(sphere(16, 32), shape, "equirectangular")
    assert (found - sphere(*shape)).abs().max() < 0.02


def test_rows_do_not_wrap_from_pole_to_pole():
    """As they would with circular padding."""
    image = torch.zeros(1, 3, 8, 16)
    image[:, :, :4] = 1
    found = resize_within(image, (16, 32), "equirectangular")
    assert found[:, :, :6].min() > 0.99
    assert found[:, :, 10:].max() < 0.01
    assert resize_within(image, (16, 32), "circular")[:, :, 0].max() < 0.9


def test_init_preview(photo, painting):
    """Starts nearer to the style than the photo is, and reaches a picture like any other."""
    losses = {}
    for init in ("content", "preview"):
        result = impasto.stylize(photo, painting, init=init, **{**QUICK, "evaluations": 2})
        losses[init] = sum(loss for name, loss in result.history[0].losses.items() if name.startswith("style"))
        assert result.recipe["settings"].get("init", "content") == init
    assert losses["preview"] < losses["content"]


def test_what_lies_beyond_a_pole_is_on_the_other_side():
    """A spot at the pole is seen by the resampling half the width away, and not beyond its own column."""
    image = torch.full((1, 3, 8, 16), 0.5)
    image[:, :, 0, 3] = 0.9
    found = resize_within(image, (16, 32), "equirectangular")[0, 0, 0]
    assert (found[22:24] - 0.5).abs().min() > 1e-3
    assert (found[12:18] - 0.5).abs().max() < 1e-6
