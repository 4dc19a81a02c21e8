"""Colors matched and luminance kept apart: definitions, oracles, and pictures without color."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage import color as skcolor
from skimage import data
from skimage.exposure import match_histograms

from impasto import color
from impasto.color import ColorMoments

MAPS = {"monge-kantorovich": color.monge_kantorovich, "cholesky": color.cholesky}

every_map = pytest.mark.parametrize("name", MAPS)


def tensor(picture):
    """(H, W, 3) uint8 as (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].double() / 255


@pytest.fixture(scope="module")
def photo():
    """A portrait of many colors."""
    return tensor(data.astronaut()[::8, ::8])


@pytest.fixture(scope="module")
def painting():
    """A picture of few colors."""
    return tensor(data.chelsea()[::6, ::6])


def mapped(name, source, target):
    """A picture's colors mapped to another's moments."""
    return MAPS[name](ColorMoments.of(source), ColorMoments.of(target))(source)


PLAIN = {
    "gray": lambda like: color.luminance(like).expand_as(like),
    "one color": lambda like: torch.tensor([0.2, 0.5, 0.7]).double().view(1, 3, 1, 1).expand_as(like),
    "black": torch.zeros_like,
    "white": torch.ones_like,
}


@every_map
def test_moments_are_reached(name, photo, painting):
    """Mean and covariance become the target's, to far less than 1e-4, both ways."""
    for source, target in [(painting, photo), (photo, painting)]:
        found, wanted = ColorMoments.of(mapped(name, source, target)), ColorMoments.of(target)
        assert torch.allclose(found.mean, wanted.mean, atol=1e-9)
        assert torch.allclose(found.covariance, wanted.covariance, atol=1e-9)


@every_map
def test_moments_are_reached_in_single_precision(name, photo, painting):
    """As a run has its pictures."""
    found = ColorMoments.of(mapped(name, painting.float(), photo.float()))
    assert torch.allclose(found.mean, ColorMoments.of(photo).mean, atol=1e-5)
    assert torch.allclose(found.covariance, ColorMoments.of(photo).covariance, atol=1e-5)


def test_linear_map_is_that_of_optimal_transport(photo, painting):
    """The map that POT estimates between the two clouds of colors."""
    clouds = [x.flatten(2)[0].t().numpy() for x in (painting, photo)]
    import ot  # takes seconds

    matrix, offset = ot.gaussian.empirical_bures_wasserstein_mapping(*clouds, reg=0)
    found = color.monge_kantorovich(ColorMoments.of(painting), ColorMoments.of(photo))
    assert np.allclose(matrix, found.matrix.numpy().T, rtol=1e-8)
    assert np.allclose(found(painting).flatten(2)[0].t().numpy(), clouds[0] @ matrix + offset, atol=1e-9)


def test_linear_map_moves_less_than_the_triangular_one(photo, painting):
    """Of all maps that reach the moments it changes colors least."""
    changes = [(mapped(name, painting, photo) - painting).square().mean() for name in MAPS]
    assert changes[0] < changes[1]


def test_cholesky_is_triangular(photo, painting):
    """Red depends on red alone."""
    matrix = color.cholesky(ColorMoments.of(painting), ColorMoments.of(photo)).matrix
    assert torch.allclose(matrix, matrix.tril())
    assert matrix[2].abs().min() > 0


def test_histograms_are_those_of_scikit_image(photo, painting):
    """For values that are all different to rounding; for 8 bits, where equal values stand elsewhere, to a level."""
    fine = [(x + torch.rand_like(x) / 255) / (256 / 255) for x in (painting, photo)]
    for (source, target), tolerance in [(fine, 2e-4), ((painting, photo), 1 / 255)]:
        arrays = [x[0].permute(1, 2, 0).numpy() for x in (source, target)]
        expected = match_histograms(*arrays, channel_axis=-1)
        found = color.match_histogram(source, target)[0].permute(1, 2, 0).numpy()
        assert np.abs(found - expected).mean() < tolerance


def test_a_picture_matched_to_itself_is_itself(photo):
    """By every method."""
    for name in MAPS:
        assert torch.allclose(mapped(name, photo, photo), photo, atol=1e-9)
    assert torch.allclose(color.match_histogram(photo, photo), photo)
    assert torch.allclose(color.match_luminance(photo, ColorMoments.of(photo)), color.luminance(photo))


def test_weights_are_regions(photo, painting):
    """Weighted by a mask, the moments and histograms are those of the region alone."""
    weights = torch.zeros_like(photo[:, :1])
    weights[..., :20] = 1
    region = photo[..., :20]
    assert torch.allclose(ColorMoments.of(photo, weights).covariance, ColorMoments.of(region).covariance)
    found = color.match_histogram(painting, photo, None, weights)
    assert torch.allclose(found, color.match_histogram(painting, region), atol=1e-9)
    other = torch.rand_like(painting[:, :1])
    assert torch.allclose(
        color.match_histogram(painting, photo, other * 3), color.match_histogram(painting, photo, other)
    )


