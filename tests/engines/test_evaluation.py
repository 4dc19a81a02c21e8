"""Values and gradients of whole objectives, whole and in tiles."""

import dataclasses

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.overrides import TorchFunctionMode

from impasto.encoders import Conv, Pool, Stack
from impasto.engines import Engine, Evaluation
from impasto.errors import SettingsError
from impasto.losses import LOSSES, ContentLoss, Loss
from impasto.losses.normalized_gradient import NormalizedGradient
from impasto.objective import Limit, Objective, Term
from impasto.tiling import Window, tiles

# Every layer's radius is one more than a multiple of its stride, so that a halo one position too small, rounded up to
# the stride, is a whole stride too small.
STACK = Stack(
    "odd",
    (
        Conv("conv1_1", 3, 4),
        Conv("conv1_2", 4, 4),
        Conv("conv1_3", 4, 4),
        Pool("pool1"),
        Conv("conv2_1", 4, 5),
        Pool("pool2"),
        Conv("conv3_1", 5, 4),
    ),
)
LAYERS = ("image", "conv1_3", "pool1", "conv2_1", "conv3_1")
POOLINGS, PADDINGS = ("avg", "max", "l2"), ("zero", "reflect", "replicate", "circular")

every_loss = pytest.mark.parametrize("name", LOSSES)


@pytest.fixture(scope="session")
def engine_of(tiny, picture, make_loss):
    """A function that makes an engine with one loss at several layers, or with every loss, for images of a shape."""

    def make(shape, names, layers=LAYERS, tiles=None, **options):
        encoder = tiny(len(shape), STACK, **options)
        targets = dict(encoder.features(picture(*shape, seed=7), layers))
        terms = [
            Term(name, layer, make_loss(name, targets[layer]), 0.5 + index)
            for name in names
            for index, layer in enumerate(layers)
        ]
        return Engine(encoder, Objective(tuple(terms)), tiles)

    return make


def cut(engine, shape, core):
    """Tiles for an engine, with the halo that its objective needs."""
    stack = engine.encoder.stack
    stride = max(stack.stride(layer) for layer in engine.objective.layers)
    return tiles(shape, core, engine.objective.halo(stack), stride, wraps=engine.encoder.padding == "circular")


def disagreement(engine, image, cut):
    """How far tiles are from the whole, relative: of the value, and of the gradient's largest entry."""
    whole = engine.evaluate(image)
    tiled = Engine(engine.encoder, engine.objective, cut).evaluate(image)
    of_gradient = (tiled.gradient - whole.gradient).abs().max().item() / (whole.gradient.abs().max().item() or 1.0)
    return abs(tiled.value - whole.value) / (abs(whole.value) or 1.0), of_gradient


@pytest.mark.parametrize("shape", [(21,), (13, 16), (9, 8, 11)], ids=str)
@every_loss
def test_gradient_agrees_with_autograd(engine_of, picture, rounding, name, shape):
    """One loss at the image, at convolutions and at a pooling at once, with a weight each."""
    engine, image = engine_of(shape, [name]), picture(*shape)
    found = engine.evaluate(image)
    leaf = image.clone().requires_grad_()
    x, value, layers = leaf, 0.0, iter(engine.objective.terms)
    term = next(layers)
    value = value + term.weight * term.loss.value(x)
    encoder, ones, dims = engine.encoder, (1,) * len(shape), len(shape)
    convolution = (torch.conv1d, torch.conv2d, torch.conv3d)[dims - 1]
    pooling = (torch.nn.functional.avg_pool1d, torch.nn.functional.avg_pool2d, torch.nn.functional.avg_pool3d)[dims - 1]
    x = convolution(x, encoder.parameters.matrix.view(3, 3, *ones), encoder.parameters.offset)
    term = next(layers)
    for layer in STACK:
        x = (
            pooling(x, 2)
            if isinstance(layer, Pool)
            else convolution(x, *encoder.parameters.convolutions[layer.name], padding=1).relu()
        )
        if term and layer.name == term.layer:
            value = value + term.weight * term.loss.value(x)
            term = next(layers, None)
    assert term is None
    value.backward()
    off = 1e-12 * rounding(name)
    assert found.value == pytest.approx(value.item(), rel=off)
    assert (found.gradient - leaf.grad).abs().max() < 10 * off * leaf.grad.abs().max()


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_gradient_agrees_with_differences(engine_of, picture, pooling, padding):
    """All losses at all layers together, along random directions."""
    engine = engine_of((13, 16), LOSSES, pooling=pooling, padding=padding)
    image = picture(13, 16)
    gradient = engine.evaluate(image).gradient
    for _ in range(3):
        direction = torch.randn_like(image)
        ahead, behind = (engine.measure(image + step * direction).value for step in (1e-6, -1e-6))
        tolerance = 1e-7 * (gradient.norm() * direction.norm()).item()
        assert (gradient * direction).sum().item() == pytest.approx((ahead - behind) / 2e-6, abs=tolerance)


