"""``--film``: the picture emerging."""

import numpy as np
import pytest

from impasto import images, videos

WORDS = ("stylize", "photo.png", "painting.png", "-o", "out.png", "-q")


@pytest.mark.parametrize("name", ["film.mp4", "film.gif", "film.png"])
def test_every_step_is_a_frame(call, room, fast, name):
    """Of both levels at the picture's size, and at the end the picture itself."""
    outcome = call(*WORDS, "--film", name, *fast)
    assert (outcome.code, outcome.err) == (0, "")
    clip = videos.read(name)
    assert clip.shape == (48, 64)
    assert clip.end >= (2 + 20) / 15  # a level has a step or more, and the end stays; frames that are alike may be one
    frames = list(clip.frames((48, 64)))
    picture = images.read("out.png").pixels
    near = (frames[-1] - picture).abs().mean()
    assert near < {"film.png": 0.003, "film.mp4": 0.04, "film.gif": 0.06}[name]
    assert (frames[0] - picture).abs().mean() > near
    assert videos.read_recipe(room / name)["task"] == "stylize"


def test_textures_emerge_too(call, room, fast):
    """Odd sizes become even."""
    words = ("texture", "painting.png", "-o", "out.png", "-q", "--film", "film.mkv", "--size", "45x33")
    assert call(*words, "--coarsest", "32", "--evaluations", "2").code == 0
    assert videos.read("film.mkv").shape == (32, 44)
    assert np.array(images.to_pil(images.read("out.png").pixels)).shape == (33, 45, 3)


def test_a_film_that_cannot_be_written_costs_no_picture(call, room, fast, monkeypatch):
    """It is said, and the picture is there."""

    def full(*arguments, **options):
        raise videos.clip.VideoError("The disk is full.")

    monkeypatch.setattr("impasto.videos.write", full)
    outcome = call(*WORDS, "--film", "film.mp4", *fast)
    assert outcome.code == 0
    assert "The disk is full. The result is not touched by that." in outcome.err
    assert images.read("out.png").shape == (48, 64)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--film", "film.avi"), "does not end like a video"),
        (("--film", "out.png"), "give them different names"),
        (("--film", "none/film.mp4"), "does not exist"),
    ],
)
def test_names_that_will_not_do(call, room, fast, words, sentence):
    """Before anything is painted."""
    outcome = call(*WORDS, *words, *fast)
    assert (outcome.code, sentence in outcome.err) == (2, True)


NEURAL = ("neural-style", "-content_image", "photo.png", "-style_image", "painting.png", "-image_size", "32")


def test_neural_style_has_a_film_too(call, room):
    """Of every iteration; the film says by which flags it was made, and may be replaced."""
    words = (*NEURAL, "-num_iterations", "4", "-gpu", "c", "-film", "film.mkv", "-seed", "1")
    assert call(*words).code == 0
    frames = list(videos.read("film.mkv").frames((24, 32)))
    assert len(frames) >= 2 + 20
    assert (frames[-1] - images.read("out.png").pixels).abs().mean() < 0.05
    shown = call("show", "film.mkv")
    assert (shown.code, "-film film.mkv" in shown.out) == (0, True)
    assert call(*words).code == 0


def test_a_film_of_neural_style_that_cannot_be_written(call, room, monkeypatch):
    """A name that will not do is refused before; later the picture is there all the same."""
    outcome = call(*NEURAL, "-film", "film.avi")
    assert (outcome.code, "does not end like a video" in outcome.err) == (2, True)

    def full(*arguments, **options):
        raise videos.clip.VideoError("The disk is full.")

    monkeypatch.setattr("impasto.videos.frames.FrameFolder.save", full)
    outcome = call(*NEURAL, "-num_iterations", "2", "-gpu", "c", "-film", "film.mkv")
    assert outcome.code == 0
    assert outcome.err.count("The disk is full. There is no film") == 1
    assert images.read("out.png").shape == (24, 32)
