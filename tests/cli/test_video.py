"""``impasto video`` through its entry point."""

import json
import re
import signal
import time

import numpy as np
import pytest
from PIL import Image

from impasto import videos

QUICK = ("--frame-evaluations", "1")


@pytest.fixture(scope="module")
def clip(tmp_path_factory, originals):
    """Six frames of a photo that moves, as an MP4 of 48 x 32 pixels."""
    photo = np.array(Image.open(originals[0]).convert("RGB"))
    folder = tmp_path_factory.mktemp("clip")
    (folder / "frames").mkdir()
    for index in range(6):
        Image.fromarray(photo[8:40, index : index + 48]).save(folder / "frames" / f"{index}.png")
    still = videos.read(folder / "frames")
    levels = [photo[8:40, index : index + 48].copy() for index in range(6)]
    videos.write(folder / "clip.mp4", videos.Painted(still, 6, lambda index: levels[index]), quality=100)
    return folder / "clip.mp4"


@pytest.fixture
def there(room, clip):
    """The current folder, with ``clip.mp4`` and ``painting.png``."""
    (room / "clip.mp4").write_bytes(clip.read_bytes())
    return room


def frames(folder):
    """The bytes of all frames."""
    return [path.read_bytes() for path in sorted(folder.glob("*.png"))]


@pytest.fixture(scope="module")
def made(tmp_path_factory, clip, originals, fast):
    """The clip, painted in one go: the video and the folder of its frames."""
    from impasto.cli import main

    path = tmp_path_factory.mktemp("made") / "out.mp4"
    assert main(["video", str(clip), str(originals[1]), "-o", str(path), "-q", *QUICK, *fast]) == 0
    return path, path.with_name("out.mp4.frames")


def test_a_clip_is_painted(call, there, fast, made):
    """The video has the clip's frames and times; the painted ones are beside it, and what was done is said."""
    outcome = call("video", "clip.mp4", "painting.png", "-o", "out.mp4", *QUICK, *fast)
    assert outcome.code == 0
    assert "Wrote out.mp4, 64x44" in outcome.err
    assert "The painted frames are in out.mp4.frames" in outcome.err
    assert "6/6  frame 6" in outcome.err
    found = videos.read("out.mp4")
    assert (len(found), found.shape) == (6, (44, 64))
    assert (there / "out.mp4").read_bytes() == made[0].read_bytes()
    assert frames(there / "out.mp4.frames") == frames(made[1])


def test_other_options_of_encoding_paint_nothing_again(call, there, fast, made):
    """The frames are those that are there, and their files are not touched."""
    words = ("video", "clip.mp4", "painting.png", *QUICK, *fast, "-q")
    assert call(*words, "-o", "a.mp4", "--checkpoint", "frames").code == 0
    before = {path: path.stat().st_mtime_ns for path in (there / "frames").glob("*.png")}
    assert call(*words, "-o", "a.mp4", "--checkpoint", "frames", "--quality", "20").code == 0
    assert call(*words, "-o", "a.webm", "--checkpoint", "frames", "--codec", "av1", "--no-sound").code == 0
    assert {path: path.stat().st_mtime_ns for path in (there / "frames").glob("*.png")} == before
    assert len(before) == 6
    outcome = call(*words, "-o", "a.mp4", "--checkpoint", "frames", "--strength", "0.9")
    assert outcome.code == 2
    assert "differs in: strength" in outcome.err


def test_killed_at_any_moment_it_goes_on_to_the_same_bytes(start, there, fast, made):
    """Three times, at growing distances; then it ends by itself."""
    words = ("video", "clip.mp4", "painting.png", "-o", "out.mp4", "-q", *QUICK, *fast)
    for count in (1, 3, 5):
        process = start(*words)
        while process.poll() is None and len(frames(there / "out.mp4.frames")) < count:
            time.sleep(0.01)
        process.kill()
        process.communicate()
    process = start(*words)
    process.communicate(timeout=240)
    assert process.returncode == 0
    assert frames(there / "out.mp4.frames") == frames(made[1])
    assert (there / "out.mp4").read_bytes() == made[0].read_bytes()


def test_ctrl_c_leaves_a_film_of_what_is_done(start, there, fast):
    """Shorter, playable, and said to be incomplete; the same command goes on."""
    options = [*fast]
    options[5] = "3"
    process = start("video", "clip.mp4", "painting.png", "-o", "out.mp4", "--frame-evaluations", "60", *options)
    for line in process.stderr:
        if re.match(rb"4/6", line):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 130
    assert b"The same command goes on from" in err
    found = videos.read("out.mp4")
    assert 0 < len(found) < 6
    assert videos.read_recipe(there / "out.mp4")["complete"] is False


