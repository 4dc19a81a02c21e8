"""Borders and their adjoint."""

import itertools

import pytest
import torch
import torch.nn.functional as nnf

from impasto.encoders.padding import pad, pad_adjoint
from impasto.errors import SettingsError

MODES = ["zero", "reflect", "replicate", "circular"]
TORCH = {"zero": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}

NARROW = [(5,), (2,), (1,), (4, 5), (1, 5), (2, 3), (3, 5, 4), (3, 1, 2)]
CASES = [
    (mode, shape, reach)
    for mode, shape, reach in itertools.product(MODES, NARROW, ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0)))
    if mode != "circular" or min(shape) >= max(reach)  # torch wraps around once at most
]


@pytest.mark.parametrize("reach", [(0, 0), (1, 1), (2, 2), (0, 1), (2, 1)])
@pytest.mark.parametrize("shape", [(5,), (4, 5), (3, 5, 4)])
@pytest.mark.parametrize("mode", MODES)
def test_padding_is_torchs(mode, shape, reach):
    """Every mode, in every number of dimensions."""
    x = torch.randn(2, 3, *shape, dtype=torch.float64)
    assert torch.equal(pad(x, reach, mode), nnf.pad(x, list(reach) * len(shape), mode=TORCH[mode]))


@pytest.mark.parametrize(("mode", "shape", "reach"), CASES)
def test_adjoint_is_the_transpose(mode, shape, reach):
    """<pad x, y> = <x, adjoint y> for all x and y, narrow images and uneven borders included."""
    x = torch.randn(1, 2, *shape, dtype=torch.float64)
    wide = pad(x, reach, mode)
    y = torch.randn_like(wide)
    left = (wide * y).sum()
    found = pad_adjoint(y.clone(), reach, mode)
    assert found.shape == x.shape
    assert (x * found).sum().item() == pytest.approx(left.item(), rel=1e-12)


@pytest.mark.parametrize("shape", [(1, 4), (1, 1), (1,), (4, 1, 3)])
def test_single_row_is_its_own_mirror_image(shape):
    """Reflection falls back to repetition along the axes where there is nothing to mirror, and along no other."""
    x = torch.randn(1, 2, *shape)
    wide = pad(x, (1, 1), "reflect")
    for axis, length in enumerate(shape, start=2):
        beyond, inner = wide.select(axis, 0), wide.select(axis, 2 if length > 1 else 1)
        assert torch.equal(beyond, inner)


def test_panoramas_go_on_over_the_poles():
    """Rows beyond a pole are the same rows, half the width away; columns beyond the ends are the other end's."""
    x = torch.arange(24.0).view(1, 1, 4, 6)
    wide = pad(x, (2, 1), "equirectangular")[0, 0]
    assert wide.shape == (7, 9)
    assert torch.equal(wide[2:6, 2:8], x[0, 0])
    assert wide[1, 2:8].tolist() == [3, 4, 5, 0, 1, 2]
    assert wide[0, 2:8].tolist() == [9, 10, 11, 6, 7, 8]
    assert wide[6, 2:8].tolist() == [21, 22, 23, 18, 19, 20]
    assert torch.equal(wide[:, :2], wide[:, 6:8])
    assert torch.equal(wide[:, 8], wide[:, 2])


@pytest.mark.parametrize("shape", [(4, 6), (1, 4), (5, 7), (2, 2)])
@pytest.mark.parametrize("reach", [(1, 1), (0, 1), (1, 0)])
def test_the_adjoint_over_the_poles_is_the_transpose(shape, reach):
    """For odd widths, too."""
    x = torch.randn(1, 2, *shape, dtype=torch.float64)
    wide = pad(x, reach, "equirectangular")
    y = torch.randn_like(wide)
    found = pad_adjoint(y.clone(), reach, "equirectangular")
    assert (x * found).sum().item() == pytest.approx((wide * y).sum().item(), rel=1e-12)


def test_a_turned_panorama_has_turned_features(tiny, picture):
    """Around the axis by whole strides, and upside down: left, right and poles are nothing special."""
    encoder = tiny(2, padding="equirectangular")
    image = picture(8, 16)
    plain = dict(encoder.features(image, ["conv3_1"]))["conv3_1"]
    turned = dict(encoder.features(image.roll(4, 3), ["conv3_1"]))["conv3_1"]
    assert torch.allclose(turned, plain.roll(1, 3), atol=1e-12)
    over = torch.cat([image.flip(2).roll(8, 3), image], 2)  # a way around the sphere over both poles
    circled = dict(encoder.padded("circular").features(over, ["conv1_1"]))["conv1_1"]
    assert torch.allclose(
        circled[:, :, 9:-1], dict(encoder.features(image, ["conv1_1"]))["conv1_1"][:, :, 1:-1], atol=1e-12
    )
    assert torch.allclose(circled[:, :, 8], dict(encoder.features(image, ["conv1_1"]))["conv1_1"][:, :, 0], atol=1e-12)


def test_only_pictures_are_panoramas(tiny):
    """Signals and volumes have no poles."""
    for dims in (1, 3):
        with pytest.raises(SettingsError, match="two axes"):
            tiny(dims, padding="equirectangular")
