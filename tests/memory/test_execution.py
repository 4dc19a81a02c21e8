"""A run in tiles is the run that takes everything whole."""

import dataclasses
import itertools

import pytest
import torch

from impasto.aims.style import StyleTargets, style_shape
from impasto.errors import SettingsError
from impasto.memory.budget import Budget, Layout
from impasto.pyramid import resize
from impasto.storage import MEMORY, Mapped
from impasto.tiling import tiles

CASES = {
    "plain": {},
    "two paintings": {"blend": (3, 1)},
    "other losses": {"style_losses": "covariance,moments"},
    "circular": {"padding": "circular"},
    "panorama": {"padding": "equirectangular"},
    "smooth and sharp": {"smoothness": 0.1, "sharpness": 1e-3},
    "held": {"content_layers": "image,conv3_2"},
    "weighed": {"content_loss": "squared", "pooling": "avg"},
    "adam": {"optimizer": "adam"},
}


def in_tiles(run, side=16, files=False):
    """The same run, its last level in tiles, whatever it would fit into."""
    shape = run.levels[-1].shape
    stack, padding = run.stack, run.settings.padding
    sides = (side, shape[1]) if padding == "equirectangular" else (side, side)
    reach = max(stack.radius(layer) for layer in run.layers)
    cut = tiles(shape, sides, reach, 4, wraps=padding == "circular")
    assert len(cut) > 1
    other = dataclasses.replace(run)
    vars(other)["layouts"] = {**run.layouts, shape: Layout(shape, cut, 2, 1.0, float(files), 1.5)}
    return other


@pytest.mark.parametrize("case", CASES)
def test_tiles_make_the_same_picture(prepare, photo, painting, other_painting, case):
    """To rounding, with the same targets and weights, which are found tile by tile too."""
    styles = [painting, other_painting] if "blend" in CASES[case] else painting
    run, side = prepare(photo, styles, **CASES[case]), 16 if case == "plain" else 24
    whole, tiled = run.run(), in_tiles(run, side).run()
    assert tiled.delivered.value == pytest.approx(whole.delivered.value, rel=1e-3)
    assert (tiled.tensor - whole.tensor).abs().max() < 2e-3
    shape = run.levels[-1].shape
    engines = [other.targets(run.encoder).bare_engine_at(shape) for other in (run, in_tiles(run, side))]
    assert len(engines[1].tiles) > 1
    image = torch.rand(1, 3, *shape)
    first, second = (engine.evaluate(image) for engine in engines)
    assert second.losses == pytest.approx(first.losses, rel=2e-5)
    assert second.weighted == pytest.approx(first.weighted, rel=2e-5)
    assert (first.gradient - second.gradient).norm() < 1e-5 * first.gradient.norm()


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "gradient-descent"])
def test_files_make_the_same_picture(prepare, photo, painting, optimizer):
    """Images in files and pairs in half precision: the loss is what it is in memory."""
    run = prepare(photo, painting, optimizer=optimizer)
    filed = in_tiles(run, files=True)
    assert isinstance(filed.execution.storage, Mapped)
    vars(filed)["execution"] = dataclasses.replace(filed.execution, storage=Mapped(worth=0))
    assert isinstance(run.execution.storage, type(MEMORY))
    assert filed.run().delivered.value == pytest.approx(run.run().delivered.value, rel=2e-2)


def test_a_painting_larger_than_a_tile_is_taken_in_tiles(prepare, photo, painting, monkeypatch):
    """Its statistics are those of the whole."""
    run = prepare(photo, painting, style_scale=2.0)
    shape = run.levels[-1].shape
    whole, tiled = (other.targets(run.encoder) for other in (run, in_tiles(run)))
    assert StyleTargets(run.encoder, tiled.styles, run.settings, execution=tiled.execution).outsized(0, shape)
    first, second = (targets.bare_engine_at(shape).objective.terms for targets in (whole, tiled))
    for one, other in zip(first, second, strict=True):
        if one.kind == "style":
            assert torch.allclose(
                one.loss.target, other.loss.target, rtol=1e-4, atol=1e-5 * one.loss.target.abs().max()
            )
        assert other.weight == pytest.approx(one.weight, rel=1e-4)


def test_samples_of_a_painting_are_taken_from_all_of_its_tiles(prepare, photo, painting):
    """Nearest features know no mean: every one of them is the painting's, and every tile has its share."""
    run = in_tiles(prepare(photo, painting, style_scale=2.0, style_losses="nearest", style_layers="conv1_1"))
    targets = run.targets(run.encoder)
    shape = run.levels[-1].shape
    [loss] = [term.loss for term in targets.bare_engine_at(shape).objective.terms if term.kind == "style"]
    seen = resize(targets.styles[0], style_shape(run.settings, run.styles[0].shape, shape))
    rows = next(features for _, features in targets.encoder.features(seen, ["conv1_1"]))[0].flatten(1).t()
    apart, where = torch.cdist(loss.target, rows, compute_mode="donot_use_mm_for_euclid_dist").min(1)
    assert apart.max() < 1e-4 * rows.norm(dim=1).max()
    parts = torch.bincount(where * 4 // len(rows), minlength=4) / len(where)
    assert (parts - 0.25).abs().max() < 0.1


def test_a_budget_that_is_too_small_is_refused_before_anything_is_computed(prepare, photo, painting):
    """The library's word for it is memory."""
    run = prepare(photo, painting, memory="1MB")
    with pytest.raises(SettingsError, match="give it more with --memory"):
        run.run()
    with pytest.raises(SettingsError, match="give it more with --memory"):
        prepare(photo, painting).within(Budget(1e6))
    assert run.within(Budget(1e9)).layouts[run.levels[-1].shape].tiles is None


def test_work_is_told_tile_by_tile(prepare, photo, painting):
    """Only of levels in tiles: shares grow to one in every evaluation."""
    told = []
    run = in_tiles(prepare(photo, painting).within(Budget(4e9), told.append))
    run.run()
    shares = [work.share for work in told]
    assert {work.level for work in told} == {1}
    assert shares.count(pytest.approx(1)) == 4
    assert all(b > a for a, b in itertools.pairwise(shares) if a < 0.999)
    assert told[-1].remaining == pytest.approx(0, abs=1e-6)
