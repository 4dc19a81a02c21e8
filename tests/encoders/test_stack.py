"""Layer names and the geometry that follows from them."""

import pytest
import torch

from impasto.encoders import IMAGE, VGG16, VGG19, Conv, Pool, Stack, stack_from_words
from impasto.errors import LayerError


def test_vgg19_has_the_layers_of_the_paper():
    """Sixteen convolutions and five poolings, from 3 to 512 channels."""
    assert len(VGG19.convolutions) == 16
    assert sum(isinstance(layer, Pool) for layer in VGG19) == 5
    assert VGG19.names[:4] == ("conv1_1", "conv1_2", "pool1", "conv2_1")
    assert VGG19.names[-2:] == ("conv5_4", "pool5")
    assert [VGG19.channels(f"conv{block}_1") for block in range(1, 6)] == [64, 128, 256, 512, 512]
    assert VGG19.channels(IMAGE) == 3


def test_vgg16_has_three_convolutions_in_its_deep_blocks():
    """Thirteen convolutions in all."""
    assert len(VGG16.convolutions) == 13
    assert "conv3_4" not in VGG16.names


def test_channels_fit_together():
    """Every convolution takes what the one before it gives."""
    for stack in (VGG16, VGG19):
        widths = [3, *(layer.channels_out for layer in stack.convolutions)]
        assert [layer.channels_in for layer in stack.convolutions] == widths[:-1]


@pytest.mark.parametrize("given", ["conv4_2", "relu4_2", " Conv4_2", "RELU4_2 "])
def test_relu_names_mean_the_same_layer(given):
    """Features are those after the ReLU, under either name of the literature."""
    assert VGG19.canonical(given) == "conv4_2"


def test_image_and_poolings_are_layers_too():
    """They keep their names."""
    assert VGG19.canonical("image") == IMAGE
    assert VGG19.canonical("pool3") == "pool3"


def test_unknown_layer_is_refused_with_all_names():
    """The sentence repeats the name and lists what there is."""
    with pytest.raises(LayerError, match=r"vgg16 has no layer 'conv3_4'; it has conv1_1, .*conv5_3") as caught:
        VGG16.canonical("conv3_4")
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("name", "stride", "radius"),
    [("image", 1, 0), ("conv1_1", 1, 1), ("pool1", 2, 2), ("conv2_1", 2, 4), ("conv4_2", 8, 38), ("conv5_1", 16, 70)],
)
def test_geometry(name, stride, radius):
    """Strides double at poolings; radii add a kernel's reach times the stride it works at."""
    assert VGG19.stride(name) == stride
    assert VGG19.radius(name) == radius


@pytest.mark.parametrize("name", ["image", "conv1_2", "pool1", "conv2_1", "pool2", "conv3_1"])
@pytest.mark.parametrize("pooling", ["avg", "max", "l2"])
def test_radius_is_what_a_position_sees(tiny, name, pooling):
    """Of a long signal, exactly the positions within the radius of a block can change the feature above it."""
    encoder = tiny(1, pooling=pooling)
    stride, radius = encoder.stack.stride(name), encoder.stack.radius(name)
    k = 64 // stride
    seen = set()
    for seed in range(8):  # a ReLU or a maximum may hide a position from one input
        x = torch.rand(1, 3, 128, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))

        def inject(layer, out, k=k):
            out[..., k] += 1

        gradient = encoder.backward(encoder.forward(x, [name]), [name], inject)
        seen |= set(gradient.abs().sum((0, 1)).nonzero().flatten().tolist())
    assert min(seen) == stride * k - radius
    assert max(seen) == stride * k + stride + radius - 1


@pytest.mark.parametrize("shape", [(16,), (17, 31), (16, 47, 18)])
def test_extent_is_the_shape_of_the_features(tiny, shape):
    """Poolings drop a last odd position, in any number of dimensions."""
    encoder = tiny(len(shape))
    image = torch.rand(1, 3, *shape, dtype=torch.float64)
    for name, features in encoder.features(image, (IMAGE, *encoder.stack.names)):
        assert tuple(features.shape[2:]) == encoder.stack.extent(name, shape)
        assert features.shape[1] == encoder.stack.channels(name)


def test_image_too_small_for_a_layer_is_refused():
    """The sentence says the size, width first, and the size that is needed."""
    with pytest.raises(LayerError, match="The image is 700 x 15, too small for conv5_1, which needs at least 16"):
        VGG19.extent("conv5_1", (15, 700))
    assert VGG19.extent("conv5_1", (16, 700)) == (1, 43)


def test_until_ends_with_the_layer():
    """The image needs no layers."""
    assert VGG19.until(IMAGE) == ()
    assert VGG19.until("conv1_2") == (Conv("conv1_1", 3, 64), Conv("conv1_2", 64, 64))


UNEVEN = Stack(
    "uneven",
    (
        Conv("conv1_1", 3, 4, 4),
        Conv("conv1_2", 4, 4, 3, border="valid"),
        Pool("pool1"),
        Conv("conv2_1", 4, 5, 2, border="valid"),
        Conv("conv2_2", 5, 5, 5),
        Pool("pool2"),
        Conv("conv3_1", 5, 4, 4, border="valid"),
    ),
)


@pytest.mark.parametrize("name", ["conv1_1", "conv1_2", "pool1", "conv2_1", "conv2_2", "pool2", "conv3_1"])
def test_reach_is_what_a_position_sees_of_any_kernel_and_border(tiny, name):
    """Even kernels look one further after than before, and valid borders shift what a position stands for."""
    encoder = tiny(1, UNEVEN)
    stack, k = encoder.stack, 7
    before, after = stack.reach(name)
    begin = stack.stride(name) * k + stack.offset(name)
    seen = set()
    for seed in range(12):
        x = torch.rand(1, 3, 128, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))

        def inject(layer, out):
            out[..., k] += 1

        gradient = encoder.backward(encoder.forward(x, [name]), [name], inject)
        seen |= set(gradient.abs().sum((0, 1)).nonzero().flatten().tolist())
    assert (min(seen), max(seen)) == (begin - before, begin + stack.stride(name) + after - 1)
    assert max(seen) - min(seen) + 1 == stack.receptive_field(name)


@pytest.mark.parametrize("shape", [(33,), (25, 28), (26, 25, 27)])
def test_extent_is_the_shape_of_the_features_of_any_kernel_and_border(tiny, shape):
    """In any number of dimensions, down to the smallest image there can be."""
    encoder = tiny(len(shape), UNEVEN)
    for at in (shape, (UNEVEN.least("conv3_1"),) * len(shape)):
        for name, features in encoder.features(torch.rand(1, 3, *at, dtype=torch.float64), UNEVEN.names):
            assert (*features.shape[2:], features.shape[1]) == UNEVEN.output(name, at)
    with pytest.raises(LayerError, match="too small for conv3_1, which needs at least 20 positions"):
        UNEVEN.extent("conv3_1", (UNEVEN.least("conv3_1") - 1,))


@pytest.mark.parametrize("words", ["16", "16x0", "x5", "16x5w", "pool", "", "16x5,,pool"])
def test_words_that_are_no_layers_are_refused(words):
    """With what they could be."""
    with pytest.raises(LayerError, match="such as 16x5"):
        stack_from_words(words, 3)
