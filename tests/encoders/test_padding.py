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
    (mode, shape, width)
    for mode, shape, width in itertools.product(MODES, NARROW, (0, 1, 2))
    if mode != "circular" or min(shape) >= width  # torch wraps around once at most
]


@pytest.mark.parametrize("width", [0, 1, 2])
@pytest.mark.parametrize("shape", [(5,), (4, 5), (3, 5, 4)])
@pytest.mark.parametrize("mode", MODES)
def test_padding_is_torchs(mode, shape, width):
    """Every mode, in every number of dimensions."""
    x = torch.randn(2, 3, *shape, dtype=torch.float64)
    assert torch.equal(pad(x, width, mode), nnf.pad(x, [width] * (2 * len(shape)), mode=TORCH[mode]))


@pytest.mark.parametrize(("mode", "shape", "width"), CASES)
def test_adjoint_is_the_transpose(mode, shape, width):
    """<pad x, y> = <x, adjoint y> for all x and y, narrow images included."""
    x = torch.randn(1, 2, *shape, dtype=torch.float64)
    wide = pad(x, width, mode)
    y = torch.randn_like(wide)
    left = (wide * y).sum()
    found = pad_adjoint(y.clone(), width, mode)
    assert found.shape == x.shape
    assert (x * found).sum().item() == pytest.approx(left.item(), rel=1e-12)


@pytest.mark.parametrize("shape", [(1, 4), (1, 1), (1,)])
def test_single_row_is_its_own_mirror_image(shape):
    """Reflection falls back to repetition where there is nothing to mirror."""
    x = torch.randn(1, 2, *shape)
    assert torch.equal(pad(x, 1, "reflect"), pad(x, 1, "replicate"))
