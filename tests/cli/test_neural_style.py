"""``impasto neural-style``: flags in, lines in their form and files under their names out."""

import re
import subprocess
import sys

import pytest
import torch

from impasto import images
from impasto.cli.commands.neural_style import iterations_due
from impasto.cli.commands.neural_style.arguments import read
from impasto.errors import SettingsError
from impasto.runs.pictures.neural_style.painting import Moment

PAIR = ("-content_image", "photo.png", "-style_image", "painting.png")
SMALL = ("-image_size", "32", "-gpu", "c", "-precision", "fp32", "-seed", "1", "-style_layers", "relu1_1,relu2_1")


def test_lines_and_files(call, room):
    """Losses every so many iterations in the form that people parse, and pictures under the names that they expect."""
    words = ("-num_iterations", "7", "-print_iter", "3", "-save_iter", "2", "-content_layers", "relu2_2")
    outcome = call("neural-style", *PAIR, *SMALL, *words)
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0] == "Running optimization with L-BFGS"
    assert [line for line in lines if line.startswith("Iteration")] == ["Iteration 3 / 7", "Iteration 6 / 7"]
    block = lines[1:6]
    for line, name in zip(block[1:], ("Content 1", "Style 1", "Style 2", "Total"), strict=True):
        assert re.fullmatch(rf"  {name} loss: \d+\.\d+", line)
    parts = [float(line.split()[-1]) for line in block[1:]]
    assert parts[-1] >= sum(parts[:-1])  # the total has the variation, too
    assert {path.name for path in room.glob("out*")} == {"out.png", "out_2.png", "out_4.png", "out_6.png"}
    assert images.read("out.png").shape == (24, 32)
    assert "neural-style -content_image photo.png" in images.read_parameters("out.png")
    assert re.search(r"Total loss in fp32: \d+\.\d+, of the 8 bits in the file: \d+\.\d+", lines[-1])


def test_a_script_in_steps(call, room):
    """At one size, and at the next from the result of the first, which may be overwritten."""
    common = (
        *PAIR,
        *SMALL[2:],
        "-print_iter",
        "0",
        "-save_iter",
        "0",
        "-content_layers",
        "relu2_2",
        "-num_iterations",
        "2",
    )
    assert call("neural-style", *common, "-image_size", "24", "-output_image", "a.png").code == 0
    again = ("-init", "image", "-init_image", "a.png", "-output_image", "a.png", "-image_size", "48", "-tv_weight", "0")
    outcome = call("neural-style", *common, *again)
    assert outcome.code == 0
    assert "Iteration" not in outcome.out
    assert images.read("a.png").shape == (36, 48)