@pytest.mark.parametrize("part", [0.25, 0.9, 1.1])
def test_a_limit_holds_for_several_layers_together(engine_of, picture, rounding, part):
    """Beyond it gradients agree with differences and tiles with the whole; within it the limited losses have no say."""
    engine, image = engine_of((13, 16), ["angular", "gram"]), picture(13, 16)
    terms = engine.objective.terms
    losses = engine.measure(image).losses
    reached = sum(term.weight * losses[term.name] for term in terms if term.kind == "angular")
    limited = Engine(engine.encoder, Objective(terms, Limit("angular", part * reached, 5.0)))
    found = limited.evaluate(image)
    assert found.losses == losses
    assert found.by_kind["angular"] == pytest.approx(2.5 * max(0, 1 / part - 1) ** 2, rel=1e-9)
    assert found.value == pytest.approx(sum(found.by_kind.values()), rel=1e-13)
    direction = torch.randn_like(image)
    ahead, behind = (limited.measure(image + step * direction).value for step in (1e-6, -1e-6))
    tolerance = 1e-7 * (found.gradient.norm() * direction.norm()).item()
    assert (found.gradient * direction).sum().item() == pytest.approx((ahead - behind) / 2e-6, abs=tolerance)
    assert max(disagreement(limited, image, cut(limited, (13, 16), 6))) < 1e-11 * rounding("angular")
    if part > 1:
        alone = Engine(engine.encoder, Objective(tuple(term for term in terms if term.kind == "gram")))
        assert torch.equal(found.gradient, alone.evaluate(image).gradient)


def test_measuring_finds_the_same_value_without_a_gradient(engine_of, picture, rounding):
    """Whole or in tiles."""
    engine = engine_of((13, 16), LOSSES)
    image = picture(13, 16)
    expected = engine.evaluate(image)
    for with_tiles in (None, cut(engine, (13, 16), 6)):
        found = Engine(engine.encoder, engine.objective, with_tiles).measure(image)
        assert found.gradient is None
        assert found.value == pytest.approx(expected.value, rel=1e-12 * rounding("wasserstein"))
        for name, value in expected.losses.items():
            assert found.losses[name] == pytest.approx(value, rel=1e-12 * rounding(name.partition("/")[0]))


def test_evaluation_adds_up(engine_of, picture):
    """The value is the sum of the weighted losses, and so is the sum over kinds."""
    engine = engine_of((13, 16), LOSSES)
    found = engine.evaluate(picture(13, 16))
    weighted = {term.name: term.weight * found.losses[term.name] for term in engine.objective.terms}
    assert found.weighted == weighted
    assert found.value == pytest.approx(sum(weighted.values()), rel=1e-13)
    assert set(found.by_kind) == set(LOSSES)
    assert sum(found.by_kind.values()) == pytest.approx(found.value, rel=1e-13)


def test_kinds_add_up():
    """``style/conv1_1`` and ``style/conv2_1`` are both style."""
    found = Evaluation(6.0, {}, {"style/conv1_1": 1.0, "style/conv2_1": 2.0, "content/conv4_2": 3.0}, None)
    assert found.by_kind == {"style": 3.0, "content": 3.0}


def test_targets_own_image_costs_nothing(engine_of, picture):
    """At the image that content and style were taken from, both losses and their gradient are 0."""
    engine = engine_of((13, 16), ["content", "gram"])
    found = engine.evaluate(picture(13, 16, seed=7))
    elsewhere = engine.evaluate(picture(13, 16, seed=8))
    assert found.value < 1e-24 * elsewhere.value  # a square of rounding
    assert found.gradient.abs().max() < 1e-12 * elsewhere.gradient.abs().max()


def test_nothing_given_is_changed(engine_of, picture):
    """The image is read, never written, and a second evaluation is the same bit for bit."""
    engine, image = engine_of((13, 16), LOSSES), picture(13, 16)
    before = image.clone()
    first, second = engine.evaluate(image), engine.evaluate(image)
    assert torch.equal(image, before)
    assert first.value == second.value
    assert torch.equal(first.gradient, second.gradient)


SHAPES = st.one_of(
    st.tuples(st.integers(4, 90)),
    st.tuples(*[st.integers(4, 30)] * 2),
    st.tuples(*[st.integers(4, 11)] * 3),
)
OPTIONS = st.fixed_dictionaries({"pooling": st.sampled_from(POOLINGS), "padding": st.sampled_from(PADDINGS)})


