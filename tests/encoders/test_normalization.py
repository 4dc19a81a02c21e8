"""Rescaling changes every filter by its factor and nothing else."""

import pytest
import torch

from impasto.encoders import Encoder, weights
from impasto.encoders.normalization import MeanActivations, correlations, rescaled, silent, unit_scales
from impasto.encoders.weights import load, load_file, save_file, without_normalization
from impasto.errors import NetworkError


def scales_of(encoder, seed=3):
    """Random factors between a tenth and ten for every filter."""
    generator = torch.Generator().manual_seed(seed)
    return {
        layer.name: 10 ** (2 * torch.rand(layer.channels_out, generator=generator, dtype=torch.float64) - 1)
        for layer in encoder.stack.convolutions
    }


@pytest.mark.parametrize("pooling", ["avg", "max", "l2"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_features_are_equal_up_to_the_scales(tiny, picture, dims, pooling):
    """Every filter fires as before times its factor, through every pooling, in any number of dimensions."""
    encoder, image = tiny(dims, pooling=pooling), picture(*(9, 10, 8)[:dims])
    scales = scales_of(encoder)
    other = Encoder(encoder.stack, rescaled(encoder.parameters, scales), pooling=pooling, dtype=torch.float64)
    names = [layer.name for layer in encoder.stack.convolutions]
    for (name, before), (_, after) in zip(encoder.features(image, names), other.features(image, names), strict=True):
        factors = scales[name].view(1, -1, *(1,) * dims)
        assert before.count_nonzero() > before.numel() / 10
        assert torch.allclose(after, before * factors, rtol=1e-12, atol=1e-12)


def test_means_are_over_images_and_positions(tiny, picture):
    """Streamed over images of several sizes, the mean is that of all positions at once."""
    encoder, found = tiny(pooling="max"), MeanActivations()
    pictures = [picture(12, 9), picture(8, 20, seed=4), picture(16, 16, seed=5)]
    for image in pictures:
        found.add(encoder, image)
    for layer in encoder.stack.convolutions:
        every = [dict(encoder.features(image, [layer.name]))[layer.name].flatten(2) for image in pictures]
        assert torch.allclose(found.means[layer.name], torch.cat(every, 2).mean((0, 2)), rtol=1e-12)


def test_unit_scales_bring_every_mean_to_one(tiny, picture):
    """Measured again after rescaling, means are 1, but for a filter that never fires."""
    encoder = tiny(pooling="max")
    encoder.parameters.convolutions["conv1_2"][1][3] = -1e3
    encoder = Encoder(encoder.stack, encoder.parameters, pooling="max", dtype=torch.float64)
    before, after = MeanActivations(), MeanActivations()
    before.add(encoder, picture(16, 20))
    scales = unit_scales(before.means)
    assert scales["conv1_2"][3] == 1
    assert 3 in silent(before.means)["conv1_2"]
    parameters = rescaled(encoder.parameters, scales)
    after.add(Encoder(encoder.stack, parameters, pooling="max", dtype=torch.float64), picture(16, 20))
    for name, mean in after.means.items():
        quiet = silent(before.means).get(name, [])
        expected = torch.ones_like(mean)
        expected[quiet] = 0
        assert torch.allclose(mean, expected, rtol=1e-12)


def test_correlation_is_of_logarithms():
    """Powers correlate fully, whatever their factor; filters that were never seen are left out."""
    scales = torch.tensor([0.5, 2.0, 3.0, 1.0, 7.0])
    powers = 3 * scales**-2
    assert correlations({"a": scales}, {"a": powers, "b": powers}) == {"a": pytest.approx(-1.0, abs=1e-6)}
    powers[3] = 1e9
    assert correlations({"a": scales}, {"a": powers})["a"] == pytest.approx(-1.0, abs=1e-6)


def test_files_are_read_back(small_file):
    """The file that is written is the network that is read, entry map included."""
    path, parameters = small_file
    _, found = load_file(path)
    assert torch.equal(found.matrix, parameters.matrix)
    assert torch.equal(found.offset, parameters.offset)
    for name, pair in parameters.convolutions.items():
        assert all(torch.equal(a, b) for a, b in zip(found.convolutions[name], pair, strict=True))
    assert not list(path.parent.glob(".*"))


@pytest.fixture
def small_file(tmp_path, monkeypatch):
    """A narrow VGG-19 with random weights, and its file."""
    from dataclasses import replace

    from impasto.encoders import VGG19, Conv, Parameters, Stack

    def thin(count):
        return count if count == 3 else count // 32

    layers = [
        replace(x, channels_in=thin(x.channels_in), channels_out=thin(x.channels_out)) if isinstance(x, Conv) else x
        for x in VGG19
    ]
    stack = Stack("vgg19", tuple(layers))
    monkeypatch.setattr(weights, "VGG19", stack)
    pairs = {
        x.name: (torch.randn(x.channels_out, x.channels_in, 3, 3), torch.randn(x.channels_out))
        for x in stack.convolutions
    }
    parameters = Parameters(pairs, torch.randn(3, 3), torch.randn(3))
    save_file(tmp_path / "net.safetensors", parameters, {"made": "for a test"})
    return tmp_path / "net.safetensors", parameters


@pytest.mark.parametrize("name", ["net.pth", "missing/net.safetensors"])
def test_files_that_cannot_be_written(tmp_path, tiny, name):
    """Another ending, or a folder that is not there, is one sentence with the name."""
    with pytest.raises(NetworkError, match="net"):
        save_file(tmp_path / name, tiny().parameters)


def test_original_network_is_the_shipped_one_unscaled():
    """Rescaled by the shipped scales, the original is the normalized network again."""
    _, normalized = load("vgg19")
    original = without_normalization(normalized)
    again = rescaled(original, weights.channel_scales())
    for name, (weight, bias) in normalized.convolutions.items():
        assert torch.allclose(again.convolutions[name][0], weight, rtol=1e-5)
        assert torch.allclose(again.convolutions[name][1], bias, rtol=1e-5)
