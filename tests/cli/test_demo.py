"""``impasto demo``: a picture from nothing."""

from pathlib import Path

from impasto import images

WORDS = ("--size", "64", "--evaluations", "1")


def test_a_picture_from_nothing(call, tmp_path, monkeypatch):
    """The demo says where its picture is, leaves the painting beside it, and can be made again."""
    monkeypatch.chdir(tmp_path)
    outcome = call("demo", *WORDS)
    assert outcome.code == 0
    assert "Wrote impasto-demo.png, 64x" in outcome.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["impasto-demo-painting.png", "impasto-demo.png"]
    assert call("rerun", "impasto-demo.png", "--quiet").code == 0
    assert (images.read("impasto-demo_again.png").pixels == images.read("impasto-demo.png").pixels).all()


def test_another_name(call, tmp_path):
    """The picture goes where it is told to, and the painting with it."""
    assert call("demo", *WORDS, "-o", tmp_path / "mine.jpg", "--quiet").code == 0
    assert (tmp_path / "mine-painting.png").is_file()


def test_refusals(call, tmp_path, monkeypatch):
    """Without a folder to write to there is a sentence and no painting."""
    monkeypatch.chdir(tmp_path)
    for words in (["-o", "-"], ["-o", "no/where.png"], ["--size", "1"]):
        assert call("demo", *words).code == 2
    assert not list(Path().iterdir())
