"""What neural-style minimizes, against its formulas written out in plain torch."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as nnf
from PIL import Image

from impasto.encoders import Encoder
from impasto.runs.pictures.neural_style.flags import Flags
from impasto.runs.pictures.neural_style.objective import MEAN, Target, in_their_colors, resized, result_shape

LAYERS = {"content_layers": ("relu2_1",), "style_layers": ("relu3_1", "relu1_1")}
POOLED = {"conv2_1", "conv3_1"}  # what follows a pooling in the tiny network
PLAIN = {"content_weight": 5.0, "style_weight": 100.0, "tv_weight": 1e-3}


def flags_of(**values):
    """Flags for two paintings, three parts of one to one of the other."""
    return Flags(
        content_image="", style_image=("a", "b"), style_blend_weights=(3.0, 1.0), **LAYERS, **{**PLAIN, **values}
    )


@pytest.fixture
def network(tiny):
    """A tiny encoder as both programs show pictures to theirs."""
    base = tiny(2)
    return Encoder(base.stack, in_their_colors(base.parameters), pooling="max", padding="zero", dtype=torch.float64)


@pytest.fixture
def target(picture):
    """A function from flags to an objective of random pictures of different shapes."""

    def make(flags):
        return Target(flags, picture(16, 20, seed=2), [picture(18, 16, seed=3), picture(16, 24, seed=4)])

    return make


def their_features(network, x):
    """Activations by layer, of an image in their colors."""
    found = {}
    for name, (weight, bias) in network.parameters.convolutions.items():
        x = nnf.max_pool2d(x, 2) if name in POOLED else x
        x = nnf.conv2d(x, weight, bias, padding=1).relu()
        found[name] = x
    return found


def in_caffe(image):
    """BGR, times 256, without the mean."""
    return image.flip(1) * 256 - torch.tensor(MEAN, dtype=image.dtype).flip(0).view(1, 3, 1, 1)


def their_losses(network, target, image):
    """Content, style and total variation as both programs define them, each times its weight."""
    flags = target.flags

    def gram(features):
        flat = features.flatten(2)[0]
        return flat @ flat.t() / features.numel()

    x = in_caffe(image)
    found, photo = their_features(network, x), their_features(network, in_caffe(target.content))
    grams = [{name: gram(f) for name, f in their_features(network, in_caffe(style)).items()} for style in target.styles]
    content = flags.content_weight * nnf.mse_loss(found["conv2_1"], photo["conv2_1"])
    style = [
        flags.style_weight * nnf.mse_loss(gram(found[name]), 0.75 * grams[0][name] + 0.25 * grams[1][name])
        for name in ("conv1_1", "conv3_1")
    ]
    variation = sum(x.diff(dim=axis).abs().sum() for axis in (2, 3)) * flags.tv_weight
    return found, [content], style, variation


def test_it_is_theirs(network, target, picture):
    """Every line, the total, and the gradient."""
    aim = target(flags_of())
    image = picture(16, 20, seed=5).requires_grad_()
    _, content, style, variation = their_losses(network, aim, image)
    total = sum(content) + sum(style) + variation
    (gradient,) = torch.autograd.grad(total, image)
    engine = aim.engine(network)
    evaluation = engine.evaluate(image.detach())
    losses = aim.losses(engine, evaluation)
    assert losses.content == pytest.approx([part.item() for part in content], rel=1e-10)
    assert losses.style == pytest.approx([part.item() for part in style], rel=1e-10)
    assert losses.variation == pytest.approx(variation.item(), rel=1e-10)
    assert losses.total == pytest.approx(total.item(), rel=1e-10) == evaluation.value
    assert torch.allclose(evaluation.gradient, gradient, rtol=1e-9, atol=1e-12 * gradient.abs().max())


def test_normalized_weights(network, target, picture):
    """Each is divided by the largest extent of its target: filters, or the sides of the photo's features."""
    image = picture(16, 20, seed=5)
    aims = [target(flags_of(normalize_weights=on)) for on in (False, True)]
    plain, scaled = (aim.losses(engine, engine.measure(image)) for aim in aims for engine in [aim.engine(network)])
    assert scaled.content[0] == pytest.approx(plain.content[0] / 10, rel=1e-12)  # 6 filters of 8 x 10
    assert scaled.style == pytest.approx([plain.style[0] / 4, plain.style[1] / 4], rel=1e-12)


def test_the_plain_switch_squares_weights(network, target, picture):
    """What is printed stays, what is followed is every loss times its weight once more."""
    image = picture(16, 20, seed=5)
    plain, scaled = target(flags_of(tv_weight=0.0)), target(flags_of(tv_weight=0.0, normalize_gradients=""))
    before, after = plain.engine(network), scaled.engine(network)
    first, second = before.evaluate(image), after.evaluate(image)
    printed, again = plain.losses(before, first), scaled.losses(after, second)
    assert again.content + again.style == pytest.approx(printed.content + printed.style, rel=1e-12)
    assert second.value == pytest.approx(5 * sum(printed.content) + 100 * sum(printed.style), rel=1e-12)


@pytest.mark.parametrize("exponent", [1.0, 0.5])
def test_normalized_gradients(network, target, picture, exponent):
    """Each loss's gradient at its layer is divided by a power of its own norm before it is weighed and pulled back."""
    aim = target(flags_of(normalize_gradients=exponent))
    image = picture(16, 20, seed=5).requires_grad_()
    found, content, style, variation = their_losses(network, aim, image)
    weighed = [(content[0], 5.0, "conv2_1"), (style[0], 100.0, "conv1_1"), (style[1], 100.0, "conv3_1")]
    (expected,) = torch.autograd.grad(variation, image, retain_graph=True)
    for loss, weight, name in weighed:
        (at_layer,) = torch.autograd.grad(loss / weight, found[name], retain_graph=True)
        at_layer = at_layer / (at_layer.abs().sum() ** exponent + 1e-8) * weight
        expected = expected + torch.autograd.grad(found[name], image, at_layer, retain_graph=True)[0]
    gradient = aim.normalized(aim.engine(network)).evaluate(image.detach()).gradient
    assert torch.allclose(gradient, expected, rtol=1e-5, atol=1e-7 * expected.abs().max())


def test_weights_of_zero_leave_terms_out(network, target):
    """Nothing is computed for them."""
    for name, kind in (("content_weight", "content"), ("style_weight", "style"), ("tv_weight", "variation")):
        terms = target(flags_of(**{name: 0.0})).engine(network).objective.terms
        assert kind not in {term.kind for term in terms}


@pytest.mark.parametrize("shape", [(30, 41), (100, 64), (64, 64)])
def test_pictures_are_resized_as_pillow_does(shape):
    """To within one level of 255."""
    samples = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    expected = np.asarray(Image.fromarray(samples).resize(shape[::-1], Image.Resampling.BILINEAR)).astype(float) / 255
    found = resized(torch.from_numpy(samples).permute(2, 0, 1)[None].float() / 255, shape)
    assert np.abs(found[0].permute(1, 2, 0).numpy() - expected).max() <= 1.01 / 255


def test_sides_are_rounded_down():
    """As theirs are: 1280 x 1014 at 512 is 512 x 405."""
    assert result_shape((1014, 1280), 512) == (405, 512)
    assert dataclasses.replace(flags_of(), style_scale=1.3, image_size=101).style_size == 131
