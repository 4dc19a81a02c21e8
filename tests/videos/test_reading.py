"""Clips in files, folders and patterns."""

from fractions import Fraction

import av
import pytest
import torch
from PIL import Image

from impasto import videos
from impasto.errors import MissingExtraError, VideoError
from impasto.videos.clip import cuts, even, grid_of


def test_a_film(film, scene):
    """Its frames are those that went in, but for what the codec loses, at their times."""
    clip = videos.read(film())
    assert (len(clip), clip.shape, clip.rate, clip.sound) == (6, (64, 96), 25, False)
    assert clip.times == tuple(Fraction(index, 25) for index in range(6))
    assert clip.end == Fraction(6, 25)
    for found, exact in zip(clip.frames((64, 96)), scene.frames, strict=True):
        assert (found - exact).abs().mean() < 0.03
    assert len(list(clip.frames((32, 48), first=4))) == 2


def test_times_that_vary_are_kept(film):
    """Frames of unlike length."""
    clip = videos.read(film(times=[0, 4, 10, 11, 30, 31]))
    assert clip.times == tuple(Fraction(at, 100) for at in (0, 4, 10, 11, 30, 31))


def test_sound_is_noticed(film):
    """Only noticed: it is copied when the painted video is written."""
    assert videos.read(film(sound=True)).sound


@pytest.mark.parametrize(("suffix", "codec"), [(".mkv", "libx264"), (".webm", "libvpx-vp9"), (".mov", "libx264")])
def test_containers(film, suffix, codec):
    """What libav knows."""
    assert len(videos.read(film(name=f"film{suffix}", codec=codec))) == 6


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_moving_pictures(tmp_path, scene, pixels_of, suffix):
    """With their times; transparent parts are white."""
    pictures = [Image.fromarray(pixels_of(frame)) for frame in scene.frames]
    pictures[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=pictures[1:], duration=80, loop=0)
    clip = videos.read(tmp_path / f"a{suffix}")
    assert (len(clip), clip.shape) == (6, (64, 96))
    assert clip.times[1] == Fraction(8, 100)
    assert (next(clip.frames((64, 96))) - scene.frames[0]).abs().mean() < 0.06


def test_transparent_parts_are_white(tmp_path):
    """Of what libav reads, too."""
    red = Image.new("RGBA", (96, 64), (0, 0, 0, 0))
    red.paste((255, 0, 0, 255), (0, 0, 48, 64))
    for name in ("a.gif", "a.png"):
        red.save(
            tmp_path / name, save_all=True, append_images=[red.transpose(Image.Transpose.FLIP_LEFT_RIGHT)], disposal=2
        )
        first = next(videos.read(tmp_path / name).frames((64, 96)))
        assert first[0, :, 10, 10].tolist() == pytest.approx([1, 0, 0], abs=0.02)
        assert first[0, :, 10, 90].tolist() == pytest.approx([1, 1, 1], abs=0.02)


def test_folders_and_patterns(tmp_path, scene, pixels_of):
    """Frames in the order of their numbers, however these are written."""
    for index, frame in enumerate(scene.frames):
        Image.fromarray(pixels_of(frame)).save(tmp_path / f"f{index + 8}.png")
    for source in (tmp_path, str(tmp_path / "f*.png")):
        clip = videos.read(source)
        assert (len(clip), clip.rate) == (6, 25)
        assert all(torch.equal(a, b) for a, b in zip(clip.frames((64, 96)), scene.frames, strict=True))
    assert videos.read(tmp_path, rate=10).end == Fraction(6, 10)


def test_proportions_of_pixels_and_turned_cameras(tmp_path, scene, pixels_of):
    """Pixels are made square."""
    path = tmp_path / "wide.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        for frame in scene.frames[:2]:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels_of(frame), format="rgb24")))
        output.mux(stream.encode(None))
    assert videos.read(path).shape == (64, 128)


