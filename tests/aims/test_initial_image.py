"""What a descent begins with."""

import numpy as np
import pytest
import torch
from PIL import Image

from impasto import images
from impasto.aims.initial_image import starting_image
from impasto.errors import ImageError
from impasto.pyramid import resize


def started(run):
    """What a run begins with."""
    source = None if run.source is None else run.source.pixels
    return starting_image(run.settings, source, run.paintings, run.levels[0].shape)


def _colors(image):
    return image.flatten(2)[0].double()


def test_the_content_is_the_photo_at_the_coarsest_size(photo, painting, prepare):
    """In its own proportions, [0, 1]."""
    start = started(prepare(photo, painting))
    assert torch.equal(start, resize(images.read(photo).pixels, (18, 24)))


def test_noise_is_uniform_and_follows_the_seed(photo, painting, prepare):
    """The same numbers for the same seed, others for another."""
    one, again, other = (started(prepare(photo, painting, init="noise", seed=seed)) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert (one - other).abs().mean() > 0.2
    large = started(prepare(photo, painting, init="noise", size=256, coarsest=256))
    assert 0 <= large.min() < 0.001
    assert 0.999 < large.max() <= 1
    assert large.mean().item() == pytest.approx(0.5, abs=0.005)
    assert large.var().item() == pytest.approx(1 / 12, rel=0.01)


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_noise_is_mixed_in_by_its_share(photo, painting, prepare, share):
    """A share of 1 is all noise."""
    content, noise = (started(prepare(photo, painting, init=init)) for init in ("content", "noise"))
    mixed = started(prepare(photo, painting, noise=share))
    torch.testing.assert_close(mixed, (1 - share) * content + share * noise)


def test_a_file_can_be_the_start(tmp_path, photo, painting, other_painting, *, paint, prepare):
    """Resampled to the photo's shape, and named with its hash in the recipe."""
    path = tmp_path / "start.png"
    Image.fromarray(other_painting).save(path)
    start = started(prepare(photo, painting, init=str(path)))
    assert torch.equal(start, resize(images.read(path).pixels, (18, 24)))
    result = paint(photo, painting, init=str(path))
    assert result.recipe["inputs"]["init"] == {"name": "start.png", "sha256": images.hash_file(path)}


def test_a_file_that_is_not_there_is_refused_at_once(tmp_path, photo, painting, prepare):
    """Before anything is computed, like every other input."""
    with pytest.raises(ImageError, match=r"missing\.png does not exist"):
        prepare(photo, painting, init=str(tmp_path / "missing.png"))


@pytest.mark.parametrize(("shape", "kept"), [((54, 54), (7, 47, 0, 54)), ((30, 80), (0, 30, 20, 60))])
def test_a_start_of_other_proportions_is_cut_down_and_not_stretched(tmp_path, photo, prepare, shape, kept):
    """To its middle, and a note says so; nothing of it is wider than it was."""
    path = tmp_path / "start.png"
    pixels = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    run = prepare(photo, photo, init=str(path))
    top, bottom, left, right = kept
    assert torch.equal(run.source.pixels, images.read(path).pixels[..., top:bottom, left:right])
    [note] = run.source.source.notes
    assert f"start.png is {shape[1]} x {shape[0]}; to start from it was cut down to its middle" in note


@pytest.mark.parametrize(("word", "near"), [("contnet", "content"), ("nosie", "noise"), ("Style", "style")])
def test_a_misspelled_start_has_a_neighbor(photo, painting, prepare, word, near):
    """It is taken for a file, which is not there; the sentence says what was probably meant."""
    with pytest.raises(ImageError, match=rf"{word} does not exist.* Did you mean {near}\?$"):
        prepare(photo, painting, init=word)


@pytest.fixture(scope="session")
def mild():
    """A painting whose colors are far from black and white, so that their moments survive the bounds."""
    generator = np.random.default_rng(3)
    mixing = np.array([[9.0, 0, 0], [5, 6, 0], [-4, 2, 5]])
    colors = generator.standard_normal((60 * 50, 3)) @ mixing.T + [110, 140, 120]
    return colors.round().clip(0, 255).astype(np.uint8).reshape(60, 50, 3)


def test_style_moments_are_those_of_the_painting(photo, mild, prepare):
    """Noise whose colors have the painting's mean and covariance."""
    start = started(prepare(photo, mild, init="style-moments", size=256, coarsest=256))
    found, expected = _colors(start), _colors(images.read(mild).pixels)
    assert start.shape == (1, 3, 192, 256)
    torch.testing.assert_close(found.mean(1), expected.mean(1), rtol=0, atol=1e-3)
    torch.testing.assert_close(found.cov(), expected.cov(), rtol=0.05, atol=1e-5)


def test_style_moments_of_several_are_those_of_their_mixture(photo, mild, prepare):
    """Each painting's pixels count with its share, and a painting without a share not at all."""
    light = mild + np.uint8(60)
    values = {"init": "style-moments", "size": 256, "coarsest": 256}
    mixed = _colors(started(prepare(photo, [mild, light], blend=(1, 3), **values)))
    pixels = torch.cat([_colors(images.read(style).pixels) for style in (mild, light, light, light)], 1)
    torch.testing.assert_close(mixed.mean(1), pixels.mean(1), rtol=0, atol=2e-3)
    torch.testing.assert_close(mixed.cov(), pixels.cov(), rtol=0.05, atol=1e-4)
    alone = started(prepare(photo, light, **values))
    torch.testing.assert_close(started(prepare(photo, [mild, light], blend=(0, 1), **values)), alone)


def test_style_moments_of_one_color_are_that_color(photo, prepare):
    """A covariance of zero has a square root too."""
    flat = np.full((40, 40, 3), (200, 30, 90), np.uint8)
    start = started(prepare(photo, flat, init="style-moments"))
    expected = torch.tensor([200, 30, 90]).view(1, 3, 1, 1) / 255
    torch.testing.assert_close(start, expected.expand_as(start), atol=1e-5, rtol=0)
