"""What tests of several rooms share: deterministic surroundings, a tiny network, a loss of every class, and small runs."""

import contextlib
import dataclasses
import functools
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image
from skimage import data

import impasto
from impasto import images, samples
from impasto.encoders import Conv, Encoder, Parameters, Pool, Stack
from impasto.losses import (
    IMAGE_LOSSES,
    LOSSES,
    STYLE_LOSSES,
    AbsoluteVariationLoss,
    ActivationLoss,
    AngularLoss,
    ContentLoss,
    DistanceLoss,
    GuidedLoss,
    TemporalLoss,
)
from impasto.pyramid import resize

settings.register_profile("impasto", deadline=None, derandomize=True)
settings.register_profile("seeded", deadline=None)  # for --hypothesis-profile=seeded --hypothesis-seed=7
settings.load_profile("impasto")
if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # as background shells have it: what tests start would be deaf to it
    signal.signal(signal.SIGINT, signal.default_int_handler)
torch.set_num_threads(1)  # tensors here are tiny, and sums come out the same on every machine

TESTS = Path(__file__).parent
RUNNING = {"aims", "memory", "runs", "studies", "tasks"}  # rooms whose tests run whole tasks
SHALLOW = {"content_layers": {"conv3_2": 1.0}, "style_layers": {"conv1_1": 1.0, "conv2_1": 1.0, "conv3_1": 1.0}}
QUICK = {"size": 48, "coarsest": 24, "evaluations": 4, "precision": "fp32", "device": "cpu"}

TINY = Stack(
    "tiny",
    (
        Conv("conv1_1", 3, 4),
        Conv("conv1_2", 4, 5),
        Pool("pool1"),
        Conv("conv2_1", 5, 6),
        Pool("pool2"),
        Conv("conv3_1", 6, 4),
    ),
)

ON_PICTURES = {name: LOSSES[name] for name in IMAGE_LOSSES.values()}


def aimed(kind):
    """Whether a loss on the picture itself has a target."""
    return "target" in {field.name for field in dataclasses.fields(kind)}


# One line per class in LOSSES: a loss of that class, from the features (B, C, *spatial) that it aims at.
FACTORIES = {
    "content": ContentLoss,
    "distance": DistanceLoss,
    "angular": lambda target: AngularLoss(target, 0.1),
    **{name: loss.of for name, loss in STYLE_LOSSES.items()},
    **{name: (kind if aimed(kind) else lambda target, kind=kind: kind()) for name, kind in ON_PICTURES.items()},
    "absolute-variation": lambda target: AbsoluteVariationLoss(),
    "activation": lambda target: ActivationLoss(1, tuple(length // 2 for length in target.shape[2:])),
    "temporal": lambda target: TemporalLoss(target, guide_like(target)[None, None].to(target.dtype)),
    "guided": lambda target: GuidedLoss.around(STYLE_LOSSES["gram"].of(target), guide_like(target)),
}


def guide_like(features):
    """A mask for features (B, C, *spatial): 1/3, 2/3, 1, 0 and so on along the positions."""
    count = features[0, 0].numel()
    return ((torch.arange(count, dtype=torch.float64) + 1) % 4 / 3).view(features.shape[2:])


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def bundled():
    """A function from a bundled painting's name and a height and width to it at that size, (1, 3, height, width)."""
    return lambda name, shape: resize(images.read(samples.painting(name)).pixels, shape)


@pytest.fixture(scope="session")
def shared_weights():
    """A context in which runs share the weights of a network, which each would bring into its own layout."""
    kept = functools.lru_cache(maxsize=4)(
        lambda stack, parameters, dtype, device: Encoder(stack, parameters, dtype=dtype, device=device)
    )

    def encoder(stack, parameters, *, pooling="avg", padding="zero", dtype=torch.float32, device="cpu"):
        made = kept(stack, parameters, dtype, torch.device(device)).padded(padding)
        made.pooling = pooling
        return made

    @contextlib.contextmanager
    def sharing():
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("impasto.runs.imaging.ImageRun.network", staticmethod(encoder))
            yield

    return sharing


@pytest.fixture(scope="session")
def make_loss():
    """A function from a name in LOSSES and target features to a loss."""

    def make(name, target):
        if name not in FACTORIES:
            pytest.fail(f"{LOSSES[name].__name__} has no line in FACTORIES of tests/conftest.py; add one to test it.")
        return FACTORIES[name](target)

    return make


@pytest.fixture(scope="session")
def rounding():
    """A function from a loss's name to how many times more than a plain sum its arithmetic amplifies rounding.

    Wasserstein's roots of covariances amplify it by the condition that its epsilon leaves them, 1e4.
    """
    return lambda name: 1e4 if name == "wasserstein" else 1.0


@pytest.fixture(scope="session")
def make_guide():
    """A function that makes a mask for features (B, C, *spatial) in four steps from 0 to 1."""
    return guide_like


@pytest.fixture(scope="session")
def random_parameters():
    """A function from a stack and a number of axes to random float64 parameters that leave most filters alive."""

    def make(stack, dims, seed=0):
        generator = torch.Generator().manual_seed(seed)

        def normal(*shape):
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        convolutions = {}
        for layer in stack.convolutions:
            shape = (layer.channels_out, layer.channels_in, *(layer.kernel,) * dims)
            fan_in = layer.channels_in * layer.kernel**dims
            convolutions[layer.name] = (normal(*shape) * (2 / fan_in) ** 0.5, normal(layer.channels_out).abs() * 0.3)
        return Parameters(convolutions, torch.eye(3, dtype=torch.float64) + normal(3, 3) * 0.3, normal(3) * 0.1)

    return make


@pytest.fixture(scope="session")
def tiny(random_parameters):
    """A function that makes a tiny random encoder in float64 with any number of spatial axes."""

    def make(dims=2, stack=TINY, seed=0, dtype=torch.float64, **options):
        return Encoder(stack, random_parameters(stack, dims, seed), dtype=dtype, **options)

    return make


@pytest.fixture(scope="session")
def picture():
    """A function that makes a random float64 image (1, 3, *shape) in [0, 1]."""

    def make(*shape, seed=1, dtype=torch.float64):
        return torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)

    return make


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
    if request.path.stem == "test_surroundings" or request.path.relative_to(TESTS).parts[0] not in RUNNING:
        yield
        return
    with shared_weights():
        yield


@pytest.fixture(autouse=True)
def _silent(request):
    """Whatever a test of a run does, the library has printed nothing at its end."""
    if request.path.relative_to(TESTS).parts[0] not in RUNNING:
        yield
        return
    capfd = request.getfixturevalue("capfd")
    yield
    assert capfd.readouterr() == ("", "")