@pytest.mark.parametrize("plain", PLAIN)
@pytest.mark.parametrize("other", [*PLAIN, "photo"])
def test_plain_pictures_have_a_sensible_match(photo, plain, other):
    """Without NaN: the mean is the target's, no color appears that neither has, and noise is not blown up."""
    source = PLAIN[plain](photo)
    target = photo if other == "photo" else PLAIN[other](photo)
    wanted = target.mean((0, 2, 3))
    for name in MAPS:
        found = mapped(name, source, target)
        assert found.isfinite().all()
        assert torch.allclose(found.mean((0, 2, 3)), wanted, atol=1e-6)
        noisy = mapped(name, source + torch.randn_like(source) / 1000, target)
        assert (noisy - found).square().mean().sqrt() < 0.1
    histogram = color.match_histogram(source, target)
    assert histogram.isfinite().all()
    assert histogram.min() >= target.min() - 1e-9
    assert histogram.max() <= target.max() + 1e-9
    level = color.match_luminance(source, ColorMoments.of(target))
    assert level.isfinite().all()
    assert level.mean().item() == pytest.approx(color.luminance(target).mean().item(), abs=1e-6)


def test_one_color_goes_to_the_middle(photo):
    """A histogram of one color is matched to the median, not to the brightest value."""
    found = color.match_histogram(PLAIN["one color"](photo), photo)
    medians = photo.flatten(2)[0].median(1).values
    assert torch.allclose(found[0, :, 0, 0], medians, atol=2 / 255)


def test_gray_stays_gray_when_matched_to_gray(photo, painting):
    """Matched to a photo without color, a painting has none left."""
    gray = PLAIN["gray"](photo)
    for found in (mapped("monge-kantorovich", painting, gray), mapped("cholesky", painting, gray)):
        assert color.chroma(found).abs().max() < 1e-4


def test_contrast_follows_the_photo_within_limits(photo, painting):
    """Luminance gets the photo's mean and deviation, where they are within a factor of two."""
    found = color.match_luminance(painting, ColorMoments.of(photo))
    wanted = color.luminance(photo)
    assert found.mean().item() == pytest.approx(wanted.mean().item(), abs=1e-6)
    gain = wanted.std(correction=0) / color.luminance(painting).std(correction=0)
    expected = gain.clamp(0.5, 2) * color.luminance(painting).std(correction=0)
    assert found.std(correction=0).item() == pytest.approx(expected.item(), rel=1e-3)


def test_luminance_is_that_of_yiq(photo):
    """As scikit-image has it, and chroma is I and Q in other coordinates."""
    expected = skcolor.rgb2yiq(photo[0].permute(1, 2, 0).numpy())
    assert np.allclose(color.luminance(photo)[0, 0].numpy(), expected[..., 0], atol=1e-9)
    of_chroma = skcolor.rgb2yiq(color.chroma(photo)[0].permute(1, 2, 0).numpy())
    assert np.allclose(of_chroma[..., 0], 0, atol=1e-9)
    assert np.allclose(of_chroma[..., 1:], expected[..., 1:], atol=1e-7)


@given(st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_chroma_put_back_is_inside(values):
    """Any luminance with any chroma stays in [0, 1], keeps its luminance, and its hue where it has one."""
    pixels, other = torch.tensor(values, dtype=torch.float64).view(2, 1, 3, 1, 1)
    found = color.with_chroma(pixels, color.chroma(other))
    assert found.min() >= 0
    assert found.max() <= 1
    assert color.luminance(found).item() == pytest.approx(color.luminance(pixels).item(), abs=1e-9)
    cosine = torch.cosine_similarity(color.chroma(found).flatten(), color.chroma(other).flatten(), dim=0)
    assert cosine > 1 - 1e-6 or color.chroma(found).abs().max() < 1e-6


def test_a_picture_with_its_own_chroma_is_itself(photo):
    """Where it fits, nothing is made paler."""
    assert torch.allclose(color.with_chroma(photo, color.chroma(photo)), photo, atol=1e-12)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_room_of_a_chroma_is_what_fits(values):
    """The luminances at which a chroma fits into [0, 1] include the picture's own, and no more fit beyond them."""
    pixels = torch.tensor(values, dtype=torch.float64).view(1, 3, 1, 1)
    own = color.chroma(pixels)
    low, high = color.luminance_room(own)
    assert low - 1e-12 <= color.luminance(pixels) <= high + 1e-12
    assert (own + low).min().item() == pytest.approx(0, abs=1e-12)
    assert (own + high).max().item() == pytest.approx(1, abs=1e-12)
