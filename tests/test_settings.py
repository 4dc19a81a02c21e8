"""One model of everything that decides how a picture looks."""

import json
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from impasto.choices import (
    ColorName,
    ContentLossName,
    GuidanceName,
    OptimizerName,
    Padding,
    Pooling,
    Precision,
    StyleLossName,
)
from impasto.errors import ImpastoError, SettingsError
from impasto.settings import INITS, OF_STYLE, STYLE_LAYERS, Settings, make, preset, presets

weights = st.floats(0, 1e9, allow_nan=False)
layer_weights = st.dictionaries(st.sampled_from([*STYLE_LAYERS, "conv4_2", "pool3"]), weights, min_size=1).filter(
    lambda named: sum(named.values()) > 0
)
loss_weights = st.dictionaries(st.sampled_from(StyleLossName.__args__), weights, min_size=1).filter(
    lambda named: any(named.values())
)
some = lambda strategy: st.none() | strategy  # noqa: E731

FIELDS = {
    "size": st.integers(16, 200_000),
    "preview_of": some(st.integers(16, 200_000)),
    "strength": some(st.floats(0, 1)),
    "content_loss": st.sampled_from(ContentLossName.__args__),
    "content_layers": layer_weights,
    "style_layers": layer_weights,
    "style_losses": loss_weights,
    "blend": some(st.lists(weights, min_size=1, max_size=4).filter(any)),
    "layers_per_style": some(st.lists(layer_weights, min_size=1, max_size=3)),
    "style_scale": st.floats(0.01, 16),
    "style_size": some(st.integers(16, 200_000)),
    "style_scales": some(st.lists(st.floats(0.01, 16), min_size=1, max_size=3)),
    "color": st.sampled_from(ColorName.__args__),
    "color_strength": st.floats(0, 1),
    "mask_strengths": some(st.lists(st.floats(0, 0.99), min_size=1, max_size=3)),
    "guidance": st.sampled_from(GuidanceName.__args__),
    "evaluations": some(st.lists(st.integers(1, 1_000_000), min_size=1, max_size=5)),
    "settle": st.floats(0, 255),
    "coarsest": st.integers(16, 200_000),
    "ratio": st.floats(1.06, 16),
    "init": st.sampled_from([*INITS, "start.png"]),
    "noise": st.floats(0, 1),
    "smoothness": weights,
    "sharpness": weights,
    "photorealism": weights,
    "network": st.sampled_from(["vgg19", "vgg19-original"]),
    "weights": some(st.just("net.pth")),
    "pooling": st.sampled_from(Pooling.__args__),
    "padding": st.sampled_from(Padding.__args__),
    "optimizer": st.sampled_from(OptimizerName.__args__),
    "rate": some(st.floats(0.001, 1)),
    "history": some(st.integers(1, 200)),
    "seed": st.integers(0, 2**63 - 1),
    "precision": st.sampled_from(Precision.__args__),
    "device": st.sampled_from(["auto", "cpu", "cuda:1"]),
}


@st.composite
def valid_values(draw):
    """Settings as plain data, any of them, without the combinations in which something could not take effect."""
    return on_the_way(draw(aims()))


@st.composite
def aims(draw):
    """All of them, without what could not take effect beside the losses."""
    values = draw(st.fixed_dictionaries({}, optional=FIELDS))
    if values.get("strength") is None and draw(st.booleans()):
        values["content_weight"], values["style_weight"] = draw(st.tuples(weights, weights).filter(any))
    if values.get("strength") == 0 or values.get("style_weight") == 0:
        values = {name: value for name, value in values.items() if name not in OF_STYLE}
    if values.get("strength") == 1 or values.get("content_weight") == 0:
        values.pop("content_layers", None)
        values.pop("content_loss", None)
    if values.get("color", "style") == "style":
        values.pop("color_strength", None)
    if values.get("strength") == 1 or "content_weight" in values:
        values.pop("mask_strengths", None)
    if values.get("strength") == 0 or any(
        values.get(name) is not None for name in ("mask_strengths", "content_weight")
    ):
        values = {name: value for name, value in values.items() if (name, value) != ("content_loss", "cosine")}
    return values


