"""``impasto preview`` from words to a file."""

import json

from PIL import Image

from impasto import images


def test_a_picture_at_once(call, room):
    """Its size and time are told; the report is JSON."""
    outcome = call("preview", "photo.png", "painting.png", "-o", "out.png", "--size", "48", "--json", "--device", "cpu")
    assert outcome.code == 0
    facts = json.loads(outcome.out)
    assert (facts["output"], facts["width"], facts["height"]) == ("out.png", 48, 36)
    assert facts["recipe"]["styles"] == ["painting.png"]
    assert "Wrote out.png, 48x36, after " in outcome.err
    assert images.read("out.png").shape == (36, 48)


def test_a_picture_to_standard_output(start, room):
    """As a PNG, and no word beside it; a report cannot go there too."""
    words = ("preview", "photo.png", "painting.png", "--size", "48", "--device", "cpu", "-o", "-")
    out, err = start(*words, "--quiet").communicate(timeout=240)
    assert (images.read(out).shape, err) == ((36, 48), b"")
    _, err = start(*words, "--json").communicate(timeout=240)
    assert b"both want standard output" in err


def test_several_styles(call, room):
    """With shares, quietly."""
    words = (
        "photo.png",
        "painting.png",
        "photo.png",
        "--blend",
        "3,1",
        "-o",
        "o.jpg",
        "-q",
        "--size",
        "32",
        "--quality",
        "80",
    )
    outcome = call("preview", *words)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


def test_what_is_left_out_of_the_photos_words_is_told(call, room):
    """On the terminal, in the report, and by --dry-run."""
    exif = Image.Exif()
    exif[0x010E] = "words " * 20_000  # more than a JPEG has room for
    Image.open("photo.png").save("said.png", exif=exif)
    words = ("preview", "said.png", "painting.png", "-o", "o.jpg", "--size", "32", "--device", "cpu")
    sentence = "Left out, as a JPEG file has no room for it: EXIF ImageDescription."
    assert sentence in call(*words, "--dry-run").err
    outcome = call(*words, "--json")
    assert sentence in outcome.err
    assert json.loads(outcome.out)["notes"] == [sentence]


def test_refusals(call, room):
    """One sentence, code 2."""
    with Image.open("photo.png") as picture:
        picture.putalpha(100)
        picture.save("clear.png")
    for words, sentence in [
        (("photo.png", "painting.png"), "There is no output"),
        (("photo.png", "painting.png", "-o", "photo.png"), "would overwrite"),
        (("photo.png", "painting.png", "-o", "o.png", "--blend", "x"), "one number per style"),
        (("photo.png", "painting.png", "-o", "o.png", "--strength", "2"), "from 0 to 1"),
        (("photo.png", "painting.png", "-o", "o.txt"), ".txt"),
        (("photo.png", "painting.png", "-o", "o.png", "--size", "5"), "8 to 20000"),
        (("clear.png", "painting.png", "-o", "o.jpg"), "cannot store the picture's transparency"),
        (("photo.png", "painting.png", "-o", "o.png", "--quality", "50"), "lossless"),
    ]:
        outcome = call("preview", *words)
        assert outcome.code == 2
        assert sentence in outcome.err
        assert outcome.err.count("\n") == 1