def test_a_damaged_end_is_said_and_the_rest_used(film, tmp_path):
    """A file that was cut short."""
    whole = film(name="film.avi", codec="mpeg4").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) * 2 // 3])
    clip = videos.read(tmp_path / "cut.avi")
    assert 0 < len(clip) < 6


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.mp4", b"", "cannot be read as a video"),
        ("a.mp4", b"no video at all" * 100, "cannot be read as a video"),
        ("a.webp", b"RIFF", "cannot be read as a moving picture"),
    ],
)
def test_what_is_no_video_gets_a_sentence(tmp_path, name, data, sentence):
    """Nothing, or something else."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(VideoError, match=sentence):
        videos.read(tmp_path / name)


def test_other_sentences(tmp_path, scene, pixels_of, film):
    """What is missing, empty, still, or of several sizes."""
    with pytest.raises(VideoError, match="does not exist"):
        videos.read(tmp_path / "none.mp4")
    with pytest.raises(VideoError, match="has no pictures"):
        videos.read(tmp_path)
    Image.fromarray(pixels_of(scene.frames[0])).save(tmp_path / "a.png")
    with pytest.raises(VideoError, match="is a single picture and no video"):
        videos.read(tmp_path / "a.png")
    Image.new("RGB", (20, 20)).save(tmp_path / "b.png")
    with pytest.raises(VideoError, match="20 x 20 pixels and the frames before 96 x 64"):
        videos.read(tmp_path)
    with pytest.raises(VideoError, match="says itself when its frames are shown"):
        videos.read(film(), rate=12)
    with pytest.raises(VideoError, match="above 0"):
        videos.read(tmp_path, rate=0)


def test_a_sound_is_no_video(tmp_path):
    """A container without pictures."""
    path = tmp_path / "tone.m4a"
    with av.open(str(path), "w") as output:
        track = output.add_stream("aac", rate=8000)
        heard = av.AudioFrame.from_ndarray(torch.zeros(1, 8000).numpy(), format="fltp", layout="mono")
        heard.sample_rate, heard.pts = 8000, 0
        output.mux(track.encode(heard))
        output.mux(track.encode(None))
    with pytest.raises(VideoError, match="has no pictures"):
        videos.read(path)


def test_a_missing_library_is_named(film, monkeypatch):
    """With the command that installs it."""
    path = film()
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"impasto\[video\]"):
        videos.read(path)


def test_shots_begin_where_everything_changes(scene):
    """Motion is no cut; another picture is."""
    other = [frame.flip(3) * 0.5 + 0.5 for frame in scene.frames]
    grids = [grid_of(frame) for frame in (*scene.frames, *other, *scene.frames)]
    assert cuts(grids) == (0, 6, 12)
    assert cuts(grids[:1]) == (0,)
    assert cuts([grids[0], grids[7]]) == (0, 1)


@pytest.mark.parametrize(
    ("shape", "expected"), [((1080, 1920), (288, 512)), ((479, 640), (384, 512)), ((2, 900), (2, 512))]
)
def test_sizes_are_even(shape, expected):
    """As codecs want them."""
    assert even(shape, 512) == expected


def test_keyframes_begin_with_every_shot(clip_of, scene):
    """And go on in steps from there."""
    keys = videos.Keyframes.every(clip_of([*scene.frames, *scene.frames], (0, 5)), 3)
    assert keys.numbers == (0, 3, 5, 8, 11)
    assert keys.shots == (0, 2)
    assert [float(time) for time in keys.times] == [0, 0.12, 0.2, 0.32, 0.44]
    assert len(keys) == 5
    shown = [scene.frames[number % 6] for number in keys.numbers]
    assert all(torch.equal(a, b) for a, b in zip(keys.frames((64, 96)), shown, strict=True))
    assert torch.equal(next(keys.frames((64, 96), first=3)), scene.frames[2])


def test_what_is_a_video(tmp_path, film, scene, pixels_of):
    """Films, moving pictures, folders and patterns of several files are; still pictures and single files of a pattern are not."""
    still, moving = tmp_path / "still.png", tmp_path / "moving.webp"
    shots = [Image.fromarray(pixels_of(frame)) for frame in scene.frames]
    shots[0].save(still)
    shots[0].save(moving, save_all=True, append_images=shots[1:])
    shots[0].save(tmp_path / "one.gif")
    shots[1].save(tmp_path / "two.gif", save_all=True, append_images=shots[:1])
    found = {name: videos.is_video(name) for name in (film(), tmp_path, moving, tmp_path / "two.gif")}
    assert all(found.values())
    assert videos.is_video(str(tmp_path / "*.gif"))
    for name in (still, tmp_path / "one.gif", tmp_path / "*.png", tmp_path / "none.mp4", "rest"):
        assert not videos.is_video(name)
