"""Painted frames as videos: with the clip's times and its sound, whole or not at all."""

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from impasto import videos
from impasto.errors import SettingsError, VideoError
from impasto.videos.frames import FrameFolder

RECIPE = {"impasto": "0.1", "task": "video", "said": "äöü"}
FILMS = [("a.mp4", None), ("a.mp4", "hevc"), ("a.mp4", "av1"), ("a.mov", None), ("a.mkv", None), ("a.webm", None)]
PICTURES = ["a.gif", "a.webp", "a.png"]


@pytest.fixture
def painted(clip_of, scene, pixels_of):
    """The scene, as if it had been painted."""
    return videos.Painted(clip_of(scene.frames), 6, lambda index: pixels_of(scene.frames[index]))


@pytest.mark.parametrize(("name", "codec"), FILMS, ids=str)
def test_films(tmp_path, painted, scene, name, codec):
    """Frames, times and recipe come back; nothing else is left in the folder."""
    path = tmp_path / name
    assert videos.check_writable(path, painted.like, (64, 96), recipe=RECIPE, codec=codec) == ()
    assert not list(tmp_path.iterdir())
    assert videos.write(path, painted, recipe=RECIPE, codec=codec) == ()
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert videos.read_recipe(path) == RECIPE
    clip = videos.read(path)
    assert clip.shape == (64, 96)
    assert [float(time) for time in clip.times] == pytest.approx([index / 25 for index in range(6)], abs=0.0011)
    for found, exact in zip(clip.frames((64, 96)), scene.frames, strict=True):
        assert (found - exact).abs().mean() < 0.04


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="only Linux tells of threads")
@pytest.mark.parametrize(("name", "codec"), FILMS, ids=str)
def test_no_encoder_puts_the_process_before_all_others(tmp_path, painted, name, codec):
    """While a film is encoded and after it, all threads have the priority that they had: SVT-AV1 would be real-time."""

    def policies():
        threads = [int(path.name) for path in Path("/proc/self/task").iterdir()]
        return {os.sched_getscheduler(thread) for thread in threads}

    before, seen = policies(), []

    def frame(index):
        seen.append(policies())
        return painted.frame(index)

    videos.write(tmp_path / name, replace(painted, frame=frame), codec=codec)
    assert {policy for each in (*seen, policies()) for policy in each} == before


@pytest.mark.parametrize("name", PICTURES)
def test_moving_pictures(tmp_path, painted, scene, name):
    """What Pillow writes; a PNG loses nothing."""
    path = tmp_path / name
    videos.write(path, painted, recipe=RECIPE)
    assert videos.read_recipe(path) == RECIPE
    clip = videos.read(path)
    assert [float(time) for time in clip.times] == pytest.approx([index / 25 for index in range(6)], abs=0.0011)
    for found, exact in zip(clip.frames((64, 96)), scene.frames, strict=True):
        assert (found - exact).abs().mean() < (1e-6 if name == "a.png" else 0.05)


def test_a_folder_of_frames(tmp_path, painted, scene, pixels_of):
    """A name without an ending."""
    videos.write(tmp_path / "frames", painted, recipe=RECIPE)
    files = sorted((tmp_path / "frames").iterdir())
    assert [file.name for file in files] == [*(f"{index:06d}.png" for index in range(6)), "recipe.json"]
    assert np.array_equal(np.array(Image.open(files[5])), pixels_of(scene.frames[5]))
    assert videos.read_recipe(tmp_path / "frames") == RECIPE
    videos.write(tmp_path / "frames", painted)
    assert videos.read_recipe(tmp_path / "frames") == {"impasto": ""}
    assert len(videos.read(tmp_path / "frames")) == 6