@settings(max_examples=10)
@given(case=st.tuples(SHAPES, st.integers(3, 40), OPTIONS))
@example(case=((33,), 16, {"padding": "reflect"}))  # the last core has no position in the deepest layer
@example(case=((9, 39), 4, {"padding": "reflect", "pooling": "max"}))
@example(case=((37,), 12, {"padding": "circular"}))  # every pooling drops a position that boxes across the border hold
@example(case=((23, 14), 8, {"padding": "circular", "pooling": "max"}))  # and boxes longer than the image
@every_loss
def test_tiles_are_exact(engine_of, picture, rounding, name, case):
    """Cut anyhow, an image has the value of the whole to 1e-12 and its gradient to 1e-10, or what roots make of that."""
    shape, core, options = case
    engine = engine_of(shape, [name], **options)
    of_value, of_gradient = disagreement(engine, picture(*shape), cut(engine, shape, core))
    assert of_value < 1e-12 * rounding(name)
    assert of_gradient < 1e-10 * rounding(name)


@pytest.mark.parametrize(
    ("name", "layer"),
    [(name, layer) for name in LOSSES for layer in LAYERS if LOSSES[name].margin or layer != "image"],
)
def test_radius_one_too_small_is_noticed(engine_of, picture, rounding, monkeypatch, *, name, layer):
    """The test above can fail: were a radius one position short, tiles would disagree with the whole."""
    shape = (40, 40)  # cut in the middle, next to where a loss that looks at one position only looks
    engine = engine_of(shape, [name], (layer,))
    images = (picture(*shape, seed=seed) for seed in range(1, 30))
    image = next(image for image in images if engine.evaluate(image).gradient.any())
    assert disagreement(engine, image, cut(engine, shape, 20))[1] < 1e-11 * rounding(name)
    radius = Stack.radius
    monkeypatch.setattr(Stack, "radius", lambda stack, layer: radius(stack, layer) - 1)
    try:
        found = disagreement(engine, image, cut(engine, shape, 20))[1]
    except RuntimeError:  # a loss with a target per position notices itself that positions are missing
        return
    assert found > 1e-6


@pytest.mark.parametrize("padding", ["zero", "circular"])
def test_tiles_that_would_not_add_up_are_refused(engine_of, padding):
    """A halo too small, cores between the deepest layer's positions, and cores that miss a part of the image."""
    engine = engine_of((40, 40), ["gram"], padding=padding)
    good = cut(engine, (40, 40), 16)
    halo, wraps = engine.objective.halo(STACK), padding == "circular"
    for bad, sentence in [
        (tiles((40, 40), 16, halo - 4, 4, wraps=wraps), "needs .* a halo of 9"),
        (tiles((40, 40), 18, 12, 2, wraps=wraps), "not on multiples of 4"),
        (good[1:], "do not cover"),
        ((*good[:-1], good[0]), "do not cover"),
    ]:
        with pytest.raises(SettingsError, match=sentence):
            Engine(engine.encoder, engine.objective, bad)
    with pytest.raises(SettingsError, match="tiles are those of an image of"):
        Engine(engine.encoder, engine.objective, good).evaluate(torch.rand(1, 3, 44, 40, dtype=torch.float64))


def test_a_network_that_shrinks_what_it_sees_takes_images_whole(engine_of, tiny, picture):
    """Without a border of its own a layer's positions are not where cores think they are."""
    stack = Stack("valid", (Conv("conv1_1", 3, 4, border="valid"),))
    encoder = tiny(2, stack)
    objective = Objective((Term("style", "conv1_1", engine_of((9, 9), ["gram"]).objective.terms[1].loss, 1.0),))
    assert Engine(encoder, objective).evaluate(picture(9, 9)).gradient.shape == (1, 3, 9, 9)
    with pytest.raises(SettingsError, match="take it whole"):
        Engine(encoder, objective, tiles((9, 9), 4, 1, 1))


def test_batch_of_two_adds_up(engine_of, picture):
    """With tiles or without, two images at once have a gradient each."""
    engine = engine_of((21, 22), ["total-variation"])
    both = torch.cat([picture(21, 22), picture(21, 22, seed=2)])
    of_value, of_gradient = disagreement(engine, both, cut(engine, (21, 22), 8))
    assert of_value < 1e-12
    assert of_gradient < 1e-10
    alone = engine.evaluate(picture(21, 22))
    assert torch.allclose(engine.evaluate(both).gradient[:1], alone.gradient, rtol=1e-10)


@dataclasses.dataclass(frozen=True, eq=False)
class Counting(Loss):
    """Half the sum of squares, which notes what it is asked."""

    asked: list = dataclasses.field(default_factory=list)
    place: Window | None = None

    def at(self, window):
        """A copy for the window."""
        self.asked.append(("at", window))
        return dataclasses.replace(self, place=window)

    def summarize(self, features):
        """The sum."""
        self.asked.append(("summarize", self, features))
        return features.square().sum() / 2

    def compare(self, summary, positions):
        """The sum itself."""
        self.asked.append(("compare", summary))
        return summary

    def add_gradient(self, out, features, summary, positions, weight):
        """The features."""
        self.asked.append(("add_gradient", self, features))
        out.add_(features, alpha=weight)


