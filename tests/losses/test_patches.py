"""Style as patches of features."""

import dataclasses
import itertools

import pytest
import torch
from torch.overrides import TorchFunctionMode

from impasto.losses.patches import PatchLoss
from impasto.tiling import Window


def features(*shape, seed=0, channels=4):
    """Positive features (1, C, *shape)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, channels, *shape, generator=generator, dtype=torch.float64)


def patches(F):
    """Every patch of 3 x 3 positions as a row, by a plain loop."""
    height, width = F.shape[2:]
    corners = itertools.product(range(height - 2), range(width - 2))
    return torch.stack([F[0, :, y : y + 3, x : x + 3].flatten() for y, x in corners])


def test_loss_is_the_mean_cosine_distance():
    """Of each patch to the nearest of all, by a plain loop; positions without a patch count as done."""
    F, S = features(7, 9), features(8, 6, seed=1)
    own, other = patches(F), patches(S)
    correlation = (own @ other.t()) / own.norm(dim=1)[:, None] / other.norm(dim=1)
    expected = (1 - correlation.max(1).values).sum() / 63
    assert PatchLoss.of(S).value(F).item() == pytest.approx(expected.item(), rel=1e-12)


def test_painting_in_another_order_costs_only_at_its_seams():
    """Halves that change places leave every patch within a half what it was."""
    S = features(8, 12)
    moved = torch.cat([S[..., 6:], S[..., :6]], dim=3)
    loss, slope = PatchLoss.of(S), torch.zeros_like(S)
    loss.add_gradient(slope, moved, loss.summarize(moved), 96, 1.0)
    assert 0 < loss.value(moved).item() < 0.5 * loss.value(features(8, 12, seed=1)).item()
    assert slope[..., 4:8].abs().max() > 1e-4
    rounding = 1e-11 * slope.abs().max()
    assert slope[..., :4].abs().max() < rounding
    assert slope[..., 8:].abs().max() < rounding


def test_neighbors_matter():
    """The same values in any order have the same Gram matrix, and are far from the painting's patches."""
    S = features(8, 12)
    shuffled = S.flatten(2)[..., torch.randperm(96)].view_as(S)
    assert PatchLoss.of(S).value(shuffled).item() > 0.05


def test_strength_of_features_is_left_open():
    """An image three times as strong costs the same."""
    F, loss = features(7, 9), PatchLoss.of(features(8, 6, seed=1))
    assert loss.value(3 * F).item() == pytest.approx(loss.value(F).item(), rel=1e-12)


def test_silent_patches_have_a_slope_that_is_bounded():
    """They cost 1, and a weak one is pulled no harder than one of 3 % of the style's mean length."""
    loss = PatchLoss.of(features(8, 6))
    silent = torch.zeros(1, 4, 3, 3, dtype=torch.float64)
    assert loss.value(silent).item() * 9 == loss.size() == 1
    for F in (silent, silent + 1e-9):
        slope = torch.zeros_like(F)
        loss.add_gradient(slope, F, loss.summarize(F), 1, 1.0)
        assert slope.norm().item() == pytest.approx(
            1 / (0.03 * loss.target.flatten(1).norm(dim=1).mean().item()), rel=0.01
        )


def test_loss_is_continuous_where_the_nearest_patch_changes():
    """On the way from one patch of the painting to another it never jumps, though its slope turns."""
    S = features(3, 6)
    way = [PatchLoss.of(S).value(torch.lerp(S[..., :3], S[..., 3:], t / 200)).item() for t in range(201)]
    steps = [after - before for before, after in itertools.pairwise(way)]
    assert max(map(abs, steps)) < 0.05 * max(way)
    assert min(steps) < 0 < max(steps)


def test_slabs_do_not_show():
    """A search in strips of one row finds what a search at once finds."""
    F, S = features(9, 7), features(8, 8, seed=1)
    loss, searched = PatchLoss.of(S), []
    with Searches(searched):
        found = dataclasses.replace(loss, slab=1).value(F)
    assert len(searched) == 7
    assert torch.equal(found, loss.value(F))


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_styles_have_patches_by_their_shares(share):
    """Of two styles, as many of each as its share says, every one of them a patch of its style."""
    A, B = features(9, 9), features(9, 9, seed=1)
    found = PatchLoss.of(A).mixed(B, share).target.flatten(1)
    of_b = torch.tensor([any(torch.equal(row, other) for other in patches(B)) for row in found])
    of_a = torch.tensor([any(torch.equal(row, other) for other in patches(A)) for row in found])
    assert (of_a ^ of_b).all()
    assert of_b.double().mean().item() == pytest.approx(share, abs=0.02)
    assert len(found) > 49


