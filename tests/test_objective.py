"""A weighted sum of losses."""

import pytest

from impasto.errors import SettingsError
from impasto.losses import TotalVariationLoss
from impasto.objective import Objective, Term


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
