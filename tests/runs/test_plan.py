"""What a run will do, before it does it."""

import re

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from impasto.encoders import VGG19
from impasto.errors import LayerError, SettingsError
from impasto.images import Picture, Source
from impasto.runs.plan import levels
from impasto.settings import make

PROTECTED = {"protect": np.tri(54, 72, dtype=bool)}


def blank(height, width, name="photo.png"):
    """A picture of a size, without memory for its pixels."""
    return Picture(torch.zeros(1).expand(1, 3, height, width), None, Source(name, None, "", "PNG"))


def _shapes(content, *styles, **values):
    found = levels(make(values), VGG19, content, styles or (blank(400, 400),))
    return [level.shape for level in found]


def _counts(size, **values):
    return [level.evaluations for level in levels(make({"size": size, **values}), VGG19, blank(300, 400), [])]


def test_levels_double_from_coarse_to_fine():
    """The coarsest is the last whose long side is at least what ``coarsest`` says."""
    assert _shapes(blank(300, 400)) == [(96, 128), (192, 256), (384, 512)]
    assert _shapes(blank(300, 400), coarsest=129) == [(192, 256), (384, 512)]
    assert _shapes(blank(300, 400), coarsest=512) == [(384, 512)]
    assert _shapes(blank(300, 400), ratio=4) == [(96, 128), (384, 512)]


def test_coarse_levels_get_most_evaluations_and_the_one_below_the_finest_fewest():
    """Unless numbers are given: then those, coarse to fine, the last one for all that are left."""
    assert _counts(512) == [80, 30, 40]
    assert _counts(1024) == [80, 80, 30, 40]
    assert _counts(512, evaluations=(9, 5)) == [9, 5, 5]
    assert _counts(512, evaluations=7) == [7, 7, 7]
    assert _counts(128, evaluations=(9,)) == [9]


def test_more_numbers_than_levels_are_refused():
    """What could not take effect is not taken silently; what belongs to a level that is left out goes with it."""
    with pytest.raises(SettingsError, match="evaluations has 2 numbers for 1 levels of 128 pixels"):
        _counts(128, evaluations=(9, 5))
    strip = levels(make({"evaluations": (9, 5, 2)}), VGG19, blank(31, 700), [])
    assert [(level.shape, level.evaluations) for level in strip] == [((23, 512), 2)]


sides = st.integers(16, 3000)


@given(sides, sides, st.integers(16, 3000), st.integers(16, 500), st.floats(1.1, 8))
def test_proportions_are_kept(height, width, size, coarsest, ratio):
    """The long side is what was asked for; all else is off by rounding, at most once per resampling."""
    assume(size >= coarsest * ratio)
    values = {
        "size": size,
        "coarsest": coarsest,
        "ratio": ratio,
        "style_layers": "conv1_1",
        "content_layers": "conv1_1",
    }
    found = _shapes(blank(height, width), **values)
    assert max(found[-1]) == size
    for index, shape in enumerate(reversed(found)):
        factor = size / max(height, width) / ratio**index
        slack = 0.5 + (0.5 if index else 0) + 1e-6
        for length, original in zip(shape, (height, width), strict=True):
            assert abs(length - original * factor) <= slack or (length == 1 and original * factor < 1)
        assert index == 0 or max(shape) >= coarsest - 0.5


def test_levels_that_are_too_small_are_left_out():
    """A strip has no position at conv5_1 on coarse levels; be it the photo or the painting."""
    assert _shapes(blank(31, 700)) == [(23, 512)]
    assert _shapes(blank(700, 31)) == [(512, 23)]
    assert _shapes(blank(300, 400), blank(31, 700)) == [(384, 512)]
    assert _shapes(blank(31, 700), style_layers="conv2_1", content_layers="conv2_1")[0] == (6, 128)
    assert _shapes(blank(31, 700), strength=0) == [(12, 256), (23, 512)]
    assert _shapes(blank(400, 400), style_scale=0.1) == [(256, 256), (512, 512)]


@pytest.mark.parametrize(
    ("content", "style", "values", "sentence"),
    [
        ((1, 1), (64, 64), {}, "photo.png has 1 x 1 pixels, too small for conv3_1, which needs at least 4 along"),
        ((64, 64), (1, 1), {}, "style.png has 1 x 1 pixels, too small for conv2_1, which needs at least 2 along"),
        ((7, 300), (64, 64), {}, "photo.png has 300 x 7 pixels, too small for conv4_1"),
        ((64, 64), (15, 300), {}, "style.png has 300 x 15 pixels, too small for conv5_1, which needs at least 16"),
        ((31, 700), (64, 64), {"size": 300}, "photo.png would be seen at 300 x 13 pixels, too small for conv5_1"),
        ((64, 64), (31, 700), {"size": 256}, "style.png would be seen at 256 x 11 pixels, too small for conv5_1"),
        ((64, 64), (64, 64), {"style_scale": 0.01}, "style.png would be seen at 5 x 5 pixels, too small for conv4_1"),
    ],
)
def test_pictures_that_are_too_small_are_refused(content, style, values, sentence):
    """With the picture, its size, the layer, and what the layer needs."""
    with pytest.raises(LayerError) as caught:
        _shapes(blank(*content), blank(*style, name="style.png"), **values)
    assert str(caught.value).startswith(sentence)
    advice = "give a larger picture" if " has " in sentence else "choose a larger size, such as"
    assert f"; {advice}" in str(caught.value)
    assert str(caught.value).endswith(" or shallower layers.")


