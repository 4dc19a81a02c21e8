"""What commands write: found fit before the run, nobody else's file, kept whatever happens."""

import json
import os
import signal

import numpy as np
import pytest
import torch
from PIL import Image

from impasto import images, signals, sounds
from impasto.cli import COMMANDS
from impasto.cli.terminal.origin import made_here
from impasto.errors import ImageError

QUICK = ("--evaluations", "2", "--quiet")
MINE = b"what somebody has made"
EXTRA = ("--filters", "8", *QUICK)
STYLIZE = ("stylize", "photo.png", "painting.png")
NEURAL = ("neural-style", "-content_image", "photo.png", "-style_image", "painting.png", "-image_size", "32")
NEURAL += ("-content_layers", "relu1_2", "-style_layers", "relu1_1", "-num_iterations", "4", "-save_iter", "2")

# Every command that writes a file: its words without the output, the output, and the files beside it.
WRITERS = {
    "stylize": ((*STYLIZE, "--size", "32", *QUICK), "out.png", ()),
    "stylize --watch": ((*STYLIZE, "--size", "32", "--watch", "now.jpg", *QUICK), "out.png", ("now.jpg",)),
    "stylize --film": ((*STYLIZE, "--size", "32", "--film", "film.gif", *QUICK), "out.png", ("film.gif",)),
    "stylize .dzi": ((*STYLIZE, "--size", "32", *QUICK), "out.dzi", ()),
    "preview": (("preview", "photo.png", "painting.png", "--size", "32", "--quiet"), "out.webp", ()),
    "explore": (("explore", "photo.png", "painting.png", "--size", "32", "--quiet"), "out.png", ("out.json",)),
    "demo": (("demo", "--size", "32", *QUICK), "out.png", ("out-painting.png",)),
    "reconstruct": (("reconstruct", "photo.png", "--layer", "conv1_1", "--size", "32", *QUICK), "out.tif", ()),
    "texture": (("texture", "painting.png", "--size", "32", *QUICK), "out.avif", ()),
    "video": (("video", "clip.gif", "painting.png", "--size", "32", *QUICK), "out.mp4", ()),
    "volume texture": (
        ("volume", "texture", "painting.png", "--size", "16", *QUICK),
        "out.npy",
        ("out.json", "out_sheet.png", "out_turning.gif"),
    ),
    "volume stylize": (
        ("volume", "stylize", "scan.npy", "painting.png", "--depths", "0", "--size", "16", *QUICK),
        "out.nii.gz",
        ("out_sheet.png", "out_turning.gif"),
    ),
    "neural-style": (NEURAL, "out.jpg", ("out_2.jpg",)),
    "figure": (("figure", "pooling", "photo.png", "painting.png", "--size", "32", *QUICK), "out.png", ("out.json",)),
    "sound stylize": (("sound", "stylize", "a.wav", "b.wav", *EXTRA), "out.flac", ("out.png",)),
    "sound texture": (("sound", "texture", "a.wav", *EXTRA), "out.wav", ("out.png",)),
    "signal stylize": (("signal", "stylize", "a.csv", "b.csv", *EXTRA), "out.csv", ("out.png",)),
    "signal texture": (("signal", "texture", "a.csv", *EXTRA), "out.npy", ("out.npy.json", "out.png")),
    "rerun": (("rerun", "made.png", "--quiet"), "out.png", ()),
    "visualize patches": (
        ("visualize", "patches", "--layer", "conv1_1", "--images", "folder", "--units", "0", "--size", "32", "--quiet"),
        "out.png",
        (),
    ),
    "visualize unit": (
        ("visualize", "unit", "--layer", "conv1_1", "--unit", "0", "--evaluations", "1", "--quiet"),
        "out.png",
        (),
    ),
    "visualize network": (
        (
            *("visualize", "network", "--images", "folder", "--layers", "conv1_1", "--units", "0", "--size", "32"),
            *("--evaluations", "1", "--quiet"),
        ),
        "out.png",
        (),
    ),
    "lut": (("lut", "painting.png", "photo.png", "--points", "5", "--quiet"), "out.cube", ()),
    "networks normalize": (
        ("networks", "normalize", "--images", "folder", "--size", "32", "--quiet"),
        "out.safetensors",
        (),
    ),
}
READERS = {
    "show",
    "score",
    "info",
    "completion",
    "jobs",
    "worker",
    "studio",
}  # jobs and the studio keep files in a home of their own

