"""Options made from the settings, and command lines made from settings."""

import json
import re
import shlex

import pytest
from hypothesis import given, reject, strategies
from hypothesis import settings as effort

from impasto.choices import Padding, Pooling
from impasto.cli import app
from impasto.cli.options.settings import SCORING, arguments, chosen, words
from impasto.errors import SettingsError
from impasto.settings import Settings, make

WEIGHTS = strategies.floats(0, 1e6, allow_nan=False)
LAYERS = strategies.dictionaries(strategies.sampled_from(["conv1_1", "conv3_2", "conv5_4"]), WEIGHTS, min_size=1)
VALUES = strategies.fixed_dictionaries(
    {},
    optional={
        "size": strategies.integers(16, 200_000),
        "strength": strategies.floats(0, 1),
        "style_layers": LAYERS.filter(lambda weights: sum(weights.values()) > 0),
        "layers_per_style": strategies.lists(
            LAYERS.filter(lambda weights: any(weights.values())), min_size=1, max_size=3
        ),
        "style_scales": strategies.lists(strategies.floats(0.1, 16), min_size=1, max_size=3),
        "blend": strategies.lists(WEIGHTS, min_size=1, max_size=3).filter(sum),
        "evaluations": strategies.lists(strategies.integers(1, 1000), min_size=1, max_size=4),
        "init": strategies.sampled_from(["content", "style-moments", "a picture.png", "-x.png"]),
        "smoothness": WEIGHTS,
        "ratio": strategies.floats(1.1, 16),
        "pooling": strategies.sampled_from(Pooling.__args__),
        "padding": strategies.sampled_from(Padding.__args__),
        "optimizer": strategies.just("adam"),
        "seed": strategies.integers(0, 2**63 - 1),
    },
)


def parsed(*line):
    """What cyclopts makes of the settings of a command line."""
    _, bound, _ = app.parse_args(["stylize", "a.png", "b.png", "-o", "c.png", *line])
    return bound.arguments.get("given")


def test_settings_per_style_are_read(call, room, fast):
    """Layers and scales for two paintings; for one of them there is a sentence."""
    words = (
        "--layers-per-style",
        "conv3_1/relu1_1,conv2_1:0.5",
        "--style-scales",
        "1,0.5",
        "--dry-run",
        "--json",
        *fast,
    )
    outcome = call("stylize", "photo.png", "painting.png", "painting.png", *words)
    found = json.loads(outcome.out)["settings"]
    assert found["layers_per_style"] == [{"conv3_1": 1.0}, {"conv1_1": 1.0, "conv2_1": 0.5}]
    assert found["style_scales"] == [1.0, 0.5]
    outcome = call("stylize", "photo.png", "painting.png", *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert "2 scales for 1 styles; give one scale each" in outcome.err


@pytest.mark.parametrize("words", [("--style-loss", "gram,moments"), ("--style-loss=gram,moments",)], ids=str)
def test_style_loss_is_another_name_for_style_losses(call, room, fast, words):
    """The loss by its singular, in a word of its own or behind an equals sign."""
    outcome = call("stylize", "photo.png", "painting.png", "--dry-run", "--json", *words, *fast)
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out)["settings"]["style_losses"] == {"gram": 1.0, "moments": 1.0}
    assert "'gram:much' is not a style loss" in call("stylize", "a", "b", "--style-loss", "gram:much").err


def test_help_has_every_setting(call):
    """Every field is an option, with its description and its default."""
    shown = call("stylize", "--help").out.replace("│", " ")
    names = r"^ +(?:--?[\w-]+ +)*(?:INT|NUMBERS?|NAMES|TEXT|CHOICE) "  # long ones take a second line beside the words
    flat = " ".join(re.sub(names, "", shown, flags=re.MULTILINE).split())
    named = " ".join(shown.split())
    for name, field in Settings.model_fields.items():
        assert f"--{name.replace('_', '-')} " in named
        assert field.description in flat
        assert field.default is None or f"[default: {words(field.default)}]" in flat


def test_score_has_the_settings_that_matter(call):
    """Scoring offers what has a say in losses, and not what has not."""
    out = call("score", "--help").out
    for name in Settings.model_fields:
        assert (f"--{name.replace('_', '-')} " in out) == (name in SCORING)


def test_only_what_was_given_is_passed_on():
    """A default that was not typed stays out, and one that was typed is there."""
    assert parsed() is None
    assert parsed("--size", "512", "--style-weight=-1") == {"size": "512", "style_weight": "-1"}


@effort(max_examples=40)
@given(VALUES)
def test_arguments_give_the_same_settings(values):
    """A command line made from settings is read as those settings."""
    try:
        settings = make(values)
    except SettingsError:  # a combination in which something could not take effect
        reject()
    line = arguments(settings.given())
    assert chosen(parsed(*shlex.split(shlex.join(line)))) == settings


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        ([80, 40], "80,40"),
        ({"conv1_1": 1.0, "conv2_1": 0.5}, "conv1_1,conv2_1:0.5"),
        ([{"conv1_1": 1.0, "conv2_1": 0.5}, {"conv4_1": 1}], "conv1_1,conv2_1:0.5/conv4_1"),
        ("noise", "noise"),
    ],
)
def test_values_as_words(value, text):
    """Values are written as they are typed."""
    assert words(value) == text


def test_options_override_a_preset(tmp_path):
    """What is given replaces the preset's value, and the rest of the preset stays."""
    path = tmp_path / "mine.toml"
    path.write_text("size = 256\nstrength = 0.7\n")
    assert chosen({"size": "300"}, str(path)).given() == {"size": 300, "strength": 0.7}


@pytest.mark.parametrize(
    ("text", "given_", "rest"),
    [
        ("strength = 0.7", {"content_weight": "1", "style_weight": "2"}, {"content_weight": 1.0, "style_weight": 2.0}),
        ("content_weight = 1\nstyle_weight = 2", {"strength": "0.1"}, {"strength": 0.1}),
        ("optimizer = 'adam'\nrate = 0.1", {"optimizer": "gradient-descent"}, {"optimizer": "gradient-descent"}),
        ("noise = 0.3", {"init": "noise"}, {"init": "noise"}),
        ("network = 'vgg19-original'", {"weights": "x.pth"}, {"weights": "x.pth"}),
    ],
)
def test_options_override_what_they_exclude(tmp_path, text, given_, rest):
    """A preset's value that could not take effect beside a given option gives way to it."""
    path = tmp_path / "mine.toml"
    path.write_text(text)
    assert chosen(given_, str(path)).given() == rest


def test_unknown_preset_is_named():
    """A preset that is not there is answered with those that are."""
    with pytest.raises(SettingsError, match=r"no preset 'drat'.*draft"):
        chosen({}, "drat")