def test_layers_without_a_say_need_no_room():
    """A layer of weight 0, or of a loss that is left out, refuses nothing."""
    flat = {"style_layers": {"conv1_1": 1, "conv5_1": 0}, "content_layers": "conv1_1"}
    assert _shapes(blank(3, 300), blank(2, 2), **flat)
    assert _shapes(blank(64, 64), blank(1, 1), strength=0)
    assert _shapes(blank(8, 1000), blank(64, 64), size=1000, strength=1, style_layers="conv1_1")


def test_a_real_run_refuses_what_is_too_small(photo, painting, prepare, deep):
    """Before anything is computed."""
    dot = np.full((1, 1, 3), 90, np.uint8)
    with pytest.raises(LayerError, match="array has 1 x 1 pixels"):
        prepare(dot, painting, **deep)
    with pytest.raises(LayerError, match="array has 1 x 1 pixels"):
        prepare(photo, dot, **deep)


def test_a_plan_says_what_will_be_done(photo, painting, prepare):
    """Levels, layers, precision and device of the run itself; the time only if it is measured."""
    run = prepare(photo, painting, precision="bf16")
    plan = run.plan(measure=False)
    assert plan.levels == run.levels
    assert [level.shape for level in plan.levels] == [(18, 24), (36, 48)]
    assert plan.evaluations == 8
    assert plan.layers == ("conv3_2", "conv1_1", "conv2_1", "conv3_1")
    assert (plan.precision, plan.device, plan.seconds) == ("bf16", "cpu", None)


def test_estimates_grow_with_the_work(prepare, deep):
    """More pixels take more memory and time, half the precision less memory, and Adam less than L-BFGS."""
    square = np.zeros((64, 64, 3), np.uint8)

    def planned(**values):
        return prepare(square, square, coarsest=128, evaluations=60, memory="1TB", **{**deep, **values}).plan(
            measure=False
        )

    base = planned(size=2048).memory
    assert planned(size=4096).memory > 3 * base
    assert planned(size=2048, precision="bf16").memory < base
    assert planned(size=2048, optimizer="adam").memory < base
    assert planned(size=2048, history=50).memory > base
    small, large = (prepare(square, square, size=size, coarsest=64, evaluations=10).plan() for size in (64, 256))
    assert small.seconds > 0
    assert large.seconds > 0
    assert large.cost > 4 * small.cost  # which is what a measured time is in proportion to


def test_large_levels_have_few_evaluations():
    """As the root of their size, and at least six; a level of up to two megapixels has what is usual."""
    assert _counts(16_384) == [80, 80, 80, 68, 34, 17, 8, 6][-len(_counts(16_384)) :]
    assert _counts(1536)[-1] == 40
    assert _counts(2048)[-1] == 34
    assert _counts(16_384, evaluations=5)[-1] == 5


def test_a_plan_in_tiles_says_so(prepare, deep):
    """What fits into a small budget is smaller, and costs more work."""
    square = np.zeros((64, 64, 3), np.uint8)
    large, small = (
        prepare(square, square, size=2048, coarsest=128, evaluations=5, memory=memory, **deep).plan(measure=False)
        for memory in ("1TB", "1.2GB")
    )
    assert large.layouts[2048, 2048].tiles is None
    assert len(small.layouts[2048, 2048].tiles) > 1
    assert small.memory <= 1.2e9 < large.memory
    assert small.cost > large.cost == sum(level.cost for level in large.levels)
    assert small.files > 0 == large.files


@pytest.mark.parametrize("shape", [(20, 2000), (1900, 17), (40, 900)])
def test_the_size_that_a_narrow_picture_is_told_works(shape):
    """It is named, with it the run can be made, and it is not far above what is needed."""
    with pytest.raises(LayerError, match=r"choose a larger size, such as (\d+), or shallower layers") as caught:
        _shapes(blank(*shape), size=256)
    named = int(re.search(r"such as (\d+)", str(caught.value))[1])
    assert min(_shapes(blank(*shape), size=named)[-1]) >= 16
    with pytest.raises(LayerError):
        _shapes(blank(*shape), size=named * 9 // 10)


def test_no_size_is_named_where_none_helps():
    """Of a painting that is seen at a size of its own."""
    with pytest.raises(LayerError, match="choose a larger size or shallower layers"):
        _shapes(blank(400, 400), blank(40, 900, "painting.png"), style_size=100)


@pytest.mark.parametrize("values", [{"photorealism": 0.1}, {"sharpness": 0.1}, {"color": "luminance"}, PROTECTED])
def test_what_is_held_beside_the_network_is_counted(photo, painting, prepare, values):
    """Photos that losses are aimed at, what they compute, and bounds of every position."""
    plain, more = (prepare(photo, painting, **one).plan(measure=False).memory for one in ({}, values))
    assert more > plain
