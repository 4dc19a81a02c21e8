"""Color tables: against the maps that they are of, and against ffmpeg."""

import numpy as np
import pytest
import torch

from impasto import images, samples
from impasto.color import ColorMoments, cholesky, match_histogram, monge_kantorovich
from impasto.errors import SettingsError
from impasto.studies.color_table import ColorTable, color_table


@pytest.fixture(scope="module")
def photo():
    """A bundled photo, (1, 3, H, W)."""
    return images.read(samples.photo("coffee")).pixels


@pytest.fixture(scope="module")
def painting():
    """A bundled painting, likewise."""
    return images.read(samples.painting(samples.paintings()[0])).pixels


def mapped(photo, painting, method):
    """The photo with the painting's colors, by the maps that paintings are matched with, clipped."""
    if method == "histogram":
        return match_histogram(photo, painting).clamp(0, 1)
    linear = {"match": monge_kantorovich, "match-cholesky": cholesky}[method]
    return linear(ColorMoments.of(photo), ColorMoments.of(painting))(photo).clamp(0, 1)


@pytest.mark.parametrize("points", [17, 33, 65])
@pytest.mark.parametrize("method", ["match", "match-cholesky"])
def test_a_linear_map_is_kept(photo, painting, points, method):
    """Within what six decimals lose, whatever the number of points: linear between points is what it is."""
    found = color_table(painting, photo, points=points, method=method)(photo)
    assert (found - mapped(photo, painting, method)).abs().max() < 2e-5


def test_histograms_are_matched(photo, painting):
    """A curve is followed up to its bends between points: on average by a level of 255."""
    found = color_table(painting, photo, points=65, method="histogram")(photo)
    assert (found - mapped(photo, painting, "histogram")).abs().mean() < 1 / 255


def test_ffmpeg_finds_the_same(tmp_path, photo, painting):
    """Its filter lut3d, by tetrahedra, within a level of 255: it does not round."""
    av = pytest.importorskip("av")
    path = tmp_path / "style.cube"
    color_table(painting, photo).save(path, 'a "title"\nin two lines äöü')
    levels = (photo[0] * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
    graph = av.filter.Graph()
    first = graph.add_buffer(width=levels.shape[1], height=levels.shape[0], format="rgb24", time_base="1/25")
    table, last = graph.add("lut3d", f"file={path}"), graph.add("buffersink")
    first.link_to(table)
    table.link_to(last)
    graph.configure()
    graph.push(av.VideoFrame.from_ndarray(levels, format="rgb24"))
    found = graph.pull().to_ndarray(format="rgb24").astype(int)
    exact = mapped(torch.from_numpy(levels).permute(2, 0, 1)[None].float() / 255, painting, "match")
    assert np.abs(found - (exact[0] * 255).round().permute(1, 2, 0).numpy()).max() <= 1


def test_a_table_comes_back(tmp_path, photo, painting):
    """From its file, to six decimals."""
    made = color_table(painting, photo, points=9)
    made.save(tmp_path / "a.cube")
    assert (ColorTable.read(tmp_path / "a.cube").values - made.values).abs().max() <= 5.1e-7


def test_strength_goes_from_nothing_to_all(photo, painting):
    """At 0 a color stays, and half way it is half way."""
    none, half, full = (color_table(painting, photo, strength=s).values for s in (0.0, 0.5, 1.0))
    line = torch.linspace(0, 1, 33, dtype=torch.float64)
    assert torch.allclose(none[0, 0, 0], line)
    assert torch.allclose(none[2, :, 0, 0], line)
    assert torch.allclose(half, (none + full) / 2)


def test_without_a_photo_it_is_for_any(painting):
    """The bundled photos, taken together, get the painting's mean and covariance."""
    table = color_table(painting)
    photos = [images.read(samples.photo(name)).pixels.reshape(1, 3, 1, -1) for name in samples.photos()]
    found = ColorMoments.of(torch.cat([monge(table, pixels) for pixels in photos], 3))
    assert (found.mean - ColorMoments.of(painting).mean).abs().max() < 0.02


def monge(table, pixels):
    """A picture through a table, before it is clipped: its linear map from three corners."""
    origin = table.values[:, 0, 0, 0]
    axes = (
        torch.stack([table.values[:, 0, 0, -1], table.values[:, 0, -1, 0], table.values[:, -1, 0, 0]], 1)
        - origin[:, None]
    )
    return (axes @ pixels[0, :, 0].double() + origin[:, None])[None, :, None]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [({"points": 1}, "1 points"), ({"strength": 2}, "strength is 2"), ({"method": "x"}, "method 'x'")],
)
def test_values_that_will_not_do(painting, values, sentence):
    """Each in a sentence."""
    with pytest.raises(SettingsError, match=sentence):
        color_table(painting, **values)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "LUT_1D_SIZE 2\n0 0 0\n1 1 1\n",
        "LUT_3D_SIZE 2\n0 0 0\n",
        "LUT_3D_SIZE x\n",
        "LUT_3D_SIZE 2\n" + "nan 0 0\n" * 8,
    ],
)
def test_files_that_are_no_table(tmp_path, text):
    """Each in a sentence that names the file."""
    (tmp_path / "a.cube").write_text(text)
    with pytest.raises(SettingsError, match=r"a\.cube"):
        ColorTable.read(tmp_path / "a.cube")
