"""Tasks as values: every one is complete, and what they decide holds wherever they are asked for."""

import importlib
import inspect

import pytest

from impasto.errors import JobError, SettingsError
from impasto.media import MEDIA
from impasto.settings import Settings, make
from impasto.tasks import TASKS, subject_of, task_of, words
from impasto.tasks.task import ALL, Role, Task, Word

every_task = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)

TEST = Task(
    name="test",
    help="Test.",
    result="a test",
    subject="A test",
    roles={"styles": Role(1, 2, "Whatever.")},
    settings=ALL - {"content_layers", "strength"},
    usual={"init": "noise"},
    fixed={"strength": 1.0},
    words={"side": Word("Its side.", words.integer("side"), needed=True), "far": Word("Far.", words.switch)},
    prepare=lambda inputs, words, **values: (inputs, words, values),
)


@every_task
def test_every_task_is_complete(task):
    """Its settings are settings, its media are media, and its run is where it says."""
    assert task.settings <= ALL == set(Settings.model_fields)
    assert {*task.usual, *task.fixed, *task.hints} <= ALL
    assert {task.medium, *(name for role in task.roles.values() for name in role.media)} <= MEDIA.keys()
    module, _, name = task.prepare.partition(":")
    inputs, own, *_ = inspect.signature(getattr(importlib.import_module(module), name)).parameters
    assert inputs == "inputs"
    assert own in ("own", "words")
    assert task.usage.startswith(f"Usage: impasto {task.name} ")
    for word in task.words.values():
        if word.default is not None:
            word.read(word.default)


@every_task
def test_every_task_has_a_subject(task):
    """Made from the names of its inputs."""
    inputs = {"content": {"name": "a.png"}, "styles": [{"name": "b.png"}, {"name": "c.png"}]}
    subject = subject_of({"task": task.name, "inputs": inputs})
    assert ("a.png" in subject) == ("content" in task.roles)
    assert ("b.png + c.png" in subject) == ("styles" in task.roles)


def test_a_task_that_is_not_there():
    """The sentence names those that are."""
    with pytest.raises(JobError, match="no task 'paint'; choose one of stylize, texture"):
        task_of("paint")


def test_what_is_given_comes_over_what_is_usual():
    """And what the task decides is as it decides."""
    assert (TEST.decide({}).init, TEST.decide({}).strength) == ("noise", 1.0)
    assert TEST.decide({"init": "style-moments"}).init == "style-moments"


def test_what_the_task_decides_may_be_said_again():
    """The same value is no contradiction; another is, and so is anything that has no say."""
    assert TEST.decide({"strength": 1}).strength == 1.0
    for values in ({"strength": 0.5}, {"content_layers": "conv4_2"}):
        with pytest.raises(SettingsError, match=f"{next(iter(values))} cannot take effect in a test"):
            TEST.decide(values)


def test_all_settings_at_once_count_as_far_as_they_were_set():
    """A model's defaults are not taken for something given."""
    assert TEST.decide(make({"size": 64, "coarsest": 32})).init == "noise"


def test_what_a_setting_is_anyway_may_be_said():
    """Of settings that have no say too, so that all settings of a run may be given back."""
    assert TEST.decide({"content_layers": None}).content_layers is None
    assert TEST.decide(make({"init": "content"})).init == "content"


def test_words_are_told_from_settings():
    """And read, whether they are text or data."""
    assert TEST.split({"side": "64", "far": "true", "seed": 3, "size": None}) == (
        {"side": 64, "far": True},
        {"seed": 3},
    )
    with pytest.raises(SettingsError, match="The task test needs side"):
        TEST.split({"far": True})


def test_a_run_is_prepared_from_inputs_words_and_settings():
    """All at once or one by one."""
    assert TEST.prepared({"styles": ["a"]}, {"side": 1}, {"seed": 3}) == ({"styles": ["a"]}, {"side": 1}, {"seed": 3})
    settings = make({})
    assert TEST.prepared({}, {}, settings, place="cpu")[2] == {"settings": settings, "place": "cpu"}


@pytest.mark.parametrize(
    ("read", "given", "expected"),
    [
        (words.extents(2, "a side"), "640x480", [480, 640]),
        (words.extents(2, "a side"), 64, [64, 64]),
        (words.extents(3, "a side"), [32, 48, 64], [32, 48, 64]),
        (words.axes("axes"), "0, 2", [0, 2]),
        (words.axes("axes"), [1], [1]),
        (words.numbers("window", "0,1"), "-1000,400", [-1000.0, 400.0]),
        (words.real("rate"), "2.5", 2.5),
        (words.integer("filters"), 64, 64),
        (words.names, "I, II", ["I", "II"]),
        (words.switch, False, False),
    ],
)
def test_words_are_read(read, given, expected):
    """From text and from data; what was read is read again as it is."""
    assert read(given) == expected
    assert read(read(given)) == expected


@pytest.mark.parametrize(
    ("read", "wrong"),
    [
        (words.extents(2, "a side"), "1x2x3"),
        (words.extents(2, "a side"), [True, 64]),
        (words.extents(2, "a side"), 8),
        (words.extents(2, "a side"), "64.5"),
        (words.axes("axes"), "0,3"),
        (words.axes("axes"), ""),
        (words.numbers("window", "0,1"), "3"),
        (words.real("rate"), "fast"),
        (words.real("rate"), None),
        (words.integer("filters"), True),
        (words.integer("filters"), "1e3"),
        (words.switch, "perhaps"),
        (words.one_of("phase", ("a", "b")), "c"),
    ],
)
def test_what_cannot_be_a_word_gets_a_sentence(read, wrong):
    """With what was given in it."""
    with pytest.raises(SettingsError, match="given"):
        read(wrong)
