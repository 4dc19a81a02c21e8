"""The flags' ranges, and what they say of the network."""

import pytest

from impasto.errors import SettingsError
from impasto.runs.pictures.neural_style.flags import Flags


def flags_of(**values):
    """Flags with two names of files."""
    return Flags(content_image="a.png", style_image=("b.png",), **values)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"image_size": 3}, "-image_size is 3"),
        ({"num_iterations": 0}, "-num_iterations is 0"),
        ({"tv_weight": -1}, "-tv_weight is -1"),
        ({"style_scale": 0.0}, "-style_scale is 0.0"),
        ({"learning_rate": 0.0}, "-learning_rate is 0.0"),
        ({"content_weight": 0.0, "style_weight": 0.0}, "nothing to optimize"),
        ({"style_blend_weights": (0.0,)}, "not all 0"),
        ({"style_blend_weights": (2.0, -1.0)}, "at least 0"),
    ],
)
def test_what_is_out_of_range_is_refused(values, word):
    """With the flag's name."""
    with pytest.raises(SettingsError, match=word):
        flags_of(**values)


@pytest.mark.parametrize(
    ("file", "network"),
    [
        ("models/vgg19-d01eb7cb.pth", "vgg19-original"),
        ("VGG_ILSVRC_19_layers.caffemodel", "vgg19-original"),
        ("/somewhere/vgg_normalised.caffemodel", "vgg19"),
        ("models/vgg16-00b39a1b.pth", None),
    ],
)
def test_networks_that_are_included(file, network):
    """By the names that model files are downloaded under."""
    assert flags_of(model_file=file).network == network


@pytest.mark.parametrize(
    ("given", "squares", "exponent"), [(None, False, 0), ("", True, 0), (0.0, False, 0), (0.7, False, 0.7)]
)
def test_two_meanings_of_one_flag(given, squares, exponent):
    """Alone it is neural-style-pt's, with a number the Lua program's."""
    flags = flags_of(normalize_gradients=given)
    assert (flags.scales_weights, flags.gradient_exponent) == (squares, exponent)
