"""The network for pictures, inflated to volumes."""

import pytest
import torch
import torch.nn.functional as nnf

from impasto.encoders import Encoder, Pool, load
from impasto.encoders.inflation import Inflated, inflated
from impasto.engines import Engine
from impasto.losses import ContentLoss
from impasto.losses.gram import GramLoss
from impasto.objective import Objective, Term
from impasto.tiling import tiles

LAYERS = ("conv1_2", "pool1", "conv2_1", "conv3_1")
EVERY = ["zero", "reflect", "replicate", "circular"]


@pytest.fixture(scope="session")
def stack(tiny):
    """The tiny network."""
    return tiny().stack


@pytest.fixture(scope="session")
def parameters(stack, random_parameters):
    """Of the tiny network for pictures."""
    return random_parameters(stack, 2)


@pytest.fixture(scope="session")
def flattened(stack, parameters):
    """A function that makes the tiny network for pictures in float64."""
    return lambda **options: Encoder(stack, parameters, dtype=torch.float64, **options)


@pytest.fixture(scope="session")
def make(stack, parameters):
    """A function that makes the tiny inflated network in float64."""
    return lambda **options: Inflated(stack, parameters, dtype=torch.float64, **options)


def objective(encoder, image, names=("content", "gram")):
    """Content and style at several layers."""
    losses = {"content": ContentLoss, "gram": GramLoss.of}
    terms = [
        Term(name, layer, losses[name](features), 0.5 + index)
        for index, (layer, features) in enumerate(encoder.features(image, LAYERS))
        for name in names
    ]
    return Objective(tuple(terms))


@pytest.mark.parametrize("pooling", ["avg", "max", "l2"])
@pytest.mark.parametrize("padding", EVERY)
def test_the_quick_way_is_the_plain_way(make, parameters, picture, padding, pooling):
    """A mean over slices and then a flat kernel is the kernel of three equal slices: features and gradient."""
    quick = make(padding=padding, pooling=pooling)
    plain = Encoder(quick.stack, inflated(parameters), dtype=torch.float64, padding=padding, pooling=pooling)
    image, other = picture(9, 10, 13), picture(9, 10, 13, seed=5)
    for (_, one), (_, two) in zip(quick.features(image, LAYERS), plain.features(image, LAYERS), strict=True):
        assert torch.allclose(one, two, rtol=1e-11, atol=1e-12)
    found, expected = (Engine(encoder, objective(plain, other)).evaluate(image) for encoder in (quick, plain))
    assert found.value == pytest.approx(expected.value, rel=1e-11)
    assert (found.gradient - expected.gradient).abs().max() < 1e-11 * expected.gradient.abs().max()


@pytest.mark.parametrize("pooling", ["avg", "max", "l2"])
@pytest.mark.parametrize("padding", EVERY[1:])
def test_a_volume_of_one_repeated_slice_has_its_features(make, flattened, picture, padding, pooling):
    """At every depth, up to the border."""
    flat = flattened(padding=padding, pooling=pooling)
    slice_ = picture(12, 14)
    volume = slice_[:, :, None].repeat(1, 1, 8, 1, 1)
    deep = dict(make(padding=padding, pooling=pooling).features(volume, LAYERS))
    for layer, features in flat.features(slice_, LAYERS):
        assert deep[layer].shape[2] == 8 // flat.stack.stride(layer)
        assert torch.allclose(deep[layer], features[:, :, None].expand_as(deep[layer]), rtol=1e-11, atol=1e-12)


def test_zeros_beyond_the_border_are_seen(make, flattened, picture):
    """Which is why the tests above leave out that padding: the first slice has a dark neighbor."""
    slice_ = picture(12, 14)
    (_, deep), *_ = make(padding="zero").features(slice_[:, :, None].repeat(1, 1, 8, 1, 1), ("conv1_1",))
    (_, flat), *_ = flattened().features(slice_, ("conv1_1",))
    assert torch.allclose(deep[:, :, 3], flat)
    assert not torch.allclose(deep[:, :, 0], flat, rtol=1e-2)