def test_keyframes_are_laid_out_as_ebsynth_wants_them(tmp_path, clip_of, scene, pixels_of):
    """Painted ones in ``keys`` under the numbers of the clip's frames, which are all in ``frames``."""
    keys = videos.Keyframes.every(clip_of(scene.frames), 4)
    painted = videos.Painted(keys, 2, lambda index: pixels_of(scene.frames[index]))
    videos.write(tmp_path / "out", painted, recipe=RECIPE)
    assert sorted(file.name for file in (tmp_path / "out" / "keys").iterdir()) == ["000000.png", "000004.png"]
    frames = sorted((tmp_path / "out" / "frames").iterdir())
    assert [file.name for file in frames] == [f"{index:06d}.png" for index in range(6)]
    assert np.array_equal(np.array(Image.open(frames[3])), pixels_of(scene.frames[3]))
    assert videos.read_recipe(tmp_path / "out") == RECIPE
    videos.write(tmp_path / "keys.mp4", painted)
    assert [float(time) for time in videos.read(tmp_path / "keys.mp4").times] == pytest.approx([0, 0.16], abs=0.001)


def test_nothing_of_others_becomes_a_folder_of_frames(tmp_path, painted):
    """Neither a file, nor a device, nor a link, nor a folder with something in it; an empty one does."""
    (tmp_path / "file").write_bytes(b"mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.png").write_bytes(b"mine")
    (tmp_path / "link").symlink_to("folder")
    for name in ("file", "folder", "link", "/dev/null"):
        for call in (videos.check_name, lambda path: videos.write(path, painted)):
            with pytest.raises(VideoError, match="is there already and is no folder of frames"):
                call(tmp_path / name)
    assert (tmp_path / "file").read_bytes() == (tmp_path / "folder" / "mine.png").read_bytes() == b"mine"
    (tmp_path / "empty").mkdir()
    videos.write(tmp_path / "empty", painted)
    with pytest.raises(VideoError, match="cannot be written"):
        videos.check_name(tmp_path / "none" / "frames")


@pytest.mark.parametrize("color", [(200, 30, 30), (30, 200, 40), (40, 60, 220), (250, 250, 250), (5, 5, 5)], ids=str)
@pytest.mark.parametrize("name", ["a.mp4", "a.webm"])
def test_colors_come_back(tmp_path, clip_of, scene, name, color):
    """Flat colors are off by two levels at most, one for each conversion: matrix and range are labeled and used."""
    flat = videos.Painted(clip_of(scene.frames), 3, lambda index: np.full((64, 96, 3), color, np.uint8))
    videos.write(tmp_path / name, flat, quality=100)
    found = next(videos.read(tmp_path / name).frames((64, 96)))
    assert np.abs(found[0, :, 30, 40].numpy() * 255 - color).max() <= 2.5


def packets(path, kind):
    """Times and bytes of a file's packets."""
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[0]
        return [(float(p.pts * p.time_base), bytes(p)) for p in container.demux(stream) if p.pts is not None]


def test_sound_is_copied(tmp_path, film, pixels_of, scene):
    """Byte for byte and in time with the pictures, also with frames of unlike length."""
    source = film(sound=True, times=[0, 4, 10, 11, 30, 31])
    clip = videos.read(source)
    painted = videos.Painted(clip, 6, lambda index: pixels_of(scene.frames[index]))
    videos.write(tmp_path / "a.mp4", painted)
    before, after = packets(source, "audio"), packets(tmp_path / "a.mp4", "audio")
    assert [data for _, data in after] == [data for _, data in before][: len(after)]
    assert len(before) - len(after) <= 1
    shown = [time for time, _ in packets(tmp_path / "a.mp4", "video")]
    assert sorted(shown) == pytest.approx([0, 0.04, 0.1, 0.11, 0.3, 0.31], abs=0.0011)
    assert after[0][0] - min(shown) == pytest.approx(before[0][0] - float(clip.start), abs=1 / 25)


def test_sound_ends_with_the_pictures(tmp_path, film, pixels_of, scene):
    """Of a video that was stopped."""
    clip = videos.read(film(sound=True, times=[0, 100, 200, 300]))
    videos.write(tmp_path / "a.mkv", videos.Painted(clip, 1, lambda index: pixels_of(scene.frames[index])))
    assert max(time for time, _ in packets(tmp_path / "a.mkv", "audio")) < 1.0 + 1024 / 8000


