"""A weighted sum of losses."""

import pytest

from impasto.errors import SettingsError
from impasto.losses import TotalVariationLoss
from impasto.objective import Limit, Objective, Term


def term(kind, layer, weight=1.0):
    """A term whose loss does not matter."""
    return Term(kind, layer, TotalVariationLoss(), weight)


def test_term_is_named_after_its_kind_and_layer():
    """The name under which a loss is reported."""
    assert term("style", "conv3_1").name == "style/conv3_1"


def test_layers_are_named_once():
    """Several losses at a layer share its features."""
    objective = Objective((term("content", "conv4_2"), term("style", "conv1_1"), term("style", "conv4_2")))
    assert objective.layers == ("conv4_2", "conv1_1")


def test_two_terms_of_one_name_are_refused():
    """They could not be told apart in a report."""
    with pytest.raises(SettingsError, match=r"style/conv1_1 .*twice"):
        Objective((term("style", "conv1_1"), term("content", "conv1_1"), term("style", "conv1_1")))


def test_no_terms_are_refused():
    """There would be nothing to minimize."""
    with pytest.raises(SettingsError, match="no losses"):
        Objective(())


def test_halo_is_the_largest_reach(tiny):
    """A tile must show what the deepest features see, and the neighbors that a margin looks at."""
    stack = tiny().stack
    assert Objective((term("smoothness", "image"),)).halo(stack) == 1
    assert Objective((term("smoothness", "image"), term("smoothness", "conv1_2"))).halo(stack) == 3
    assert Objective((term("smoothness", "conv2_1"),)).halo(stack) == stack.radius("conv2_1") + stack.stride("conv2_1")


LIMITED = Objective(
    (term("content", "conv1_1", 0.3), term("content", "conv3_1", 0.7), term("style", "conv1_1", 2.0)),
    Limit("content", 0.4, 10.0),
)


def test_within_its_limit_a_kind_costs_nothing():
    """However its terms share it; the others count as ever."""
    for losses in ((0.4, 0.4, 5.0), (0.0, 0.5, 5.0), (1.3, 0.0, 5.0)):
        assert LIMITED.weighted(losses) == [0, 0, 10]
        assert LIMITED.slopes(losses) == [0, 0, 2]


def test_beyond_its_limit_a_kind_costs_a_parabola():
    """Half the stiffness times the square of the relative excess, shared as the terms reach it."""
    losses = (0.2, 0.6, 5.0)  # 0.06 and 0.42 of 0.48
    assert LIMITED.weighted(losses) == pytest.approx([0.125 * 0.2, 0.875 * 0.2, 10])
    for index in range(3):
        ahead, behind = (
            sum(LIMITED.weighted([value + step * (place == index) for place, value in enumerate(losses)]))
            for step in (1e-6, -1e-6)
        )
        assert LIMITED.slopes(losses)[index] == pytest.approx((ahead - behind) / 2e-6, rel=1e-6)


def test_a_limited_kind_that_reaches_nothing_costs_nothing():
    """As at the photo itself."""
    assert LIMITED.weighted((0.0, 0.0, 0.0)) == [0, 0, 0]
