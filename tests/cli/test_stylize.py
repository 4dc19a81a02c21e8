"""``impasto stylize`` from words to a file."""

import io
import json

import pytest
from PIL import Image

from impasto import images

PAIR = ("stylize", "photo.png", "painting.png")


def test_a_picture_comes_out(call, room, fast):
    """The picture has the asked size and says how it was made; progress goes to stderr and stdout stays empty."""
    outcome = call(*PAIR, "-o", "out.png", *fast)
    assert (outcome.code, outcome.out) == (0, "")
    assert images.read("out.png").shape == (48, 64)
    assert images.read_recipe("out.png")["settings"]["size"] == 64
    lines = outcome.err.splitlines()
    assert lines[0].startswith("level 1/2 32x24  evaluation 1/2  total ")
    assert lines[1].startswith("level 2/2 64x48  evaluation 1/2  total ")
    assert lines[-1].startswith("Wrote out.png, 64x48, after ")
    assert all(letter.isprintable() for line in lines for letter in line)


def test_json_report(call, room, fast):
    """With --json stdout is one JSON document that says what the recipe and the file say."""
    outcome = call(*PAIR, "-o", "out.png", "--json", "--quiet", *fast)
    report = json.loads(outcome.out)
    recipe = images.read_recipe("out.png")
    assert outcome.err == ""
    assert (report["output"], report["width"], report["height"], report["complete"]) == ("out.png", 64, 48, True)
    assert report["settings"]["size"] == 64
    assert report["losses"]["delivered"]["total"] == recipe["losses"]["total"]
    optimized = report["losses"]["optimized"]
    assert optimized["total"] == pytest.approx(sum(optimized["weighted"].values()))
    assert set(optimized["layers"]) >= {"content/image/distance", "content/conv4_1/cosine", "style/conv1_1"}
    assert report["levels"][1] == {"width": 64, "height": 48, "planned": 2, "made": 2}
    assert set(report["timings"]) == {"setup", "descent", "final"}


def test_standard_output_holds_the_picture_alone(start, room, fast):
    """-o - gives exactly a PNG on stdout, with everything else on stderr."""
    out, err = start(*PAIR, "-o", "-", *fast).communicate(timeout=240)
    picture = Image.open(io.BytesIO(out))
    picture.load()
    assert (picture.format, picture.size) == ("PNG", (64, 48))
    assert out.endswith(b"IEND\xaeB`\x82")
    assert b"Wrote standard output" in err
    assert b"\x1b" not in err


def test_no_metadata(call, room, fast):
    """--no-metadata leaves nothing in the file."""
    call(*PAIR, "-o", "out.png", "--no-metadata", *fast)
    assert images.read_recipe("out.png") is None
    assert images.read_parameters("out.png") is None


def test_storage(call, room, fast):
    """Quality and depth reach the file."""
    for words in (("low.jpg", "--quality", "20"), ("high.jpg", "--quality", "99"), ("deep.png", "--depth", "16")):
        assert call(*PAIR, "-o", *words, "--quiet", *fast).code == 0
    assert (room / "low.jpg").stat().st_size < (room / "high.jpg").stat().st_size
    assert images.read("deep.png").source.depth == 16


def test_what_the_file_has_no_room_for_is_said_before_the_run(call, room, fast):
    """And in the report; without metadata there is nothing to leave out."""
    exif = Image.Exif()
    exif[0x010E] = "d" * 80_000
    with Image.open("photo.png") as photo:
        photo.save("described.png", exif=exif)
    sentence = "Left out, as a JPEG file has no room for it: EXIF ImageDescription."
    outcome = call("stylize", "described.png", "painting.png", "-o", "out.jpg", "--json", *fast)
    assert outcome.code == 0
    assert outcome.err.splitlines()[0] == sentence
    assert json.loads(outcome.out)["notes"] == [sentence]
    assert sentence not in call("stylize", "described.png", "painting.png", "-o", "a.jpg", "--no-metadata", *fast).err


def test_several_styles(call, room, fast):
    """Paintings follow one another, with a share each."""
    outcome = call(*PAIR, "photo.png", "-o", "out.png", "--blend", "3,1", *fast)
    assert outcome.code == 0
    assert len(images.read_recipe("out.png")["inputs"]["styles"]) == 2


def test_preset_from_a_file(call, room, fast):
    """A preset's settings hold where nothing else was given."""
    (room / "mine.toml").write_text("size = 48\nstrength = 0.9\n")
    call(*PAIR, "-o", "out.png", "--preset", "mine.toml", *fast)
    settings = images.read_recipe("out.png")["settings"]
    assert (settings["size"], settings["strength"]) == (64, 0.9)


