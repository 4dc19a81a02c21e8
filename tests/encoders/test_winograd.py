"""Convolutions with fewer multiplications against torch's own."""

import pytest
import torch
import torch.nn.functional as nnf

from impasto.encoders import Conv, Encoder, Parameters, Stack
from impasto.encoders.padding import pad
from impasto.encoders.winograd import Winograd

CASES = [
    # batch, channels in and out, height, width, zeros around
    (1, 5, 7, 8, 8, 1),
    (2, 5, 7, 9, 14, 0),
    (1, 3, 4, 1, 1, 1),
    (1, 3, 4, 1, 6, 2),
    (1, 3, 4, 30, 3, 0),
    (2, 40, 33, 33, 17, 2),
    (1, 130, 260, 21, 300, 1),  # several strips of tiles
]


@pytest.fixture
def case(request):
    """A kernel, its bias, an image, a gradient, and how many zeros are around them."""
    batch, inputs, outputs, height, width, zeros = request.param
    random = torch.Generator().manual_seed(0)

    def normal(*shape):
        return torch.randn(*shape, dtype=torch.float64, generator=random)

    return (
        normal(outputs, inputs, 3, 3) / (9 * inputs) ** 0.5,
        normal(outputs),
        normal(batch, inputs, height, width),
        normal(batch, outputs, height, width),
        zeros,
    )


@pytest.mark.parametrize("case", CASES, ids=str, indirect=True)
def test_it_is_the_convolution(case):
    """With bias, with and without a ReLU."""
    weight, bias, image, _, zeros = case
    expected = nnf.conv2d(image, weight, bias, padding=zeros)
    found = Winograd(weight).convolve(image, bias, zeros, rectified=False)
    assert torch.allclose(found, expected, rtol=0, atol=1e-12)
    found = Winograd(weight).convolve(image, bias, zeros, rectified=True)
    assert torch.allclose(found, expected.relu(), rtol=0, atol=1e-12)
    assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("case", CASES, ids=str, indirect=True)
def test_it_is_the_convolution_with_mirrored_kernels(case):
    """The same transformed weights serve the way back."""
    weight, _, _, gradient, zeros = case
    expected = nnf.conv2d(gradient, weight.flip(2, 3).transpose(0, 1), padding=zeros)
    assert torch.allclose(Winograd(weight).convolve_transposed(gradient, zeros), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("case", CASES, ids=str, indirect=True)
def test_the_way_back_is_the_adjoint(case):
    """<K x, g> = <x, K' g>, where K puts ``zeros`` around and K' what is left of two."""
    weight, bias, image, _, zeros = case
    kernel = Winograd(weight)
    there = kernel.convolve(image, torch.zeros_like(bias), zeros, rectified=False)
    gradient = torch.randn_like(there)
    back = kernel.convolve_transposed(gradient, 2 - zeros)
    assert torch.isclose((there * gradient).sum(), (image * back).sum(), rtol=0, atol=1e-9)


@pytest.mark.parametrize("channels", [16, 256])
def test_rounding_in_float32(channels):
    """Some times that of a direct convolution, and far from what bfloat16 loses.

    A transform of six numbers enlarges errors by the sums of its absolute values, at most 24 and 36, along each axis;
    most of it cancels in the end. Errors grow with the root of the sums' length. With normal numbers and outputs of
    order 1, 64 roundings of float32 leave room for the unlucky among thousands.
    """
    random = torch.Generator().manual_seed(1)
    weight = torch.randn(channels, channels, 3, 3, generator=random) / (9 * channels) ** 0.5
    image, bias = torch.randn(1, channels, 32, 32, generator=random), torch.zeros(channels)
    exact = nnf.conv2d(image.double(), weight.double(), padding=1)
    error = Winograd(weight).convolve(image, bias, 1, rectified=False).double() - exact
    assert error.square().mean().sqrt() < 64 * torch.finfo(torch.float32).eps


def wide(dtype, padding):
    """An encoder with a layer of many channels."""
    random = torch.Generator().manual_seed(2)
    stack = Stack("wide", (Conv("conv1_1", 3, 128), Conv("conv1_2", 128, 128)))
    weights = {
        layer.name: (
            torch.randn(layer.channels_out, layer.channels_in, 3, 3, generator=random) / (9 * layer.channels_in) ** 0.5,
            torch.randn(layer.channels_out, generator=random),
        )
        for layer in stack.convolutions
    }
    return Encoder(stack, Parameters(weights, torch.eye(3), torch.zeros(3)), padding=padding, dtype=dtype)


@pytest.mark.parametrize("padding", ["zero", "reflect"])
@pytest.mark.parametrize("size", [(15, 16), (16, 17), (40, 33)], ids=str)
def test_encoders_take_it_where_there_is_much_to_multiply(padding, size):
    """In float32 the last layer is computed this way from 256 positions on, and features are those of float64 but for rounding."""
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(3))
    encoder, exact = wide(torch.float32, padding), wide(torch.float64, padding)
    found, expected = (dict(each.features(image.to(each.dtype), ("conv1_1", "conv1_2"))) for each in (encoder, exact))
    weight, bias = encoder.parameters.convolutions["conv1_2"]
    shallow = pad(found["conv1_1"], (1, 1), padding)
    direct = nnf.conv2d(shallow, weight, bias).relu()
    filtered = Winograd(weight).convolve(shallow, bias, 0, rectified=True)
    distance = {
        "direct": (found["conv1_2"] - direct).abs().max(),
        "filtered": (found["conv1_2"] - filtered).abs().max(),
    }
    assert min(distance, key=distance.get) == ("direct" if size == (15, 16) else "filtered")
    assert torch.allclose(found["conv1_2"].double(), expected["conv1_2"], rtol=0, atol=1e-4)

    def pulled(each):
        def inject(layer, out):
            out += expected[layer].to(out.dtype)

        kept = each.forward(image.to(each.dtype), ("conv1_2",))
        return each.backward(kept, ("conv1_2",), inject).double()

    # a feature near zero may be masked in one and not in the other, and passes on next to nothing then
    assert torch.allclose(pulled(encoder), pulled(exact), rtol=0, atol=1e-4 * pulled(exact).abs().max().item())