every_writer = pytest.mark.parametrize("name", WRITERS)


@pytest.fixture
def place(room, made):
    """The room with an input for every command."""
    generator = np.random.default_rng(0)
    t = np.arange(2000) / 8000
    for name, pitch in (("a", 440), ("b", 300)):
        wave = torch.tensor(0.4 * np.sin(2 * np.pi * pitch * t)[None], dtype=torch.float32)
        sounds.write(f"{name}.wav", wave, 8000)
        values = torch.tensor(np.sin(np.arange(300) / 9)[None] + generator.normal(0, 0.05, (1, 300)))
        signals.write(f"{name}.csv", signals.as_record(values.float(), 100.0, leads=("I",)))
    frames = [Image.fromarray((generator.random((24, 32, 3)) * 255).astype(np.uint8)) for _ in range(2)]
    frames[0].save("clip.gif", save_all=True, append_images=frames[1:], duration=40)
    np.save("scan.npy", (generator.random((16, 16, 16)) * 255).astype(np.uint8))
    (room / "made.png").write_bytes(made.read_bytes())
    (room / "folder").mkdir()
    Image.open("photo.png").resize((32, 24)).save(room / "folder" / "p.png")
    return room


def written(name, output):
    """The words of a command that writes an output."""
    words, _, _ = WRITERS[name]
    return (*words, "-output_image" if name == "neural-style" else "-o", output)


def contents(folder):
    """Every file with its content."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_command_that_writes_is_here():
    """A new command joins the table above, or the list of those that write nothing."""
    assert {name.split()[0] for name in WRITERS} == {name.split()[0] for name in COMMANDS} - READERS


@every_writer
def test_files_of_others_are_not_replaced_unasked(call, place, name):
    """The output and everything beside it: refused before anything is computed, by its name, and untouched."""
    _, output, beside = WRITERS[name]
    overwrite, rehearse = ("-overwrite", "-dry_run") if name == "neural-style" else ("--overwrite", "--dry-run")
    for path in (output, *beside):
        (place / path).write_bytes(MINE)
        before = contents(place)
        outcome = call(*written(name, output))
        assert (outcome.code, outcome.out) == (2, "")
        assert f"{path} is there already and was not made by impasto" in outcome.err
        assert overwrite in outcome.err
        assert contents(place) == before
        (place / path).unlink()
    (place / output).write_bytes(MINE)
    assert call(*written(name, output), overwrite, rehearse).code == 0
    assert (place / output).read_bytes() == MINE


@every_writer
def test_a_dry_run_names_what_would_be_written_and_writes_nothing(call, place, name):
    """All of it: the output, and what comes beside it."""
    _, output, beside = WRITERS[name]
    before = contents(place)
    outcome = call(*written(name, output), "-dry_run" if name == "neural-style" else "--dry-run")
    assert outcome.code == 0
    for path in (output, *beside):
        assert path.replace("_2.", "_N.") in outcome.out
    assert contents(place) == before


@every_writer
def test_names_that_cannot_be_get_a_sentence(call, place, name):
    """Before the run, in every command: one line, code 2, and nothing has changed."""
    suffix = WRITERS[name][1].removeprefix("out")
    (place / f"dir{suffix}").mkdir()
    (place / f"dir{suffix}" / "full").touch()
    (place / f"device{suffix}").symlink_to("/dev/null")
    before = contents(place)
    for output in ("x" * 256 + suffix, f"a\0b{suffix}", f"dir{suffix}", f"photo.png/out{suffix}", f"device{suffix}"):
        outcome = call(*written(name, output))
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1), output
        assert "Traceback" not in outcome.err
        assert contents(place) == before
    assert call(*written(name, "/dev/full")).code == 2


@pytest.mark.parametrize("name", ["stylize", "texture", "rerun", "volume texture", "sound stylize", "signal texture"])
def test_checkpoints_that_cannot_be_are_refused(call, place, name):
    """Also by a dry run, which makes no folder for one that can."""
    before = contents(place)
    for checkpoint in ("photo.png", "photo.png/run", "y" * 256, "a\0b"):
        outcome = call(*written(name, WRITERS[name][1]), "--dry-run", "--checkpoint", checkpoint)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
        assert "checkpoint folder" in outcome.err
    assert "run" in call(*written(name, WRITERS[name][1]), "--dry-run", "--checkpoint", "run").out
    assert contents(place) == before
    assert not (place / "run").exists()


@pytest.mark.parametrize("name", [name for name in WRITERS if name not in ("explore", "stylize --watch")])
def test_what_impasto_made_it_may_replace(call, place, name):
    """Every file says that it is impasto's, so that the same command works twice."""
    _, output, beside = WRITERS[name]
    outcome = call(*written(name, output))
    assert outcome.code == 0, outcome.err
    for path in (output, *beside):
        assert made_here(place / path), path
    rehearse = "-dry_run" if name == "neural-style" else "--dry-run"
    assert call(*written(name, output), rehearse).code == 0


