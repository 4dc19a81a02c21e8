"""A scaling per frequency."""

import pytest
import torch

from impasto.optimizers.spectrum import Spectrum

SHAPES = [(7,), (8,), (1,), (4, 5), (6, 4), (1, 5), (3, 4, 5)]


def as_matrix(spectrum, shape):
    """The map as a matrix over all positions."""
    size = torch.Size(shape).numel()
    units = torch.eye(size, dtype=torch.float64).view(size, 1, *shape)
    return spectrum(units).view(size, size)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_map_is_symmetric_and_positive_definite(shape):
    """So the inverse Hessian that begins with it is, too."""
    matrix = as_matrix(Spectrum(0.4), shape)
    assert torch.allclose(matrix, matrix.t(), atol=1e-14)
    assert torch.linalg.eigvalsh(matrix).min() > 0.01


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_exponent_zero_is_the_identity(shape):
    """A copy, not the same tensor."""
    x = torch.randn(1, 3, *shape)
    scaled = Spectrum(0.0)(x)
    assert torch.equal(scaled, x)
    assert scaled.data_ptr() != x.data_ptr()


def test_frequencies_are_scaled_by_their_power():
    """A wave of twice the frequency comes out 4^-exponent as strong, along either axis."""
    position = torch.arange(32, dtype=torch.float64) / 32
    waves = [torch.cos(2 * torch.pi * cycles * position).expand(1, 1, 32, 32) for cycles in (3, 6)]
    for turned in (False, True):
        slow, fast = (wave.mT if turned else wave for wave in waves)
        gains = [(Spectrum(0.4)(wave) * wave).sum() / (wave * wave).sum() for wave in (slow, fast)]
        assert (gains[1] / gains[0]).item() == pytest.approx(4**-0.4)


def test_mean_counts_as_one_cycle():
    """The constant part is scaled like the slowest wave, not without bound."""
    position = torch.arange(32, dtype=torch.float64) / 32
    wave = torch.cos(2 * torch.pi * position).expand(1, 1, 32, 32)
    flat = torch.ones(1, 1, 32, 32, dtype=torch.float64)
    assert (Spectrum(0.4)(flat) / flat).mean().item() == pytest.approx((Spectrum(0.4)(wave) * wave).sum().item() / 512)


@pytest.mark.parametrize(("shape", "same"), [((8, 256), True), ((2, 8, 256), True), ((256,), False)])
def test_long_waves_of_images_count_as_128_positions(shape, same):
    """Those of 256 positions are scaled as those of 128, of 64 by their power; a sequence's all by their power."""
    position = torch.arange(256, dtype=torch.float64)
    waves = [torch.cos(2 * torch.pi * position / length).expand(1, 1, *shape) for length in (256, 128, 64)]
    gains = [((Spectrum(0.4)(wave) * wave).sum() / (wave * wave).sum()).item() for wave in waves]
    assert gains[0] / gains[1] == pytest.approx(1 if same else 4**0.4)
    assert gains[1] / gains[2] == pytest.approx(4**0.4)


def test_input_is_left_alone():
    """Channels are independent, and the result is a new tensor."""
    x = torch.randn(1, 3, 6, 7)
    before = x.clone()
    scaled = Spectrum(0.4)(x)
    assert torch.equal(x, before)
    assert torch.allclose(scaled[:, 1:2], Spectrum(0.4)(x[:, 1:2]), atol=1e-6)