def on_the_way(values):
    """Without what could not take effect beside how the picture comes about."""
    if (values.get("preview_of") or 200_000) < values.get("size", 512):
        values.pop("preview_of")
    if (values.get("preview_of") or values.get("size", 512)) < values.get("coarsest", 128) * values.get("ratio", 2):
        values.pop("ratio", None)
    if values.get("init") == "noise":
        values.pop("noise", None)
    if values.get("init") not in {"noise", "style-moments"} and not values.get("noise"):
        values.pop("seed", None)
    if values.get("optimizer") != "adam":
        values.pop("rate", None)
    if values.get("optimizer", "lbfgs") != "lbfgs":
        values.pop("history", None)
    for name, other in {"network": "weights", "style_layers": "layers_per_style", "style_scale": "style_size"}.items():
        if values.get(other) is not None:
            values.pop(name, None)
    return values


def test_strategies_cover_the_model():
    """A setting added to the model is added to these tests, too."""
    assert set(FIELDS) | {"content_weight", "style_weight"} == set(Settings.model_fields)


@settings(max_examples=150)
@given(values=valid_values())
def test_settings_survive_the_trip_through_plain_data(values):
    """What differs from the defaults makes the same settings again, directly and through JSON."""
    chosen = make(values)
    plain = chosen.given()
    assert make(plain) == chosen
    assert make(json.loads(json.dumps(plain))) == chosen
    assert Settings.model_validate_json(chosen.model_dump_json()) == chosen
    assert all(getattr(chosen, name) != Settings.model_fields[name].default for name in plain)
    for name, value in values.items():
        found = getattr(chosen, name)
        assert (list(found) if isinstance(found, tuple) else found) == value


def test_defaults_say_nothing():
    """Nothing differs from the defaults, so there is nothing to write into a file."""
    assert make({}) == Settings()
    assert Settings().given() == {}


def test_defaults_are_the_papers_but_for_the_pooling():
    """The normalized network and the first convolution of every block, equally weighed; and how it was trained to pool."""
    chosen = Settings()
    assert (chosen.pooling, chosen.network, chosen.optimizer, chosen.init) == ("max", "vgg19", "lbfgs", "content")
    assert chosen.style_layers == {f"conv{block}_1": 1 for block in range(1, 6)}


def test_every_setting_explains_itself():
    """With a sentence that ends in a full stop."""
    assert all(field.description.endswith(".") for field in Settings.model_fields.values())


def test_settings_cannot_be_changed():
    """A run's settings are what they were when it began."""
    with pytest.raises(ValidationError, match="frozen"):
        Settings().size = 3


LISTS = {"layers_per_style", "style_scales", "mask_strengths"}
NUMBERS = [
    name
    for name, field in Settings.model_fields.items()
    if name not in {"content_layers", "style_layers", "style_losses", "blend", "evaluations"} | LISTS
    and any(kind in str(field.annotation) for kind in ("int", "float"))
]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -1, "nan", "many", [], {}])
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_that_are_none_are_refused(name, bad):
    """NaN, infinities, negatives and words, each in one sentence that names the setting and what was given."""
    assert len(NUMBERS) >= 15
    beside = {
        "rate": {"optimizer": "adam"},
        "content_weight": {"style_weight": 1},
        "style_weight": {"content_weight": 1},
    }
    with pytest.raises(SettingsError) as caught:
        make({name: bad, **beside.get(name, {})})
    message = str(caught.value)
    assert message.startswith(f"The setting {name} is {bad!r}, but: ")
    assert message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize("name", ["style_layers", "content_layers"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -1, "much"])
def test_layer_weights_that_are_no_numbers_are_refused(name, bad):
    """In a mapping, and in words."""
    for value in ({"conv1_1": bad}, f"conv1_1:{bad}", [f"conv1_1:{bad}"]):
        with pytest.raises(SettingsError, match=rf"^The setting {name}"):
            make({name: value})


@pytest.mark.parametrize("name", ["blend", "evaluations", "style_scales"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -1, "much", "", "1,,2"])
def test_lists_of_numbers_refuse_what_is_none(name, bad):
    """Alone or beside a good one."""
    for value in (bad, [1, bad]):
        with pytest.raises(SettingsError, match=rf"^The setting {name}"):
            make({name: value})