@pytest.mark.parametrize("option", [(), ("--overwrite",)])
@pytest.mark.parametrize(
    ("words", "output"),
    [
        (STYLIZE, "photo.png"),
        (STYLIZE, "hard.png"),
        (STYLIZE, "folder/../soft.png"),
        ((*STYLIZE, "--watch", "photo.png"), "out.png"),
        ((*STYLIZE, "--save-every", "1", "--init", "out_1_0004.png"), "out.png"),
        (("preview", "photo.png", "painting.png"), "painting.png"),
        (("figure", "pooling", "photo.png"), "photo.png"),
        (("sound", "stylize", "a.wav", "b.wav"), "b.wav"),
        (("signal", "texture", "a.csv"), "a.csv"),
        (("volume", "stylize", "scan.npy", "painting.png"), "scan.npy"),
        (("visualize", "patches", "--layer", "conv1_1", "--images", "folder"), "folder/p.png"),
    ],
)
def test_what_is_read_is_never_replaced(call, place, words, output, option):
    """Under no option and by no other name."""
    (place / "hard.png").hardlink_to(place / "photo.png")
    (place / "soft.png").symlink_to("painting.png")
    (place / "out_1_0004.png").write_bytes((place / "photo.png").read_bytes())
    before = contents(place)
    outcome = call(*words, "-o", output, *option, "--quiet")
    assert (outcome.code, outcome.out) == (2, "")
    assert "overwrite" in outcome.err
    assert contents(place) == before


@pytest.mark.parametrize("option", [(), ("--overwrite",)])
def test_tiles_do_not_take_the_place_of_what_is_read(call, place, option):
    """The folder of a Deep Zoom picture is replaced as a whole; what is read does not lie in it."""
    assert call(*WRITERS["stylize .dzi"][0], "-o", "out.dzi").code == 0
    tile = max((place / "out_files").rglob("*.jpg"), key=lambda path: path.stat().st_size)
    before = contents(place)
    outcome = call("stylize", tile, "painting.png", "-o", "out.dzi", *option)
    assert outcome.code == 2
    assert "out.dzi would remove" in outcome.err
    assert contents(place) == before


def test_what_a_format_has_no_room_for_is_said_before_the_run(call, place):
    """Also by a dry run; the picture itself is made."""
    Image.open("photo.png").save("long.tif", description="x" * 80_000)
    outcome = call("stylize", "long.tif", "painting.png", "-o", "out.jpg", "--size", "32", "--dry-run")
    assert outcome.code == 0
    assert "Left out, as a JPEG file has no room for it" in outcome.err


