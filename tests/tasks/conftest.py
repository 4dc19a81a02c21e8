"""Small pictures, and a way to paint them in a fraction of a second."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

import impasto

SHALLOW = {"content_layers": {"conv3_2": 1.0}, "style_layers": {"conv1_1": 1.0, "conv2_1": 1.0, "conv3_1": 1.0}}
QUICK = {"size": 48, "coarsest": 24, "evaluations": 4, "precision": "fp32", "device": "cpu"}


def _small(picture, width, height):
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))


def _shallow(values):
    """The layers of the losses that have a say."""
    off = {
        "content_layers": values.get("strength") == 1 or values.get("content_weight") == 0,
        "style_layers": values.get("strength") == 0 or values.get("style_weight") == 0 or "layers_per_style" in values,
    }
    return {name: layers for name, layers in SHALLOW.items() if not off[name]}


@pytest.fixture(scope="session")
def photo():
    """A portrait, (54, 72, 3) uint8."""
    return _small(data.astronaut(), 72, 54)


@pytest.fixture(scope="session")
def painting():
    """A picture to take the style from, (64, 60, 3) uint8."""
    return _small(data.coffee(), 60, 64)


@pytest.fixture(scope="session")
def other_painting():
    """Another one, (56, 72, 3) uint8."""
    return np.ascontiguousarray(255 - _small(data.chelsea(), 72, 56))


@pytest.fixture(scope="session")
def prepare():
    """A function that prepares a run of a few evaluations on shallow layers; keywords change that."""

    def prepared(content, styles, **values):
        return impasto.Transfer.of(content, styles, **{**QUICK, **_shallow(values), **values})

    return prepared


@pytest.fixture(scope="session")
def paint(prepare):
    """A function that makes such a run."""

    def painted(content, styles, on_event=None, checkpoint=None, **values):
        return prepare(content, styles, **values).run(on_event, checkpoint)

    return painted


@pytest.fixture(scope="session")
def deep():
    """Keywords for ``paint`` that bring back the default layers."""
    return {name: impasto.Settings.model_fields[name].default for name in SHALLOW}


@pytest.fixture(scope="module", autouse=True)
def _shared_weights(request, shared_weights):
    """Runs share their network's weights, except where it matters what surrounds them as these are made."""
    if request.module.__name__.endswith("test_surroundings"):
        yield
        return
    with shared_weights():
        yield


@pytest.fixture(autouse=True)
def _silent(capfd):
    """Whatever a test does, the library has printed nothing at its end."""
    yield
    assert capfd.readouterr() == ("", "")
