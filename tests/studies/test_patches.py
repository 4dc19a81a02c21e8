"""The strongest patches against brute force, receptive fields against derivatives, and memory against folders."""

import weakref

import pytest
import torch

from impasto import images
from impasto.encoders import VGG19, Conv, Pool, Stack
from impasto.errors import ImageError, LayerError
from impasto.studies.patches import Leaders, channels_of, cropped, guided_gradient, patches, receptive_field, strongest
from impasto.studies.scanning import Scan
from impasto.tiling import Window


@pytest.fixture
def folder(tmp_path, picture):
    """Twelve small pictures of two shapes, in a folder and a folder in it."""
    (tmp_path / "inner").mkdir()
    for number in range(12):
        shape = (24, 32) if number % 2 else (32, 20)
        place = tmp_path / "inner" if number > 8 else tmp_path
        images.write(place / f"{number:02}.png", picture(*shape, seed=number))
    return tmp_path


@pytest.fixture
def encoder(tiny):
    """A tiny random network with maxima, in the precision that pictures are read in."""
    return tiny(pooling="max", dtype=torch.float32)


@pytest.mark.parametrize("layer", ["conv1_1", "pool1", "conv2_1", "conv3_1"])
def test_strongest_agree_with_brute_force(encoder, folder, layer):
    """The same activations, pictures and positions as sorting every activation of every picture."""
    scan = Scan(folder, 32, 4)
    found = strongest(encoder, scan, {layer: (0, 2, 3)}, count=5)[layer]
    every = {index: dict(encoder.features(image, (layer,)))[layer][0] for index, image in scan.each()}
    assert len(every) == 12
    assert any(len(hits) == 5 for hits in found.values())
    for unit in (0, 2, 3):
        best = sorted(((maps[unit].max().item(), -index) for index, maps in every.items()), reverse=True)[:5]
        fired = [(value, -index) for value, index in best if value > 0]
        assert [(hit.activation, hit.index) for hit in found[unit]] == fired
        for hit in found[unit]:
            assert every[hit.index][(unit, *hit.position)].item() == hit.activation


def test_several_layers_in_one_pass(encoder, folder, monkeypatch):
    """Layers scanned together are as scanned alone, and every picture is read once."""
    alone = {layer: strongest(encoder, Scan(folder, 32), {layer: (0, 1)})[layer] for layer in ("conv1_2", "conv3_1")}
    read, count = images.read, []
    monkeypatch.setattr(images, "read", lambda path: count.append(path) or read(path))
    assert strongest(encoder, Scan(folder, 32), {"conv3_1": (0, 1), "conv1_2": (0, 1)}) == alone
    assert len(count) == 12


def test_memory_does_not_grow_with_the_folder(encoder, folder):
    """However many pictures, when one is read all but the last are gone, and what is remembered has one size."""

    class Watched(Scan):
        def read(self, index):
            assert sum(known() is not None for known in known_ones) <= 1
            pixels = super().read(index)
            known_ones.append(weakref.ref(pixels))
            return pixels

    known_ones = []
    strongest(encoder, Watched(folder, 32), {"conv3_1": (0, 1)})
    assert len(known_ones) == 12
    leaders = Leaders((0, 1), 4)
    for index in range(100):
        leaders.add(index, torch.rand(1, 3, 4, 5))
    assert leaders.table.numel() == 4 * 2 * 4


def test_of_equal_activations_the_earlier_picture_stays():
    """A tie is no reason to replace; a unit that is silent everywhere has no hits."""
    leaders = Leaders((0, 1), 2)
    for index in range(4):
        features = torch.zeros(1, 2, 3, 3)
        features[0, 0, index % 3, 2] = 1.0
        leaders.add(index, features)
    assert [(hit.index, hit.position) for hit in leaders.hits[0]] == [(0, (0, 2)), (1, (1, 2))]
    assert leaders.hits[1] == []


