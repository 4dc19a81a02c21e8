"""A network's mean activations over a folder brought to 1."""

import pytest
import torch

from impasto import images, samples
from impasto.encoders import Encoder, load
from impasto.encoders.weights import channel_scales
from impasto.errors import ImageError, NetworkError
from impasto.pyramid import fitted, resize
from impasto.studies.normalization import normalize


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two bundled photos, small."""
    place = tmp_path_factory.mktemp("pictures")
    for name in ("coffee", "rocket"):
        images.write(place / f"{name}.png", images.read(samples.photo(name)).pixels[..., ::8, ::8])
    return place


@pytest.fixture(scope="module")
def found(folder):
    """The original network normalized over them."""
    return normalize(folder, size=48, device="cpu")


def test_every_filter_that_fires_has_mean_one(found, folder):
    """Measured anew with the network that came out, over pictures and positions."""
    stack, _ = load()
    encoder = Encoder(stack, found.parameters, pooling="max")
    sums, positions = 0.0, 0
    for path in sorted(folder.iterdir()):
        picture = images.read(path)
        (_, features), *_ = encoder.features(resize(picture.pixels, fitted(picture.shape, 48)), ["conv3_1"])
        sums = sums + features.double().sum((0, 2, 3))
        positions += features[0, 0].numel()
    fires = torch.ones(256, dtype=torch.bool)
    fires[found.silent.get("conv3_1", [])] = False
    assert (sums / positions)[fires].numpy() == pytest.approx(1.0, abs=1e-4)


def test_the_network_computes_what_it_did(found, bundled):
    """Up to the factor of each channel, to 1e-4 of the largest feature: float32 sums of thousands of products."""
    stack, original = load("vgg19-original")
    image = bundled("glass", (48, 48))
    before, after = (
        dict(Encoder(stack, p, pooling="max").features(image, ["conv2_2", "conv4_1"]))
        for p in (original, found.parameters)
    )
    for name, features in after.items():
        expected = before[name] * found.scales[name].view(-1, 1, 1)
        assert (features - expected).abs().max() <= 1e-4 * expected.abs().max()


def test_the_scales_are_held_against_the_shipped_ones(found, folder):
    """As the correlation of their logarithms, per layer; a network that is not the original has nothing to compare with."""
    assert set(found.shipped) == set(found.scales)
    logarithms = torch.stack([scales["conv1_1"].double().log() for scales in (found.scales, channel_scales())])
    fires = torch.ones(64, dtype=torch.bool)
    fires[found.silent.get("conv1_1", [])] = False
    assert found.shipped["conv1_1"] == pytest.approx(torch.corrcoef(logarithms[:, fires])[0, 1].item(), abs=1e-6)
    assert normalize(folder, network="vgg19", size=48, device="cpu").shipped == {}


def test_it_is_saved_for_every_command(found, tmp_path):
    """As safetensors, read back to the same weights; another suffix is refused."""
    found.save(tmp_path / "own.safetensors")
    _, again = load("vgg19", tmp_path / "own.safetensors")
    assert torch.equal(again.convolutions["conv4_1"][0], found.parameters.convolutions["conv4_1"][0])
    with pytest.raises(NetworkError, match="safetensors"):
        found.save(tmp_path / "own.pth")


def test_an_empty_folder(tmp_path):
    """There must be pictures."""
    with pytest.raises(ImageError, match="picture"):
        normalize(tmp_path)