def test_rerun_makes_the_same_video(call, there, made):
    """From what its file says."""
    (there / "made.mp4").write_bytes(made[0].read_bytes())
    assert call("rerun", "made.mp4", "-q").code == 0
    assert (there / "made_again.mp4").read_bytes() == made[0].read_bytes()
    outcome = call("show", "made.mp4")
    assert outcome.code == 0
    assert "impasto video clip.mp4 painting.png" in outcome.out


def test_a_report(call, there, fast):
    """As of other results."""
    outcome = call("video", "clip.mp4", "painting.png", "-o", "out.gif", "--json", "-q", *QUICK, *fast)
    report = json.loads(outcome.out)
    assert (report["output"], report["width"], report["height"], report["complete"]) == ("out.gif", 64, 44, True)
    assert report["measures"] == {"frames": 6.0, "shots": 1.0}


def test_a_plan_writes_nothing(call, there, fast):
    """And is of all frames."""
    before = sorted(path.name for path in there.iterdir())
    outcome = call("video", "clip.mp4", "painting.png", "-o", "out.mp4", "--dry-run", *fast)
    assert outcome.code == 0
    assert "out.mp4.frames" in outcome.out
    assert sorted(path.name for path in there.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("none.mp4", "-o", "out.mp4"), "none.mp4 does not exist"),
        (("painting.png", "-o", "out.mp4"), "single picture"),
        (("clip.mp4", "-o", "clip.mp4"), "which the run reads"),
        (("clip.mp4", "-o", "out.avi"), "does not end like a video"),
        (("clip.mp4", "-o", "out.webm", "--codec", "h264"), "holds vp9, av1 here, not h264"),
        (("clip.mp4", "-o", "-"), "Only single pictures go to standard output"),
        (("clip.mp4", "-o", "out.mp4", "--size", "65"), "odd"),
        (("clip.mp4", "-o", "out.mp4", "--rate", "9"), "says itself when"),
        (("clip.mp4", "-o", "out.mp4", "--checkpoint", "clip.mp4"), "not a folder"),
    ],
)
def test_bad_input_gets_a_sentence(call, there, words, sentence):
    """Exit code 2, and nothing is left."""
    (there / "mine.txt").write_text("mine")
    before = sorted(path.name for path in there.iterdir())
    first, *rest = words
    outcome = call("video", first, "painting.png", *rest)
    assert outcome.code == 2
    assert sentence in outcome.err
    assert sorted(path.name for path in there.iterdir()) == before


def test_a_video_of_others_is_not_replaced(call, there, fast, clip):
    """Unless that is asked for; one that impasto made is."""
    (there / "out.mp4").write_bytes(clip.read_bytes())
    words = ("video", "clip.mp4", "painting.png", "-o", "out.mp4", "-q", *QUICK, *fast)
    outcome = call(*words)
    assert (outcome.code, "was not made by impasto" in outcome.err) == (2, True)
    assert call(*words, "--overwrite").code == 0
    assert call(*words).code == 0


def test_what_is_finished_can_be_watched(call, there, fast, made):
    """As a film that grows, also with the frames of a run before; at the end it has all frames."""
    counts = []
    real = videos.write

    def noted(path, painted, **options):
        if path.name == "so-far.mp4":
            counts.append(painted.count)
        return real(path, painted, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(videos, "write", noted)
        words = ("video", "clip.mp4", "painting.png", "-o", "out.mp4", *QUICK, *fast, "-q")
        assert call(*words, "--watch", "so-far.mp4").code == 0
    assert counts == sorted(counts)
    assert counts[-1] == 6
    assert len(videos.read("so-far.mp4")) == 6
    outcome = call(*words, "--watch", "clip.mp4")
    assert outcome.code == 2
    assert "clip.mp4" in outcome.err


def test_moving_masks_from_the_command_line(call, there, fast, clip):
    """A mask may be a video; one of another length is refused before anything is painted."""
    bars = [np.zeros((32, 48, 3), np.uint8) for _ in range(6)]
    for index, bar in enumerate(bars):
        bar[:, : 8 + 4 * index] = 255
    like = videos.read(clip)
    videos.write(there / "mask.mp4", videos.Painted(like, 6, lambda index: bars[index]), quality=100)
    videos.write(there / "short.mp4", videos.Painted(like, 4, lambda index: bars[index]), quality=100)
    words = ("video", "clip.mp4", "painting.png", "-o", "out.mp4", *QUICK, *fast, "-q")
    assert call(*words, "--mask", "mask.mp4").code == 0
    assert videos.read_recipe(there / "out.mp4")["inputs"]["masks"][0]["photo"]["name"] == "mask.mp4"
    assert call("rerun", "out.mp4", "-o", "again.mp4", "-q").code == 0
    assert frames(there / "again.mp4.frames") == frames(there / "out.mp4.frames")
    outcome = call(*words[:3], "-o", "b.mp4", *QUICK, *fast, "--protect", "short.mp4")
    assert outcome.code == 2
    assert "short.mp4 has 4 frames and clip.mp4 has 6" in outcome.err