@pytest.mark.parametrize("layer", ["conv1_1", "conv1_2", "pool1", "conv2_1", "pool2", "conv3_1"])
def test_receptive_field_is_where_autograd_finds_one(tiny, layer):
    """Exactly the box's pixels can change the unit: rows and columns of a derivative over many pictures."""
    encoder = tiny(pooling="avg", seed=2)
    encoder.parameters.matrix.abs_()
    stride, place = encoder.stack.stride(layer), (5, 6)
    seen = torch.zeros(48, 48, dtype=torch.bool)
    for seed in range(6):
        generator = torch.Generator().manual_seed(seed)
        image = torch.rand(1, 3, 48, 48, dtype=torch.float64, generator=generator).requires_grad_()
        x = torch.einsum("oi,bi...->bo...", encoder.parameters.matrix, image)
        for part in encoder.stack.until(layer):
            weights = encoder.parameters.convolutions.get(part.name)
            if weights is None:
                x = torch.nn.functional.avg_pool2d(x, 2)
            else:
                x = torch.nn.functional.conv2d(x, weights[0], padding=1)  # linear, so that no ReLU hides a pixel
        spot = tuple(n * 2 // stride for n in place)
        seen |= torch.autograd.grad(x[(0, slice(None), *spot)].sum(), image)[0].abs().sum((0, 1)) > 0
    rows, columns = seen.any(1).nonzero(), seen.any(0).nonzero()
    box = receptive_field(encoder.stack, layer, spot)
    start, stop = tuple(max(0, a) for a in box.start), tuple(min(48, b) for b in box.stop)
    assert (int(rows.min()), int(columns.min())) == start
    assert (int(rows.max()) + 1, int(columns.max()) + 1) == stop


def test_receptive_fields_of_vgg19():
    """As published: 3, 10, 24, 68 and 156 pixels."""
    for layer, side in zip((f"conv{block}_1" for block in range(1, 6)), (3, 10, 24, 68, 156), strict=True):
        box = receptive_field(VGG19, layer, (3, 4))
        assert tuple(b - a for a, b in zip(box.start, box.stop, strict=True)) == (side, side)


@pytest.mark.parametrize("position", [(0, 0), (3, 5), (7, 6), (4, 9)])
@pytest.mark.parametrize("layer", ["conv1_2", "conv2_1", "conv3_1"])
def test_guided_gradient_of_a_part_is_that_of_the_whole(tiny, picture, layer, position):
    """Cutting out what the unit sees changes nothing, at the edges and inside, at even and odd sizes."""
    encoder, image = tiny(pooling="max"), picture(33, 42)
    check_guided(encoder, image, layer, position)


@pytest.mark.parametrize("position", [(0, 1), (3, 5), (4, 6), (7, 9)])
def test_parts_begin_where_poolings_do(tiny, picture, position):
    """A receptive field that begins inside of a pooling's block is cut out with the whole block."""
    layers = (Conv("conv1_1", 3, 4), Pool("pool1"), Conv("conv2_1", 4, 5), Pool("pool2"), Conv("conv3_1", 5, 6))
    encoder = tiny(stack=Stack("odd", layers), pooling="max")
    assert encoder.stack.radius("conv3_1") % encoder.stack.stride("conv3_1")
    check_guided(encoder, picture(33, 42), "conv3_1", position)


def check_guided(encoder, image, layer, position):
    """The gradient from the part against that from the whole, which must be something."""

    def inject(_, out):
        out[(0, 1, *position)] += 1

    whole = encoder.backward(encoder.forward(image, (layer,)), (layer,), inject, guided=True)
    part = guided_gradient(encoder, image, layer, 1, position)
    assert torch.allclose(part, whole, rtol=1e-12, atol=1e-14)
    features = dict(encoder.features(image, (layer,)))[layer]
    assert bool(whole.any()) == bool(features[(0, 1, *position)] > 0)
    outside = part.clone()
    box = receptive_field(encoder.stack, layer, position)
    outside[..., max(0, box.start[0]) : box.stop[0], max(0, box.start[1]) : box.stop[1]] = 0
    assert not outside.any()


def test_patches_are_cut_from_their_pictures(encoder, folder):
    """A patch is the picture's part under the receptive field, gray beyond, and its activation is what it says."""
    scan = Scan(folder, 32)
    found = patches(encoder, scan, "conv2_1", strongest(encoder, scan, {"conv2_1": (0, 1)})["conv2_1"])
    for unit, several in found.items():
        assert several
        for patch in several:
            image = scan.read(patch.hit.index)
            assert patch.path == scan.paths[patch.hit.index]
            assert torch.equal(patch.pixels, cropped(image, patch.field, 0.5))
            assert patch.pixels.shape == patch.gradient.shape == (1, 3, 10, 10)
            features = dict(encoder.features(image, ("conv2_1",)))["conv2_1"]
            assert features[(0, unit, *patch.hit.position)].item() == patch.hit.activation


def test_cropping_fills_what_is_beyond():
    """Inside is the image, outside the filling, on every side."""
    image = torch.rand(1, 3, 4, 5)
    found = cropped(image, Window((-1, -2), (6, 6)), 0.5)
    assert found.shape == (1, 3, 7, 8)
    assert torch.equal(found[..., 1:5, 2:7], image)
    found[..., 1:5, 2:7] = 0.5
    assert (found == 0.5).all()


@pytest.mark.parametrize(
    ("words", "units"), [("7", (7,)), ("0:3", (0, 1, 2)), ("3,5,8:10,3", (3, 5, 8, 9)), (None, tuple(range(9)))]
)
def test_words_for_units(words, units):
    """Numbers and ranges, each unit once."""
    assert channels_of(VGG19, "conv3_1", words) == units


@pytest.mark.parametrize(
    ("words", "hint"),
    [("256", "has no unit 256; it has 256, 0 to 255"), ("250:300", "no unit 256")]
    + [(word, "does not name units") for word in ("", "a", "-1", "3:2", "2:2", "1,,2", "1:2:3", ":4")],
)
def test_words_that_name_no_units(words, hint):
    """The sentence says what there is, or how to say it."""
    with pytest.raises(LayerError, match=hint):
        channels_of(VGG19, "conv3_1", words)


def test_pictures_that_cannot_be_used_are_left_out(encoder, folder, picture):
    """A broken or too narrow picture is told and the others count; a folder of nothing else is refused."""
    (folder / "broken.png").write_bytes(b"no picture")
    images.write(folder / "thin.png", picture(2, 64))
    scan = Scan(folder, 32, 4)
    assert len(list(scan.each())) == 12
    assert [word for word in ("broken.png", "thin.png") if any(word in line for line in scan.skipped)] == [
        "broken.png",
        "thin.png",
    ]
    for path in folder.rglob("[01]*.png"):
        path.unlink()
    with pytest.raises(ImageError, match=r"No picture in .* could be used; the first: .*broken"):
        list(Scan(folder, 32, 4).each())


def test_progress_reaches_the_end(folder):
    """It is told of every picture and of the end."""
    told = []
    list(Scan(folder, 32).each(lambda *pair: told.append(pair)))
    assert told == [(done, 12) for done in range(13)]
