"""Recipes: whatever settings a picture was made with, its file makes the same run again, and so does the command it tells."""

import json
import shlex

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import impasto
from impasto.cli import main
from impasto.cli.commands.rerun import prepared_rerun
from impasto.cli.options.recipe import Recipe
from impasto.descent import Record
from impasto.errors import ImpastoError
from impasto.jobs import submission
from impasto.runs.pictures.reconstruct import Reconstruction
from impasto.runs.pictures.texture import Texture
from impasto.runs.result import Scores

# Of every setting some values, its default among them. Those that a task refuses are left out of its runs.
VALUES = {
    "size": (64, 512),
    "preview_of": (None, 64),
    "strength": (None, 0.25),
    "content_weight": (None, 0.0, 2.0),
    "style_weight": (None, 1.0, 3.0),
    "content_layers": ({"conv4_2": 1.0}, {"relu2_2": 1.0, "conv3_1": 0.5}),
    "style_layers": (dict.fromkeys(("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"), 1.0), {"conv2_1": 1.0}),
    "layers_per_style": (None, ({"conv1_1": 1.0},)),
    "style_losses": ({"gram": 1.0}, {"moments": 1.0, "covariance": 2.0}),
    "blend": (None, (1.0,)),
    "style_scale": (1.0, 0.5, 2.0),
    "style_size": (None, 64),
    "style_scales": (None, (2.0,)),
    "color": ("style", "match", "luminance"),
    "color_strength": (1.0, 0.5),
    "guidance": ("average",),
    "evaluations": (None, (2,)),
    "settle": (0.2, 0.0),
    "coarsest": (128, 32, 64),
    "ratio": (2.0, 1.5),
    "init": ("content", "noise", "style-moments", "painting.png"),
    "noise": (0.0, 0.5),
    "smoothness": (0.0, 0.1),
    "sharpness": (0.0, 0.1),
    "photorealism": (0.0, 0.1),
    "network": ("vgg19", "vgg19-original"),
    "pooling": ("avg", "max"),
    "padding": ("reflect", "zero", "circular"),
    "optimizer": ("lbfgs", "adam"),
    "rate": (None, 0.01),
    "history": (None, 5),
    "seed": (0, 7),
    "precision": ("auto", "fp32"),
    "device": ("auto", "cpu"),
}
QUICKLY = settings(
    max_examples=6,
    phases=[Phase.generate],  # simpler examples would take minutes to find
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SOME = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in VALUES.items()})
TASKS = {
    "stylize": lambda **values: impasto.Transfer.of("photo.png", "painting.png", **values),
    "texture": lambda **values: Texture.of("painting.png", (64, 96), **values),
    "reconstruct": lambda **values: Reconstruction.of("photo.png", "conv2_2", **values),
}


def allowed(task, values):
    """The run of a task with those of the values that it takes, one after the other, beside each other."""
    run, taken = TASKS[task](), {}
    for name, value in values.items():
        try:
            run = TASKS[task](**taken, **{name: value})
        except ImpastoError:
            continue
        taken[name] = value
    return run


def recipe_of(run):
    """What the run would write into its picture, as it is read from there."""
    done = run.recipe((Record(0, 1, 1.0, {}, 0.0),), {"delivered": Scores(1.0, {}, {})}, {}, stopped=False)
    return json.loads(json.dumps(done))


@pytest.mark.parametrize("task", TASKS)
@QUICKLY
@given(values=SOME)
def test_every_recipe_is_that_of_the_run_it_makes_again(room, task, values):
    """Whatever the settings are, given or left out, the defaults of a task or others."""
    run = allowed(task, values)
    written = recipe_of(run)
    files = {file["sha256"]: room / file["name"] for file in _files(written["inputs"])}
    assert recipe_of(prepared_rerun(Recipe(**written), files)) == _moved(written, room)


def _files(inputs):
    return [*inputs["styles"], *(inputs[name] for name in ("content", "init") if name in inputs)]


def _moved(recipe, folder):
    """The recipe with the path that its start has now."""
    init = recipe["in_force"]["init"]
    if not init.endswith(".png"):
        return recipe
    now = {"init": str(folder / init)}
    return {**recipe, "settings": {**recipe["settings"], **now}, "in_force": {**recipe["in_force"], **now}}


@pytest.mark.parametrize("task", TASKS)
@QUICKLY
@given(values=SOME)
def test_every_command_that_is_told_makes_the_run(room, monkeypatch, task, values):
    """With options that there are, and the same settings in force."""
    run, made = allowed(task, values), []
    command = Recipe(**recipe_of(run)).command("out.png")
    monkeypatch.setattr("impasto.cli.commands.task.perform", lambda task, where, run: made.append(task) or 0)
    assert main(shlex.split(command)[1:]) == 0, command
    assert made[0].settings == run.settings
    assert made[0].levels == run.levels


@pytest.mark.parametrize("task", TASKS)
def test_recipes_from_before_content_was_held(room, task):
    """When there was no choice, content was weighed by its squared error, and so it is made again."""
    run = allowed(task, {})
    written = recipe_of(run)
    del written["in_force"]["content_loss"]
    files = {file["sha256"]: room / file["name"] for file in _files(written["inputs"])}
    again = prepared_rerun(Recipe(**written), files)
    assert again.settings.content_loss == "squared"
    assert {name.count("cosine") for name in _terms(again)} == {0}


def _terms(run):
    return [term.name for term in run.targets(run.encoder).engine_at(run.levels[0].shape).objective.terms]


def test_a_texture_with_the_papers_sum_is_made_again(call, room, fast):
    """The weight of the style alone, in files, commands and jobs."""
    few = [word for pair in zip(fast[::2], fast[1::2], strict=True) if pair[0] != "--size" for word in pair]
    words = ("--style-weight", "1", "--size", "64", "--style-layers", "conv1_1,conv2_1", *few)
    assert call("texture", "painting.png", "-o", "a.png", *words).code == 0
    outcome = call("rerun", "a.png", "--quiet")
    assert (outcome.code, outcome.err) == (0, "")
    assert (room / "a_again.png").read_bytes() == (room / "a.png").read_bytes()
    command = json.loads(call("show", "a.png", "--json").out)["command"]
    assert "--style-weight" in command
    assert "--content-weight" not in command
    kept, in_force = submission.checked("texture", {"style_weight": 1.0})
    assert kept == {"style_weight": 1.0}
    assert in_force["content_weight"] == 0
    assert submission.checked("texture", {"style_weight": None})[1]["content_weight"] is None
