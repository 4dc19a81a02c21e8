"""Sums and products a piece at a time, and optimizers that keep what they remember elsewhere."""

import pytest
import torch

from impasto.optimizers import LBFGS, Adam, GradientDescent, spectrum, vectors
from impasto.optimizers.spectrum import Spectrum
from impasto.storage import Mapped


@pytest.fixture
def small_pieces(monkeypatch):
    """Everything is large."""
    monkeypatch.setattr(vectors, "PIECE", 100)
    monkeypatch.setattr(spectrum, "LARGE", 100)


def images(count, dtype=torch.float64):
    """Random images."""
    return [torch.randn(1, 3, 11, 17, dtype=torch.float64).to(dtype) for _ in range(count)]


def test_pieces_add_up(small_pieces):
    """To what the whole gives; 561 values are six pieces."""
    x, y, g = images(3)
    assert len(list(vectors.pieces(x, y))) == 6
    assert vectors.dot(x, y) == pytest.approx((x * y).sum().item(), rel=1e-12)
    assert vectors.length(x) == pytest.approx(x.norm().item(), rel=1e-12)
    assert vectors.distance(x, y) == pytest.approx((x - y).norm().item(), rel=1e-12)
    assert vectors.slope_of(x, y, g) == pytest.approx(((x - y) * g).sum().item(), rel=1e-12)
    assert torch.equal(vectors.subtract(torch.empty_like(x), x, y), x - y)
    assert torch.equal(vectors.subtract(torch.empty_like(x, dtype=torch.bfloat16), x, y), (x - y).bfloat16())


def test_precisions_mix():
    """A product of half and full precision is taken in full."""
    x, y = images(2, torch.float32)
    half = x.bfloat16()
    assert vectors.dot(half, y) == pytest.approx((half.float() * y).sum().item(), rel=1e-5)


def test_channels_are_scaled_one_by_one(small_pieces):
    """As all together."""
    [x] = images(1)
    whole = Spectrum(0.4)
    scaled = torch.cat([whole(x[:, channel : channel + 1]) for channel in range(3)], 1)
    assert torch.allclose(whole(x), scaled, rtol=1e-12)
    assert whole.square(x) == pytest.approx((x * scaled).sum().item(), rel=1e-12)
    assert Spectrum(0.0).square(x) == pytest.approx((x * x).sum().item(), rel=1e-12)


class Bowl:
    """A quadratic with its minimum partly outside the box."""

    def __init__(self, image):
        self.aim = torch.linspace(-0.3, 1.3, image.numel(), dtype=image.dtype).view_as(image)
        self.steep = torch.linspace(1, 20, image.numel(), dtype=image.dtype).view_as(image)
        self.value = float((self.steep * (image - self.aim).square()).sum()) / 2
        self.gradient = self.steep * (image - self.aim)


def descended(optimizer, steps=25):
    """The values of a descent."""
    state = optimizer.init(torch.full((1, 3, 11, 17), 0.5), Bowl)
    values = [state.point.value]
    for _ in range(steps):
        if not state.stalled:
            state = optimizer.step(state, Bowl, 20)
            values.append(state.point.value)
    return values, state


@pytest.mark.parametrize("kind", [LBFGS, Adam, GradientDescent])
def test_files_and_pieces_change_nothing(small_pieces, kind, tmp_path):
    """In files, in pieces: the same descent."""
    plain, _ = descended(kind())
    filed, state = descended(kind(storage=Mapped(tmp_path, worth=0)))
    assert filed == pytest.approx(plain, rel=1e-4)
    assert state.image.min() >= 0
    assert state.image.max() <= 1


def test_half_the_memory_descends_as_far():
    """What L-BFGS remembers in half precision is good enough."""
    plain, _ = descended(LBFGS())
    compact, state = descended(LBFGS(compact=100))
    assert {x.dtype for pair in state.memory["pairs"] for x in pair} == {torch.bfloat16}
    fall = plain[0] - plain[-1]
    assert plain[0] - compact[-1] > 0.999 * fall
    _, large = descended(LBFGS(compact=10_000), 3)
    assert {x.dtype for pair in large.memory["pairs"] for x in pair} == {torch.float32}
