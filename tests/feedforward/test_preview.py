"""Previews: the decoder undoes the encoder, styles change pictures, and what is wrong is said."""

import io

import numpy as np
import pytest
import torch
import torch.nn.functional as nnf
from PIL import Image

import impasto
from impasto import images, samples
from impasto.encoders import weights
from impasto.errors import ImageError, LayerError, NetworkError, SettingsError
from impasto.feedforward.decoder import Decoder
from impasto.feedforward.preview import preview
from impasto.pyramid import resize
from impasto.quality import psnr

EXACT = {"precision": "fp32", "device": "cpu"}


@pytest.fixture(scope="module")
def photo():
    """A small bundled photo as a tensor."""
    return resize(images.read(samples.photo("chelsea")).pixels, (64, 96))


@pytest.fixture(scope="module")
def painting(bundled):
    """A small painting."""
    return bundled("swirl", (64, 64))


def test_the_decoder_undoes_the_encoder(photo, painting):
    """At strength 0 the photo comes back, blurred a little; it is the decoder of this encoder."""
    found = preview(photo, painting, size=96, strength=0.0, **EXACT)
    assert found.tensor.shape == photo.shape
    assert psnr(found.tensor, photo) > 15
    assert psnr(found.tensor, photo) > psnr(preview(photo, painting, size=96, **EXACT).tensor, photo) + 3


def test_the_decoder_is_a_chain_of_nine(photo):
    """Against the same chain made of torch's own layers."""
    decoder = Decoder.load(torch.float32, torch.device("cpu"))
    layers = []
    for position, (weight, bias) in enumerate(decoder.convolutions):
        layer = torch.nn.Conv2d(weight.shape[1], weight.shape[0], 3)
        layer.weight.data, layer.bias.data = weight, bias
        layers += [torch.nn.ReflectionPad2d(1), layer, torch.nn.ReLU()]
        layers += [torch.nn.Upsample(scale_factor=2, mode="nearest")] if position in (0, 4, 6) else []
    features = torch.rand(1, 512, 5, 4) * 2
    expected = torch.nn.Sequential(*layers[:-1])(features).clamp(0, 1)
    assert torch.allclose(decoder(features), expected, atol=1e-5)
    assert [len(weight) for weight, _ in decoder.convolutions] == [256, 256, 256, 256, 128, 128, 64, 64, 3]


def test_a_style_is_nearer_than_the_photo(photo, painting):
    """In its colors."""
    found = preview(photo, painting, size=96, **EXACT).tensor
    colors = [x.mean((2, 3)) for x in (found, painting, photo)]
    assert (colors[0] - colors[1]).norm() < (colors[0] - colors[2]).norm()


def test_gray_stays_gray(photo, painting):
    """Of a gray photo and a gray painting; a colored one has its say."""
    gray = photo.mean(1, keepdim=True).expand_as(photo)
    grays = painting.mean(1, keepdim=True).expand_as(painting)
    spread = [
        (found.amax(1) - found.amin(1)).max()
        for found in (preview(gray, grays, size=96, **EXACT).tensor, preview(gray, painting, size=96, **EXACT).tensor)
    ]
    assert spread[0] < 1e-6
    assert spread[1] > 0.1


def test_shares_of_styles(photo, painting, bundled):
    """All for one style is that style alone; halves lie between."""
    other = bundled("woodcut", (64, 64))
    one = preview(photo, painting, size=64, **EXACT).tensor
    assert torch.equal(preview(photo, [painting, other], size=64, blend=(1, 0), **EXACT).tensor, one)
    both = preview(photo, [painting, other], size=64, **EXACT).tensor
    two = preview(photo, other, size=64, **EXACT).tensor
    assert min((both - one).norm(), (both - two).norm()) < (one - two).norm()


@pytest.mark.parametrize("shape", [(40, 61), (9, 30), (33, 8)])
def test_any_shape(shape, painting):
    """The picture has the photo's proportions at the size, whatever the stride."""
    found = preview(torch.rand(3, *shape), painting, size=max(shape), **EXACT)
    assert found.tensor.shape == (1, 3, *shape)
    assert 0 <= found.tensor.min() <= found.tensor.max() <= 1


def test_bf16_looks_the_same(photo, painting):
    """To the eye, at least."""
    exact, quick = (preview(photo, painting, size=96, precision=p, device="cpu").tensor for p in ("fp32", "bf16"))
    assert psnr(exact, quick) > 30


def test_files(tmp_path, photo, painting):
    """A saved preview says what it is, and keeps transparency."""
    rgba = np.dstack([images.to_array(photo), np.full(photo.shape[2:], 255, np.uint8)])
    rgba[:10, :, 3] = 0
    found = impasto.preview(rgba, painting, size=48, **EXACT)
    found.save(tmp_path / "out.png")
    assert images.read(tmp_path / "out.png").alpha is not None
    assert found.pil.mode == "RGBA"
    text = images.read_parameters(tmp_path / "out.png")
    assert text.startswith("A preview of array in the style of tensor")
    assert repr(found).startswith("Preview(48 x 32, ")


@pytest.mark.parametrize(
    ("values", "kind", "word"),
    [
        ({"strength": 1.5}, SettingsError, "from 0 to 1"),
        ({"size": 4}, LayerError, "8 to 20000"),
        ({"style_scale": 0}, SettingsError, "more than 0"),
        ({"blend": (1, 2)}, SettingsError, "2 shares for 1 styles"),
        ({"blend": (0,)}, SettingsError, "not all 0"),
        ({"blend": (-1,)}, SettingsError, "at least 0"),
    ],
)
def test_what_is_wrong_is_said(photo, painting, values, kind, word):
    """In one sentence."""
    with pytest.raises(kind, match=word):
        preview(photo, painting, **{"size": 64, **values})


def test_missing_inputs(photo):
    """A file that is not there, and no style at all."""
    with pytest.raises(ImageError, match="does not exist"):
        preview(photo, "nowhere.png")
    with pytest.raises(SettingsError, match="no style"):
        preview(photo, [])


def test_a_damaged_decoder_is_not_used(monkeypatch):
    """Its hash is compared first."""
    monkeypatch.setattr(weights, "DECODER_SHA256", "0" * 64)
    with pytest.raises(NetworkError, match="damaged or altered"):
        weights.checked_decoder_path()


def test_positions_beyond_the_picture_are_mirrored(photo, painting):
    """A picture and the same cut by some columns agree away from the cut."""
    full = preview(photo, painting, size=96, strength=0.0, **EXACT).tensor
    cut = preview(photo[..., :93], painting, size=93, strength=0.0, **EXACT).tensor
    assert psnr(full[..., :40], cut[..., :40]) > 40
    assert nnf.mse_loss(full[..., 60:93], cut[..., 60:93]) < 0.02


def test_numbers_of_numpy_are_numbers_and_a_notebook_shows_the_picture(photo, painting):
    """The same preview as from plain numbers, as a PNG too."""
    plain = impasto.preview(photo, painting, size=48, blend=[1], style_scale=0.5, **EXACT)
    found = impasto.preview(
        photo, painting, size=np.int64(48), blend=np.ones(1, np.float32), style_scale=np.float32(0.5), **EXACT
    )
    assert torch.equal(found.tensor, plain.tensor)
    with Image.open(io.BytesIO(found._repr_png_())) as shown:
        assert (shown.format, shown.size) == ("PNG", found.pil.size)
