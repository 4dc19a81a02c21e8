"""Seams in boxes that wrap."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto.encoders import Seams

PLACES = st.lists(st.integers(1, 9), max_size=3).map(
    lambda steps: tuple(sum(steps[: i + 1]) for i in range(len(steps)))
)


def test_example():
    """Copies of 5 positions, the first cut to 3: each loses its last odd position, and 2 and 4 are left for pooling."""
    seams = Seams(((3, 8),))
    x = torch.arange(10.0).view(1, 1, 10)
    assert seams.closed(x).flatten().tolist() == [0, 1, 3, 4, 5, 6, 8, 9]
    assert seams.pooled() == Seams(((1, 3),))


def test_no_seams_change_nothing():
    """The same tensor, not a copy."""
    x = torch.rand(1, 2, 5, 4)
    assert not Seams()
    assert not Seams(((), ()))
    assert Seams(((), ())).closed(x) is x
    assert Seams().opened(x, x) is x


@given(rows=PLACES, columns=PLACES)
def test_opening_is_the_transpose_of_closing(rows, columns):
    """The scalar products agree, and what was dropped gets nothing."""
    seams = Seams((rows, columns))
    shape = [(places[-1] if places else 0) + 3 for places in (rows, columns)]
    x = torch.rand(1, 2, *shape, dtype=torch.float64)
    closed = seams.closed(x)
    y = torch.rand_like(closed)
    opened = seams.opened(y, x)
    assert opened.shape == x.shape
    assert (opened * x).sum().item() == pytest.approx((y * closed).sum().item())
    assert (opened != 0).sum() == y.numel()


@given(places=PLACES)
def test_pooled_seams_are_where_blocks_end(places):
    """Closed segments are even, and half of them is where the pooled seams are."""
    x = torch.zeros(1, 1, (places[-1] if places else 0) + 2)
    for place in places:
        x[..., place:] += 1
    halves = Seams((places,)).closed(x)[..., ::2].flatten()
    at = [index + 1 for index in range(len(halves) - 1) if halves[index] != halves[index + 1]]
    assert set(at) == {place for place in Seams((places,)).pooled().positions[0] if 0 < place < len(halves)}
