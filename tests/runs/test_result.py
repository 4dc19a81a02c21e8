"""A finished picture in every form, and what its file says about it."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

import impasto
from impasto import images
from impasto.tasks import parameters_text


@pytest.fixture(scope="module")
def result(photo, painting, paint):
    """A finished run on an opaque photo of 8 bits."""
    return paint(photo, painting)


def test_every_form_shows_the_same_picture(result):
    """Tensor, array, PIL image and what a notebook shows agree to the last level."""
    assert result.tensor.shape == (1, 3, 36, 48)
    assert result.tensor.dtype == torch.float32
    assert result.array.dtype == np.uint8
    assert np.array_equal(result.array, (result.tensor[0] * 255).round().permute(1, 2, 0).numpy().astype(np.uint8))
    assert result.pil.mode == "RGB"
    assert np.array_equal(np.asarray(result.pil), result.array)
    with Image.open(io.BytesIO(result._repr_png_())) as shown:
        assert shown.format == "PNG"
        assert np.array_equal(np.asarray(shown), result.array)


def test_its_name_fits_on_a_line(result):
    """An interpreter does not print a page of numbers."""
    assert repr(result).startswith("Result(48 x 36, ")
    assert len(repr(result)) < 80


@pytest.mark.parametrize("target", ["file", "text", "stream"])
def test_a_saved_picture_reads_back(tmp_path, result, target):
    """To a path of either kind or a stream: the same levels."""
    stream = io.BytesIO()
    path = tmp_path / "out.png"
    result.save({"file": path, "text": str(path), "stream": stream}[target])
    source = stream.getvalue() if target == "stream" else path
    assert torch.equal(images.read(source).pixels, images.quantize(result.tensor))


def test_a_file_says_how_it_was_made(tmp_path, result):
    """The recipe as JSON and in the customary text form, or nothing."""
    result.save(tmp_path / "out.png")
    assert images.read_recipe(tmp_path / "out.png") == json.loads(json.dumps(result.recipe))
    assert images.read_parameters(tmp_path / "out.png") == parameters_text(result.recipe)
    result.save(tmp_path / "private.png", metadata=False)
    assert images.read_recipe(tmp_path / "private.png") is None


def test_the_recipe_is_complete(tmp_path, photo, painting, other_painting, paint):
    """Settings that differ from the defaults, seed, versions, inputs with their hashes, levels and losses."""
    names = ("photo.png", "one.png", "two.png")
    for name, pixels in zip(names, (photo, painting, other_painting), strict=True):
        Image.fromarray(pixels).save(tmp_path / name)
    paths = [tmp_path / name for name in names]
    result = paint(paths[0], paths[1:], blend=(2, 1), noise=0.2, seed=5, pooling="avg", padding="reflect")
    recipe = result.recipe
    made = {"impasto": impasto.__version__, "torch": torch.__version__, "task": "stylize", "seed": 5, "complete": True}
    assert {key: recipe[key] for key in made} == made
    assert (recipe["precision"], recipe["device"]) == ("fp32", "cpu")
    references = [{"name": path.name, "sha256": images.hash_file(path)} for path in paths]
    assert recipe["inputs"] == {"content": references[0], "styles": references[1:]}
    assert recipe["levels"] == [[18, 24, 4], [36, 48, 4]]
    assert recipe["evaluations"] == 8
    assert recipe["losses"] == {"total": result.delivered.value, **result.delivered.by_kind}
    assert recipe["settings"]["blend"] == [2, 1]
    assert "padding" not in recipe["settings"]
    assert impasto.Settings(**recipe["settings"]) == result.settings
    text = parameters_text(recipe)
    assert text.splitlines()[0] == "photo.png in the style of one.png + two.png"
    assert "pooling: avg" in text
    assert "Seed: 5, Version: impasto" in text


def test_the_recipe_names_the_weights_file(tmp_path, photo, painting, paint):
    """A network of the user's own counts among the inputs."""
    from safetensors.torch import save_file

    from impasto.encoders import load

    _, parameters = load("vgg19-original")
    state = {}
    for name, (weight, bias) in parameters.convolutions.items():
        state[f"{name}.weight"], state[f"{name}.bias"] = weight.contiguous(), bias.contiguous()
    path = tmp_path / "own.safetensors"
    save_file(state, path)
    result = paint(photo, painting, weights=str(path))
    assert result.recipe["inputs"]["weights"] == {"name": "own.safetensors", "sha256": images.hash_file(path)}
    same = paint(photo, painting, network="vgg19-original")
    torch.testing.assert_close(result.tensor, same.tensor, atol=1e-3, rtol=0)


def _transparent(photo):
    """The photo with an alpha channel that fades to the right."""
    alpha = np.broadcast_to(np.linspace(255, 100, photo.shape[1]).round().astype(np.uint8), photo.shape[:2])
    return np.dstack([photo, alpha])


def test_alpha_is_carried_through(tmp_path, photo, painting, paint):
    """At the photo's size to the last level, in the PIL image, the notebook and the file."""
    given = _transparent(photo)
    result = paint(given, painting, size=72, coarsest=36)
    assert result.array.shape == (54, 72, 3)
    assert result.pil.mode == "RGBA"
    assert np.array_equal(np.asarray(result.pil)[..., 3], given[..., 3])
    result.save(tmp_path / "out.png")
    for source in (tmp_path / "out.png", io.BytesIO(result._repr_png_())):
        with Image.open(source) as shown:
            assert np.array_equal(np.asarray(shown), np.asarray(result.pil))


def test_alpha_is_resized_with_the_picture(tmp_path, photo, painting, paint):
    """At another size it has that size, stays in [0, 1], and is the same in every form."""
    result = paint(_transparent(photo), painting)
    assert result.alpha.shape == (1, 1, 36, 48)
    assert 0 <= result.alpha.min() < result.alpha.max() <= 1
    result.save(tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as shown:
        assert np.array_equal(np.asarray(shown), np.asarray(result.pil))


def test_an_opaque_photo_has_no_alpha(photo, painting, paint, result):
    """Nor has one whose alpha channel is full, nor one in the style of a transparent painting."""
    assert result.alpha is None
    assert paint(np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)]), painting).alpha is None
    assert paint(photo, _transparent(painting)).pil.mode == "RGB"


def test_sixteen_bits_stay_sixteen(tmp_path, photo, painting, paint):
    """A photo of 16 bits makes a file of 16 bits, and its losses are of that file."""
    path = tmp_path / "deep.png"
    images.write(path, images.read(photo).pixels.lerp(images.read(photo).pixels.flip(3), 0.3), depth=16)
    result = paint(path, painting)
    result.save(tmp_path / "out.png")
    back = images.read(tmp_path / "out.png")
    assert back.source.depth == 16
    assert torch.equal(back.pixels, images.quantize(result.tensor, 16))
    assert result.delivered.value == pytest.approx(result.optimized.value, rel=1e-5)
    assert result.array.dtype == np.uint8


@pytest.mark.parametrize("shape", ["HW", "HW1", "L", "16"])
def test_gray_photos_get_the_colors_of_the_painting(photo, painting, paint, shape):
    """One channel in any form is a photo like any other."""
    gray = photo.mean(2).astype(np.uint8)
    forms = {"HW": gray, "HW1": gray[..., None], "L": Image.fromarray(gray), "16": gray.astype(np.uint16) * 257}
    result = paint(forms[shape], painting)
    assert torch.equal(result.tensor, paint(np.dstack([gray] * 3), painting).tensor)
    assert np.ptp(result.array.astype(int), axis=2).mean() > 3