def test_a_frame_of_neural_style_is_never_its_photo(call, place):
    """Its content image may be called like a picture on the way, which once was its end."""
    (place / "out_2.png").write_bytes((place / "photo.png").read_bytes())
    before = contents(place)
    words = [word.replace("photo.png", "out_2.png") for word in NEURAL]
    for option in ((), ("-overwrite",)):
        outcome = call(*words, "-output_image", "out.png", *option)
        assert (outcome.code, outcome.out) == (2, "")
        assert "-save_iter might overwrite out_2.png" in outcome.err
        assert contents(place) == before


RUNS = {
    "stylize": "impasto.runs.pictures.stylize.Transfer.run",
    "volume stylize": "impasto.runs.solids.volume.VolumeTransfer.run",
    "sound stylize": "impasto.runs.sequences.sound.SoundTransfer.run",
    "signal stylize": "impasto.runs.sequences.signal.SignalTransfer.run",
    "signal texture": "impasto.runs.sequences.signal.SignalTransfer.run",
    "figure": "impasto.studies.figure_sheet.drawn",
    "visualize unit": "impasto.studies.visualization.visualize_unit",
    "networks normalize": "impasto.studies.normalization.normalize",
    "neural-style": "impasto.runs.pictures.neural_style.painting.Painting.finished",
    "preview": "impasto.feedforward.preview.preview",
    "lut": "impasto.studies.color_table.color_table",
}
every_run = pytest.mark.parametrize("name", RUNS)


@pytest.fixture
def at_the_end(monkeypatch):
    """A function that lets something happen when a command has computed what it will save."""

    def arrange(name, happens):
        module, _, function = RUNS[name].rpartition(".")
        owner = pytest.importorskip(module) if module.rpartition(".")[2].islower() else None
        if owner is None:
            module, _, word = module.rpartition(".")
            owner = getattr(pytest.importorskip(module), word)
        before = getattr(owner, function)

        def run(*words, **named):
            result = before(*words, **named)
            happens()
            return result

        monkeypatch.setattr(owner, function, run)

    return arrange


@every_run
def test_a_folder_that_vanishes_does_not_cost_the_result(call, place, at_the_end, name):
    """It is kept in the current folder instead; one sentence says where, and the exit code is 1."""
    output = WRITERS[name][1]
    (place / "sub").mkdir()

    def vanish():
        if (place / "sub").is_dir():
            (place / "sub").rename(place / "gone")

    at_the_end(name, vanish)
    outcome = call(*written(name, f"sub/{output}"))
    assert outcome.code == 1
    assert f"sub/{output}" in outcome.err
    assert "cannot be written because the folder" in outcome.err
    stem, _, suffix = output.partition(".")
    kept = place / f"{stem}-kept.{suffix}"
    kept = kept if kept.exists() else place / f"{output.rpartition('.')[0]}-kept.{suffix}"
    assert f"; what was made is in {kept.name}." in outcome.err
    assert made_here(kept) or kept.suffix == ".npy"


@every_run
def test_a_file_that_appears_meanwhile_stays(call, place, at_the_end, name):
    """Somebody else's file is not replaced because it came later; the result is beside it."""
    output = WRITERS[name][1]
    at_the_end(name, lambda: (place / output).write_bytes(MINE))
    outcome = call(*written(name, output))
    assert outcome.code == 1
    assert f"{output} was written by somebody else meanwhile and is not replaced; what was made is in " in outcome.err
    assert (place / output).read_bytes() == MINE
    assert list(place.glob("*-kept*"))


def test_an_encoder_that_fails_costs_the_format_alone(call, place, at_the_end, monkeypatch):
    """What JPEG does not take goes into a PNG with everything, and what that does not take into one of pixels alone."""
    write = images.write

    def failing(path, pixels, **options):
        if str(path).endswith("jpg") or options.get("recipe"):
            raise ImageError("No room for words.")
        write(path, pixels, **options)

    at_the_end("stylize", lambda: monkeypatch.setattr("impasto.images.write", failing))
    outcome = call(*WRITERS["stylize"][0], "-o", "out.jpg", "--json")
    assert outcome.code == 1
    assert "No room for words; what was made is in out-kept.png." in outcome.err
    report = json.loads(outcome.out)
    assert report["output"] == "out-kept.png"
    assert images.read("out-kept.png").shape == (24, 32)


