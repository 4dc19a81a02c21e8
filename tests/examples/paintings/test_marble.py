"""The maps of marbling against their formulas."""

import numpy as np

from paintings.marble import drop_at, uncombed, uncurled

FIRST, SECOND, WATER = 0, 1, -1


def test_a_drop_pushes_the_one_before_it_outwards():
    """A drop of radius r moves paint at distance d to sqrt(d^2 + r^2): two drops on one center become disc and ring."""
    drops = np.array([[0.5, 0.5, 0.2], [0.5, 0.5, 0.15]], np.float32)
    ring = np.hypot(0.2, 0.15)
    x = np.array([0.5, 0.5 + 0.149, 0.5 + 0.151, 0.5 + ring - 0.001, 0.5 + ring + 0.001], np.float32)
    drop, rim = drop_at(x, np.full_like(x, 0.5), drops)
    assert drop.tolist() == [SECOND, SECOND, FIRST, FIRST, WATER]
    assert (rim >= 0).all()
    assert (rim <= 1).all()


def test_drops_keep_their_areas():
    """Water is not compressed: every drop covers pi r^2, however many fall later."""
    rng = np.random.default_rng(0)
    drops = np.concatenate([rng.uniform(0.3, 0.7, (6, 2)), rng.uniform(0.05, 0.1, (6, 1))], 1).astype(np.float32)
    x, y = (part.ravel() for part in np.meshgrid(*[(np.arange(600, dtype=np.float32) + 0.5) / 600] * 2))
    drop, _ = drop_at(x, y, drops)
    areas = np.bincount(drop[drop >= 0], minlength=6) / 600**2
    np.testing.assert_allclose(areas, np.pi * drops[:, 2] ** 2, rtol=0.02)


def test_combing_and_curling_keep_areas():
    """The maps have Jacobian determinant 1, like the flow of water."""
    step = 1e-5
    x, y = np.random.default_rng(1).uniform(0.1, 0.9, (2, 200))
    for move in (
        lambda x, y: uncurled(x, y, (0.4, 0.6), 0.2, 3.0),
        lambda x, y: uncombed(x, y, 0.4, spacing=0.1, pull=0.05, softness=0.02, to_and_fro=True),
    ):
        (ax, ay), (bx, by) = move(x + step, y), move(x - step, y)
        (cx, cy), (dx, dy) = move(x, y + step), move(x, y - step)
        determinant = ((ax - bx) * (cy - dy) - (cx - dx) * (ay - by)) / (4 * step * step)
        assert np.median(np.abs(determinant - 1)) < 1e-6
        assert (np.abs(determinant - 1) < 1e-3).mean() > 0.97  # points on a tine or between two are on a crease


def test_a_comb_moves_its_tines_fully_and_the_middle_between_them_hardly():
    """Paint on a tine moved by ``pull``, half way to the next one by exp(-half / softness) of it."""
    y = np.array([0.05, 0.10], np.float32)  # a tine, and half way to the next
    x, _ = uncombed(np.zeros_like(y), y, 0.0, spacing=0.1, pull=0.2, softness=0.01)
    np.testing.assert_allclose(x, [-0.2, -0.2 * np.exp(-5)], rtol=1e-4)