@pytest.mark.parametrize("shares", [(1, 1, 1), (1, 1, 1, 1), (2, 1, 5), (1, 4, 2, 3)], ids=str)
def test_several_styles_keep_their_shares_when_more_are_mixed_in(shares):
    """Each style's part of all patches is its share to within a patch per style, in whatever order they came."""
    styles = [features(40, 40, seed=seed) for seed in range(len(shares))]
    loss, seen = PatchLoss.of(styles[0]), shares[0]
    for style, share in zip(styles[1:], shares[1:], strict=True):
        seen += share
        loss = loss.mixed(style, share / seen)
    rows = {tuple(row.tolist()) for row in loss.target.flatten(1)}
    assert len(rows) == len(loss.target) > 1000
    for style, share in zip(styles, shares, strict=True):
        own = {tuple(row.tolist()) for row in patches(style)}
        assert abs(len(rows & own) - share / sum(shares) * len(rows)) <= len(shares)


def test_many_patches_are_thinned_out():
    """To as many as are asked for, each one of the style's, and the same ones at every call."""
    S = features(20, 20)
    loss = PatchLoss.of(S, most=50)
    rows = loss.target.flatten(1)
    assert rows.shape == (50, 36)
    assert all(any(torch.equal(row, other) for other in patches(S)) for row in rows)
    assert len(rows.unique(dim=0)) == 50
    assert torch.equal(PatchLoss.of(S, most=50).target, loss.target)


def test_small_paintings_have_small_patches():
    """Fewer than 3 positions along an axis are one patch there; a picture smaller than a patch costs nothing."""
    loss = PatchLoss.of(features(2, 6))
    assert loss.target.shape == (4, 4, 2, 3)
    assert loss.value(features(2, 6)).item() < 1e-13
    assert loss.value(features(1, 6, seed=1)).item() == 0
    assert PatchLoss.of(features(8, 8)).mixed(features(2, 6), 0.5).target.shape[2:] == (2, 3)


def test_features_are_searched_once():
    """The gradient takes the matches that the value has found in the same features; in others it finds their own."""
    F, loss = features(7, 9), PatchLoss.of(features(8, 6, seed=1))
    summary, searched = loss.summarize(F), []
    first, second, other = torch.zeros_like(F), torch.zeros_like(F), torch.zeros_like(F)
    with Searches(searched):
        loss.add_gradient(first, F, summary, 63, 1.0)
    assert not searched
    with Searches(searched):
        loss.add_gradient(second, F, summary, 63, 1.0)
    assert len(searched) == 1
    assert torch.equal(first, second)
    loss.summarize(features(7, 9, seed=2))
    loss.add_gradient(other, F, summary, 63, 1.0)
    assert torch.equal(first, other)


class Searches(TorchFunctionMode):
    """Notes every convolution, which is what a search is."""

    def __init__(self, found):
        super().__init__()
        self.found = found

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.conv2d:
            self.found.append(args[0].shape)
        return func(*args, **(kwargs or {}))


def test_windows_of_small_patches_count_their_own():
    """Patches of 2 x 3 positions in windows that see 2 positions beyond: none is counted twice."""
    F, loss = features(5, 9), PatchLoss.of(features(2, 6, seed=1))
    for cut in (((0, 0), (5, 4)), ((0, 4), (5, 9))), (((0, 0), (2, 9)), ((2, 0), (5, 9))):
        windows = [Window(*span) for span in cut]
        views = [F[window.reaching(loss.margin, (5, 9)).index] for window in windows]
        parts = [loss.at(window).summarize(view) for window, view in zip(windows, views, strict=True)]
        assert sum(parts).item() == pytest.approx(loss.summarize(F).item(), rel=1e-12)
