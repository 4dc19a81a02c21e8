"""Sums over positions."""

import pytest
import torch

from impasto.statistics import add_product, matrices, position_count, product_sum

SHAPES = {1: (11,), 2: (5, 7), 3: (3, 4, 5)}
LAST = {2: torch.channels_last, 3: torch.channels_last_3d}


def features(dims, channels=4, batch=1, seed=0, dtype=torch.float64):
    """Random features (B, C, *spatial)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, channels, *SHAPES[dims], generator=generator, dtype=torch.float64).to(dtype)


@pytest.mark.parametrize("dims", SHAPES)
def test_product_sum_is_the_gram_matrix_of_the_paper(dims):
    """G_ij is the inner product of filters i and j over all positions, for every item of a batch."""
    F = features(dims, batch=2)
    flat = F.flatten(2)
    assert torch.allclose(product_sum(F), torch.einsum("bik,bjk->bij", flat, flat), rtol=1e-14)


@pytest.mark.parametrize("dims", SHAPES)
def test_gram_matrix_does_not_know_where_features_are(dims):
    """Permuting the positions leaves the Gram matrix as it is."""
    F = features(dims)
    order = torch.randperm(F[0, 0].numel())
    shuffled = F.flatten(2)[..., order].view_as(F)
    assert torch.allclose(product_sum(shuffled), product_sum(F), rtol=1e-13)
    assert not torch.allclose(shuffled, F)


@pytest.mark.parametrize("dims", SHAPES)
def test_product_sum_adds_over_positions(dims):
    """The Gram matrices of two halves add up to that of the whole."""
    F = features(dims)
    assert torch.allclose(product_sum(F[..., :2]) + product_sum(F[..., 2:]), product_sum(F), rtol=1e-13)


@pytest.mark.parametrize("dims", [2, 3])
def test_memory_layout_changes_nothing(dims):
    """Channels-first and channels-last features have the same Gram matrix, and matrices() copies neither."""
    F = features(dims)
    last = F.contiguous(memory_format=LAST[dims])
    assert torch.allclose(product_sum(last), product_sum(F), rtol=1e-14)
    for layout in (F, last):
        (matrix,) = matrices(layout)
        assert matrix.shape == (F[0, 0].numel(), F.shape[1])
        assert matrix.untyped_storage().data_ptr() == layout.untyped_storage().data_ptr()
        assert torch.equal(matrix, layout[0].flatten(1).t())


def test_no_positions_sum_to_zero():
    """A window without positions adds nothing, in every precision."""
    for dtype in (torch.float64, torch.bfloat16):
        assert torch.equal(product_sum(torch.ones(1, 3, 0, 5, dtype=dtype)).double(), torch.zeros(1, 3, 3).double())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_summed_in_float32(dtype):
    """Thousands of half-precision products add up to within their own rounding, as float32."""
    F = torch.rand(1, 8, 100, 100).to(dtype)
    exact = product_sum(F.double())
    found = product_sum(F)
    assert found.dtype == torch.float32
    assert ((found - exact).abs() / exact).max() < 2**-8


@pytest.mark.parametrize("layout", ["first", "last"])
@pytest.mark.parametrize("window", ["whole", "rows", "box", "none"])
@pytest.mark.parametrize("dims", SHAPES)
def test_add_product_adds_in_place_whatever_the_layout(dims, window, layout):
    """F times a matrix is added to every position of a window, and nowhere else."""
    order = LAST.get(dims, torch.contiguous_format) if layout == "last" else torch.contiguous_format
    F = features(dims, batch=2).contiguous(memory_format=order)
    out = features(dims, batch=2, seed=1).contiguous(memory_format=order)
    box = {"whole": slice(None), "rows": slice(1, 3), "box": slice(1, -1), "none": slice(2, 2)}[window]
    index = (slice(None), slice(None), box) if window == "rows" else (slice(None), slice(None), *(box,) * dims)
    matrix = torch.randn(2, 4, 4, dtype=torch.float64)
    expected = out.clone()
    expected[index] += torch.einsum("bi...,bij->bj...", F[index], matrix)
    add_product(out[index], F[index], matrix)
    assert torch.allclose(out, expected, rtol=1e-13)


def test_position_count_is_the_product_of_the_extents():
    """M in Gatys et al."""
    assert position_count(torch.empty(2, 7, 3, 4, 5)) == 60