CONFLICTS = [
    ({"content_weight": 1}, "content_weight needs style_weight beside it"),
    ({"style_weight": 1}, "style_weight needs content_weight beside it"),
    ({"strength": 0.5, "content_weight": 1, "style_weight": 1}, "Strength cannot take effect beside content_weight"),
    ({"content_weight": 0, "style_weight": 0}, "both 0"),
    ({"style_layers": {"conv1_1": 0}}, "layer weights are all 0"),
    ({"content_layers": "conv4_2:0,conv5_2:0"}, "layer weights are all 0"),
    ({"blend": [0, 0]}, "blend's shares are all 0"),
    ({"init": "noise", "noise": 0.5}, "Noise cannot take effect beside init 'noise'"),
    ({"rate": 0.1}, "Rate cannot take effect with the optimizer 'lbfgs'"),
    ({"rate": 0.1, "optimizer": "gradient-descent"}, "Rate cannot take effect with the optimizer 'gradient-descent'"),
    ({"history": 5, "optimizer": "adam"}, "History cannot take effect with the optimizer 'adam'"),
    ({"weights": "a.pth", "network": "vgg19-original"}, "Network cannot take effect beside weights"),
    (
        {"style_layers": "conv1_1", "layers_per_style": "conv1_1/conv2_1"},
        "Style_layers cannot take effect beside layers_",
    ),
    ({"color_strength": 0.5}, "Color_strength cannot take effect with the style's own colors"),
    ({"color": "match", "strength": 0}, "Color cannot take effect without a style loss"),
    ({"mask_strengths": "0.5", "strength": 1}, "Mask_strengths cannot take effect without a balance"),
    ({"mask_strengths": "0.5", "content_weight": 1, "style_weight": 1}, "Mask_strengths cannot take effect"),
    ({"mask_strengths": "1"}, "less than 1"),
    ({"size": 512, "preview_of": 256}, "Preview_of is 256, less than the size, 512"),
    ({"style_scale": 2, "style_size": 512}, "Style_scale cannot take effect beside style_size"),
    ({"strength": 0, "style_size": 512}, "Style_size cannot take effect without a style loss"),
    ({"strength": 0, "style_scales": "1,2"}, "Style_scales cannot take effect without a style loss"),
    (
        {"style_weight": 0, "content_weight": 1, "layers_per_style": "conv1_1"},
        "Layers_per_style cannot take effect with",
    ),
    ({"layers_per_style": "conv1_1/conv2_1:0"}, "the weights are all 0: name a layer that has one"),
    ({"layers_per_style": "conv1_1//conv2_1"}, "has no name"),
    ({"layers_per_style": []}, "at least 1 item"),
    ({"style_layers": "conv1_1,conv1_1:2"}, "'conv1_1' is named twice"),
    ({"style_layers": "conv1_1,"}, "has no name"),
    ({"style_layers": ""}, "has no name"),
    ({"style_layers": {}}, "at least 1 item"),
    ({"style_losses": {"gram": 0, "moments": 0}}, "weights are all 0"),
    ({"style_losses": "gram,grams"}, "style_losses.grams is 'grams', but: input should be 'gram', 'covariance'"),
    ({"style_losses": "gram,gram"}, "the style loss 'gram' is named twice"),
    ({"style_losses": "gram:much"}, "'gram:much' is not a style loss"),
    ({"style_losses": "gram:-1"}, "style_losses.gram is -1.0"),
    ({"evaluations": []}, "at least 1 item"),
    ({"pooling": "mean"}, "'avg', 'max' or 'l2'"),
    ({"optimizer": "sgd"}, "'lbfgs', 'adam' or 'gradient-descent'"),
    ({"init": ""}, "at least 1 character"),
    ({"content_loss": "cosine", "content_weight": 1, "style_weight": 1}, "cannot take effect beside content_weight"),
    ({"content_loss": "cosine", "mask_strengths": "0.5"}, "cannot take effect beside mask_strengths"),
    ({"content_loss": "cosine", "strength": 0}, "cannot take effect at strength 0"),
    ({"content_loss": "cosine", "strength": 1}, "Content_loss cannot take effect without a content loss"),
]


