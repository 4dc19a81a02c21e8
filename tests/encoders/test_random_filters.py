"""Random filters: where they look, and that a chain of layers carries the signal to every scale."""

import torch
import torch.nn.functional as nnf

from impasto.encoders import Encoder, bank, octave_parameters, octaves, random_parameters


def test_filters_are_random_but_fixed():
    """A seed gives the same filters again, another one others; their variance is 2 over what a filter sees."""
    stack = bank(40, 300, 11)
    (weight, bias), (again, _), (other, _) = (
        random_parameters(stack, 1, seed).convolutions["conv1"] for seed in (0, 0, 1)
    )
    assert torch.equal(weight, again)
    assert not torch.equal(weight, other)
    assert torch.allclose(weight.var(), torch.tensor(2 / (40 * 11)), rtol=0.02)
    assert not bias.any()


def test_bank_is_one_wide_convolution():
    """On a spectrogram: frequencies are channels, time is the axis."""
    stack = bank(9, 6, 5)
    encoder = Encoder(stack, random_parameters(stack, 1, 3), dtype=torch.float64)
    levels = torch.rand(1, 9, 20, dtype=torch.float64)
    weight = encoder.parameters.convolutions["conv1"][0].double()
    (_, found), *_ = encoder.features(levels, ("conv1",))
    assert torch.allclose(found, nnf.conv1d(levels, weight, padding=2).relu(), rtol=1e-12)


def test_octaves_are_filters_of_the_signal_at_every_scale():
    """Layer by layer as if each scale's filters saw the signal itself, averaged over 1, 2, 4, ... positions."""
    leads, filters, width = 2, 5, 4
    stack = octaves(leads, 4, filters, width)
    scale, offset = torch.tensor([2.0, 3.0]), torch.tensor([-1.0, -1.5])
    parameters = octave_parameters(stack, 7, scale, offset)
    encoder = Encoder(stack, parameters, dtype=torch.float64, padding="replicate")
    image = torch.rand(1, leads, 64, dtype=torch.float64)
    x = image * scale.view(1, -1, 1) + offset.view(1, -1, 1)
    for number, (_, found) in enumerate(encoder.features(image, [layer.name for layer in stack.convolutions]), 1):
        assert torch.allclose(found[:, :leads], x.relu(), atol=1e-12) or number > 1
        assert torch.allclose(found[:, :leads] - found[:, leads : 2 * leads], x, atol=1e-12)
        weight = parameters.convolutions[f"conv{number}"][0][2 * leads :, :leads].double()
        expected = nnf.conv1d(nnf.pad(x, ((width - 1) // 2, width // 2), mode="replicate"), weight).relu()
        assert torch.allclose(found[:, 2 * leads :], expected, atol=1e-12)
        x = nnf.avg_pool1d(x, 2)
