"""The written-out forward and backward pass against plain torch and its autograd."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as nnf

from impasto.encoders import IMAGE, VGG19, Conv, Encoder, Parameters, Pool, Stack, load

CONVOLUTION = {1: nnf.conv1d, 2: nnf.conv2d, 3: nnf.conv3d}
MAXIMUM = {1: nnf.max_pool1d, 2: nnf.max_pool2d, 3: nnf.max_pool3d}
AVERAGE = {1: nnf.avg_pool1d, 2: nnf.avg_pool2d, 3: nnf.avg_pool3d}
MODES = {"zero": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}
POOLINGS, PADDINGS = ["avg", "max", "l2"], list(MODES)
SHAPES = [(12,), (15,), (8, 12), (9, 14), (11, 13), (8, 8, 8), (9, 8, 11)]
SOME = ("image", "conv1_1", "pool1", "conv2_1", "conv3_1")

BROAD = Stack("broad", (Conv("conv1_1", 3, 4, kernel=1), Conv("conv1_2", 4, 5, kernel=5), Pool("pool1")))


def plain(encoder, image):
    """All layers by name, from torch's own operations on the encoder's parameters."""
    dims, parameters = image.dim() - 2, encoder.parameters
    ones = (1,) * dims
    x = CONVOLUTION[dims](image, parameters.matrix.view(*parameters.matrix.shape, *ones), parameters.offset)
    found = {IMAGE: image}
    for layer in encoder.stack:
        if isinstance(layer, Conv):
            widths = [(layer.kernel - 1) // 2, layer.kernel // 2] * dims
            x = x if layer.border == "valid" else nnf.pad(x, widths, mode=MODES[encoder.padding])
            x = CONVOLUTION[dims](x, *parameters.convolutions[layer.name])
            x = x.relu()
        elif encoder.pooling == "max":
            x = MAXIMUM[dims](x, 2)
        else:
            average = AVERAGE[dims](x if encoder.pooling == "avg" else x * x + 1e-300, 2)
            x = average if encoder.pooling == "avg" else average.sqrt()
        found[layer.name] = x
    return found


def pulled_back(encoder, image, cotangents):
    """The written-out derivative of sum_l <features_l, cotangent_l>."""

    def inject(layer, out):
        out += cotangents[layer]

    return encoder.backward(encoder.forward(image, tuple(cotangents)), tuple(cotangents), inject)


def compare(encoder, image, layers, rtol=1e-12):
    """Features and derivative of a random combination of layers, against plain torch."""
    leaf = image.clone().requires_grad_()
    expected = plain(encoder, leaf)
    features = dict(encoder.features(image, layers))
    assert tuple(features) == tuple(sorted(layers, key=encoder.stack.depth))
    for name in layers:
        assert torch.allclose(features[name], expected[name], rtol=rtol, atol=rtol)
    cotangents = {name: torch.randn_like(expected[name]) for name in layers}
    total = sum((expected[name] * cotangents[name]).sum() for name in layers)
    (automatic,) = torch.autograd.grad(total, leaf)
    found = pulled_back(encoder, image, cotangents)
    assert found.dtype == image.dtype
    assert torch.allclose(found, automatic, rtol=rtol, atol=rtol * automatic.abs().max().item())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_passes_agree_with_torch(tiny, picture, pooling, padding, shape):
    """Every pooling, padding and number of dimensions, at even and odd sizes, with losses at five layers at once."""
    compare(tiny(len(shape), pooling=pooling, padding=padding), picture(*shape), SOME)


@pytest.mark.parametrize("layer", ["image", "conv1_1", "pool1", "conv2_1", "pool2", "conv3_1"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_layer_can_be_the_only_one(tiny, picture, pooling, layer):
    """The image, poolings and convolutions can each be the deepest layer with a loss."""
    compare(tiny(pooling=pooling), picture(9, 10), (layer,))


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_kernels_of_other_sizes(tiny, picture, dims, padding):
    """Kernels of one and five positions pad by none and two."""
    compare(tiny(dims, BROAD, padding=padding), picture(*(7, 6, 5)[:dims]), ("conv1_1", "pool1"))


UNEVEN = Stack(
    "uneven",
    (
        Conv("conv1_1", 3, 4, kernel=4),
        Conv("conv1_2", 4, 5, kernel=3, border="valid"),
        Pool("pool1"),
        Conv("conv2_1", 5, 4, kernel=2, border="valid"),
        Conv("conv2_2", 4, 3, kernel=2),
    ),
)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("shape", [(13,), (12, 9), (8, 9, 10)], ids=str)
def test_any_kernel_and_border(tiny, picture, shape, padding):
    """Even kernels and valid borders, mixed with others, whatever is beyond the border."""
    compare(tiny(len(shape), UNEVEN, padding=padding), picture(*shape), UNEVEN.names)


@pytest.mark.parametrize("channels", [1, 5])
def test_images_of_other_channels(channels):
    """The first map takes an image of any channels to the network's own, which may be others."""
    stack = Stack("wide", (Conv("conv1", 2, 4, kernel=3), Pool("pool1"), Conv("conv2", 4, 3)))
    convolutions = {
        layer.name: (
            torch.randn(layer.channels_out, layer.channels_in, 3).double(),
            torch.randn(layer.channels_out).double(),
        )
        for layer in stack.convolutions
    }
    entry = torch.randn(2, channels, dtype=torch.float64), torch.randn(2, dtype=torch.float64)
    encoder = Encoder(stack, Parameters(convolutions, *entry), dtype=torch.float64)
    compare(encoder, torch.rand(1, channels, 11, dtype=torch.float64), ("image", "conv1", "conv2"))


