"""Borders and their adjoint."""

import itertools

import pytest
import torch
import torch.nn.functional as nnf

from impasto.encoders.padding import pad, pad_adjoint

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
