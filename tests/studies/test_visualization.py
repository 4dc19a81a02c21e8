"""Sheets of what units see."""

import pytest

from impasto import images, samples
from impasto.errors import LayerError
from impasto.studies.preferred import Preference
from impasto.studies.visualization import Eye, visualize_network, visualize_patches, visualize_unit


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three bundled photos, small."""
    place = tmp_path_factory.mktemp("pictures")
    for name in ("coffee", "rocket", "chelsea"):
        images.write(place / f"{name}.png", images.read(samples.photo(name)).pixels[..., ::4, ::4])
    return place


def test_patches(folder):
    """For each unit its strongest patches, in order, with their places in pictures that are named."""
    found = visualize_patches(folder, "conv2_1", "0:2", eye=Eye(device="cpu"), size=48, cell=16)
    assert found.images == 3
    assert set(found.found["conv2_1"]) == {0, 1}
    for patches in found.found["conv2_1"].values():
        activations = [patch.hit.activation for patch in patches]
        assert activations == sorted(activations, reverse=True)
    assert {row["layer"] for row in found.numbers} == {"conv2_1"}
    assert all(row["stop"][0] > row["start"][0] for row in found.numbers)
    assert 0 <= found.sheet.min() < found.sheet.max() <= 1


def test_network(folder):
    """One row of the sheet per layer; every unit also has a picture it likes."""
    how = Preference(evaluations=2)
    found = visualize_network(folder, ("conv1_1", "conv2_1"), "0:1", eye=Eye(device="cpu"), how=how, size=48, cell=16)
    assert set(found.preferred) == {("conv1_1", 0), ("conv2_1", 0)}
    taller = visualize_network(folder, ("conv1_1",), "0:1", eye=Eye(device="cpu"), how=how, size=48, cell=16)
    assert found.sheet.shape[2] > taller.sheet.shape[2]


def test_what_a_unit_likes_excites_it():
    """More than gray does, which it starts near."""
    eye = Eye(device="cpu")
    liked = visualize_unit("conv2_1", 3, eye=eye, how=Preference(evaluations=12))
    gray = liked * 0 + 0.5
    of = [dict(eye.encoder().features(x, ["conv2_1"]))["conv2_1"][0, 3].mean() for x in (liked, gray)]
    assert of[0] > 2 * of[1]


@pytest.mark.parametrize(("layer", "sentence"), [("image", "not a layer with units"), ("conv9_1", "no layer")])
def test_layers_without_units(folder, layer, sentence):
    """Are refused."""
    with pytest.raises(LayerError, match=sentence):
        visualize_patches(folder, layer)
    with pytest.raises(LayerError):
        visualize_network(folder, ("pool1",))