@pytest.mark.parametrize("padding", PADDINGS)
def test_batches_are_items_side_by_side(tiny, picture, padding):
    """Two images at once have the features and the derivative of each alone."""
    encoder, image = tiny(padding=padding), torch.cat([picture(9, 10), picture(9, 10, seed=2)])
    compare(encoder, image, SOME)


@pytest.mark.parametrize("shape", [(4, 4), (4, 23), (5, 4)])
@pytest.mark.parametrize("padding", ["zero", "reflect", "replicate", "circular"])
def test_smallest_images(tiny, picture, shape, padding):
    """At one position per deepest layer, a mirror image repeats the border and nothing breaks."""
    encoder, image = tiny(padding=padding), picture(*shape)
    layers = ("image", "pool1", "conv3_1")
    if padding != "reflect":
        compare(encoder, image, layers)
        return
    leaf = image.clone().requires_grad_()  # torch refuses to reflect a single row, so differences are the oracle
    cotangents = {name: torch.randn_like(features) for name, features in encoder.features(image, layers)}
    found = pulled_back(encoder, image, cotangents)
    direction = torch.randn_like(image)

    def total(x):
        return sum((features * cotangents[name]).sum() for name, features in encoder.features(x, layers))

    with torch.no_grad():
        slope = (total(leaf + 1e-6 * direction) - total(leaf - 1e-6 * direction)) / 2e-6
    tolerance = 1e-7 * (found.norm() * direction.norm()).item()
    assert (found * direction).sum().item() == pytest.approx(slope.item(), abs=tolerance)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_derivative_agrees_with_differences(tiny, picture, pooling):
    """Central differences along random directions, which know nothing of how either pass is written."""
    encoder, image = tiny(pooling=pooling), picture(9, 10)
    cotangents = {name: torch.randn_like(features) for name, features in encoder.features(image, SOME)}
    gradient = pulled_back(encoder, image, cotangents)

    def total(x):
        return sum((features * cotangents[name]).sum() for name, features in encoder.features(x, SOME))

    for _ in range(5):
        direction = torch.randn_like(image)
        slope = (total(image + 1e-6 * direction) - total(image - 1e-6 * direction)) / 2e-6
        tolerance = 1e-7 * (gradient.norm() * direction.norm()).item()
        assert (gradient * direction).sum().item() == pytest.approx(slope.item(), abs=tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_features_are_channels_last(tiny, picture, pooling, padding, dtype):
    """In pictures the channels of a position lie side by side, both ways, so that a Gram matrix is one product."""
    encoder = tiny(pooling=pooling, padding=padding, dtype=dtype)
    orders = []

    def inject(layer, out):
        orders.append(out.is_contiguous(memory_format=torch.channels_last))

    kept = encoder.forward(picture(9, 10, dtype=torch.float32), encoder.stack.names)
    orders += [kept[name].is_contiguous(memory_format=torch.channels_last) for name in encoder.stack.names]
    encoder.backward(kept, encoder.stack.names, inject)
    assert orders == [True] * 12


def test_image_in_channels_last_gives_the_same(tiny, picture):
    """The layout of the image is its own affair."""
    encoder, image = tiny(), picture(9, 10)
    cotangents = {name: torch.randn_like(features) for name, features in encoder.features(image, SOME)}
    expected = pulled_back(encoder, image, cotangents)
    last = image.contiguous(memory_format=torch.channels_last)
    assert torch.allclose(pulled_back(encoder, last, cotangents), expected, rtol=1e-12)


def test_forward_keeps_and_backward_frees(tiny, picture):
    """Averages are not kept unless a loss looks at them; on the way back everything but the image is let go."""
    encoder, image = tiny(), picture(8, 8)
    kept = encoder.forward(image, ("conv2_1",))
    assert set(kept) == {IMAGE, "conv1_1", "conv1_2", "conv2_1"}
    assert "pool1" in encoder.forward(image, ("pool1", "conv2_1"))
    encoder.backward(kept, ("conv2_1",), lambda layer, out: None)
    assert set(kept) == {IMAGE}


def test_losses_come_deep_to_shallow(tiny, picture):
    """Each layer with a loss is asked exactly once, and the image last."""
    encoder, asked = tiny(), []
    layers = ("image", "conv2_1", "pool1")
    encoder.backward(encoder.forward(picture(8, 8), layers), layers, lambda layer, out: asked.append(layer))
    assert asked == ["conv2_1", "pool1", "image"]


@pytest.fixture(scope="module")
def vgg19():
    """The paper's network."""
    return load("vgg19")


@pytest.fixture(scope="module")
def photo():
    """A natural picture (1, 3, 40, 56) in float32."""
    from skimage import data

    pixels = torch.from_numpy(data.coffee()).permute(2, 0, 1)[None].float() / 255
    return nnf.interpolate(pixels, (40, 56), mode="bilinear", antialias=True)


@pytest.mark.parametrize(("pooling", "padding"), [("avg", "zero"), ("max", "replicate")])
def test_real_network_agrees_with_torch(vgg19, photo, pooling, padding):
    """VGG-19 in float32 on a photo, down from conv5_1, to 1e-4 of the largest derivative."""
    encoder = Encoder(*vgg19, pooling=pooling, padding=padding)
    compare(encoder, photo, ("conv1_1", "conv2_1", "conv3_1", "conv4_2", "conv5_1"), rtol=1e-4)


def test_bfloat16_points_the_same_way(vgg19, photo):
    """The real network in bf16 takes and gives float32 images, and its derivative keeps its direction."""
    exact, half = Encoder(*vgg19), Encoder(*vgg19, dtype=torch.bfloat16)
    layers = ("conv1_1", "conv2_1", "conv3_1", "conv4_2", "conv5_1")
    cotangents = {name: features / features.numel() for name, features in exact.features(photo, layers)}
    expected = pulled_back(exact, photo, cotangents)
    found = pulled_back(half, photo, {name: value.bfloat16() for name, value in cotangents.items()})
    assert found.dtype == torch.float32
    assert torch.cosine_similarity(found.flatten(), expected.flatten(), dim=0) > 0.999


def test_real_network_has_the_strides_it_says(vgg19, photo):
    """On a photo of 40 by 56, conv5_1 has 2 by 3 positions of 512 channels."""
    ((_, features),) = Encoder(*vgg19).features(photo, ("conv5_1",))
    assert features.shape == (1, 512, 2, 3)
    assert VGG19.extent("conv5_1", (40, 56)) == (2, 3)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_guided_passes_let_nothing_negative_through(tiny, picture, pooling):
    """Guided, a ReLU passes what is positive on both ways, as hooks on torch's own ReLUs do."""
    encoder, image = tiny(pooling=pooling), picture(9, 10)

    class Guided(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.relu()

        @staticmethod
        def backward(ctx, gradient):
            return gradient.clamp(min=0) * (ctx.saved_tensors[0] > 0)

    leaf = image.clone().requires_grad_()
    x = nnf.conv2d(leaf, encoder.parameters.matrix.view(3, 3, 1, 1), encoder.parameters.offset)
    for layer in encoder.stack:
        if isinstance(layer, Conv):
            x = Guided.apply(nnf.conv2d(x, *encoder.parameters.convolutions[layer.name], padding=1))
        elif pooling == "max":
            x = nnf.max_pool2d(x, 2)
        else:
            x = nnf.avg_pool2d(x, 2) if pooling == "avg" else (nnf.avg_pool2d(x * x, 2) + 1e-300).sqrt()
    cotangent = torch.randn_like(x)
    (expected,) = torch.autograd.grad((x * cotangent).sum(), leaf)

    def inject(layer, out):
        out += cotangent

    found = encoder.backward(encoder.forward(image, ("conv3_1",)), ("conv3_1",), inject, guided=True)
    assert expected.abs().max() > 0
    assert (found - expected).abs().max() < 1e-12 * expected.abs().max()


def test_a_convolution_without_its_relu(tiny, picture):
    """The last layer keeps its negative values, and its derivative passes where it is negative too."""
    encoder, image = tiny(), picture(9, 10)
    *before, last = encoder.stack
    bare = Encoder(Stack("bare", (*before, replace(last, rectified=False))), encoder.parameters, dtype=torch.float64)
    (_, rectified), (_, plain_values) = (next(x.features(image, ("conv3_1",))) for x in (encoder, bare))
    assert (plain_values < 0).any()
    assert torch.equal(plain_values.relu(), rectified)
    gradient = pulled_back(bare, image, {"conv3_1": torch.randn_like(plain_values) * (plain_values < 0)})
    assert gradient.abs().max() > 0