@pytest.mark.parametrize(("values", "reason"), CONFLICTS, ids=[str(values) for values, _ in CONFLICTS])
def test_conflicts_are_refused_with_a_sentence(values, reason):
    """What cannot take effect is an error, never silently ignored; the error is a ValueError, too."""
    with pytest.raises(SettingsError) as caught:
        make(values)
    message = str(caught.value)
    assert reason in message
    assert message[0].isupper()
    assert message.endswith(".")
    assert isinstance(caught.value, ImpastoError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("given", "meant"),
    [("siez", "size"), ("strenght", "strength"), ("style-weight", "style_weight"), ("stylelayers", "style_layers")],
)
def test_misspelled_setting_gets_a_suggestion(given, meant):
    """The nearest name there is."""
    with pytest.raises(SettingsError, match=rf"^There is no setting '{given}'; did you mean '{meant}'\?$"):
        make({given: 1})


def test_setting_like_no_other_gets_none():
    """A guess would not help."""
    with pytest.raises(SettingsError, match=r"^There is no setting 'xylophone'\.$"):
        make({"xylophone": 1})


@settings(max_examples=150)
@given(
    values=st.dictionaries(
        st.sampled_from(list(Settings.model_fields)) | st.text(max_size=8),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
            max_leaves=4,
        ),
        max_size=4,
    )
)
@example(values={"blend": {"a": 1}})
@example(values={"style_layers": [["conv1_1"], None]})
@example(values={"style_layers": {"conv1_1": 1.7e308, "conv2_1": 1.7e308}})
def test_anything_makes_settings_or_one_sentence(values):
    """No other exception comes out, whatever a preset file holds."""
    try:
        make(values)
    except SettingsError as error:
        message = str(error)
        assert message[-1] in ".?"
        assert message[:1].isupper()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("conv1_1", {"conv1_1": 1}),
        ("conv1_1, conv2_1:0.5", {"conv1_1": 1, "conv2_1": 0.5}),
        ("conv1_1=2", {"conv1_1": 2}),
        (["conv1_1:2", "conv2_1"], {"conv1_1": 2, "conv2_1": 1}),
        (["conv1_1,conv2_1 : 3"], {"conv1_1": 1, "conv2_1": 3}),
        ({"conv1_1": "1e-3"}, {"conv1_1": 0.001}),
    ],
)
def test_layers_can_be_written_as_words(written, meant):
    """A plain name weighs 1; a colon or an equals sign gives another weight."""
    assert make({"style_layers": written}).style_layers == meant


@pytest.mark.parametrize(("written", "meant"), [("80,40", (80, 40)), (80, (80,)), ("80", (80,)), ([80, 40], (80, 40))])
def test_evaluations_can_be_written_as_words(written, meant):
    """One number, several, or several between commas."""
    assert make({"evaluations": written}).evaluations == meant


@pytest.mark.parametrize("written", ["conv1_1/conv4_1:2,conv5_1", ["conv1_1", {"conv4_1": 2, "conv5_1": 1}]])
def test_layers_per_style_can_be_written_as_words(written):
    """With a slash between styles."""
    assert make({"layers_per_style": written}).layers_per_style == ({"conv1_1": 1}, {"conv4_1": 2, "conv5_1": 1})


def test_size_of_a_style_is_relative_to_the_results():
    """In pixels or as a factor, for all styles together and for each."""
    assert make({"style_scale": 2.0}).scale_of() == 2
    assert make({"style_size": 256, "size": 1024}).scale_of() == 0.25
    scales = make({"style_size": 256, "size": 1024, "style_scales": "1,3"})
    assert (scales.scale_of(), scales.scale_of(0), scales.scale_of(1)) == (0.25, 0.25, 0.75)


def test_blend_can_be_written_as_words():
    """Shares are relative, and need not add up to 1."""
    assert make({"blend": "2, 1.5"}).blend == (2, 1.5)


@pytest.mark.parametrize("name", presets())
def test_bundled_presets_load(name):
    """Each holds valid settings, and differs from the defaults."""
    assert make(preset(name)).given()


def test_bundled_presets_are_listed():
    """By name, without their suffix."""
    assert {"draft", "fine", "paper", "thorough"} == set(presets())


def test_paper_preset_is_the_papers():
    """One level, from noise, with zero padding."""
    chosen = make(preset("paper"))
    assert chosen.coarsest >= chosen.size
    assert (chosen.init, chosen.padding, chosen.pooling, chosen.network) == ("noise", "zero", "avg", "vgg19")