@pytest.mark.parametrize("stream", ["full", "closed"])
def test_standard_output_that_fails_does_not_cost_the_picture(start, place, stream):
    """A full device or a reader that went away: the picture is in the current folder."""
    if stream == "full":
        target = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, target = os.pipe()
        os.close(reader)
    process = start(*WRITERS["stylize"][0], "-o", "-", stdout=target)
    os.close(target)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert b"Standard output cannot be written" in err
    assert b"; what was made is in impasto-kept.png." in err
    assert b"Traceback" not in err
    assert images.read_recipe(place / "impasto-kept.png")["complete"]


def test_every_frame_that_fails_is_said_and_the_others_are_written(call, place):
    """A frame that cannot be costs neither the later ones nor the picture."""
    (place / "out_1_0001.png").mkdir()
    (place / "out_1_0002.png").mkdir()
    words = ("--size", "32", "--optimizer", "adam", "--evaluations", "3", "--save-every", "1", "--quiet")
    outcome = call(*STYLIZE, "-o", "out.png", *words)
    assert outcome.code == 0
    assert outcome.err.count("is a folder") == 2
    assert made_here(place / "out_1_0003.png")
    assert made_here(place / "out.png")


def test_frames_of_others_are_not_replaced(call, place):
    """What bears the name of a frame may be a person's picture."""
    (place / "out_1_0001.png").write_bytes(MINE)
    outcome = call(*STYLIZE, "-o", "out.png", "--save-every", "1")
    assert outcome.code == 2
    assert "out_1_0001.png is there already and was not made by impasto" in outcome.err


def test_a_stopped_run_is_saved_before_it_is_measured(call, place, monkeypatch):
    """A second signal while the losses are measured, or torchrun's impatience, does not cost the picture."""
    from impasto.engines import Engine

    evaluate, calls = Engine.evaluate, []

    def signaled(self, *words, **named):
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return evaluate(self, *words, **named)

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "evaluate", signaled)
    monkeypatch.setattr(Engine, "measure", interrupted)
    outcome = call(*STYLIZE, "-o", "out.png", "--size", "64", "--coarsest", "32", "--evaluations", "50", "--quiet")
    assert outcome.code == 130
    assert "Aborted before the losses were measured; the picture is in out.png." in outcome.err
    recipe = images.read_recipe("out.png")
    assert (recipe["complete"], recipe["losses"]) == (False, {})
    assert "not measured" in call("show", "out.png").out


def test_two_runs_at_once_on_one_checkpoint(start, call, place):
    """The second one is refused for as long as the first one runs."""
    words = (*STYLIZE, "--size", "32", "--evaluations", "100000", "--settle", "0", "--checkpoint", "run")
    process = start(*words, "-o", "one.png")
    for line in process.stderr:
        if b"evaluation" in line:
            break
    outcome = call(*words, "-o", "two.png", "--quiet")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "in use by another run" in outcome.err


def test_without_metadata_no_file_says_how_it_was_made(call, place):
    """Neither the sound nor its picture; they are not known as impasto's then, and are replaced when asked."""
    words = (*written("sound texture", "out.wav"), "--no-metadata")
    assert call(*words).code == 0
    assert sounds.read_recipe("out.wav") is None
    assert images.read_recipe("out.png") is None
    assert images.read_parameters("out.png") is None
    assert call(*words).code == 2
    assert call(*words, "--overwrite").code == 0


def test_an_empty_file_is_nobodys_loss(place):
    """Such as mktemp makes; anything in it, and it is somebody's."""
    (place / "new.png").touch()
    assert made_here(place / "new.png")
    (place / "new.png").write_bytes(b" ")
    assert not made_here(place / "new.png")
    assert not made_here(place / "none.png")
