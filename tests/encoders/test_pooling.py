"""Pooling in any number of dimensions, and its derivative."""

import pytest
import torch
import torch.nn.functional as nnf

from impasto.encoders.pooling import pool, pool_backward

TORCH = {
    ("avg", 1): nnf.avg_pool1d,
    ("avg", 2): nnf.avg_pool2d,
    ("avg", 3): nnf.avg_pool3d,
    ("max", 1): nnf.max_pool1d,
    ("max", 2): nnf.max_pool2d,
    ("max", 3): nnf.max_pool3d,
}
SHAPES = [(8,), (9,), (2,), (6, 4), (7, 5), (6, 5), (3, 2), (4, 6, 2), (5, 3, 7), (4, 3, 2)]
LAST = {1: torch.contiguous_format, 2: torch.channels_last, 3: torch.channels_last_3d}


def oracle(x, kind):
    """The same pooling from torch's own."""
    if kind == "l2":
        return TORCH["avg", x.dim() - 2](x * x, 2).sqrt()
    return TORCH[kind, x.dim() - 2](x, 2)


@pytest.mark.parametrize("kind", ["avg", "max", "l2"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("layout", ["first", "last"])
def test_pooling_and_its_derivative_agree_with_torch(kind, shape, layout):
    """Even and odd sizes, either memory layout."""
    x = torch.randn(2, 3, *shape, dtype=torch.float64)
    x = x.contiguous(memory_format=LAST[len(shape)]) if layout == "last" else x
    expected = oracle(x.requires_grad_(), kind)
    gradient = torch.randn_like(expected)
    (automatic,) = torch.autograd.grad(expected, x, gradient)
    x = x.detach()
    pooled = pool(x, kind)
    assert torch.allclose(pooled, expected, rtol=1e-14)
    assert torch.allclose(pool_backward(gradient, x, pooled, kind), automatic, rtol=1e-12)


@pytest.mark.parametrize("kind", ["avg", "max", "l2"])
def test_input_is_left_alone(kind):
    """Neither direction writes to what it is given."""
    x, gradient = torch.randn(1, 2, 5, 4), torch.randn(1, 2, 2, 2)
    before = x.clone(), gradient.clone()
    pool_backward(gradient, x, pool(x, kind), kind)
    assert torch.equal(x, before[0])
    assert torch.equal(gradient, before[1])


def test_ties_give_the_first_corner_everything():
    """Where a block is flat, its maximum has one gradient, as in torch."""
    x = torch.ones(1, 1, 4, 4, requires_grad=True)
    nnf.max_pool2d(x, 2).sum().backward()
    found = pool_backward(torch.ones(1, 1, 2, 2), x.detach(), torch.ones(1, 1, 2, 2), "max")
    assert torch.equal(found, x.grad)
    assert found.sum() == 4


@pytest.mark.parametrize("kind", ["avg", "max", "l2"])
def test_zeros_have_no_nan(kind):
    """After a ReLU whole blocks are zero; the root's derivative there is taken as zero."""
    x = torch.zeros(1, 2, 4, 4)
    pooled = pool(x, kind)
    assert torch.equal(pooled, torch.zeros(1, 2, 2, 2))
    assert pool_backward(torch.ones_like(pooled), x, pooled, kind).isfinite().all()


def test_l2_is_between_average_and_maximum():
    """The root of the mean square, for values that are not negative."""
    x = torch.rand(1, 4, 8, 8, dtype=torch.float64)
    low, middle, high = (pool(x, kind) for kind in ("avg", "l2", "max"))
    assert (low <= middle).all()
    assert (middle <= high).all()


@pytest.mark.parametrize("kind", ["avg", "max", "l2"])
@pytest.mark.parametrize("shape", [(8,), (6, 4), (4, 6, 2), (5, 3, 7)])
def test_half_precision_is_pooled_in_any_number_of_dimensions(kind, shape):
    """Torch has no three-dimensional mean of bfloat16 on processors; ours rounds once."""
    x = torch.randn(2, 3, *shape).bfloat16()
    found = pool(x, kind)
    assert found.dtype == torch.bfloat16
    assert torch.allclose(found.float(), oracle(x.float(), kind), rtol=2e-2, atol=1e-2)