def test_preset_of_ones_own(tmp_path):
    """A TOML file, by its path."""
    path = tmp_path / "mine.toml"
    path.write_text('size = 300\nstyle_layers = { conv1_1 = 1, conv2_1 = 0.5 }\nblend = "1,2"\n')
    assert preset(str(path)) == tomllib.loads(path.read_text())
    assert make(preset(str(path))).style_layers == {"conv1_1": 1, "conv2_1": 0.5}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("size = ", r"mine\.toml is not valid TOML: "),
        ("size = 1", "The setting size is 1, but"),
        ("siez = 100", "did you mean 'size'"),
        ("\x00", "not valid TOML"),
        ("[size]\na = 1", "The setting size is"),
        ("size = " + "[" * 5000, "lists or tables in a thousand others"),
        ("size." * 3000 + "a = 1", "lists or tables in a thousand others"),
    ],
)
def test_bad_preset_gets_a_sentence(tmp_path, text, reason):
    """From the reader or from the model."""
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=reason):
        preset(str(path))


def test_preset_that_is_not_there(tmp_path):
    """By name all there are are listed; by file the path is repeated."""
    with pytest.raises(SettingsError, match=r"There is no preset 'sketch'; choose one of draft, fine, paper"):
        preset("sketch")
    with pytest.raises(SettingsError, match=r"sketch\.toml does not exist"):
        preset(str(tmp_path / "sketch.toml"))
    with pytest.raises(SettingsError, match="does not exist"):
        preset(str(tmp_path) + "/.toml")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"evaluations": np.int64(4)}, {"evaluations": [4]}),
        ({"evaluations": np.array([4, 8])}, {"evaluations": [4, 8]}),
        ({"blend": np.float32(1)}, {"blend": [1.0]}),
        ({"blend": [np.float64(1), torch.tensor(3.0)]}, {"blend": [1.0, 3.0]}),
        ({"style_losses": {np.str_("moments"): np.float64(2)}}, {"style_losses": {"moments": 2.0}}),
        ({"style_scales": (np.float32(0.5), 2)}, {"style_scales": [0.5, 2.0]}),
        ({"init": Path("start.png")}, {"init": "start.png"}),
        *[({name: np.asarray(1)}, {name: 1}) for name in ("smoothness", "sharpness", "photorealism", "settle")],
        ({"size": np.int32(64), "coarsest": torch.tensor(64)}, {"size": 64, "coarsest": 64}),
    ],
)
def test_numbers_of_numpy_and_torch_are_numbers(values, expected):
    """Scalars, arrays, and lists of them; a path is its words."""
    assert Settings(**values) == make(values)
    assert Settings(**values).given() == expected


def test_what_is_wrong_is_a_sentence_from_the_constructor_too():
    """In the one tree of errors, in one line however large what was given is."""
    for values in ({"size": 1}, {"sise": 64}, {"init": np.zeros((400, 400, 3))}, {"strength": [1] * 1000}):
        with pytest.raises(ImpastoError) as caught:
            Settings(**values)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("name", "word", "near"),
    [
        ("style_losses", "gran", "gram"),
        ("style_losses", "Moments", "moments"),
        ("color", "matsh", "match"),
        ("color", "luminence", "luminance"),
        ("optimizer", "adm", "adam"),
        ("pooling", "maxx", "max"),
        ("padding", "reflekt", "reflect"),
        ("guidance", "insid", "inside"),
        ("precision", "fp23", "fp32"),
    ],
)
def test_misspelled_words_get_a_suggestion(name, word, near):
    """Of the words that the setting chooses between; one like none of them gets none."""
    with pytest.raises(SettingsError, match=rf"\. Did you mean {near}\? "):
        make({name: word})
    with pytest.raises(SettingsError) as caught:
        make({name: "xyzzy"})
    assert "Did you mean" not in str(caught.value)


def test_presets_are_found_whatever_their_editor_does(tmp_path):
    """Saves them with a byte-order mark, or in capitals; a misspelled one gets a suggestion."""
    path = tmp_path / "MINE.TOML"
    path.write_bytes(b"\xef\xbb\xbfsize = 64\n")
    assert preset(str(path)) == {"size": 64}
    with pytest.raises(SettingsError, match=r"Did you mean draft\?"):
        preset("drfat")
