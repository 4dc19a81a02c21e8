"""A run of neural-style from pictures to a picture."""

import dataclasses

import pytest
import torch

from impasto import images
from impasto.color import chroma, luminance
from impasto.errors import ImageError, LayerError, NetworkError, SettingsError
from impasto.runs.pictures.neural_style.flags import Flags
from impasto.runs.pictures.neural_style.objective import MEAN
from impasto.runs.pictures.neural_style.painting import Painting, with_chroma_of


@pytest.fixture
def painting(tmp_path):
    """A function from flags to a prepared run of small pictures."""
    names = {"photo": (30, 40), "a": (36, 30), "b": (40, 48)}
    for seed, (name, shape) in enumerate(names.items()):
        pixels = torch.rand(3, *shape, generator=torch.Generator().manual_seed(seed))
        images.write(tmp_path / f"{name}.png", torch.nn.functional.avg_pool2d(pixels, 3, 1, 1))

    def make(**values):
        usual = {"image_size": 32, "seed": 1, "precision": "fp32", "device": "cpu", "num_iterations": 8}
        usual |= {"style_layers": ("relu1_1", "relu2_1"), "content_layers": ("relu2_2",)}
        files = {"content_image": str(tmp_path / "photo.png"), "style_image": (str(tmp_path / "a.png"),)}
        return Painting.of(Flags(**{**files, **usual, **values}))

    make.folder = tmp_path
    return make


def test_it_descends_inside_bounds(painting):
    """Every evaluation is counted, and what is kept is the best."""
    run = painting()
    moments = list(run.run())
    assert moments[0].evaluation == 1
    assert moments[-1].evaluation == 8
    totals = [moment.losses.total for moment in moments]
    assert totals == sorted(totals, reverse=True)
    assert totals[-1] < totals[0] / 3
    image = moments[-1].image
    assert image.shape == (1, 3, 24, 32)
    assert 0 <= image.min() <= image.max() <= 1
    assert run.losses(image)[0].total == pytest.approx(totals[-1], rel=1e-5)


@pytest.mark.parametrize(("evaluations", "exponent"), [(0, 0.4), (100, 0.4), (200, 0.25), (300, 0.1), (1000, 0.1)])
def test_the_preconditioner_fades(painting, evaluations, exponent):
    """It is that of pictures at first, and little of it is left when long runs come near the end."""
    assert painting().optimizer_after(evaluations).spectrum == pytest.approx(exponent)


def test_the_random_start_is_theirs(painting):
    """The noise of their seed around their mean color, in their channel order."""
    torch.manual_seed(1)
    theirs = torch.randn(3, 24, 32).mul(0.001)
    ours = painting().start()[0].flip(0) * 256 - torch.tensor(MEAN).flip(0).view(3, 1, 1)
    assert torch.allclose(ours, theirs, atol=2e-5)


def test_seeds(painting):
    """The same gives the same, and -1 another one every time."""
    assert torch.equal(painting().start(), painting().start())
    assert not torch.equal(painting(seed=-1).start(), painting(seed=-1).start())


def test_image_starts(painting):
    """The photo, or the file, brought to the photo's shape whatever its own."""
    run = painting(init="image")
    assert torch.equal(run.start(), run.photo)
    other = painting(init="image", init_image=str(painting.folder / "b.png"))
    assert other.start().shape == other.photo.shape
    assert not torch.equal(other.start(), other.photo)
    ignored = painting(init_image=str(painting.folder / "b.png"))
    assert torch.equal(ignored.start(), painting().start())


@pytest.mark.parametrize(
    "values", [{"optimizer": "adam", "learning_rate": 10.0}, {"normalize_gradients": 1.0}, {"normalize_gradients": ""}]
)
def test_other_ways_down(painting, values):
    """Adam, whose rate is in levels of 256; and normalized gradients, which are no function's."""
    moments = list(painting(num_iterations=12, **values).run())
    assert moments[-1].evaluation == 12
    assert moments[-1].losses.total < moments[0].losses.total / 2
    assert not moments[-1].stalled


def test_adams_first_step_is_the_rate(painting):
    """In their units: every value moves by -learning_rate of 256 levels."""
    run = painting(optimizer="adam", learning_rate=2.0, num_iterations=2, init="image")
    first, second = run.run()
    moved = (second.image - first.image).abs() * 256
    free = (first.image > 0.02) & (first.image < 0.98)
    assert moved[free].median().item() == pytest.approx(2.0, rel=1e-3)


def test_folders_stand_for_their_pictures(painting):
    """All of them, sorted, each an equal part of the style."""
    run = painting(style_image=(str(painting.folder),))
    assert [style.source.name for style in run.styles] == ["a.png", "b.png", "photo.png"]


def test_original_colors(painting):
    """Luma is the painting's, chroma the photo's, where both fit."""
    run = painting(original_colors=True)
    image = torch.full_like(run.photo, 0.5)
    photo = 0.5 + (run.photo - 0.5) * 0.4
    found = with_chroma_of(photo, image)
    assert torch.allclose(luminance(found), luminance(image), atol=1e-6)
    assert torch.allclose(chroma(found), chroma(photo), atol=1e-6)
    assert not torch.equal(run.finished(image), image)
    assert torch.equal(painting().finished(image), image)


def test_blends_need_a_share_each(painting):
    """In words."""
    with pytest.raises(SettingsError, match="2 numbers for 1 style images"):
        painting(style_blend_weights=(1.0, 2.0))


def test_what_is_missing_has_a_sentence(painting):
    """Pictures, networks, layers and room."""
    with pytest.raises(ImageError, match="does not exist"):
        painting(init="image", init_image="nowhere.png")
    with pytest.raises(NetworkError, match="does not exist"):
        painting(model_file="models/nin_imagenet.pth")
    with pytest.raises(LayerError, match="no layer 'relu9_9'"):
        painting(style_layers=("relu9_9",))
    with pytest.raises(LayerError, match="too small for conv5_1"):
        painting(style_layers=("relu5_1",), image_size=20)


def test_the_normalized_network(painting):
    """Its activations are scaled, so that losses are others."""
    plain, scaled = painting(), painting(model_file="models/vgg_normalised.caffemodel")
    assert plain.losses(plain.photo)[0].total != pytest.approx(scaled.losses(scaled.photo)[0].total, rel=0.1)
    assert dataclasses.replace(plain.flags, model_file="x/vgg19-d01eb7cb.pth").network == "vgg19-original"