def test_their_program_as_a_shim(room):
    """The two lines of the documentation let scripts call ``python neural_style.py`` as before."""
    (room / "neural_style.py").write_text(
        "import sys; from impasto.cli import main; sys.exit(main(['neural-style', *sys.argv[1:]]))\n"
    )
    script = "neural_style.py -num_iterations 1 -output_image s.jpg -backend mkl -cudnn_autotune -disable_check"
    words = [sys.executable, *script.split(), *PAIR, *SMALL, "-content_layers", "relu2_2"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "-backend, -cudnn_autotune, -disable_check have no effect here" in done.stderr
    assert (room / "s.jpg").is_file()


def test_all_flags_of_both_programs():
    """Are read, and mean what they meant."""
    words = (
        "-content_image a.png -style_image b.png,c.png -style_blend_weights 3,1 -image_size 300 -gpu 0,1 "
        "-multigpu_strategy 3 -multidevice_strategy 4 -content_weight 8 -style_weight 2e2 -tv_weight 0 -num_iterations 9 "
        "-normalize_gradients -normalize_weights -init image -init_image d.png -optimizer adam -learning_rate 2 "
        "-lbfgs_num_correction 5 -print_iter 1 -save_iter 0 -output_image e.jpg -style_scale 0.5 -original_colors 1 "
        "-pooling avg -proto_file p -model_file vgg16.pth -backend cudnn -cudnn_autotune -seed 3 -disable_check "
        "-content_layers relu3_1,relu4_2 -style_layers relu1_1"
    )
    given = read(words.split())
    flags = given.flags
    assert (given.output_image, given.print_iter, given.save_iter) == ("e.jpg", 1, 0)
    assert flags.style_image == ("b.png", "c.png")
    assert flags.style_blend_weights == (3.0, 1.0)
    assert (flags.content_weight, flags.style_weight, flags.tv_weight) == (8.0, 200.0, 0.0)
    assert (flags.normalize_gradients, flags.normalize_weights, flags.original_colors) == ("", True, True)
    assert (flags.pooling, flags.optimizer, flags.init, flags.init_image) == ("avg", "adam", "image", "d.png")
    assert (flags.seed, flags.lbfgs_num_correction, flags.device) == (3, 5, "cuda:0")
    assert flags.content_layers == ("relu3_1", "relu4_2")
    assert "several devices" in given.notes[0]


def test_defaults_are_theirs():
    """Those of neural-style-pt."""
    flags = read(PAIR).flags
    assert (flags.image_size, flags.num_iterations, flags.style_scale, flags.seed) == (512, 1000, 1.0, -1)
    assert (flags.content_weight, flags.style_weight, flags.tv_weight) == (5.0, 100.0, 1e-3)
    assert (flags.init, flags.optimizer, flags.learning_rate, flags.lbfgs_num_correction) == (
        "random",
        "lbfgs",
        1.0,
        100,
    )
    assert (flags.pooling, flags.network, flags.original_colors) == ("max", "vgg19-original", False)
    assert flags.content_layers == ("relu4_2",)
    assert flags.style_layers == ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


@pytest.mark.parametrize(
    ("gpu", "device"),
    [("-1", "cpu"), ("c", "cpu"), ("2", "cuda:2"), ("0", "cuda:0"), ("c,0", "cpu"), ("cuda:1", "cuda:1")],
)
def test_gpu(gpu, device):
    """A number, or one of the two words for the processor."""
    assert read((*PAIR, "-gpu", gpu)).flags.device == device


def test_gpus_where_there_are_none(call, room):
    """The script that the documentation shows runs on the processor and says so before it reads a picture."""
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    words = ("-num_iterations", "1", "-image_size", "32", "-style_layers", "relu1_1", "-content_layers", "relu1_1")
    for gpu, number in (("0", "0"), ("cuda:1", "1")):
        outcome = call("neural-style", *PAIR, *words, "-gpu", gpu)
        assert outcome.code == 0
        assert f"-gpu {number}: no such GPU is here; everything runs on " in outcome.err


def test_a_gpu_that_is_not_there_is_refused_before_pictures_are_read(call, room, monkeypatch):
    """Where there are others."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    outcome = call("neural-style", "-content_image", "no.png", "-style_image", "no.png", "-gpu", "99")
    assert outcome.code == 2
    assert "The device 'cuda:99' cannot be used here" in outcome.err


@pytest.mark.parametrize(
    "names", [("a,b.png",), ("c.png", "a,b.png", "d.png"), ("a,b,c.png", "c.png"), ("c.png", "a,b")]
)
def test_commas_in_names(room, names):
    """Of files and folders that are there; between the others they divide."""
    for name in ("a,b.png", "a,b,c.png", "c.png"):
        (room / name).write_bytes(b"")
    (room / "a,b").mkdir()
    assert read(("-content_image", "x.png", "-style_image", ",".join(names))).flags.style_image == names


@pytest.mark.parametrize(
    ("file", "network"),
    [
        ("models/nin_imagenet_conv.caffemodel", "a Network in Network (NIN)"),
        ("models/nin_imagenet.pth", "a Network in Network (NIN)"),
        ("channel_pruning.pth", "a VGG-16 of other widths"),
        ("VGG_ILSVRC_16_layers.caffemodel", "a Caffe file"),
    ],
)
def test_models_of_other_networks_are_named(call, room, file, network):
    """And what there is instead, before a picture is read."""
    outcome = call("neural-style", "-content_image", "no.png", "-style_image", "no.png", "-model_file", file)
    assert outcome.code == 2
    assert f"-model_file {file} is {network}" in outcome.err
    assert "Leave it out for the VGG-19" in outcome.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-foo", "1"), "-foo 1"),
        (("-image_size", "x"), "-image_size: invalid int value: 'x'"),
        (("-original_colors", "2"), "0 or 1 is needed"),
        (("-pooling", "l2"), "invalid choice: 'l2'"),
        (("-gpu", "big"), "give a GPU's number"),
        (("-gpu", "cuda"), "give a GPU's number"),
        (("-gpu", "cuda:x"), "give a GPU's number"),
        (("-style_image", ","), "no name between the commas"),
    ],
)
def test_what_is_wrong_has_a_sentence(words, sentence):
    """And no traceback or usage text."""
    with pytest.raises(SettingsError, match=re.escape(sentence)):
        read((*PAIR, *words))


def test_inputs_are_not_overwritten(call, room):
    """The photo and the painting; code 2 before anything is computed."""
    outcome = call("neural-style", *PAIR, "-output_image", "photo.png")
    assert outcome.code == 2
    assert "would overwrite photo.png" in outcome.err


def test_numbers_mean_the_other_program():
    """-normalize_gradients with a number is the Lua program's, and -init_image alone is told to do nothing."""
    given = read((*PAIR, "-normalize_gradients", "0.5", "-init_image", "x.png"))
    assert given.flags.gradient_exponent == 0.5
    assert given.notes == ("-init_image has no effect without -init image, as in neural-style.",)


def test_help(call):
    """By any spelling, with every flag."""
    for spelling in ("-help", "--help", "-h"):
        out = call("neural-style", spelling).out
        assert all(flag in out for flag in ("-style_blend_weights", "-lbfgs_num_correction", "-multidevice_strategy"))


@pytest.mark.parametrize(
    ("before", "now", "every", "expected"),
    [
        (None, 1, 1, [(1, 1)]),
        (None, 1, 5, []),
        (4, 5, 5, [(5, 5)]),
        (4, 7, 5, [(5, 4)]),
        (4, 10, 5, [(5, 4), (10, 10)]),
        (5, 6, 5, []),
        (4, 9, 0, []),
    ],
)
def test_an_iteration_inside_a_line_search_tells_what_was_reached_by_then(before, now, every, expected):
    """And never what took more evaluations."""
    moments = {count: Moment(count, None, None, stalled=False) for count in (1, 4, 5, 6, 7, 9, 10)}
    found = iterations_due(moments.get(before), moments[now], every)
    assert [(iteration, moment.evaluation) for iteration, moment in found] == expected
