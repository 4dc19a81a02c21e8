"""The settings as a form, and what a client may set."""

from typing import Literal

import pytest
from pydantic import BaseModel

from impasto.errors import SettingsError
from impasto.settings import Settings
from impasto.studio import form
from impasto.studio.limits import Limits
from impasto.tasks import TASKS

LIMITS = Limits(side=1000, evaluations=50, work=50_000_000)


def test_every_setting_has_a_place_and_a_kind():
    """Defaults, bounds, choices and meanings come from the model."""
    fields = {field["name"]: field for field in form.fields(LIMITS)}
    assert set(fields) == set(Settings.model_fields) - {"weights", "device"}
    assert fields["strength"] | {"help": ""} == {
        "name": "strength",
        "label": "Strength",
        "group": "Balance",
        "kind": "number",
        "choices": [],
        "default": None,
        "minimum": 0,
        "maximum": 1,
        "help": "",
        "tasks": ["stylize"],
    }
    assert fields["size"]["maximum"] == 1000
    assert fields["pooling"]["choices"] == ["avg", "max", "l2"]
    assert all(field["help"] for field in fields.values())
    assert "text" not in {field["kind"] for field in fields.values()}


def test_what_has_no_say_in_a_task_is_not_offered():
    """Every setting says in which of the tasks it has."""
    for field in form.fields(LIMITS):
        assert field["tasks"] == [name for name in form.OFFERED if field["name"] in TASKS[name].settings]


@pytest.mark.parametrize(
    ("kind", "free"),
    [
        (str, True),
        (str | None, True),
        (list[str], True),
        (dict[str, str], True),
        (tuple[tuple[str, int], ...], True),
        (dict[str, float], False),
        (Literal["a", "b"], False),
        (float | None, False),
        (tuple[int, ...], False),
    ],
)
def test_free_text_is_found_wherever_it_is(kind, free):
    """A new setting that could name a file is not offered by accident."""
    model = type("Model", (BaseModel,), {"__annotations__": {"field": kind}})
    schema = model.model_json_schema()["properties"]["field"]
    assert form.has_free_text(schema) is free


@pytest.mark.parametrize(
    ("task", "values", "problem"),
    [
        ("stylize", {"weights": "/etc/passwd"}, "belongs to the machine"),
        ("stylize", {"device": "cuda"}, "belongs to the machine"),
        ("stylize", {"init": "/etc/passwd"}, "must be one of"),
        ("stylize", {"init": ["content"]}, "must be one of"),
        ("stylize", {"size": 1001}, "limit of 1000"),
        ("stylize", {"evaluations": [10, 51]}, "More than 50"),
        ("stylize", {"preview_of": 1001}, "preview_of is above"),
        ("stylize", {"style_size": 1001}, "paintings would have 1001 pixels"),
        ("stylize", {"style_scale": 2.0}, "paintings would have 1024 pixels"),
        ("stylize", {"style_scale": 1.5, "style_scales": [1.0, 1.5]}, "paintings would have 1152 pixels"),
        ("stylize", {"size": 1000, "evaluations": [10], "history": 13}, "history of 13 steps"),
        ("texture", {"shape": [1000, 1000], "evaluations": [10], "history": 13}, "history of 13 steps"),
        ("stylize", {"size": 1000, "evaluations": [50]}, "size times the evaluations"),
        ("stylize", {"size": 900, "coarsest": 16, "ratio": 1.06, "evaluations": [40]}, "size times the evaluations"),
        ("texture", {"shape": [900, 900], "evaluations": [50]}, "size times the evaluations"),
        ("stylize", {"shape": [64, 64]}, "no setting 'shape'"),
        ("texture", {"shape": [64, 5000]}, "cannot be"),
        ("texture", {"shape": "64 x"}, "cannot be"),
        ("texture", {"shape": [True, 64]}, "cannot be"),
        ("texture", {"tileable": "yes"}, "cannot be"),
        ("reconstruct", {"layer": "../x"}, "cannot be"),
        ("reconstruct", {"layer": 4}, "cannot be"),
    ],
)
def test_what_may_not_be_set(task, values, problem):
    """Each is refused with its name and the reason."""
    with pytest.raises(SettingsError, match=problem):
        form.checked_form(task, values, LIMITS)


def test_what_may_be_set():
    """None means the default."""
    few = {"size": 900, "evaluations": [40]}
    assert form.checked_form("stylize", {**few, "strength": None}, LIMITS) == few
    assert form.checked_form("stylize", {"size": 250, "history": 100}, LIMITS) == {"size": 250, "history": 100}
    assert form.checked_form("texture", {"shape": [64, 128], "tileable": True}, LIMITS) == {
        "shape": [64, 128],
        "tileable": True,
    }
    assert form.checked_form("reconstruct", {"layer": "conv4_2"}, LIMITS) == {"layer": "conv4_2"}


@pytest.mark.parametrize(
    "beside", [{"style_weight": 1.0}, {"strength": 0.5, "content_weight": 1.0}, {"evaluations": -1}]
)
def test_limits_hold_whatever_else_is_given(beside):
    """Also beside settings that mean something only with what a task decides, or that are wrong."""
    with pytest.raises(SettingsError, match="above this studio's limit"):
        form.checked_form("texture", {**beside, "size": 1001}, LIMITS)