def test_frames_and_preview(call, room, fast):
    """--save-every and --watch leave pictures beside the output."""
    words = ("--save-every", "1", "--watch", "now.jpg", "--no-metadata")
    assert call(*PAIR, "-o", "out.png", *words, *fast).code == 0
    frames = sorted(path.name for path in room.glob("out_*"))
    assert frames == ["out_1_0001.png", "out_1_0002.png", "out_2_0001.png", "out_2_0002.png"]
    assert [images.read(name).shape for name in (frames[0], frames[-1])] == [(24, 32), (48, 64)]
    assert images.read("now.jpg").shape in {(24, 32), (48, 64)}  # as often as the machine is quick


def test_checkpoint_goes_on(call, room, fast):
    """The same command over a finished checkpoint computes nothing again and gives the same file."""
    call(*PAIR, "-o", "one.png", "--checkpoint", "state", *fast)
    again = call(*PAIR, "-o", "two.png", "--checkpoint", "state", *fast)
    assert "level 1/2" not in again.err
    assert (room / "one.png").read_bytes() == (room / "two.png").read_bytes()


def test_a_preview_that_fails_does_not_end_the_run(call, room, monkeypatch, fast):
    """A preview that cannot be written is told once, in the report too, and the picture comes out."""
    write = images.write

    def full(path, *words, **options):
        if str(path) == "now.png":
            raise images.picture.ImageError("The disk is full.")
        write(path, *words, **options)

    monkeypatch.setattr("impasto.images.write", full)
    outcome = call(*PAIR, "-o", "out.png", "--watch", "now.png", "--json", *fast)
    assert outcome.code == 0
    assert outcome.err.count("The disk is full. The run goes on without it.") == 1
    assert json.loads(outcome.out)["notes"][0].startswith("The disk is full.")


def test_dry_run(call, room, fast):
    """The plan is a table, and nothing is written."""
    outcome = call(*PAIR, "-o", "out.png", "--dry-run", *fast)
    assert outcome.code == 0
    rows = [line.split() for line in outcome.out.splitlines()]
    assert ["1/2", "32x24", "2"] in [row[:3] for row in rows]
    assert "4 evaluations in fp32 on cpu, about " in outcome.out
    assert not (room / "out.png").exists()


def test_dry_run_as_json(call, room, fast):
    """The plan as JSON has levels, an estimate of time and memory, and the settings; it needs no output."""
    plan = json.loads(call(*PAIR, "--dry-run", "--json", *fast).out)
    assert plan["levels"][1] == {"width": 64, "height": 48, "evaluations": 2}
    assert (plan["evaluations"], plan["precision"], plan["device"]) == (4, "fp32", "cpu")
    assert plan["seconds"] > 0
    assert plan["memory"] > 1e8
    assert plan["files"] == 0


def test_dry_run_checks_the_output(call, room, fast):
    """What a run would refuse, a dry run refuses."""
    assert call(*PAIR, "-o", "missing/out.png", "--dry-run", *fast).code == 2


def test_too_little_memory_is_refused(call, room, fast):
    """Before anything is computed, by the run and by its plan; what is no amount too."""
    for words in (["-o", "out.png"], ["--dry-run"]):
        outcome = call(*PAIR, *words, "--memory", "300MB", *fast)
        assert outcome.code == 2
        assert "needs about 0.5 GB of memory even in the smallest tiles" in outcome.err
        assert "it may use 0.3 GB; give it more with --memory" in outcome.err
    assert "write it like 4GB" in call(*PAIR, "--dry-run", "--memory", "plenty", *fast).err
    assert not (room / "out.png").exists()


def test_a_run_in_tiles_says_how(call, room, fast):
    """How many tiles of which size, and the memory; its recipe remembers it."""
    layers = ["--content-layers", "conv2_1", "--style-layers", "conv1_1"]
    many = ["--size", "384", "--coarsest", "384", "--evaluations", "1", "--device", "cpu", *layers]
    outcome = call(*PAIR, "-o", "out.png", "--memory", "560MB", *many)
    assert outcome.code == 0
    assert "Level 1 of 1, 384x288, is computed in " in outcome.err
    assert " tiles of up to " in outcome.err
    assert images.read_recipe("out.png")["tiles"][0] > 1


def test_deep_zoom_is_written(call, room, fast):
    """By its extension."""
    assert call(*PAIR, "-o", "out.dzi", *fast).code == 0
    assert (room / "out_files").is_dir()
    assert images.read_recipe("out.dzi")["task"] == "stylize"