@pytest.mark.parametrize(("side", "keep"), [(60, 1), (12, 9), (12, 2)])
def test_losses_are_localized_once_per_tile(tiny, picture, side, keep):
    """However many evaluations there are, and whether a tile's activations are kept or not."""
    loss = Counting()
    objective = Objective((Term("counted", "conv1_1", loss, 1.0),))
    cut = tiles((36, 36), side, 4, 1)
    engine = Engine(tiny(2, STACK), objective, cut, keep)
    for _ in range(3):
        engine.evaluate(picture(36, 36))
        engine.measure(picture(36, 36, seed=2))
    windows = [window for what, window, *_ in loss.asked if what == "at"]
    assert len(windows) == len(set(windows)) == len(cut)
    asked = [what for what, *_ in loss.asked]
    assert asked.count("add_gradient") == 3 * len(cut)
    assert asked.count("summarize") == 6 * len(cut)


@pytest.mark.parametrize("limit", [None, Limit("counted", 1e-3, 5.0)])
def test_losses_are_compared_once_per_evaluation(tiny, picture, limit):
    """Though the slope of what has a limit depends on the losses before their gradient is asked for."""
    loss = Counting()
    engine = Engine(tiny(2, STACK), Objective((Term("counted", "conv1_1", loss, 1.0),), limit))
    assert engine.evaluate(picture(20, 20)).gradient.any()
    assert [what for what, *_ in loss.asked] == ["at", "summarize", "compare", "add_gradient"]


def test_what_is_computed_is_concluded(engine_of, picture):
    """The two halves of an evaluation, one after the other, are the evaluation."""
    engine, image = engine_of((13, 16), ["angular", "gram"]), picture(13, 16)
    whole, computed = engine.evaluate(image), engine.compute(image)
    assert computed.losses.shape == (len(engine.objective.terms),)
    found = engine.conclude(computed)
    assert (found.value, found.losses, found.weighted) == (whole.value, whole.losses, whole.weighted)
    assert torch.equal(found.gradient, whole.gradient)
    assert engine.compute(image, gradient=False).gradient is None


@pytest.mark.parametrize("keep", [1, 4])
def test_a_search_serves_the_gradient_of_kept_tiles(engine_of, picture, keep):
    """Of every tile whose features are kept, the nearest of the style's features are found once per evaluation."""
    shape, searches = (40, 40), []

    class Searches(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            if func is torch.Tensor.argmax:
                searches.append(func)
            return func(*args, **(kwargs or {}))

    engine = engine_of(shape, ["nearest"], ("conv1_3",))
    cut_in_four = cut(engine, shape, 20)
    with Searches():
        dataclasses.replace(engine, tiles=cut_in_four, keep=keep).evaluate(picture(*shape))
    assert len(cut_in_four) == 4
    assert len(searches) == 4 + 4 - keep


def test_a_gradient_is_asked_of_the_loss_and_features_that_were_summarized(tiny, picture):
    """The same objects, so that what a loss has found in features it need not find again."""
    loss = Counting()
    Engine(tiny(2, STACK), Objective((Term("counted", "conv1_1", loss, 1.0),))).evaluate(picture(20, 20))
    _, summarized, _, added = loss.asked
    assert summarized[0] == "summarize"
    assert added[0] == "add_gradient"
    assert summarized[1] is added[1]
    assert summarized[2] is added[2]


def test_a_loss_that_has_to_see_everything_is_refused_in_tiles(tiny, picture):
    """A gradient divided by its own norm; whole it is computed."""
    loss = NormalizedGradient(ContentLoss(picture(36, 36, seed=3)), 1.0, 1.0)
    objective = Objective((Term("content", "image", loss, 1.0),))
    assert Engine(tiny(2, STACK), objective).evaluate(picture(36, 36)).gradient.abs().sum().item() == pytest.approx(1)
    with pytest.raises(SettingsError, match="content/image has to see all of an image at once"):
        Engine(tiny(2, STACK), objective, tiles((36, 36), 12, 4, 4))


def test_memory_is_kept_for_the_next_tile(engine_of, picture, monkeypatch):
    """It goes back between kinds of passes and before larger tiles, not after each of 9 tiles of different shapes."""
    shape, released = (52, 60), []
    engine = engine_of(shape, ["gram"])
    monkeypatch.setattr("impasto.engines.evaluation.machine.release_freed_memory", lambda: released.append(True))
    dataclasses.replace(engine, tiles=cut(engine, shape, 20)).evaluate(picture(*shape))
    assert len(cut(engine, shape, 20)) == 9
    assert len(released) == 4