def test_sound_that_a_container_cannot_hold_is_encoded_again(tmp_path, film, pixels_of, scene):
    """And that is said."""
    clip = videos.read(film(sound=True))
    painted = videos.Painted(clip, 6, lambda index: pixels_of(scene.frames[index]))
    [note] = videos.write(tmp_path / "a.webm", painted)
    assert "encoded again" in note
    assert videos.read(tmp_path / "a.webm").sound
    [note] = videos.write(tmp_path / "a.gif", painted)
    assert "no sound" in note
    assert videos.write(tmp_path / "b.webm", painted, sound=False) == ()
    assert not videos.read(tmp_path / "b.webm").sound


@pytest.mark.parametrize(
    ("name", "storage", "sentence"),
    [
        ("a.avi", {}, "does not end like a video"),
        ("a.webm", {"codec": "h264"}, "holds vp9, av1 here, not h264"),
        ("a.gif", {"codec": "h264"}, "The codec cannot take effect"),
        ("a.png", {"quality": 50}, "The quality cannot take effect"),
        ("a.mp4", {"quality": 0}, "give 1 to 100"),
        ("none/a.mp4", {}, "does not exist"),
    ],
)
def test_names_and_options_that_will_not_do(tmp_path, painted, name, storage, sentence):
    """Found before anything is read."""
    with pytest.raises((VideoError, SettingsError), match=sentence):
        videos.check_name(tmp_path / name, **storage)
    with pytest.raises((VideoError, SettingsError), match=sentence):
        videos.write(tmp_path / name, painted, **storage)


def test_a_file_that_is_there_stays_if_encoding_fails(tmp_path, painted):
    """A frame that cannot be had ends the encoding."""
    path = tmp_path / "a.mp4"
    path.write_bytes(b"mine")

    def frame(index):
        if index == 3:
            raise OSError(28, "No space left on device")
        return painted.frame(index)

    with pytest.raises(VideoError, match="No space left on device"):
        videos.write(path, replace(painted, frame=frame))
    assert path.read_bytes() == b"mine"
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]


def test_frames_in_a_folder_are_found_again(tmp_path, scene):
    """With what was said of them; another video's folder is refused, naming what differs."""
    folder = FrameFolder(tmp_path / "f", {"size": 96, "clip": "a"})
    with folder.held():
        folder.save(0, scene.frames[0], {"value": 0.1})
        with pytest.raises(Exception, match="Another run paints into"), folder.held():
            pass
    frame, said = folder.load(0)
    assert (frame - scene.frames[0]).abs().max() < 1e-6
    assert said == {"value": 0.1}
    assert folder.load(1) is None
    with pytest.raises(Exception, match="differs in: clip, size"), FrameFolder(tmp_path / "f", {"size": 9}).held():
        pass
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.png").write_bytes(b"mine")
    with pytest.raises(Exception, match="no folder of frames"), FrameFolder(tmp_path / "mine", {}).held():
        pass


def test_half_a_frame_is_none(tmp_path, scene):
    """As a killed process may leave it where names come before contents."""
    folder = FrameFolder(tmp_path / "f", {})
    with folder.held():
        folder.save(0, scene.frames[0], {"value": 0.1})
    data = folder.path(0).read_bytes()
    folder.path(0).write_bytes(data[: len(data) // 2])
    assert folder.load(0) is None


def test_times_of_the_clip(clip_of, scene, pixels_of, tmp_path):
    """Times without a common unit are kept to 1/90000 of a second."""
    odd = clip_of(scene.frames)
    odd = replace(odd, times=tuple(index * Fraction(1001, 30011) for index in range(6)), end=Fraction(1, 4))
    object.__setattr__(odd, "path_frames", scene.frames)
    videos.write(tmp_path / "a.mp4", videos.Painted(odd, 6, lambda index: pixels_of(scene.frames[index])))
    found = videos.read(tmp_path / "a.mp4").times
    assert [float(time) for time in found] == pytest.approx([index * 1001 / 30011 for index in range(6)], abs=1e-4)
