"""Runs from one end to the other: what goes in, what is told on the way, and what comes out."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

import impasto
from impasto import images
from impasto.errors import ImageError, NetworkError, SettingsError
from impasto.settings import preset

RUN = {"size": 48, "coarsest": 24, "evaluations": (3, 2), "precision": "fp32", "device": "cpu"}


def _finite(result):
    numbers = [record.value for record in result.history] + [result.optimized.value, result.delivered.value]
    return bool(result.tensor.isfinite().all()) and all(map(math.isfinite, numbers))


def test_stylize_is_a_run_with_the_same_settings(photo, painting):
    """The function and the class behind it, settings by name and all at once: one picture."""
    events = []
    one = impasto.stylize(photo, painting, on_event=events.append, **RUN)
    two = impasto.stylize(photo, painting, settings=impasto.Settings(**RUN))
    three = impasto.Transfer.of(photo, [painting], **RUN).run()
    assert torch.equal(one.tensor, two.tensor)
    assert torch.equal(one.tensor, three.tensor)
    assert one.settings == two.settings == impasto.Settings(**RUN)
    assert isinstance(one, impasto.Result)
    assert all(isinstance(event, impasto.Event) for event in events)


def test_every_form_of_input_gives_the_same_picture(tmp_path, photo, painting, paint):
    """Path, string, bytes, PIL image, array, float array and tensor of the same pixels."""
    path = tmp_path / "photo.png"
    Image.fromarray(photo).save(path)
    batch = images.read(photo).pixels
    forms = [path, str(path), path.read_bytes(), Image.fromarray(photo), batch, batch[0], photo / np.float32(255)]
    expected = paint(photo, painting, evaluations=2).tensor
    for form in forms:
        assert torch.equal(paint(form, painting, evaluations=2).tensor, expected)
    style = tmp_path / "painting.png"
    Image.fromarray(painting).save(style)
    for form in (style, Image.fromarray(painting), images.read(painting), [painting], (painting,)):
        assert torch.equal(paint(photo, form, evaluations=2).tensor, expected)


def test_inputs_are_left_as_they_were(photo, painting, paint):
    """A run changes no pixel that it was given."""
    content, style = images.read(photo).pixels, images.read(painting).pixels
    before = content.clone(), style.clone()
    paint(content, style, size=72, coarsest=72)
    assert torch.equal(content, before[0])
    assert torch.equal(style, before[1])


@pytest.mark.parametrize(
    ("content", "styles", "values", "error", "sentence"),
    [
        ("nowhere.jpg", "photo", {}, ImageError, "nowhere.jpg does not exist"),
        ("photo", "nowhere.jpg", {}, ImageError, "nowhere.jpg does not exist"),
        ("photo", 7, {}, ImageError, "An object of type int was given as a picture"),
        ("photo", [], {}, SettingsError, "There is no style image; give at least one."),
        ("photo", "photo", {"sise": 3}, SettingsError, "no setting 'sise'; did you mean 'size'"),
        ("photo", "photo", {"size": -3}, SettingsError, "The setting size is -3, but"),
        ("photo", "photo", {"network": "vgg11"}, NetworkError, "no network 'vgg11'"),
        ("photo", "photo", {"weights": "nowhere.pth"}, NetworkError, "nowhere.pth does not exist"),
        ("photo", "photo", {"device": "toaster"}, SettingsError, "The device 'toaster' cannot be used here"),
        ("photo", "photo", {"settings": impasto.Settings(), "size": 64}, SettingsError, "not both; size came beside"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(request, content, styles, values, *, error, sentence):
    """Before anything is computed."""
    content, styles = (request.getfixturevalue(x) if x == "photo" else x for x in (content, styles))
    with pytest.raises(error, match=sentence) as caught:
        impasto.Transfer.of(content, styles, **values)
    assert isinstance(caught.value, impasto.ImpastoError)
    assert str(caught.value).endswith((".", "?"))
    assert "\n" not in str(caught.value)


def test_events_tell_where_a_run_is(photo, painting, prepare):
    """One after every step, in order, each consistent in itself, and together the history."""
    events = []
    run = prepare(photo, painting, smoothness=0.5, evaluations=(6, 5))
    result = run.run(events.append)
    assert [(e.level, e.evaluation) for e in events] == sorted((e.level, e.evaluation) for e in events)
    assert [(e.level, e.evaluation, e.value) for e in events] == [
        (r.level, r.evaluation, r.value) for r in result.history
    ]
    assert {e.level for e in events} == {0, 1}
    terms = {"content/conv3_2/cosine", "style/conv1_1", "style/conv2_1", "style/conv3_1", "smoothness/image"}
    terms |= {"style/conv3_1/nearest"}
    for event in events:
        assert event.levels == run.levels
        assert tuple(event.image.shape) == (1, 3, *run.levels[event.level].shape)
        assert 0 <= event.image.min() <= event.image.max() <= 1
        assert 1 <= event.evaluation <= run.levels[event.level].evaluations
        assert event.value == pytest.approx(sum(event.by_kind.values()))
        assert set(event.by_kind) == {"content", "style", "smoothness"}
        assert set(event.losses) == terms
        assert "tensor" not in repr(event)
    seconds = [event.seconds for event in events]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0
    assert all(event.remaining > 0 for event in events[:-1])
    assert events[-1].remaining == 0
    assert torch.equal(events[-1].image, result.tensor)


def test_every_step_lowers_the_value(photo, painting, paint):
    """L-BFGS never goes up within a level, and a run ends below where it began."""
    history = paint(photo, painting, evaluations=(10, 8)).history
    for level in (0, 1):
        values = [record.value for record in history if record.level == level]
        assert values == sorted(values, reverse=True)
        assert values[-1] < 0.7 * values[0]


def test_the_picture_is_the_best_one_seen(photo, painting, paint):
    """Also with a method that can go up."""
    events = []
    result = paint(photo, painting, events.append, optimizer="adam", rate=0.3, evaluations=(3, 8))
    events = [event for event in events if event.level == 1]
    best = min(events, key=lambda event: event.value)
    assert best is not events[-1]
    assert all(torch.equal(event.image, best.image) for event in events[events.index(best) :])
    assert torch.equal(result.tensor, best.image)
    assert result.optimized.value == pytest.approx(best.value, rel=1e-5)


@pytest.mark.parametrize("level", [0, 1])
def test_a_listener_can_stop(photo, painting, paint, level):
    """The best picture so far is kept, at the size that was asked for, and the result says that it was stopped."""
    events = []

    def stop(event):
        events.append(event)
        return event.level == level and event.evaluation >= 2

    result = paint(photo, painting, stop)
    assert (events[-1].level, events[-1].evaluation >= 2) == (level, True)
    assert not result.complete
    assert result.recipe["complete"] is False
    assert result.tensor.shape == (1, 3, 36, 48)
    assert 0 <= result.tensor.min() <= result.tensor.max() <= 1
    assert len(result.history) == len(events)
    assert result.recipe["evaluations"] == sum({e.level: e.evaluation for e in events}.values())


def test_a_stop_at_the_end_is_no_stop(photo, painting, paint):
    """A run that was through when it was stopped is complete."""
    result = paint(photo, painting, lambda event: event.level == 1 and event.evaluation == 4)
    assert result.complete
    assert result.recipe["complete"] is True


def test_an_error_of_a_listener_is_not_swallowed(photo, painting, paint):
    """It comes out where the run was started."""

    def fail(event):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        paint(photo, painting, fail)


def test_the_same_seed_gives_the_same_bits(photo, painting, paint):
    """And another seed another picture, where anything is random."""
    one, again, other = (paint(photo, painting, init="noise", seed=seed).tensor for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert (one - other).abs().mean() > 0.01


def test_timings_and_losses_are_there(photo, painting, paint):
    """Three durations, and the losses of the picture before and after it is rounded, close together."""
    result = paint(photo, painting)
    assert set(result.timings) == {"setup", "descent", "final"}
    assert all(seconds > 0 for seconds in result.timings.values())
    assert result.complete
    for scores in (result.optimized, result.delivered):
        assert scores.value == pytest.approx(sum(scores.by_kind.values()))
    assert result.optimized.value == pytest.approx(result.history[-1].value, rel=1e-5)
    assert result.delivered.value != result.optimized.value
    assert result.delivered.value == pytest.approx(result.optimized.value, rel=0.02)


@pytest.mark.parametrize(
    "values",
    [
        *({"padding": name} for name in ("zero", "reflect", "replicate", "circular")),
        *({"pooling": name} for name in ("avg", "max", "l2")),
        *({"optimizer": name} for name in ("adam", "gradient-descent")),
        {"precision": "bf16"},
        {"precision": "auto", "device": "auto"},
        {"network": "vgg19-original"},
        {"network": "vgg19-original", "pooling": "max", "content_weight": 1e-3, "style_weight": 1e-6},
        {"init": "noise"},
        {"init": "style-moments"},
        {"noise": 0.5},
        {"init": "style-moments", "noise": 0.3},
        {"smoothness": 1.0},
        {"history": 1},
        {"strength": 0.0, "init": "noise"},
        {"strength": 1.0},
        {"content_weight": 1, "style_weight": 0, "init": "noise"},
    ],
    ids=lambda values: ",".join(f"{key}={value}" for key, value in values.items()),
)
def test_every_setting_descends(photo, painting, paint, values):
    """The loss ends below where it began on every level, with every choice of every setting."""
    result = paint(photo, painting, **{"evaluations": (8, 6), **values})
    assert _finite(result)
    assert 0 <= result.tensor.min() <= result.tensor.max() <= 1
    for level in (0, 1):
        seen = [record.value for record in result.history if record.level == level]
        assert min(seen) < seen[0]


def test_settings_change_the_picture(photo, painting, paint):
    """No choice of these is silently another one."""
    fields = {"padding": ("zero", "reflect", "replicate", "circular"), "pooling": ("avg", "max", "l2")}
    choices = [
        {name: choice} for name, several in fields.items() for choice in several if choice not in ("max", "reflect")
    ]
    choices += [
        {},
        {"content_loss": "squared"},
        {"optimizer": "adam"},
        {"optimizer": "gradient-descent"},
        {"smoothness": 1.0},
        {"style_scale": 0.5},
    ]
    found = [paint(photo, painting, **values).tensor for values in choices]
    for index, one in enumerate(found):
        assert all((one - other).abs().max() > 1e-3 for other in found[:index])


def test_smoothness_smooths(photo, painting, paint):
    """The more it weighs, the less neighbors differ."""

    def roughness(weight):
        image = paint(photo, painting, smoothness=weight, init="noise", evaluations=15).tensor
        return image.diff(dim=2).square().mean() + image.diff(dim=3).square().mean()

    assert roughness(10.0) < 0.5 * roughness(1.0) < 0.5 * roughness(0.0)


def _flat(kind):
    level = {"black": (0, 0, 0), "white": (255, 255, 255), "gray": (128, 128, 128), "flat": (30, 140, 200)}[kind]
    return np.full((40, 48, 3), level, np.uint8)


@pytest.mark.parametrize("role", ["content", "style", "both"])
@pytest.mark.parametrize(
    ("precision", "kind"),
    [*(("fp32", kind) for kind in ("black", "white", "gray", "flat")), ("bf16", "black"), ("bf16", "flat")],
)
def test_pictures_of_one_color_give_a_picture(photo, painting, paint, deep, *, kind, role, precision):
    """Nothing to see is no reason for a NaN, in the photo, in the painting, or in both."""
    content = photo if role == "style" else _flat(kind)
    style = painting if role == "content" else _flat(kind)
    result = paint(content, style, precision=precision, size=32, evaluations=3, **deep)
    assert _finite(result)
    assert result.pil.size == (32, 24 if role == "style" else 27)


def test_a_black_photo_in_a_black_style_stays_black(paint, deep):
    """There is nothing to change."""
    result = paint(_flat("black"), _flat("black"), **deep)
    assert result.array.max() <= 2


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [((31, 700), 384, (17, 384)), ((350, 31), 192, (192, 17)), ((57, 53), 57, (57, 53)), ((53, 57), 41, (38, 41))],
)
def test_odd_sizes_keep_their_proportions(painting, paint, deep, *, shape, size, expected):
    """Strips and odd numbers of pixels come out at the size that was asked for, undistorted."""
    generator = np.random.default_rng(0)
    content = generator.integers(0, 255, (*shape, 3), np.uint8)
    result = paint(content, painting, size=size, evaluations=1, **deep)
    assert result.array.shape == (*expected, 3)
    assert _finite(result)


def test_odd_sizes_with_other_pooling_and_padding(painting, paint, deep):
    """Positions that pooling drops and borders without a mirror image do no harm."""
    content = np.random.default_rng(0).integers(0, 255, (17, 45, 3), np.uint8)
    for values in ({"pooling": "max", "padding": "circular"}, {"pooling": "l2", "padding": "replicate"}):
        result = paint(content, painting, size=45, coarsest=45, evaluations=3, **values, **deep)
        assert result.array.shape == (17, 45, 3)
        assert result.history[-1].value < result.history[0].value


def test_the_paper_converges_from_white_noise(photo, painting):
    """The preset of the paper, in small: one level, zero padding, all layers; the loss falls to a fraction."""
    values = {**preset("paper"), "size": 48, "evaluations": 25, "precision": "fp32", "device": "cpu"}
    result = impasto.stylize(photo, painting, **values)
    assert len({record.level for record in result.history}) == 1
    values = [record.value for record in result.history]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.25 * values[0]
    assert result.delivered.value < 0.25 * values[0]


def test_detail_of_the_photo_comes_back_on_finer_levels(photo, painting, prepare):
    """A level begins with the detail that the photo has there and the level below it could not hold."""
    run = prepare(photo, painting, size=72, coarsest=36)
    coarse = run.start()
    torch.testing.assert_close(run.lift(coarse, (54, 72)), run.canvas.pixels, atol=1e-6, rtol=0)
    noisy = prepare(photo, painting, size=72, coarsest=36, init="noise")
    assert not torch.allclose(noisy.lift(coarse, (54, 72)), run.canvas.pixels, atol=0.05)