def test_vgg_on_a_repeated_slice(picture):
    """The real network in float32, to 1e-4 of each layer's largest value: sums of 4608 products, layer after layer."""
    network, weights = load()
    layers = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv4_2", "conv5_1")
    slice_ = picture(32, 32, dtype=torch.float32)
    flat = dict(Encoder(network, weights, padding="reflect").features(slice_, layers))
    volume = slice_[:, :, None].repeat(1, 1, 16, 1, 1)
    for layer, features in Inflated(network, weights, padding="reflect").features(volume, layers):
        difference = (features - flat[layer][:, :, None]).abs().max() / flat[layer].abs().max()
        assert difference < 1e-4, layer


def test_pictures_are_seen_as_by_the_flat_network(make, flattened, picture):
    """So that a style may be one; its Gram matrices per position are those of the repeated picture."""
    encoder, slice_ = make(padding="reflect"), picture(12, 14)
    flat = flattened(padding="reflect")
    volume = slice_[:, :, None].repeat(1, 1, 8, 1, 1)
    deep = dict(encoder.features(volume, LAYERS))
    for (layer, features), (_, expected) in zip(
        encoder.features(slice_, LAYERS), flat.features(slice_, LAYERS), strict=True
    ):
        assert torch.equal(features, expected)
        assert torch.allclose(GramLoss.of(features).target, GramLoss.of(deep[layer]).target, rtol=1e-10)


def test_gradient_agrees_with_autograd(make, parameters, picture):
    """Through convolutions of three equal slices and torch's pooling."""
    shape = (9, 10, 13)
    encoder, image = make(padding="zero"), picture(*shape)
    goal = objective(encoder, picture(*shape, seed=5))
    leaf, kernels = image.clone().requires_grad_(), inflated(parameters).convolutions
    x = nnf.conv3d(leaf, parameters.matrix.view(3, 3, 1, 1, 1), parameters.offset)
    value = 0.0
    for layer in encoder.stack:
        x = nnf.avg_pool3d(x, 2) if isinstance(layer, Pool) else nnf.conv3d(x, *kernels[layer.name], padding=1).relu()
        value = value + sum(term.weight * term.loss.value(x) for term in goal.terms if term.layer == layer.name)
    value.backward()
    found = Engine(encoder, goal).evaluate(image)
    assert found.value == pytest.approx(value.item(), rel=1e-12)
    assert torch.allclose(found.gradient, leaf.grad, rtol=1e-10, atol=1e-12 * leaf.grad.abs().max().item())


@pytest.mark.parametrize("padding", EVERY)
def test_gradient_agrees_with_differences(make, picture, padding):
    """Along random directions."""
    encoder, image = make(padding=padding), picture(8, 9, 12)
    engine = Engine(encoder, objective(encoder, picture(8, 9, 12, seed=5)))
    gradient = engine.evaluate(image).gradient
    for _ in range(3):
        direction = torch.randn_like(image)
        ahead, behind = (engine.measure(image + step * direction).value for step in (1e-7, -1e-7))
        tolerance = 1e-7 * (gradient.norm() * direction.norm()).item()
        assert (gradient * direction).sum().item() == pytest.approx((ahead - behind) / 2e-7, abs=tolerance)


@pytest.mark.parametrize("padding", ["zero", "reflect", "replicate"])
def test_tiles_are_exact(make, picture, padding):
    """A volume cut into boxes has the value and the gradient of the whole."""
    shape = (21, 12, 26)
    encoder, image = make(padding=padding), picture(*shape)
    goal = objective(encoder, picture(*shape, seed=5))
    cut = tiles(shape, 8, goal.halo(encoder.stack), 4)
    assert len(cut) > 4
    one, many = Engine(encoder, goal).evaluate(image), Engine(encoder, goal, cut).evaluate(image)
    assert many.value == pytest.approx(one.value, rel=1e-12)
    assert torch.allclose(many.gradient, one.gradient, rtol=1e-10, atol=1e-12 * one.gradient.abs().max().item())


def test_half_precision_works(stack, parameters, picture):
    """Forward and backward in bfloat16, near the exact gradient."""
    exact = Inflated(stack, parameters, dtype=torch.float32, padding="reflect")
    half = Inflated(stack, parameters, dtype=torch.bfloat16, padding="reflect")
    image, goal = picture(8, 8, 8, dtype=torch.float32), picture(8, 8, 8, seed=5, dtype=torch.float32)
    one, two = (
        Engine(net, objective(net, goal, ("gram",))).evaluate(image).gradient.flatten() for net in (exact, half)
    )
    assert torch.cosine_similarity(one, two, dim=0) > 0.98
