"""Distances in networks that no loss uses."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import impasto
from impasto.errors import NetworkError
from impasto.judge import Judge, arrays
from impasto.studies.score import score


def picture(seed, *shape):
    """A random picture."""
    return torch.rand(1, 3, *(shape or (64, 80)), generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def weights():
    """Random weights, whose features neither vanish nor grow."""
    random = np.random.default_rng(0)
    found = {name: random.normal(size=shape) / np.sqrt(np.prod(shape[:3]) / 2) for name, shape in arrays().items()}
    return {name: (abs(x) if "NetLin" in name else x).astype(np.float16) for name, x in found.items()}


@pytest.fixture(scope="module")
def file(weights, tmp_path_factory):
    """The same in a file."""
    path = tmp_path_factory.mktemp("judge") / "judge.npz"
    np.savez(path, **weights)
    return path


def test_lpips_is_the_weighted_distance_of_directions(weights, file):
    """Against the same layers made of torch's own (version 0.1 of LPIPS, AlexNet)."""
    loaded = lambda name: torch.from_numpy(weights[name].astype(np.float32))  # noqa: E731
    shapes = [(3, 64, 11, 4, 2), (64, 192, 5, 1, 2), (192, 384, 3, 1, 1), (384, 256, 3, 1, 1), (256, 256, 3, 1, 1)]
    image, photo = picture(1), picture(2)
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    both = [(2 * x - 1 - shift.view(1, 3, 1, 1)) / scale.view(1, 3, 1, 1) for x in (image, photo)]
    expected = 0.0
    with torch.no_grad():
        for index, (before, after, side, stride, padding) in enumerate(shapes):
            layer = nn.Conv2d(before, after, side, stride, padding)
            layer.weight.data = loaded(f"alexnet:AlexNet_0/Conv_{index}/kernel").permute(3, 2, 0, 1)
            layer.bias.data = loaded(f"alexnet:AlexNet_0/Conv_{index}/bias")
            both = [layer(x).relu() for x in both]
            first, second = (nn.functional.normalize(x, dim=1) for x in both)
            head = nn.Conv2d(after, 1, 1, bias=False)
            head.weight.data = loaded(f"alexnet:NetLinLayer_{index}/Conv_0/kernel").permute(3, 2, 0, 1)
            expected += head((first - second) ** 2).mean().item()
            both = [nn.functional.max_pool2d(x, 3, 2) if index < 2 else x for x in both]
    assert Judge.of(file).lpips(image, photo) == pytest.approx(expected, rel=1e-4)


def test_equal_pictures_are_at_no_distance(file):
    """In either measure; and a picture of another size has the same Gram matrices if it is the same picture twice."""
    judge, image = Judge.of(file), picture(1)
    assert judge.lpips(image, image) == 0
    assert judge.gram(image, image) == 0
    assert judge.gram(image, picture(2, 48, 48)) > 1e-4


@pytest.mark.parametrize("wrong", ["missing", "other shape", "no archive", "cut short", "folder", "absent"])
def test_what_is_no_judge_gets_a_sentence(weights, tmp_path, wrong):
    """With the array or the file that is wrong."""
    path = tmp_path / "judge.npz"
    name = "vgg16:VGG16_0/Conv_3/bias"
    if wrong == "folder":
        path.mkdir()
    elif wrong == "no archive":
        path.write_text("weights")
    elif wrong != "absent":
        changed = {**weights, name: np.zeros(7)} if wrong == "other shape" else weights
        buffer = io.BytesIO()
        np.savez(buffer, **{key: value for key, value in changed.items() if (key, wrong) != (name, "missing")})
        path.write_bytes(buffer.getvalue()[: 1000 if wrong == "cut short" else None])
    with pytest.raises(NetworkError, match=name if wrong in ("missing", "other shape") else "judge.npz"):
        Judge.of(path)


def test_scores_have_what_the_judge_says(file):
    """Beside the losses; without one, neither."""
    photo, painting, image = (np.asarray(x[0].permute(1, 2, 0)) for x in map(picture, (1, 2, 3)))
    values = {"style_layers": "conv1_1", "content_layers": "conv3_1", "device": "cpu"}
    (found,) = score(photo, painting, image, judge=file, **values)
    judge, tensors = Judge.of(file), [impasto.images.read(x).pixels for x in (photo, painting, image)]
    assert found.lpips == pytest.approx(judge.lpips(tensors[2], tensors[0]), rel=1e-6)
    assert found.judged == pytest.approx(judge.gram(tensors[2], tensors[1]), rel=1e-6)
    (without,) = score(photo, painting, image, **values)
    assert without.lpips is None
    assert without.judged is None


def test_the_judge_of_the_benchmarks_says_the_same():
    """Where its weights are at hand."""
    folder = Path(__file__).parent.parent.parent / "shared" / "quality"
    if not (folder / "judge.py").is_file():
        pytest.skip("the benchmark's judge is not here")
    space = {"__file__": str(folder / "judge.py"), "__name__": "judge"}
    exec(compile((folder / "judge.py").read_text(), "judge", "exec"), space)
    other, judge = space["Judge"](folder / "judge_weights.npz"), Judge.of(folder / "judge_weights.npz")
    image, painting = picture(1), picture(2)
    with torch.no_grad():
        assert judge.lpips(image, painting) == pytest.approx(other.lpips(image, painting), rel=1e-5)
        assert judge.gram(image, painting) == pytest.approx(other.style(image, painting)[0], rel=1e-5)
