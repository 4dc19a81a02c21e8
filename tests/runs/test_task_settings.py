"""Settings for tasks that decide some of them themselves."""

import pytest

from impasto.errors import SettingsError
from impasto.runs.task_settings import decided, from_noise
from impasto.settings import make


def chosen(settings=None, **values):
    """What comes of values in a task that starts from noise, has one strength and no blend."""
    return decided(
        "a test", settings, values, usual={"init": "noise"}, fixed={"strength": 1.0}, idle=("content_layers",)
    )


def test_what_is_given_comes_over_what_is_usual():
    """And what the task decides is as it decides."""
    assert (chosen().init, chosen().strength) == ("noise", 1.0)
    assert chosen(init="style-moments").init == "style-moments"


def test_what_the_task_decides_may_be_said_again():
    """The same value is no contradiction; another is, and so is anything that has no say."""
    assert chosen(strength=1).strength == 1.0
    for values in ({"strength": 0.5}, {"content_layers": "conv4_2"}):
        with pytest.raises(SettingsError, match=f"{next(iter(values))} cannot take effect in a test"):
            chosen(**values)


def test_all_settings_at_once_count_as_far_as_they_were_set():
    """A model's defaults are not taken for something given; both ways at once are refused."""
    assert chosen(make({"size": 64, "coarsest": 32})).init == "noise"
    with pytest.raises(SettingsError, match="not both"):
        chosen(make({"size": 64}), size=32)


def test_what_a_setting_is_anyway_may_be_said():
    """Of settings that have no say too, so that all settings of a run may be given back."""
    assert chosen(content_layers=None).content_layers is None
    assert chosen(make({"init": "content"})).init == "content"


def test_noise_needs_more_evaluations():
    """One number per level, unless some were given."""
    assert from_noise(make({"size": 512})).evaluations == (200, 150, 100)
    assert from_noise(make({"size": 100})).evaluations == (200,)
    assert from_noise(make({"size": 512, "evaluations": 7})).evaluations == (7,)
