"""Sums over positions."""

import pytest
import torch

from impasto.statistics import (
    add_by_rows,
    add_product,
    add_vector,
    matrices,
    mean_and_covariance,
    moment_sums,
    position_count,
    product_sum,
    square_sum,
    sum_by_rows,
    value_sum,
)

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


@pytest.mark.parametrize("dims", SHAPES)
def test_sums_of_values_and_squares_are_per_channel(dims):
    """The squares' are the Gram matrix's diagonal."""
    F = features(dims, batch=2)
    assert torch.allclose(value_sum(F), F.flatten(2).sum(2), rtol=1e-13)
    assert torch.allclose(square_sum(F), product_sum(F).diagonal(dim1=1, dim2=2), rtol=1e-13)


@pytest.mark.parametrize("dims", SHAPES)
def test_moment_sums_make_mean_and_covariance(dims):
    """Divided by the positions, they are those of torch."""
    F = features(dims, batch=2) + 3
    mean, covariance = mean_and_covariance(moment_sums(F) / position_count(F))
    assert torch.allclose(mean, F.flatten(2).mean(2), rtol=1e-13)
    expected = torch.stack([torch.cov(item.flatten(1), correction=0) for item in F])
    assert torch.allclose(covariance, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_moments_of_half_precision_are_exact_to_float32(dtype):
    """Products of half-precision numbers are not rounded to half precision, for covariances are small differences."""
    F = (torch.rand(1, 8, 10, 10) + 2).to(dtype)  # a hundred roundings of 2^-24 are 6e-6 at most; to bf16, 2e-4
    for function in (moment_sums, value_sum, square_sum):
        assert function(F).dtype == torch.float32
        assert torch.allclose(function(F).double(), function(F.double()), rtol=1e-5)


@pytest.mark.parametrize("function", [value_sum, square_sum, moment_sums])
def test_sums_add_over_positions(function):
    """Those of two halves, and of nothing, add up to those of the whole."""
    F = features(2)
    parts = [function(F[..., :2]), function(F[..., 2:2]), function(F[..., 2:])]
    assert torch.allclose(sum(parts), function(F), rtol=1e-13)


@pytest.mark.parametrize("layout", ["first", "last"])
@pytest.mark.parametrize("shape", [(5000,), (70, 90), (20, 21, 22)], ids=str)
def test_functions_of_positions_see_each_once(shape, layout):
    """Summed or added, in whole features and in a window, with more positions than are looked at together."""
    order = LAST.get(len(shape), torch.contiguous_format) if layout == "last" else torch.contiguous_format
    F = torch.rand(2, 3, *shape, dtype=torch.float64).contiguous(memory_format=order)
    assert torch.allclose(sum_by_rows(F, lambda rows: rows.exp().sum(0)), F.exp().flatten(2).sum(2), rtol=1e-12)
    for window in (slice(None), slice(1, -1)):
        index = (slice(None), slice(None), *(window,) * len(shape))
        out = torch.rand_like(F)
        expected = out.clone()
        expected[index] += F[index].square() * torch.tensor([1.0, 2.0]).view(2, *(1,) * (F.dim() - 1))
        add_by_rows(out[index], F[index], lambda rows, item: rows.square() * (1 + item))
        assert torch.allclose(out, expected, rtol=1e-13)


@pytest.mark.parametrize("layout", ["first", "last"])
@pytest.mark.parametrize("dims", SHAPES)
def test_add_vector_adds_in_place(dims, layout):
    """One number per channel, to a window, and that number times features."""
    order = LAST.get(dims, torch.contiguous_format) if layout == "last" else torch.contiguous_format
    F, out = (features(dims, batch=2, seed=seed).contiguous(memory_format=order) for seed in (0, 1))
    index = (slice(None), slice(None), *(slice(1, -1),) * dims)
    vector = torch.randn(2, 4, dtype=torch.float64)
    expected = out.clone()
    expected[index] += torch.einsum("bi...,bi->bi...", 1 + F[index], vector)
    add_vector(out[index], vector)
    add_vector(out[index], vector, F[index])
    assert torch.allclose(out, expected, rtol=1e-13)
